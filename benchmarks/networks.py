"""The large networks every peer runs: names, shapes and numbers of their parameters, one batch.

A parameter is drawn row by row into the array in which a peer keeps it, so a network of half a
gigabyte is never there twice: the peak of memory is what it takes to run it. Names are DeZero's;
matrices are (in, out), filters (out, in, height, width).
"""

from __future__ import annotations

import itertools
import zlib
from dataclasses import dataclass

import numpy as np

from benchmarks.inputs import SEED, Array, Labels

_BLOCK = 1 << 16  # elements that are drawn at a time
VGG_GROUPS = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))  # channels, convolutions
RESNET50_STAGES = ((3, 64, 256), (4, 128, 512), (6, 256, 1024), (3, 512, 2048))


@dataclass(frozen=True)
class Draw:
    """An array of normally distributed numbers."""

    shape: tuple[int, ...]
    scale: float
    mean: float = 0.0


@dataclass(frozen=True)
class Network:
    """Parameters by name, images of shape (batch, 3, size, size), and their classes."""

    x: Array
    t: Labels
    parameters: dict[str, Draw]

    def fill(self, name: str, out: Array) -> None:
        """Write the parameter ``name`` into ``out``, whatever the order of that in memory."""
        draw = self.parameters[name]
        if out.shape != draw.shape:
            raise ValueError(f"{name} has the shape {draw.shape}, not {out.shape}")
        rng = _generator(name)
        rows = max(1, _BLOCK // max(1, out[0].size))
        for start in range(0, len(out), rows):
            part = out[start : start + rows]
            part[...] = draw.mean + draw.scale * rng.standard_normal(part.shape, np.float32)


@dataclass(frozen=True)
class ResNet18(Network):
    """The network of 18 layers on small images; the last step of each stage is (in, out)."""

    widths: tuple[int, ...] = ()
    checked: tuple[str, ...] = (  # a few small ones: copies of all would count as memory
        "conv1/W", "bn1/avg_mean", "bn1/avg_var", "res2a/bn1/beta", "res2b/conv2/W",
        "res3a/conv3/W", "res4a/bn1/avg_var", "res5b/bn2/gamma", "fc/W", "fc/b",
    )  # fmt: skip
    lr: float = 0.01
    momentum: float = 0.9
    eps: float = 1e-5

    def blocks(self) -> list[tuple[str, int, int, int]]:
        """Name, channels in and out, and stride of each block of two convolutions."""
        found = []
        for stage, (n_in, n_out) in enumerate(itertools.pairwise((self.widths[0], *self.widths))):
            stride = 2 if stage else 1
            found += [
                (f"res{stage + 2}a", n_in, n_out, stride),
                (f"res{stage + 2}b", n_out, n_out, 1),
            ]
        return found


def _generator(name: str) -> np.random.Generator:
    return np.random.default_rng([SEED, zlib.crc32(name.encode())])


def _batch(batch: int, size: int) -> tuple[Array, Labels]:
    rng = _generator("images")
    x = rng.standard_normal((batch, 3, size, size), np.float32)
    return x, rng.integers(0, 10, batch)


def _conv(name: str, n_in: int, n_out: int, size: int, bias: bool = False) -> dict[str, Draw]:
    fan_in = n_in * size * size
    found = {f"{name}/W": Draw((n_out, n_in, size, size), (2 / fan_in) ** 0.5)}
    return found | {f"{name}/b": Draw((n_out,), 0.01)} if bias else found


def _batch_norm(name: str, n: int, gamma: float = 1.0) -> dict[str, Draw]:
    return {
        f"{name}/gamma": Draw((n,), 0.1 * gamma, gamma),
        f"{name}/beta": Draw((n,), 0.1),
        f"{name}/avg_mean": Draw((n,), 0.1),
        f"{name}/avg_var": Draw((n,), 0.1, 1.0),
    }


def _linear(name: str, n_in: int, n_out: int) -> dict[str, Draw]:
    return {f"{name}/W": Draw((n_in, n_out), n_in**-0.5), f"{name}/b": Draw((n_out,), 0.01)}


def resnet18(small: bool = False) -> ResNet18:
    """64-128-256-512 channels, 16 images of 64x64 (small: 4-8-8-8, 4 images)."""
    widths, batch = ((4, 8, 8, 8), 4) if small else ((64, 128, 256, 512), 16)
    x, t = _batch(batch, 64)
    found = ResNet18(x, t, {}, widths)
    parameters = _conv("conv1", 3, widths[0], 7) | _batch_norm("bn1", widths[0])
    for name, n_in, n_out, stride in found.blocks():
        parameters |= _conv(f"{name}/conv1", n_in, n_out, 3) | _batch_norm(f"{name}/bn1", n_out)
        parameters |= _conv(f"{name}/conv2", n_out, n_out, 3)
        parameters |= _batch_norm(f"{name}/bn2", n_out, 0.5)
        if stride > 1:
            parameters |= _conv(f"{name}/conv3", n_in, n_out, 1)
            parameters |= _batch_norm(f"{name}/bn3", n_out)
    return ResNet18(x, t, parameters | _linear("fc", widths[-1], 10), widths)


def vgg16(small: bool = False) -> Network:
    """Configuration D on one image of 224x224 (small: 32x32)."""
    size = 32 if small else 224
    parameters: dict[str, Draw] = {}
    n_in = 3
    for group, (n_out, count) in enumerate(VGG_GROUPS, start=1):
        for i in range(1, count + 1):
            parameters |= _conv(f"conv{group}_{i}", n_in, n_out, 3, bias=True)
            n_in = n_out
    sizes = (n_in * (size // 2 ** len(VGG_GROUPS)) ** 2, 4096, 4096, 1000)
    for i, (n_in, n_out) in enumerate(itertools.pairwise(sizes), start=6):
        parameters |= _linear(f"fc{i}", n_in, n_out)
    return Network(*_batch(1, size), parameters)


def resnet50(small: bool = False) -> Network:
    """50 layers, the stride in the first convolution, on one image of 224x224 (small: 64x64)."""
    parameters = _conv("conv1", 3, 64, 7, bias=True) | _batch_norm("bn1", 64)
    n_in = 64
    for stage, (count, middle, n_out) in enumerate(RESNET50_STAGES, start=2):
        for block in ("a", *(f"b{i}" for i in range(1, count))):
            name = f"res{stage}/{block}"
            convs = [(n_in, middle, 1), (middle, middle, 3), (middle, n_out, 1)]
            if block == "a":
                convs.append((n_in, n_out, 1))
            for i, (c_in, c_out, size) in enumerate(convs, start=1):
                parameters |= _conv(f"{name}/conv{i}", c_in, c_out, size)
                parameters |= _batch_norm(f"{name}/bn{i}", c_out, 0.3 if i == 3 else 1.0)
            n_in = n_out
    parameters |= _linear("fc6", n_in, 1000)
    return Network(*_batch(1, 64 if small else 224), parameters)
