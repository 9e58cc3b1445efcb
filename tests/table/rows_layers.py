"""Rows: linear algebra, losses, normalisation, attention, dropout."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import dezero.functions as F
import dezero.random
from dezero.core import test_mode

from .cases import Case, Fixed, Row, interval
from .rows_math import log_softmax, sigmoid, softmax


def shaped(*calls: Any) -> Callable[[np.random.Generator], Iterator[Case]]:
    """Return cases: each call is the shapes of its arrays, and a dict of further arguments."""

    def draw(rng: np.random.Generator) -> Iterator[Case]:
        for call in calls:
            kwargs = call[-1] if type(call[-1]) is dict else {}
            shapes = call[:-1] if kwargs else call
            yield Case(*(interval(rng, -1.5, 1.5, shape) for shape in shapes), **kwargs)

    return draw


PRODUCTS = [
    ((2, 3), (3, 4)),
    ((3,), (3,)),
    ((3,), (3, 4)),
    ((2, 3), (3,)),
    ((5, 2, 3), (3, 4)),
    ((5, 2, 3), (3,)),
    ((3,), (5, 3, 4)),
    ((5, 2, 3), (5, 3, 4)),
    ((5, 1, 2, 3), (2, 3, 4)),
    ((2, 3), (5, 3, 4)),
    ((1, 2, 3), (5, 3, 4)),
    ((0, 3), (3, 4)),
    ((2, 0), (0, 4)),
    ((2, 3, 0), (0, 4)),
    ((2, 0, 3), (3, 4)),
    ((1,), (1,)),
    ((1, 1), (1, 1)),
]


def dots(rng: np.random.Generator) -> Iterator[Case]:
    yield from shaped(((3,), (3,)), ((2, 3), (3, 4)), ((2, 3), (3,)), ((), (2,)), ((2, 2), ()))(
        rng
    )
    yield Case(2.0, interval(rng, -1, 1, (2, 3)))


def affine(x, W, b=None):
    return x @ W if b is None else x @ W + b


EINSUMS = [
    ("ij,jk->ik", (2, 3), (3, 4)),
    ("ij,jk", (2, 3), (3, 4)),
    ("ba,cb", (2, 3), (4, 2)),
    ("i,i->", (3,), (3,)),
    ("i,j->ij", (3,), (2,)),
    ("ij->ji", (2, 3)),
    ("ij->", (2, 3)),
    ("ij->j", (2, 3)),
    ("ii->i", (3, 3)),
    ("ii", (3, 3)),
    ("iji->j", (2, 3, 2)),
    ("iij,jk->ik", (2, 2, 3), (3, 2)),
    ("ij,ij->ij", (2, 3), (2, 3)),
    ("ij,k->i", (2, 3), (4,)),
    ("bij,bjk->bik", (2, 3, 2), (2, 2, 4)),
    ("...ij,...jk->...ik", (5, 2, 3), (3, 4)),
    ("...ij,...jk->...ik", (2, 1, 2, 3), (5, 3, 2)),
    ("...i->...", (2, 3, 4)),
    ("...i,i", (2, 3), (3,)),
    ("ij,jk,kl->il", (2, 3), (3, 4), (4, 2)),
    ("i,i,i->i", (3,), (3,), (3,)),
    ("a,ab,b->", (3,), (3, 2), (2,)),
    ("ij , jk -> ik", (2, 3), (3, 2)),
    ("ij,jk->ik", (0, 3), (3, 2)),
    ("ij,jk->ik", (2, 1), (3, 2)),
    ("->", ()),
    (",i->i", (), (3,)),
    ("iii->i", (2, 2, 2)),
]


def einsums(rng: np.random.Generator) -> Iterator[Case]:
    for subscripts, *shapes in EINSUMS:
        yield Case(subscripts, *(interval(rng, -1.5, 1.5, shape) for shape in shapes))


def labelled(rng: np.random.Generator) -> Iterator[Case]:
    yield Case(interval(rng, -2, 2, (4, 3)), np.array([0, 2, 1, 2]))
    yield Case(interval(rng, -2, 2, (1, 5)), np.array([4]))
    yield Case(interval(rng, -2, 2, (3, 1)), np.array([0, 0, 0], np.uint8))


def labelled_with_options(rng: np.random.Generator) -> Iterator[Case]:
    yield from labelled(rng)
    x, t = interval(rng, -2, 2, (5, 3)), np.array([0, -100, 1, -100, 2])
    yield Case(x, t, -100)
    yield Case(x, t, ignore_label=-100, label_smoothing=0.1)
    yield Case(x, np.array([0, 1, 1, 2, 2], np.uint8), 1, 0.3)
    yield Case(x, np.array([0, 2, 1, 0, 2]), label_smoothing=1.0)


def cross_entropy(x, t, ignore_label=None, label_smoothing=0.0):
    target = np.eye(x.shape[1])[np.where(t == ignore_label, 0, t)]
    target = (1 - label_smoothing) * target + label_smoothing / x.shape[1]
    losses = -(target.astype(x.dtype) * log_softmax(x)).sum(axis=1)
    return np.mean(losses[t != ignore_label] if ignore_label is not None else losses)


def binary_labelled(low: float, high: float) -> Callable[..., Iterator[Case]]:
    def draw(rng: np.random.Generator) -> Iterator[Case]:
        for shape in [(5,), (4, 3), (1,), (2, 2, 2)]:
            yield Case(interval(rng, low, high, shape), rng.integers(0, 2, shape))
        yield Case(interval(rng, low, high, (3,)), Fixed(np.array([0.0, 0.3, 1.0])))

    return draw


def sigmoid_cross_entropy(x, t):
    p = sigmoid(x)
    return -np.sum(t * np.log(p) + (1 - t) * np.log(1 - p)) / len(x)


def binary_cross_entropy(p, t):
    return -np.sum(t * np.log(p) + (1 - t) * np.log(1 - p)) / len(p)


def channel_first(v, x):
    return v.reshape(1, -1, *(1,) * (x.ndim - 2))


def batch_norm(x, gamma, beta, mean, var, decay=0.9, eps=2e-5):
    axes = (0, *range(2, x.ndim))
    mean, var = x.mean(axes), x.var(axes)
    return batch_norm_eval(x, gamma, beta, mean, var, decay, eps)


def batch_norm_eval(x, gamma, beta, mean, var, decay=0.9, eps=2e-5):
    gamma, beta, mean, var = (channel_first(v, x) for v in (gamma, beta, mean, var))
    return gamma * (x - mean) / np.sqrt(var + eps) + beta


def in_test_mode(*args, **kwargs):
    with test_mode():
        return F.batch_norm(*args, **kwargs)


def batches(rng: np.random.Generator) -> Iterator[Case]:
    for shape in [(5, 3), (4, 1), (3, 2, 4, 5), (2, 1, 3, 3), (4, 3, 2)]:
        for kwargs in [{}, {"eps": 0.1, "decay": 0.5}]:
            c = shape[1]
            yield Case(
                interval(rng, -2, 2, shape),
                interval(rng, 0.5, 2, c),
                interval(rng, -1, 1, c),
                Fixed(interval(rng, -1, 1, c)),
                Fixed(interval(rng, 0.5, 2, c)),
                **kwargs,
            )


def layer_norm(x, gamma, beta, eps=1e-5):
    mean, var = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
    return gamma * (x - mean) / np.sqrt(var + eps) + beta


def rms_norm(x, gamma, eps=1e-6):
    return gamma * x / np.sqrt((x * x).mean(-1, keepdims=True) + eps)


def group_norm(x, gamma, beta, groups, eps=1e-5):
    rows = x.reshape(len(x), groups, -1)
    one, zero = np.ones(rows.shape[-1]), np.zeros(rows.shape[-1])
    x_hat = layer_norm(rows, one, zero, eps).reshape(x.shape).astype(x.dtype)
    return channel_first(gamma, x) * x_hat + channel_first(beta, x)


def groups_of_channels(rng: np.random.Generator) -> Iterator[Case]:
    for shape, groups in [((3, 6), 2), ((2, 4, 3, 2), 2), ((2, 4, 3), 1), ((1, 3, 2, 2), 3)]:
        c = shape[1]
        gamma, beta = interval(rng, 0.5, 2, c), interval(rng, -1, 1, c)
        yield Case(interval(rng, -2, 2, shape), gamma, beta, groups)
        yield Case(interval(rng, -2, 2, shape), gamma, beta, groups, eps=0.1)


def attention(q, k, v, mask=None, is_causal=False, dropout_ratio=0.0):
    scores = q @ np.swapaxes(k, -1, -2) / np.sqrt(q.shape[-1])
    seen = np.ones(scores.shape, bool)
    if mask is not None and mask.dtype == bool:
        seen = seen & mask
    elif mask is not None:
        scores, seen = scores + mask, seen & (mask > -np.inf)
    if is_causal:
        seen = seen & np.tri(*scores.shape[-2:], dtype=bool)
    weights = softmax(np.where(seen, scores, -1e300), -1)
    return np.where(seen, weights, 0.0).astype(q.dtype) @ v


def attentions(rng: np.random.Generator) -> Iterator[Case]:
    def qkv(*lead: int, t: int = 3, s: int = 4) -> list[np.ndarray]:
        return [interval(rng, -1.5, 1.5, (*lead, *shape)) for shape in [(t, 2), (s, 2), (s, 5)]]

    yield Case(*qkv())
    yield Case(*qkv(2))
    yield Case(*qkv(2, 2, s=3), is_causal=True)
    yield Case(*qkv(t=4, s=3), is_causal=True)
    yield Case(*qkv(2), mask=rng.random((3, 4)) < 0.7)
    yield Case(*qkv(2), mask=np.array([[True] * 4, [False] * 4, [True, False, True, False]]))
    yield Case(*qkv(2), mask=rng.random((2, 1, 4)) < 0.7, is_causal=True)
    mask = interval(rng, -2, 2, (3, 4))
    yield Case(*qkv(2), mask=Fixed(mask))
    mask[1], mask[2, 1] = -np.inf, -np.inf
    yield Case(*qkv(2), mask=Fixed(mask), is_causal=True)
    q, k, v = qkv(2, 3)
    yield Case(q, k[0], v[:, :1])
    yield Case(q[:, :, :0], k, v)


def seeded_dropout(x, ratio=0.5):
    dezero.random.seed(7)
    return F.dropout(x, ratio)


def dropped(x, ratio=0.5):
    kept = seeded_dropout(np.ones(x.shape), ratio).data != 0
    return x * kept / (1 - ratio) if ratio < 1 else x * 0


def dropouts(rng: np.random.Generator) -> Iterator[Case]:
    for shape in [(6, 5), (), (0, 3)]:
        for ratio in [0.5, 0.3, 1.0, 0.0]:
            yield Case(interval(rng, -2, 2, shape), ratio)


ROWS = [
    Row("matmul", np.matmul, shaped(*PRODUCTS), numpy=(np.matmul,)),
    Row("dot", np.dot, dots, numpy=(np.dot,)),
    Row(
        "linear",
        affine,
        shaped(
            ((2, 3), (3, 4), (4,)),
            ((2, 3), (3, 4)),
            ((2, 5, 3), (3, 4), (4,)),
            ((0, 3), (3, 2), (2,)),
            ((2, 3), (3, 4), (1, 4)),
            ((2, 3), (3, 4), (1,)),
            ((2, 3), (3, 1), (1,)),
            ((2, 0), (0, 3), (3,)),
        ),
    ),
    Row("linear_simple", affine, shaped(((2, 3), (3, 4), (4,)), ((2, 3), (3, 4)))),
    Row("einsum", np.einsum, einsums, numpy=(np.einsum,)),
    Row(
        "mean_squared_error",
        lambda a, b: np.mean((a - b) ** 2),
        shaped(((4,), (4,)), ((3, 2), (3, 2)), ((), ())),
    ),
    Row(
        "mean_squared_error_simple",
        lambda a, b: np.mean((a - b) ** 2),
        shaped(((4,), (4,)), ((3, 2), (3, 2)), ((), ())),
    ),
    Row("softmax_cross_entropy", cross_entropy, labelled_with_options, orders=3, labels=True),
    Row("softmax_cross_entropy_simple", cross_entropy, labelled, orders=3, labels=True),
    Row(
        "sigmoid_cross_entropy",
        sigmoid_cross_entropy,
        binary_labelled(-3, 3),
        orders=3,
        labels=True,
    ),
    Row(
        "binary_cross_entropy",
        binary_cross_entropy,
        binary_labelled(0.1, 0.9),
        orders=3,
        labels=True,
    ),
    Row("batch_norm", batch_norm, batches, orders=3),
    Row("batch_norm, test mode", batch_norm_eval, batches, call=in_test_mode),
    Row(
        "layer_norm",
        layer_norm,
        shaped(((4, 3), (3,), (3,)), ((3,), (3,), (3,)), ((2, 2, 5), (5,), (5,), {"eps": 0.1})),
        orders=3,
    ),
    Row(
        "rms_norm",
        rms_norm,
        shaped(((4, 3), (3,)), ((3,), (3,)), ((2, 2, 5), (5,), {"eps": 0.1})),
        orders=3,
    ),
    Row("group_norm", group_norm, groups_of_channels, orders=3),
    Row("scaled_dot_product_attention", attention, attentions, labels=True),
    Row("dropout", dropped, dropouts, call=seeded_dropout),
]
