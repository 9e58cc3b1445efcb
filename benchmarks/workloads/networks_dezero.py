"""The large networks in DeZero: filled with the suite's numbers, and the one it does not have."""

from __future__ import annotations

from typing import Any

import numpy as np

import dezero.functions as F
import dezero.layers as L
from benchmarks.networks import Network, ResNet18
from dezero import Model


def filled(model: Any, case: Network) -> Any:
    """``model`` with the parameters of ``case``."""
    parameters = dict(model.named_params())
    if set(parameters) != set(case.parameters):
        odd = sorted(set(parameters) ^ set(case.parameters))
        raise ValueError(f"{type(model).__name__}: only one side has {odd}")
    for name, parameter in parameters.items():
        array = np.empty(case.parameters[name].shape, np.float32)
        case.fill(name, array)
        parameter.data = array
    return model


class _Block(Model):
    """Two convolutions, added to the input; where the size changes, one more beside them."""

    def __init__(self, n_out: int, stride: int, eps: float) -> None:
        super().__init__()
        self.changes = stride > 1
        self.conv1 = L.Conv2d(n_out, 3, stride, 1, nobias=True)
        self.bn1 = L.BatchNorm(eps=eps)
        self.conv2 = L.Conv2d(n_out, 3, 1, 1, nobias=True)
        self.bn2 = L.BatchNorm(eps=eps)
        if self.changes:
            self.conv3 = L.Conv2d(n_out, 1, stride, 0, nobias=True)
            self.bn3 = L.BatchNorm(eps=eps)

    def forward(self, x: Any) -> Any:
        h = F.relu(self.bn1(self.conv1(x)))
        h = self.bn2(self.conv2(h))
        return F.relu(h + (self.bn3(self.conv3(x)) if self.changes else x))


class _ResNet18(Model):
    def __init__(self, case: ResNet18) -> None:
        super().__init__()
        self.conv1 = L.Conv2d(case.widths[0], 7, 2, 3, nobias=True)
        self.bn1 = L.BatchNorm(eps=case.eps)
        self.names = [name for name, *_ in case.blocks()]
        for name, _, n_out, stride in case.blocks():
            setattr(self, name, _Block(n_out, stride, case.eps))
        self.fc = L.Linear(10)

    def forward(self, x: Any) -> Any:
        x = F.pooling(F.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        for name in self.names:
            x = getattr(self, name)(x)
        return self.fc(F.average(x, axis=(2, 3)))


def resnet18(case: ResNet18) -> Any:
    """18 layers, with the parameters of ``case``."""
    return filled(_ResNet18(case), case)
