"""The trained tower as one ONNX file: pixels in, rows for the text model and features out. Weights are stored as 16-bit floats.

Written node by node: the network is small, batch statistics are folded into the convolutions, and nothing depends on how torch
happens to trace it. tests/training/test_mini.py compares every output with torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from training.album import SAME_PLACE_KM
from training.mini.decoder import RowsBackbone
from training.mini.evidence import CIRCLES_KM, MOST_CANDIDATES, WORDS, References, cosine_within
from training.mini.probe import Probe
from training.mini.settings import EvidenceSettings, Settings
from training.mini.trunk import MEAN, SCALE, Trunk

OPSET = 20


class GraphWriter:
    """Collects nodes and weights. Every method gives the name of its result."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self._count = 0

    def node(self, kind: str, inputs: Sequence[str], **attributes: Any) -> str:
        """One operation with one result."""
        self._count += 1
        name = f"{kind.lower()}_{self._count}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], name=name, **attributes))
        return name

    def constant(self, values: npt.NDArray[np.generic]) -> str:
        """Values stored as they are."""
        self._count += 1
        name = f"constant_{self._count}"
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def half(self, values: Tensor) -> str:
        """Weights stored as 16-bit floats and widened when the file is loaded."""
        stored = self.constant(values.detach().numpy().astype(np.float16))
        return self.node("Cast", [stored], to=TensorProto.FLOAT)

    def number(self, value: float) -> str:
        """A scalar."""
        return self.constant(np.array(value, np.float32))

    def convolution(self, x: str, conv: nn.Conv2d, norm: nn.BatchNorm2d, size: int, *, clip: bool) -> tuple[str, int]:
        """A convolution with its batch statistics folded in, padded as TensorFlow's SAME; (result, new size)."""
        assert norm.running_mean is not None
        assert norm.running_var is not None
        scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        weight, bias = conv.weight * scale.view(-1, 1, 1, 1), norm.bias - norm.running_mean * scale
        kernel, stride = conv.weight.shape[-1], int(conv.stride[0])
        out = -(-size // stride)
        pad = max((out - 1) * stride + kernel - size, 0)
        before, after = pad // 2, pad - pad // 2
        inputs = [x, self.half(weight), self.constant(bias.detach().numpy())]
        y = self.node("Conv", inputs, strides=[stride] * 2, pads=[before, before, after, after], group=int(conv.groups))
        return (self.node("Clip", [y, self.number(0.0), self.number(6.0)]) if clip else y), out

    def block(self, x: str, block: Any, size: int) -> tuple[str, int]:
        """One inverted residual block of EfficientNet-lite."""
        y, start = x, size
        if hasattr(block, "_expand_conv"):
            y, size = self.convolution(y, block._expand_conv, block._bn0, size, clip=True)
        y, size = self.convolution(y, block._depthwise_conv, block._bn1, size, clip=True)
        y, size = self.convolution(y, block._project_conv, block._bn2, size, clip=False)
        same = size == start and block._project_conv.weight.shape[0] == _channels_in(block)
        return (self.node("Add", [y, x]) if same else y), size

    def linear(self, x: str, layer: nn.Linear) -> str:
        """x @ weight.T + bias for any leading dimensions."""
        y = self.node("MatMul", [x, self.half(layer.weight.T)])
        return self.node("Add", [y, self.constant(layer.bias.detach().numpy())])


def _channels_in(block: Any) -> int:
    first = block._expand_conv if hasattr(block, "_expand_conv") else block._depthwise_conv
    return int(first.in_channels)


def write_network(
    path: Path, trunk: Trunk, backbone: RowsBackbone, references: References, words: Tensor, settings: Settings, *, pair: str
) -> None:
    """`words` [m, WORDS, WORD_FEATURES] of the references' chains (see RowWriter); `pair`: the id shared with the text model."""
    g = GraphWriter()
    size, count = settings.tower.image_size, settings.evidence.candidates
    _name(g, _features(g, trunk, size), "features")
    index, numbers = _candidates(g, trunk.sharpness, references, settings.evidence)
    _name(g, _rows(g, backbone, words, index, numbers), "rows")
    rows = [1, count * WORDS, backbone.config.hidden_size]
    graph = helper.make_graph(
        g.nodes,
        "tower",
        [helper.make_tensor_value_info("pixels", TensorProto.UINT8, [1, size, size, 3])],
        [
            helper.make_tensor_value_info("rows", TensorProto.FLOAT, rows),
            helper.make_tensor_value_info("features", TensorProto.FLOAT, [1, references.features.shape[1]]),
        ],
        g.weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="georapp", ir_version=10)
    helper.set_model_props(model, {"georapp.pair": pair})
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString(deterministic=True))


def _name(g: GraphWriter, result: str, name: str) -> None:
    g.nodes.append(helper.make_node("Identity", [result], [name], name=f"out_{name}"))


