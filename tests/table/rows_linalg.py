"""Rows: inverses, determinants, systems of equations, factorisations, norms."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from dezero.numpy import decompositions as D
from dezero.numpy import linalg_rules as L
from dezero.numpy import norms as N

from .cases import Case, Row, interval
from .prepared import Prepared, complex_case, draw, pair, parts

WIDE_APART = np.diag([0.0, 2.0, 4.0])


def regular(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Return matrices that are far from singular."""
    return draw(rng, *shape) + 2 * np.eye(shape[-2], shape[-1])


def complex_regular(rng: np.random.Generator, *shape: int) -> Any:
    return regular(rng, *shape), draw(rng, *shape)


def square_cases(rng: np.random.Generator) -> Iterator[Case]:
    yield Case(regular(rng, 3, 3))
    yield complex_case(complex_regular(rng, 3, 3))
    yield Case(regular(rng, 2, 1, 2, 2))
    yield Case(draw(rng, 1, 1) + 2)
    yield Case(np.zeros((0, 2, 2)))
    yield complex_case(complex_regular(rng, 2, 2, 2))


def det_cases(rng: np.random.Generator) -> Iterator[Case]:
    yield from square_cases(rng)
    yield Case(np.zeros((0, 0)))
    for rank in (2, 1, 0):
        yield Case(of_rank(rng, 3, rank))
    yield Case(of_rank(rng, 4, 3))
    yield Case(of_rank(rng, 2, 1))
    yield Case(np.zeros((1, 1)))
    yield Case(np.stack([of_rank(rng, 3, 2), regular(rng, 3, 3)]))
    yield complex_case((of_rank(rng, 3, 2), np.zeros((3, 3))))


def of_rank(rng: np.random.Generator, n: int, rank: int) -> np.ndarray:
    return draw(rng, n, rank) @ draw(rng, rank, n)


def solve_cases(rng: np.random.Generator) -> Iterator[Case]:
    a = regular(rng, 3, 3)
    yield Case(a, draw(rng, 3))
    yield Case(a, draw(rng, 3, 2))
    yield complex_case(complex_regular(rng, 3, 3), pair(rng, 3))
    yield Case(regular(rng, 2, 3, 3), draw(rng, 3))
    yield Case(regular(rng, 2, 3, 3), draw(rng, 2, 3, 1))
    yield Case(a, draw(rng, 2, 3, 2))
    yield Case(regular(rng, 2, 1, 2, 2), draw(rng, 3, 2, 2))
    yield complex_case(complex_regular(rng, 2, 2), draw(rng, 2, 1))
    yield Case(np.zeros((0, 2, 2)), np.zeros((0, 2, 1)))


