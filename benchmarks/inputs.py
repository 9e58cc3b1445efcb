"""The numbers every peer starts from: seeded NumPy arrays, the same for all.

Weights are laid out (in, out) for matrices and (out, in, height, width) for filters; a peer
that keeps them otherwise transposes them on the way in.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Labels = NDArray[np.int64]

CHAIN_FACTOR = 1.0 + 1e-7
START = 1.0  # goldstein_price is evaluated at x = y = START
SEED = 20240229


@dataclass(frozen=True)
class MLP:
    """A multilayer perceptron, one batch, and a direction for the Hessian-vector product."""

    x: Array
    t: Labels
    weights: list[Array]
    biases: list[Array]
    weight_directions: list[Array]
    bias_directions: list[Array]
    lr: float = 0.01


@dataclass(frozen=True)
class LSTM:
    """An LSTM of the book's form with a linear read-out; gates in the order f, i, o, u."""

    xs: Array  # (steps, batch, inputs)
    ts: Array  # (steps, batch, 1)
    wx: dict[str, Array]
    wh: dict[str, Array]
    b: dict[str, Array]
    w_out: Array
    b_out: Array
    lr: float = 0.001
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8

    @property
    def hidden(self) -> int:
        """The number of hidden units."""
        return int(self.w_out.shape[0])


@dataclass(frozen=True)
class CNN:
    """Four 3x3 convolutions with padding 1, a pooling after each second one, one linear layer."""

    x: Array  # (batch, 3, size, size)
    t: Labels
    filters: list[Array]
    filter_biases: list[Array]
    w_out: Array
    b_out: Array
    lr: float = 0.002


@dataclass(frozen=True)
class Block:
    """The weights of one transformer block."""

    ln1_gamma: Array
    ln1_beta: Array
    w_qkv: Array
    b_qkv: Array
    w_proj: Array
    b_proj: Array
    ln2_gamma: Array
    ln2_beta: Array
    w_up: Array
    b_up: Array
    w_down: Array
    b_down: Array


@dataclass(frozen=True)
class GPT:
    """A small GPT: pre-norm blocks, learned positions, tanh GELU, a read-out without bias."""

    ids: Labels  # (batch, length)
    targets: Labels  # (batch, length)
    heads: int
    token_table: Array
    position_table: Array
    final_gamma: Array
    final_beta: Array
    w_head: Array
    blocks: list[Block] = field(default_factory=list)
    lr: float = 0.001
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    weight_decay: float = 0.1
    ln_eps: float = 1e-5


def _normal(rng: np.random.Generator, shape: tuple[int, ...], scale: float = 1.0) -> Array:
    return (scale * rng.standard_normal(shape)).astype(np.float32)


def mlp(small: bool = False) -> MLP:
    """784-1000-1000-10 on a batch of 100 (small: 12-16-16-4 on 6)."""
    widths, batch = ([12, 16, 16, 4], 6) if small else ([784, 1000, 1000, 10], 100)
    rng = np.random.default_rng(SEED)
    pairs = list(itertools.pairwise(widths))
    return MLP(
        x=_normal(rng, (batch, widths[0])),
        t=rng.integers(0, widths[-1], batch),
        weights=[_normal(rng, (i, o), (2 / i) ** 0.5) for i, o in pairs],
        biases=[_normal(rng, (o,), 0.01) for _, o in pairs],
        weight_directions=[_normal(rng, (i, o)) for i, o in pairs],
        bias_directions=[_normal(rng, (o,)) for _, o in pairs],
    )


def lstm(small: bool = False) -> LSTM:
    """30 steps of a batch of 30 with 100 hidden units (small: 4 steps, 3, 5)."""
    return _lstm(4, 3, 1, 5) if small else _lstm(30, 30, 1, 100)