def _features(g: GraphWriter, trunk: Trunk, size: int) -> str:
    x = g.node("Cast", ["pixels"], to=TensorProto.FLOAT)
    x = g.node("Div", [g.node("Sub", [x, g.number(MEAN)]), g.number(SCALE)])
    x = g.node("Transpose", [x], perm=[0, 3, 1, 2])
    x, size = g.convolution(x, trunk.stem, trunk.stem_norm, size, clip=True)
    for block in trunk.blocks:
        x, size = g.block(x, block, size)
    x, size = g.convolution(x, trunk.top, trunk.top_norm, size, clip=True)
    power = float(trunk.power.detach())
    x = g.node("Pow", [g.node("Max", [x, g.number(1e-5)]), g.number(power)])
    x = g.node("Flatten", [g.node("GlobalAveragePool", [x])], axis=1)
    x = g.linear(g.node("Pow", [x, g.number(1 / power)]), trunk.embedding)
    return g.node("LpNormalization", [x], axis=1, p=2)


def _candidates(g: GraphWriter, sharpness: float, references: References, settings: EvidenceSettings) -> tuple[str, str]:
    """As `candidates_of`: names of index [count] and numbers [count, NUMBERS]."""
    similarity = g.node("MatMul", ["features", g.half(references.features.T)])  # [1, m]
    less = g.node("Sub", [similarity, g.constant(references.hub.numpy())])
    share = g.node("Softmax", [g.node("Mul", [less, g.number(settings.softness * sharpness)])], axis=1)
    points = references.points.double()
    table, across = g.constant(points.numpy()), g.constant(points.T.numpy())
    country = g.constant(references.country.numpy())
    near = g.constant((points @ points.T >= cosine_within(SAME_PLACE_KM)).numpy())
    votes = _votes(g, share, near, references.probe, settings.probe_share)
    highest = g.node("ReduceMax", [similarity], keepdims=1)
    found, numbers = [], []
    for rank in range(settings.candidates):
        best = g.node("ArgMax", [votes], axis=1, keepdims=0)  # [1]
        cosine = g.node("MatMul", [g.node("Gather", [table, best], axis=0), across])
        inside = [g.node("GreaterOrEqual", [cosine, g.constant(np.array(cosine_within(km)))]) for km in CIRCLES_KM]
        inside.append(g.node("Unsqueeze", [g.node("Equal", [g.node("Gather", [country, best], axis=0), country]), _axis(g, 0)]))
        sums = [g.node("ReduceSum", [g.node("Mul", [share, _floats(g, part)]), _axis(g, 1)], keepdims=1) for part in inside]
        here = g.node("Max", [g.node("Gather", [votes, best], axis=1), g.number(1e-4)])
        log, place = g.node("Div", [g.node("Log", [here]), g.number(4.0)]), np.eye(MOST_CANDIDATES, dtype=np.float32)[[rank]]
        mine = g.node("Gather", [similarity, best], axis=1)
        numbers.append(g.node("Concat", [highest, mine, *sums, here, log, g.constant(place)], axis=1))
        found.append(best)
        votes = g.node("Where", [g.node("Gather", [near, best], axis=0), g.number(-1.0), votes])
    return g.node("Concat", found, axis=0), g.node("Concat", numbers, axis=0)


def _votes(g: GraphWriter, share: str, near: str, probe: Probe, probe_share: float) -> str:
    """Of the photos and of the probe, for the places around all photos: [1, m]."""
    said = g.node("Add", [g.node("MatMul", ["features", g.half(probe.weight.T)]), g.constant(probe.bias.numpy())])
    around = g.node("Gather", [near, g.constant(probe.photo.numpy())], axis=0)
    parts = ((share, near, 1 - probe_share), (g.node("Softmax", [said], axis=1), around, probe_share))
    return g.node("Add", [g.node("Mul", [g.node("MatMul", [p, _floats(g, where)]), g.number(part)]) for p, where, part in parts])


def _rows(g: GraphWriter, backbone: RowsBackbone, words: Tensor, index: str, numbers: str) -> str:
    """As RowsBackbone.rows: [1, count * WORDS, width]. Only the words that occur get into the file."""
    used, compact = words[..., :3].unique(return_inverse=True)
    embeddings: Any = backbone.get_input_embeddings()
    table = g.half(embeddings.weight[used])

    def looked_up(values: str, ids: Tensor) -> str:
        mine = g.node("Gather", [g.constant(ids.numpy().astype(np.int32)), index], axis=0)
        return g.node("Gather", [values, mine], axis=0)  # [count, WORDS, width]

    before = g.node("MatMul", [looked_up(table, compact[..., 1]), g.half(backbone.before.weight.T)])
    above = g.node("MatMul", [looked_up(table, compact[..., 2]), g.half(backbone.above.weight.T)])
    slots = looked_up(g.half(backbone.slots.weight), words[..., 3])
    spread = g.node("Unsqueeze", [g.linear(numbers, backbone.numbers), _axis(g, 1)])
    marks = g.node("Add", [g.node("Add", [before, above]), slots])
    rows = g.node("Add", [g.node("Add", [looked_up(table, compact[..., 0]), marks]), spread])
    return g.node("Reshape", [rows, g.constant(np.array([1, -1, backbone.config.hidden_size], np.int64))])


def _axis(g: GraphWriter, number: int) -> str:
    return g.constant(np.array([number], np.int64))


def _floats(g: GraphWriter, truth: str) -> str:
    return g.node("Cast", [truth], to=TensorProto.FLOAT)
