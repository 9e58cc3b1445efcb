"""Rows: counterparts of SciPy's functions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import scipy.linalg
import scipy.sparse
import scipy.sparse.linalg

from dezero.scipy import linalg, sparse

from .cases import Case, Row
from .prepared import Prepared, complex_case, draw, pair, parts
from .rows_linalg import hermitian, regular


def expms(rng: np.random.Generator) -> Iterator[Case]:
    yield Case(draw(rng, 3, 3))
    yield Case(draw(rng, 2, 2, 2))
    yield Case(draw(rng, 1, 1))
    yield complex_case(pair(rng, 3, 3))


def roots(rng: np.random.Generator) -> Iterator[Case]:
    yield Case(regular(rng, 3, 3) + np.eye(3))
    yield Case(regular(rng, 2, 2, 2) + np.eye(2))
    yield complex_case((regular(rng, 3, 3) + np.eye(3), draw(rng, 3, 3)))
    yield Prepared(np.diag([-2.0, -1.0]) + draw(rng, 2, 2) / 8, after=parts)


def sylvesters(rng: np.random.Generator) -> Iterator[Case]:
    yield Case(regular(rng, 3, 3), regular(rng, 2, 2), draw(rng, 3, 2))
    yield complex_case(
        (regular(rng, 2, 2), draw(rng, 2, 2)),
        (regular(rng, 2, 2), draw(rng, 2, 2)),
        pair(rng, 2, 2),
    )


def triangles(rng: np.random.Generator) -> Iterator[Case]:
    a = regular(rng, 3, 3)
    yield Case(a, draw(rng, 3))
    for trans in (0, 1, "C"):
        for lower in (False, True):
            yield Case(a, draw(rng, 3, 2), trans, lower)
    yield Case(a, draw(rng, 3, 2), unit_diagonal=True)
    yield Case(regular(rng, 2, 3, 3), draw(rng, 2, 3, 1), lower=True)
    yield Case(regular(rng, 2, 3, 3), draw(rng, 3, 2))
    yield complex_case((a, draw(rng, 3, 3)), pair(rng, 3, 2), 2)


def bands(rng: np.random.Generator) -> Iterator[Case]:
    for lower, upper, n in ((1, 1, 4), (2, 0, 3), (0, 1, 3), (1, 2, 5), (0, 0, 2)):
        ab = draw(rng, lower + upper + 1, n) / 4
        ab[upper] += 2
        yield Case((lower, upper), ab, draw(rng, n))
        yield Case((lower, upper), ab, draw(rng, n, 2))
    yield Case(
        (2, 2), np.eye(5, 2)[::-1] / 4 + np.eye(5, 2, -2) + draw(rng, 5, 2) / 9, draw(rng, 2)
    )


def factors(rng: np.random.Generator) -> Iterator[Case]:
    made: dict[str, Any] = {"before": lambda a: (hermitian(a),)}
    for lower in (False, True):
        yield Prepared(draw(rng, 3, 3), **made, lower=lower)
        yield complex_case(pair(rng, 3, 3), **made, lower=lower)


def factor_solves(rng: np.random.Generator) -> Iterator[Case]:
    for lower in (False, True):

        def before(a: Any, b: Any, lower: bool = lower) -> tuple[Any, Any]:
            return (a, lower), b

        yield Prepared(regular(rng, 3, 3), draw(rng, 3), before=before)
        yield complex_case((regular(rng, 3, 3), draw(rng, 3, 3)), pair(rng, 3, 2), before=before)


def toeplitzes(rng: np.random.Generator) -> Iterator[Case]:
    yield Case(draw(rng, 3))
    yield Case(draw(rng, 3), draw(rng, 4))
    yield Case(draw(rng, 4), draw(rng, 2))
    yield complex_case(pair(rng, 3))


A = scipy.sparse.coo_array(
    (np.array([4.0, 1.0, 3.0, -1.0, 5.0]), ([0, 0, 1, 2, 2], [0, 2, 1, 0, 2])), shape=(3, 3)
)
WIDE = scipy.sparse.csr_array(A.toarray()[:2])


def filled(data: Any) -> Any:
    return scipy.sparse.csc_array((data, (A.row, A.col)), shape=A.shape)


def sparse_case(*args: Any, **kwargs: Any) -> Case:
    """Return a case whose sparse argument has the precision of the dense ones."""

    def before(*given: Any) -> tuple[Any, ...]:
        dense = next(x for x in given if not scipy.sparse.issparse(x))
        dtype = np.finfo(dense.dtype).dtype
        return tuple(x.astype(dtype) if scipy.sparse.issparse(x) else x for x in given)

    make = complex_case if any(isinstance(x, tuple) for x in args) else Prepared
    return make(*args, before=before, **kwargs)


def products(rng: np.random.Generator) -> Iterator[Case]:
    yield sparse_case(WIDE, draw(rng, 3))
    yield sparse_case(WIDE, draw(rng, 3, 2))
    yield sparse_case(draw(rng, 2), WIDE)
    yield sparse_case(draw(rng, 4, 2), WIDE.tocsc())
    yield sparse_case(scipy.sparse.csr_matrix(WIDE), draw(rng, 3))
    yield sparse_case(A, draw(rng, 3, 2), data=draw(rng, 5))
    yield sparse_case(draw(rng, 2, 3), A, data=draw(rng, 5))
    yield sparse_case(WIDE, pair(rng, 3))


def product(a: Any, b: Any, data: Any = None) -> Any:
    if data is None:
        return a @ b
    return filled(data) @ b if scipy.sparse.issparse(a) else a @ filled(data)


def systems(rng: np.random.Generator) -> Iterator[Case]:
    yield sparse_case(A, draw(rng, 3))
    yield sparse_case(A.tocsr(), draw(rng, 3, 2))
    yield sparse_case(A, draw(rng, 3), data=A.data + draw(rng, 5) / 4)
    yield sparse_case(A, draw(rng, 3, 2), data=A.data + draw(rng, 5) / 4)
    yield sparse_case(A, pair(rng, 3))


def solution(a: Any, b: Any, data: Any = None) -> Any:
    return np.linalg.solve((a if data is None else filled(data)).toarray(), b)


def row(name: str, cases: Any, reference: Any = None, **kwargs: Any) -> Row:
    reference = reference or getattr(scipy.linalg, name)
    return Row(f"scipy.{name}", reference, cases, call=getattr(linalg, name), **kwargs)


ROWS = [
    row("expm", expms),
    row("sqrtm", roots),
    row("solve_sylvester", sylvesters),
    row("solve_triangular", triangles),
    row("solve_banded", bands),
    row("cholesky", factors),
    row("cho_solve", factor_solves),
    row("toeplitz", toeplitzes),
    Row("sparse.matmul", product, products, call=sparse.matmul),
    Row("sparse.spsolve", solution, systems, call=sparse.spsolve),
]
