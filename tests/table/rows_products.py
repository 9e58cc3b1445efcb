"""Rows: products of vectors, matrices and tensors."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from dezero.numpy import products as P

from .cases import Case, Row
from .prepared import complex_case, draw, pair


def of_shapes(*shapes, vectors=None):
    """Return cases of two arrays of these shapes, and a complex one of the first."""

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        for a, b in shapes:
            yield Case(draw(rng, *a), draw(rng, *b))
        a, b = shapes[0]
        yield complex_case(pair(rng, *a), pair(rng, *b))
        yield complex_case(pair(rng, *a), draw(rng, *b))

    return cases


def tensordots(rng):
    a, b = draw(rng, 2, 3, 4), draw(rng, 3, 4, 2)
    yield Case(a, b)
    yield Case(a, b, axes=1) if a.shape[2] == b.shape[0] else Case(a, draw(rng, 4, 2), axes=1)
    yield Case(a, b, axes=0)
    yield Case(a, b, axes=([0, 2], [2, 1]))
    yield Case(a, b, axes=(-1, 1))
    yield Case(a, b, axes=((1,), (0,)))
    yield Case(draw(rng, 0, 3), draw(rng, 3, 2), axes=1)
    yield complex_case(pair(rng, 2, 3), pair(rng, 3, 2), axes=1)


def linalg_tensordots(rng):
    a, b = draw(rng, 2, 3, 4), draw(rng, 3, 4, 2)
    yield Case(a, b)
    yield Case(a, b, axes=([0, 2], [2, 1]))


def einsums(rng):
    a, b, c = draw(rng, 2, 3), draw(rng, 3, 4), draw(rng, 4)
    yield Case("ij,jk->ik", a, b)
    yield Case("ij,jk", a, b)
    yield Case("ij,jk,k->i", a, b, c, optimize=True)
    yield Case("ij->", a)
    yield Case("ii", draw(rng, 3, 3))
    yield Case("ii->i", draw(rng, 3, 3))
    yield Case("...ii->...", draw(rng, 2, 3, 3))
    yield Case("i...,i...->...", draw(rng, 2, 3), draw(rng, 2, 1))
    yield Case(a, [0, 1], b, [1, 2], [0, 2])
    yield Case(a, [0, 1], b, [1, 2])
    yield Case(draw(rng, 2, 2, 3), [Ellipsis, 1, 2], [2, Ellipsis])
    yield Case("ij,ij->i", draw(rng, 0, 3), draw(rng, 0, 3))
    yield complex_case("ij,jk->ki", pair(rng, 2, 3), pair(rng, 3, 2))


def crosses(rng):
    yield Case(draw(rng, 3), draw(rng, 3))
    yield Case(draw(rng, 2, 3), draw(rng, 3))
    yield complex_case(pair(rng, 3), pair(rng, 3))


def all_crosses(rng):
    yield from crosses(rng)
    yield Case(draw(rng, 3, 2), draw(rng, 2, 3), 0, -1, 0)
    yield Case(draw(rng, 3, 2), draw(rng, 3, 2), axis=0)


def vecdots(rng):
    yield Case(draw(rng, 2, 3), draw(rng, 2, 3))
    yield Case(draw(rng, 2, 3), draw(rng, 3))
    yield Case(draw(rng, 3, 2), draw(rng, 3, 2), axis=0)
    yield complex_case(pair(rng, 2, 3), pair(rng, 2, 3))


def multi_dots(rng):
    yield Case([draw(rng, 2, 3), draw(rng, 3, 4)])
    yield Case([draw(rng, 3), draw(rng, 3, 4), draw(rng, 4, 2), draw(rng, 2)])
    yield Case([draw(rng, 5, 2), draw(rng, 2, 6), draw(rng, 6, 2), draw(rng, 2, 3)])
    yield complex_case([pair(rng, 2, 3), pair(rng, 3, 4), pair(rng, 4)])


def powers(rng):
    a = draw(rng, 3, 3) + 2 * np.eye(3)
    for n in (1, 2, 3, 5, 0, -1, -3):
        yield Case(a, n)
    yield Case(draw(rng, 2, 3, 3), 2)
    yield complex_case((a, draw(rng, 3, 3)), 3)


def offsets(rng):
    for offset in (0, 1, -2, 7):
        yield Case(draw(rng, 2, 3, 4), offset=offset)
    yield complex_case(pair(rng, 3, 3))


def stacks(rng):
    yield Case(draw(rng, 2, 3))
    yield Case(draw(rng, 2, 3, 4))
    yield complex_case(pair(rng, 2, 3))


MATRICES = [((2, 3), (3, 4)), ((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 2)), ((0, 3), (3, 2))]
TENSORS = [((2, 3, 4), (4, 2)), ((2, 3), (2, 3, 4)), ((3,), (2, 3, 4))]

ROWS = [
    Row(
        "np_dot",
        np.dot,
        of_shapes(*MATRICES, *TENSORS, ((), (2, 3)), ((2, 3), ())),
        call=P.dot,
        numpy=(np.dot,),
    ),
    Row(
        "inner",
        np.inner,
        of_shapes(((2, 3), (4, 3)), ((3,), (3,)), ((), (3,)), ((2, 2, 3), (3,))),
        call=P.inner,
        numpy=(np.inner,),
    ),
    Row(
        "vdot",
        np.vdot,
        of_shapes(((2, 3), (2, 3)), ((3,), (3,)), ((), ())),
        call=P.vdot,
        numpy=(np.vdot,),
    ),
    Row(
        "outer",
        np.outer,
        of_shapes(((2,), (3,)), ((2, 2), (3,)), ((), (3,)), ((0,), (3,))),
        call=P.outer,
        numpy=(np.outer,),
    ),
    Row(
        "linalg_outer",
        np.linalg.outer,
        of_shapes(((2,), (3,)), ((0,), (3,))),
        call=P._linalg_outer,
        numpy=(np.linalg.outer,),
    ),
    Row("tensordot", np.tensordot, tensordots, call=P.tensordot, numpy=(np.tensordot,)),
    Row(
        "linalg_tensordot",
        np.linalg.tensordot,
        linalg_tensordots,
        call=P._linalg_tensordot,
        numpy=(np.linalg.tensordot,),
    ),
    Row("np_einsum", np.einsum, einsums, call=P.einsum, numpy=(np.einsum,)),
    Row(
        "linalg_matmul",
        np.linalg.matmul,
        of_shapes(*MATRICES, ((2, 1, 1, 3), (4, 3, 2))),
        call=P._linalg_matmul,
        numpy=(np.linalg.matmul,),
    ),
    Row("vecdot", np.vecdot, vecdots, call=P.vecdot, numpy=(np.vecdot,)),
    Row(
        "linalg_vecdot",
        np.linalg.vecdot,
        vecdots,
        call=P._linalg_vecdot,
        numpy=(np.linalg.vecdot,),
    ),
    Row(
        "matvec",
        lambda a, b: np.matmul(a, b[..., None])[..., 0],
        of_shapes(((2, 3), (3,)), ((5, 2, 3), (5, 3)), ((2, 3), (4, 3))),
        call=P.matvec,
        numpy=tuple(getattr(np, name) for name in ("matvec",) if hasattr(np, name)),
    ),
    Row(
        "vecmat",
        lambda a, b: np.matmul(np.conj(a)[..., None, :], b)[..., 0, :],
        of_shapes(((2,), (2, 3)), ((5, 2), (5, 2, 3)), ((4, 2), (2, 3))),
        call=P.vecmat,
        numpy=tuple(getattr(np, name) for name in ("vecmat",) if hasattr(np, name)),
    ),
    Row(
        "kron",
        np.kron,
        of_shapes(((2, 3), (3, 2)), ((2,), (3,)), ((2,), (2, 3)), ((2, 1, 2), (3,)), ((), (2,))),
        call=P.kron,
        numpy=(np.kron,),
    ),
    Row(
        "multi_dot",
        np.linalg.multi_dot,
        multi_dots,
        call=P.multi_dot,
        numpy=(np.linalg.multi_dot,),
    ),
    Row(
        "matrix_power",
        np.linalg.matrix_power,
        powers,
        call=P.matrix_power,
        numpy=(np.linalg.matrix_power,),
    ),
    Row(
        "linalg_trace",
        np.linalg.trace,
        offsets,
        call=P._linalg_trace,
        numpy=(np.linalg.trace,),
    ),
    Row(
        "linalg_diagonal",
        np.linalg.diagonal,
        offsets,
        call=P._linalg_diagonal,
        numpy=(np.linalg.diagonal,),
    ),
    Row(
        "linalg_matrix_transpose",
        np.linalg.matrix_transpose,
        stacks,
        call=P._linalg_matrix_transpose,
        numpy=(np.linalg.matrix_transpose,),
    ),
    Row("cross", np.cross, all_crosses, call=P.cross, numpy=(np.cross,)),
    Row("linalg_cross", np.linalg.cross, crosses, call=P._linalg_cross, numpy=(np.linalg.cross,)),
]
