"""The large networks in PyTorch, written as torchvision writes them: ReLU and sums in place.

Modules are named as DeZero names its layers, so that one list of names serves both.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from benchmarks.networks import RESNET50_STAGES, VGG_GROUPS, Network, ResNet18

_NAMES = {
    "W": "weight", "b": "bias", "gamma": "weight", "beta": "bias",
    "avg_mean": "running_mean", "avg_var": "running_var",
}  # fmt: skip


def filled(model: nn.Module, case: Network) -> Any:
    """``model`` with the parameters of ``case``."""
    tensors = {n: t for n, t in model.state_dict().items() if not n.endswith("_tracked")}
    for name in case.parameters:
        array = tensors.pop(_name(name)).numpy()
        case.fill(name, array.T if array.ndim == 2 else array)
    if tensors:
        raise ValueError(f"{type(model).__name__}: no numbers for {sorted(tensors)}")
    return model


def arrays(model: nn.Module, names: Sequence[str]) -> dict[str, Any]:
    """The parameters of these names, as arrays."""
    tensors = model.state_dict()
    return {name: tensors[_name(name)].numpy() for name in names}


def _name(name: str) -> str:
    *path, last = name.split("/")
    return ".".join([*path, _NAMES[last]])


def _norm(n: int, eps: float) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(n, eps=eps)


class _Block(nn.Module):
    """Two convolutions, added to the input; where the size changes, one more beside them."""

    def __init__(self, n_in: int, n_out: int, stride: int, eps: float) -> None:
        super().__init__()
        self.changes = stride > 1
        self.conv1 = nn.Conv2d(n_in, n_out, 3, stride, 1, bias=False)
        self.bn1 = _norm(n_out, eps)
        self.conv2 = nn.Conv2d(n_out, n_out, 3, 1, 1, bias=False)
        self.bn2 = _norm(n_out, eps)
        if self.changes:
            self.conv3 = nn.Conv2d(n_in, n_out, 1, stride, bias=False)
            self.bn3 = _norm(n_out, eps)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = F.relu(self.bn1(self.conv1(x)), inplace=True)
        h = self.bn2(self.conv2(h))
        h += self.bn3(self.conv3(x)) if self.changes else x
        return F.relu(h, inplace=True)


class _ResNet18(nn.Module):
    def __init__(self, case: ResNet18) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, case.widths[0], 7, 2, 3, bias=False)
        self.bn1 = _norm(case.widths[0], case.eps)
        self.names = [name for name, *_ in case.blocks()]
        for name, *sizes in case.blocks():
            setattr(self, name, _Block(*sizes, case.eps))
        self.fc = nn.Linear(case.widths[-1], 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x)), inplace=True), 3, 2, 1)
        for name in self.names:
            x = getattr(self, name)(x)
        return self.fc(F.adaptive_avg_pool2d(x, 1).flatten(1))


def resnet18(case: ResNet18) -> Any:
    """18 layers, with the parameters of ``case``."""
    return filled(_ResNet18(case), case)


class _VGG16(nn.Module):
    def __init__(self, case: Network) -> None:
        super().__init__()
        n_in = 3
        for group, (n_out, count) in enumerate(VGG_GROUPS, start=1):
            for i in range(1, count + 1):
                setattr(self, f"conv{group}_{i}", nn.Conv2d(n_in, n_out, 3, padding=1))
                n_in = n_out
        self.fc6 = nn.Linear(*case.parameters["fc6/W"].shape)
        self.fc7 = nn.Linear(4096, 4096)
        self.fc8 = nn.Linear(4096, 1000)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for group, (_, count) in enumerate(VGG_GROUPS, start=1):
            for i in range(1, count + 1):
                x = F.relu(getattr(self, f"conv{group}_{i}")(x), inplace=True)
            x = F.max_pool2d(x, 2, 2)
        x = x.flatten(1)
        x = F.dropout(F.relu(self.fc6(x), inplace=True), training=self.training)
        x = F.dropout(F.relu(self.fc7(x), inplace=True), training=self.training)
        return self.fc8(x)


def vgg16(case: Network) -> Any:
    """16 layers, with the parameters of ``case``."""
    return filled(_VGG16(case), case)


class _Bottleneck(nn.Module):
    """Three convolutions, added to the input; in the first of a stage one more beside them."""

    def __init__(self, n_in: int, middle: int, n_out: int, stride: int, first: bool) -> None:
        super().__init__()
        self.first = first
        convs = [(n_in, middle, 1, stride, 0), (middle, middle, 3, 1, 1), (middle, n_out, 1, 1, 0)]
        if first:
            convs.append((n_in, n_out, 1, stride, 0))
        for i, sizes in enumerate(convs, start=1):
            setattr(self, f"conv{i}", nn.Conv2d(*sizes, bias=False))
            setattr(self, f"bn{i}", _norm(sizes[1], 2e-5))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = F.relu(self.bn1(self.conv1(x)), inplace=True)
        h = F.relu(self.bn2(self.conv2(h)), inplace=True)
        h = self.bn3(self.conv3(h))
        h += self.bn4(self.conv4(x)) if self.first else x
        return F.relu(h, inplace=True)


class _ResNet50(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3)
        self.bn1 = _norm(64, 2e-5)
        n_in = 64
        for stage, (count, middle, n_out) in enumerate(RESNET50_STAGES, start=2):
            blocks = nn.Sequential()
            for i in range(count):
                stride = 2 if i == 0 and stage > 2 else 1
                block = _Bottleneck(n_in, middle, n_out, stride, i == 0)
                blocks.add_module(f"b{i}" if i else "a", block)
                n_in = n_out
            setattr(self, f"res{stage}", blocks)
        self.fc6 = nn.Linear(n_in, 1000)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x)), inplace=True), 3, 2)
        x = self.res5(self.res4(self.res3(self.res2(x))))
        return self.fc6(F.adaptive_avg_pool2d(x, 1).flatten(1))


def resnet50(case: Network) -> Any:
    """50 layers, with the parameters of ``case``."""
    return filled(_ResNet50(), case)
