"""Rows: activations and losses composed of others."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .cases import Case, Kink, Row, interval
from .rows_layers import labelled
from .rows_math import cases_off_kinks, log_softmax, off_kinks, sigmoid


def elu(x, alpha=1.0):
    return np.where(x > 0, x, alpha * (np.exp(np.minimum(x, 0)) - 1))


def glu(x, axis=-1):
    a, b = np.split(x, 2, axis)
    return a * sigmoid(b)


def elus(rng: np.random.Generator) -> Iterator[Case]:
    for case in cases_off_kinks(rng):
        yield case
        yield Case(*case.args, 0.3)


def halves(rng: np.random.Generator) -> Iterator[Case]:
    yield Case(interval(rng, -2, 2, (3, 4)))
    yield Case(interval(rng, -2, 2, (2, 3)), 0)
    yield Case(interval(rng, -2, 2, (0, 2)))


def limits(rng: np.random.Generator) -> Iterator[Case]:
    for shape in [(3, 4), (), (0, 2)]:
        yield Case(np.asarray(off_kinks(rng, shape) * 0.4))
        yield Case(np.asarray(off_kinks(rng, shape) * 0.4 + 3))
    yield Case(interval(rng, -0.4, 0.4, (2, 3)), -0.5, 2.0)


def at_labels(x, t):
    return x[np.arange(len(t)), t]


def focal(x, t, gamma=2.0):
    log_p = at_labels(log_softmax(x), t)
    return np.mean(-((1 - np.exp(log_p)) ** gamma) * log_p)


def focals(rng: np.random.Generator) -> Iterator[Case]:
    for case in list(labelled(rng))[:2]:
        yield case
        yield Case(*case.args, gamma=3.5)


def hinge(x, t, margin=1.0):
    apart = np.maximum(x - at_labels(x, t)[:, None] + margin, 0)
    return np.mean(np.sum(apart, axis=1) - margin)


def hinges(rng: np.random.Generator) -> Iterator[Case]:
    scores = rng.permutation(12).reshape(4, 3) * 0.37
    yield Case(scores, np.array([0, 2, 1, 2]))
    yield Case(scores, np.array([1, 1, 0, 2]), 0.5)


def rankings(rng: np.random.Generator) -> Iterator[Case]:
    for shape in [(2, 3), (), (4,)]:
        x0, x1 = off_kinks(rng, shape), np.zeros(shape)
        yield Case(x0, x1, 1)
        yield Case(x0, x1, -1, 3.0)
    yield Case(off_kinks(rng, (3,)), np.zeros(3), np.array([1, -1, 1]))


ROWS = [
    Row("elu", elu, elus, kinks=(Kink(Case(np.zeros(1)), np.ones(1), (np.ones(1),)),)),
    Row("selu", lambda x: 1.0507009873554805 * elu(x, 1.6732632423543772), cases_off_kinks),
    Row("glu", glu, halves),
    Row("hard_tanh", lambda x, low=-1, high=1: np.clip(x, low, high), limits),
    Row("soft_sign", lambda x: x / (1 + np.abs(x)), cases_off_kinks),
    Row("negative_log_likelihood", lambda x, t: -np.mean(at_labels(x, t)), labelled, labels=True),
    Row("focal_loss", focal, focals, labels=True),
    Row("multiclass_hinge", hinge, hinges, labels=True),
    Row(
        "margin_ranking_loss",
        lambda a, b, order, margin=0.0: np.mean(np.maximum(margin - order * (a - b), 0)),
        rankings,
    ),
]
