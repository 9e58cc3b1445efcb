"""Optimizers: how parameters follow their gradients (step 46 of the book)."""

from dezero.optimizers.algorithms import (
    SGD,
    AdaDelta,
    AdaGrad,
    Adam,
    AdamW,
    MomentumSGD,
    NesterovSGD,
    RMSprop,
)
from dezero.optimizers.base import ClipGrad, FreezeParam, Optimizer, WeightDecay

__all__ = [
    "SGD",
    "AdaDelta",
    "AdaGrad",
    "Adam",
    "AdamW",
    "ClipGrad",
    "FreezeParam",
    "MomentumSGD",
    "NesterovSGD",
    "Optimizer",
    "RMSprop",
    "WeightDecay",
]
