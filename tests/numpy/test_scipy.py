"""Sparse matrices of SciPy on either side of a Variable; SciPy missing."""

import subprocess
import sys

import numpy as np
import pytest
import scipy.sparse
from numpy.testing import assert_allclose

import dezero.scipy.linalg
import dezero.scipy.sparse
from dezero import Variable
from dezero.autodiff import grad, jvp, vmap
from dezero.scipy.sparse import matmul, spsolve

A = scipy.sparse.csr_array(np.array([[2.0, 0.0, 1.0], [0.0, 3.0, 0.0]]))


@pytest.mark.parametrize("kind", ["csr", "csc", "coo", "bsr", "dia", "lil", "dok"])
@pytest.mark.parametrize("make", [lambda a: a, scipy.sparse.csr_matrix])
def test_products_on_both_sides(kind, make):
    sparse = make(A).asformat(kind)
    x, w = Variable(np.arange(3.0)), Variable(np.ones((4, 2)))
    y = sparse @ x
    assert type(y) is Variable
    assert_allclose(y.data, A @ x.data)
    y = w @ sparse
    assert_allclose(y.data, w.data @ A)
    (np.sum(sparse @ x) + np.sum(y)).backward()
    assert_allclose(x.grad.data, [2, 3, 1])
    assert_allclose(w.grad.data, np.tile([3.0, 3.0], (4, 1)))


def test_plain_products_are_scipys_own():
    assert type(A @ np.ones(3)) is np.ndarray
    assert scipy.sparse.issparse(A @ A.T)


def test_products_under_forward_mode_and_vmap():
    x = np.arange(6.0).reshape(2, 3)
    f = lambda v: np.sum((A @ v) ** 2)
    each = [2 * A.T @ (A @ v) for v in x]
    assert_allclose(vmap(grad(f))(x), each)
    _, tangent = jvp(f, (x[1],), (np.ones(3),))
    assert_allclose(tangent.item(), np.sum(each[1]))


def test_lessons():
    x = Variable(np.ones(4))
    with pytest.raises(ValueError, match="matmul: got shapes.*as long as"):
        A @ x
    with pytest.raises(ValueError, match="matmul: got shapes.*vector or matrix"):
        A @ Variable(np.ones((2, 3, 1)))
    with pytest.raises(TypeError, match=r"two dense arguments.*np\.matmul"):
        matmul(np.ones((2, 2)), x)
    with pytest.raises(ValueError, match="spsolve: got csr_array of shape"):
        spsolve(A, x)
    with pytest.raises(ValueError, match="spsolve: got A of shape.*3 rows"):
        spsolve(scipy.sparse.eye_array(3), x)
    with pytest.raises(ValueError, match="solve_triangular: got trans 3"):
        dezero.scipy.linalg.solve_triangular(np.eye(2), np.ones(2), 3)
    with pytest.raises(ValueError, match="toeplitz: got shapes"):
        dezero.scipy.linalg.toeplitz(np.eye(2))


def test_scipy_missing_raises_a_lesson(monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy.linalg", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'dezero-rebuilt\[scipy\]'"):
        dezero.scipy.linalg.expm(np.eye(2))


def test_importing_dezero_does_not_load_scipy():
    code = "import sys, dezero, dezero.scipy.linalg; sys.exit('scipy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