def matrix_cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield matrices of full rank whose singular values are far apart."""
    for shape in [(3, 3), (4, 2), (2, 4), (2, 3, 2)]:
        yield Case(spread(rng, *shape))
    yield complex_case((spread(rng, 3, 3), draw(rng, 3, 3) / 4))
    yield complex_case((spread(rng, 2, 4, 2), draw(rng, 2, 4, 2) / 4))


def spread(rng: np.random.Generator, *shape: int) -> np.ndarray:
    m, n = shape[-2:]
    noise = interval(rng, 0.05, 0.25, shape) * rng.choice([-1.0, 1.0], shape)
    return noise + np.eye(m, n) * np.arange(1.0, n + 1)


def pinv_cases(rng: np.random.Generator) -> Iterator[Case]:
    yield from matrix_cases(rng)
    yield Case(spread(rng, 3, 2), rcond=1e-10)
    yield Case(spread(rng, 2, 3), rtol=1e-10)


def lstsq_cases(rng: np.random.Generator) -> Iterator[Case]:
    first = {"after": arrays_of}
    for a, b in [((4, 2), (4,)), ((4, 2), (4, 3)), ((2, 4), (2,)), ((3, 3), (3, 2))]:
        yield Prepared(spread(rng, *a), draw(rng, *b), **first)
    case = complex_case((spread(rng, 4, 2), draw(rng, 4, 2) / 4), pair(rng, 4))
    case.after = lambda y: parts(arrays_of(y))
    yield case


def arrays_of(y: Any) -> Any:
    """Return the results of lstsq that have a gradient: not the rank, not an empty array."""
    return tuple(z for z in y if np.ndim(z) and np.size(z))


def hermitian(a: Any) -> Any:
    """Return a Hermitian matrix whose eigenvalues are positive and far apart."""
    n = a.shape[-1]
    transposed = np.conjugate(np.swapaxes(a, -1, -2))
    return (a + transposed) / 8 + np.diag(np.arange(1.0, n + 1)).astype(a.dtype)


def hermitian_cases(*keywords: dict[str, Any], phases: bool = False) -> Any:
    def cases(rng: np.random.Generator) -> Iterator[Case]:
        made: dict[str, Any] = {"before": lambda a: (hermitian(a),)}
        after = {"after": lambda y: parts(without_phase(y))} if phases else {}
        for given in keywords:
            yield Prepared(draw(rng, 3, 3), **made, **given)
            yield Prepared(draw(rng, 2, 2, 2), **made, **given)
            case = complex_case(pair(rng, 3, 3), **made, **given)
            case.after = after.get("after", case.after)
            yield case
        yield Prepared(draw(rng, 1, 1), **made)

    return cases


def without_phase(y: Any) -> Any:
    """Return values, and of vectors what does not depend on their phase."""
    w, v = y
    return w, v * np.conjugate(v[..., :1, :])


def eig_cases(vectors: bool) -> Callable[..., Iterator[Case]]:
    def cases(rng: np.random.Generator) -> Iterator[Case]:
        after = (lambda y: parts(without_phase(y))) if vectors else parts
        yield Prepared(regular(rng, 3, 3) + WIDE_APART, after=after)
        yield Prepared(draw(rng, 2, 2) / 4 + np.array([[1.0, 2.0], [-2.0, 1.0]]), after=after)
        yield Prepared(
            np.triu(draw(rng, 2, 3, 3)) + draw(rng, 2, 3, 3) / 40 + WIDE_APART, after=after
        )
        case = complex_case((regular(rng, 3, 3) + WIDE_APART, draw(rng, 3, 3)))
        case.after = after
        yield case

    return cases


def svd_cases(rng: np.random.Generator) -> Iterator[Case]:
    yield Case(spread(rng, 3, 3))
    for shape in [(4, 2), (2, 4), (2, 3, 2)]:
        yield Case(spread(rng, *shape), full_matrices=False)
    yield Prepared(spread(rng, 4, 2), after=without_choice)
    yield Prepared(spread(rng, 2, 4), after=without_choice)
    for shape in [(3, 3), (2, 4, 2), (2, 4)]:
        case = complex_case((spread(rng, *shape), draw(rng, *shape) / 4))
        case.after = lambda y: parts(without_choice(y))
        yield case
    yield Case(spread(rng, 3, 3), compute_uv=False)
    yield Case(spread(rng, 2, 4), compute_uv=False)
    symmetric = {"before": lambda a: (hermitian(a),)}
    yield Prepared(spread(rng, 3, 3), hermitian=True, compute_uv=False, **symmetric)


def without_choice(y: Any) -> Any:
    """Return what does not depend on phases, nor on the vectors that complete a basis."""
    u, s, vh = y
    k = s.shape[-1]
    results = [s, u[..., :, :k] * np.swapaxes(vh[..., :k, :1], -1, -2)]
    for rest in (u[..., :, k:], np.swapaxes(vh[..., k:, :], -1, -2)):
        if rest.shape[-1]:
            results.append(np.matmul(rest, np.conjugate(np.swapaxes(rest, -1, -2))))
    results.append(u[..., :1, :k] * np.swapaxes(vh[..., :k, :], -1, -2))
    return tuple(results)


def qr_cases(rng: np.random.Generator) -> Iterator[Case]:
    for shape in [(3, 3), (4, 2), (2, 4), (2, 3, 2)]:
        yield Case(spread(rng, *shape))
    yield complex_case((spread(rng, 4, 2), draw(rng, 4, 2) / 4))
    yield complex_case((spread(rng, 2, 3), draw(rng, 2, 3) / 4))
    yield Case(spread(rng, 4, 2), mode="r")
    yield Case(spread(rng, 2, 4), "complete")
    for case in (
        Prepared(spread(rng, 4, 2), mode="complete"),
        complex_case((spread(rng, 4, 2), draw(rng, 4, 2) / 4), mode="complete"),
    ):
        case.after = lambda y: parts(without_completion(y))
        yield case


def without_completion(y: Any) -> Any:
    q, r = y
    rest = q[..., :, 2:]
    return q[..., :, :2], np.matmul(rest, np.conjugate(np.swapaxes(rest, -1, -2))), r


def norm_cases(rng: np.random.Generator) -> Iterator[Case]:
    x = spread(rng, 3, 4)
    yield Case(x)
    yield Case(x, keepdims=True)
    yield Case(x, "nuc")
    yield complex_case(pair(rng, 3))
    for ord in (None, 1, -1, 2, 3, -2, 2.5, np.inf, -np.inf):
        yield Case(x, ord, 1)
        yield Case(x, ord, axis=0, keepdims=True)
    for ord in ("fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf):
        yield Case(x, ord)
        yield Case(spread(rng, 2, 3, 2), ord, axis=(1, 2), keepdims=True)
        yield Case(np.moveaxis(spread(rng, 2, 3, 2), 2, 0), ord, axis=(0, 2))
        yield complex_case((spread(rng, 3, 3), draw(rng, 3, 3) / 4), ord)
    for ord in (1, 3, np.inf):
        yield complex_case(pair(rng, 4), ord)
    yield Case(draw(rng, 2, 3, 2))
    yield Case(draw(rng, 3), 3)
    yield Case(draw(rng, 0))


def vector_norm_cases(rng: np.random.Generator) -> Iterator[Case]:
    x = spread(rng, 2, 3, 4)
    yield Case(x)
    for ord in (1, 2, 3, np.inf):
        yield Case(x, axis=(0, 2), ord=ord)
        yield Case(x, axis=-1, keepdims=True, ord=ord)
    yield complex_case(pair(rng, 2, 3), axis=0)


def matrix_norm_cases(rng: np.random.Generator) -> Iterator[Case]:
    for ord in ("fro", "nuc", 1, 2, np.inf):
        yield Case(spread(rng, 2, 3, 2), ord=ord)
    yield Case(spread(rng, 2, 3), keepdims=True)


def cond_cases(rng: np.random.Generator) -> Iterator[Case]:
    for p in (None, 2, -2, 1, -1, np.inf, -np.inf, "fro"):
        yield Case(spread(rng, 3, 3), p)
    yield Case(spread(rng, 2, 3, 2))
    yield complex_case((spread(rng, 3, 3), draw(rng, 3, 3) / 4), "fro")


def tensor_inverses(rng: np.random.Generator) -> Iterator[Case]:
    yield Case(regular(rng, 4, 4).reshape(4, 2, 2), ind=1)
    yield Case(regular(rng, 4, 4).reshape(2, 2, 4))


def tensor_equations(rng: np.random.Generator) -> Iterator[Case]:
    yield Case(regular(rng, 6, 6).reshape(2, 3, 6), draw(rng, 2, 3))
    yield Case(regular(rng, 6, 6).reshape(6, 2, 3), draw(rng, 6))
    yield Case(np.moveaxis(regular(rng, 6, 6).reshape(6, 2, 3), 0, 1), draw(rng, 6), axes=(0, 2))


def row(module: Any, name: str, cases: Any, **kwargs: Any) -> Row:
    of_numpy = getattr(np.linalg, name)
    call = getattr(module, name)
    return Row("linalg." + name, of_numpy, cases, call=call, numpy=(of_numpy,), **kwargs)


ROWS = [
    row(L, "inv", square_cases),
    row(L, "det", det_cases),
    row(L, "slogdet", square_cases),
    row(L, "solve", solve_cases),
    row(L, "pinv", pinv_cases),
    row(L, "lstsq", lstsq_cases),
    row(L, "tensorinv", tensor_inverses),
    row(L, "tensorsolve", tensor_equations),
    row(D, "cholesky", hermitian_cases({}, {"upper": True})),
    row(D, "qr", qr_cases),
    row(D, "eigh", hermitian_cases({}, {"UPLO": "U"}, phases=True)),
    row(D, "eigvalsh", hermitian_cases({}, {"UPLO": "U"})),
    row(D, "eig", eig_cases(vectors=True)),
    row(D, "eigvals", eig_cases(vectors=False)),
    row(D, "svd", svd_cases),
    row(D, "svdvals", matrix_cases),
    row(N, "norm", norm_cases),
    row(N, "vector_norm", vector_norm_cases),
    row(N, "matrix_norm", matrix_norm_cases),
    row(N, "cond", cond_cases),
]