def lstm_sequence(small: bool = False) -> LSTM:
    """100 steps of a batch of 32, 64 inputs, 256 hidden units (small: 6 steps, 3, 4, 5)."""
    # Gradients of a mean over so many steps are small, and Adam's eps stands at different places
    # in the book and in PyTorch: it has to be too small to matter.
    eps = 1e-12
    return _lstm(6, 3, 4, 5, eps) if small else _lstm(100, 32, 64, 256, eps)


def _lstm(steps: int, batch: int, n_in: int, hidden: int, eps: float = 1e-8) -> LSTM:
    rng = np.random.default_rng(SEED)
    scale = hidden**-0.5
    return LSTM(
        xs=_normal(rng, (steps, batch, n_in)),
        ts=_normal(rng, (steps, batch, 1)),
        wx={gate: _normal(rng, (n_in, hidden), n_in**-0.5) for gate in "fiou"},
        wh={gate: _normal(rng, (hidden, hidden), scale) for gate in "fiou"},
        b={gate: _normal(rng, (hidden,), 0.1) for gate in "fiou"},
        w_out=_normal(rng, (hidden, 1), scale),
        b_out=_normal(rng, (1,), 0.1),
        eps=eps,
    )


def cnn(small: bool = False) -> CNN:
    """3-32-32-P-64-64-P-10 on 64 images of 32x32 (small: 3-4-4-P-6-6-P-10 on 2 of 8x8)."""
    a, b, size, batch = (4, 6, 8, 2) if small else (32, 64, 32, 64)
    rng = np.random.default_rng(SEED)
    pairs = [(3, a), (a, a), (a, b), (b, b)]
    features = b * (size // 4) ** 2
    return CNN(
        x=_normal(rng, (batch, 3, size, size)),
        t=rng.integers(0, 10, batch),
        filters=[_normal(rng, (o, i, 3, 3), (2 / (9 * i)) ** 0.5) for i, o in pairs],
        filter_biases=[_normal(rng, (o,), 0.01) for _, o in pairs],
        w_out=_normal(rng, (features, 10), features**-0.5),
        b_out=_normal(rng, (10,), 0.01),
    )


def gpt(small: bool = False) -> GPT:
    """4 layers, width 256, 4 heads, 8x128 tokens, vocabulary 512 (small: 1, 8, 2, 2x6, 11)."""
    layers, width, heads, batch, length, vocabulary = (
        (1, 8, 2, 2, 6, 11) if small else (4, 256, 4, 8, 128, 512)
    )
    rng = np.random.default_rng(SEED)

    def matrix(n_in: int, n_out: int) -> Array:
        return _normal(rng, (n_in, n_out), n_in**-0.5)

    def bias(n: int) -> Array:
        return _normal(rng, (n,), 0.02)

    def gamma() -> Array:
        return (1 + bias(width)).astype(np.float32)

    def block() -> Block:
        return Block(
            ln1_gamma=gamma(), ln1_beta=bias(width),
            w_qkv=matrix(width, 3 * width), b_qkv=bias(3 * width),
            w_proj=matrix(width, width), b_proj=bias(width),
            ln2_gamma=gamma(), ln2_beta=bias(width),
            w_up=matrix(width, 4 * width), b_up=bias(4 * width),
            w_down=matrix(4 * width, width), b_down=bias(width),
        )  # fmt: skip

    return GPT(
        ids=rng.integers(0, vocabulary, (batch, length)),
        targets=rng.integers(0, vocabulary, (batch, length)),
        heads=heads,
        token_table=_normal(rng, (vocabulary, width), 0.1),
        position_table=_normal(rng, (length, width), 0.1),
        final_gamma=gamma(),
        final_beta=bias(width),
        w_head=matrix(width, vocabulary),
        blocks=[block() for _ in range(layers)],
    )


def elementwise(small: bool = False) -> tuple[Array, Array]:
    """Two arrays of 4,194,304 numbers (small: 1,000)."""
    size = 1_000 if small else 4 * 1024 * 1024
    rng = np.random.default_rng(SEED)
    return _normal(rng, (size,)), _normal(rng, (size,))
