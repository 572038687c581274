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

from training.mini.evidence import STATIC, same_place
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
    path: Path,
    trunk: Trunk,
    projector: nn.Linear,
    references: Tensor,
    points: Tensor,
    places: Tensor,
    *,
    rows: int,
    size: int,
    pair: str,
) -> None:
    """`references` [n, w], `points` [n, 3] and `places` [n, STATIC] of the training photos; `pair`: the id shared with the text model."""
    g = GraphWriter()
    features = _features(g, trunk, size)
    _name(g, features, "features")
    out = _rows(g, trunk, projector, references, points, places, rows)
    _name(g, out, "rows")
    width = projector.out_features
    graph = helper.make_graph(
        g.nodes,
        "tower",
        [helper.make_tensor_value_info("pixels", TensorProto.UINT8, [1, size, size, 3])],
        [
            helper.make_tensor_value_info("rows", TensorProto.FLOAT, [1, rows, width]),
            helper.make_tensor_value_info("features", TensorProto.FLOAT, [1, references.shape[1]]),
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


def _rows(g: GraphWriter, trunk: Trunk, projector: nn.Linear, references: Tensor, points: Tensor, places: Tensor, k: int) -> str:
    """Evidence as in evidence.py, then the projector."""
    similarity = g.node("MatMul", ["features", g.half(references.T)])  # [1, n]
    logits = g.node("Mul", [similarity, g.number(float(trunk.log_sharpness.detach().exp()))])
    share = g.node("Softmax", [logits], axis=1)
    mass = g.node("MatMul", [share, g.node("Cast", [g.constant(same_place(points).numpy())], to=TensorProto.FLOAT)])
    g.nodes.append(helper.make_node("TopK", [logits, g.constant(np.array([k], np.int64))], ["top", "index"], name="topk", axis=1))
    static = g.node("Gather", [g.half(places), "index"], axis=0)  # [1, k, STATIC]
    assert places.shape[1] == STATIC
    near = {
        name: g.node("GatherElements", [values, "index"], axis=1)
        for name, values in (("s", similarity), ("p", share), ("m", mass))
    }
    dynamic = [
        near["s"],
        _gap(g, near["s"]),
        near["p"],
        _log(g, near["p"]),
        near["m"],
        g.constant((np.arange(k, dtype=np.float32) / k)[None]),
    ]
    columns = [g.node("Unsqueeze", [column, g.constant(np.array([2], np.int64))]) for column in dynamic]
    x = g.node("Concat", [static, *columns], axis=2)
    return g.linear(x, projector)


def _gap(g: GraphWriter, similarity: str) -> str:
    best = g.node("Slice", [similarity, *(g.constant(np.array([value], np.int64)) for value in (0, 1, 1))])
    return g.node("Mul", [g.node("Sub", [best, similarity]), g.number(10.0)])


def _log(g: GraphWriter, share: str) -> str:
    return g.node("Div", [g.node("Log", [g.node("Max", [share, g.number(1e-6)])]), g.number(10.0)])
