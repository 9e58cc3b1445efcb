"""Linear algebra where derivatives are delicate: repeated values, singular matrices, zeros."""

import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose

from dezero import Variable
from dezero.autodiff import grad, jvp, vmap


def slopes(f, x, h=1e-5):
    """Return the gradient of a scalar of a real array by central differences."""
    g = np.zeros(x.shape)
    for i in itertools.product(*map(range, x.shape)):
        step = np.zeros(x.shape)
        step[i] = h
        g[i] = (f(x + step) - f(x - step)) / (2 * h)
    return g


def gradient(f, x):
    v = Variable(np.array(x))
    f(v).backward()
    return v.grad.data


def second(f, x, direction):
    """Return the gradient of ``sum(gradient of f * direction)``."""
    v = Variable(np.array(x))
    f(v).backward(create_graph=True)
    g = v.grad
    v.cleargrad()
    np.sum(g * direction).backward()
    return np.zeros(x.shape) if v.grad is None else v.grad.data


def normals(*shape):
    return np.random.default_rng(3).normal(size=shape)


REPEATED = np.diag([1.0, 2.0, 2.0])


def symmetric(a):
    return (a + a.T) / 2


def test_sums_of_repeated_eigenvalues_have_a_gradient():
    squares = lambda a: np.sum(np.linalg.eigvalsh(symmetric(a)) ** 2)
    assert_allclose(gradient(squares, REPEATED), 2 * REPEATED, atol=1e-12)
    sums = lambda a: np.sum(np.linalg.eigvalsh(symmetric(a)))
    assert_allclose(gradient(sums, REPEATED), np.eye(3), atol=1e-12)
    assert_allclose(second(sums, REPEATED, np.ones((3, 3))), 0, atol=1e-12)


@pytest.mark.parametrize(
    "f",
    [
        lambda a: np.sum(np.linalg.eigvalsh(symmetric(a)) ** 2),
        lambda a: np.sum(np.linalg.eigvals(a) ** 2),
        lambda a: np.sum(np.linalg.svdvals(a) ** 3),
    ],
)
def test_second_derivative_raises_where_values_repeat(f):
    with pytest.raises(np.linalg.LinAlgError, match="no second derivative where values repeat"):
        second(f, REPEATED, np.ones((3, 3)))


def test_second_derivative_of_the_nuclear_norm_where_values_repeat():
    f = lambda a: np.linalg.norm(a, "nuc")
    d = normals(3, 3)
    first = lambda a: float(np.sum(gradient(f, a) * d))
    assert_allclose(second(f, REPEATED, d), slopes(first, REPEATED), atol=1e-8)


def test_projector_on_a_repeated_eigenvalue_has_a_gradient():
    def f(a):
        v = np.linalg.eigh(symmetric(a)).eigenvectors[:, 1:]
        return np.sum(np.matmul(v, v.T) * normals(3, 3))

    assert_allclose(gradient(f, REPEATED), slopes(f, REPEATED), atol=1e-8)


@pytest.mark.parametrize("function", [np.linalg.eigh, np.linalg.eig])
def test_one_vector_of_a_repeated_eigenvalue_has_none(function):
    with pytest.raises(np.linalg.LinAlgError, match=r"values repeat.*no gradient"):
        gradient(lambda a: np.sum(function(a)[1] * normals(3, 3)), REPEATED)


def test_hermitian_gradients():
    for f in (np.linalg.cholesky, lambda a: np.linalg.eigh(a)[1], np.linalg.eigvalsh):
        g = gradient(lambda a, f=f: np.sum(f(a) * 1.5), np.array([[4.0, 1.0], [1.0, 3.0]]))
        assert_allclose(g, g.T)


@pytest.mark.parametrize("values", [[2.0, 2.0, 1.0], [1.0, 1.0, 1.0], [3.0, 0.0, 0.0]])
def test_polar_factor_and_values_where_singular_values_repeat(values):
    a = np.diag(values)

    def polar(x):
        u, _, vh = np.linalg.svd(x)
        return np.sum(np.matmul(u, vh) * normals(3, 3))

    if 0 not in values:
        assert_allclose(gradient(polar, a), slopes(polar, a), atol=1e-8)
    squares = lambda x: np.sum(np.linalg.svdvals(x) ** 2)
    assert_allclose(gradient(squares, a), 2 * a, atol=1e-12)
    assert np.all(np.isfinite(gradient(lambda x: np.linalg.norm(x, "nuc"), a)))


def test_one_vector_of_a_repeated_singular_value_has_no_gradient():
    for f in (lambda x: np.linalg.svd(x)[0], lambda x: np.linalg.svd(x)[2]):
        with pytest.raises(np.linalg.LinAlgError, match="svd: values repeat"):
            gradient(lambda x, f=f: np.sum(f(x) * normals(3, 3)), np.diag([2.0, 2.0, 1.0]))
    with pytest.raises(np.linalg.LinAlgError, match="svd: values repeat, or are 0"):
        gradient(
            lambda x: np.sum(np.linalg.svd(x, full_matrices=False)[0] * normals(3, 2)),
            np.diag([2.0, 1.0, 0.0])[:, 1:],
        )


def test_rank_deficient_qr_raises():
    with pytest.raises(np.linalg.LinAlgError):
        gradient(lambda x: np.sum(np.linalg.qr(x)[0]), np.array([[1.0, 0.0], [1.0, 0.0]]))


def test_determinant_of_singular_matrices_to_third_order():
    rng = np.random.default_rng(0)
    for rank in (3, 2, 1, 0):
        a = rng.normal(size=(4, rank)) @ rng.normal(size=(rank, 4))
        assert_allclose(gradient(np.linalg.det, a), slopes(np.linalg.det, a), atol=1e-7)
        d = rng.normal(size=(4, 4))
        first = lambda x, d=d: float(np.sum(gradient(np.linalg.det, x) * d))
        assert_allclose(second(np.linalg.det, a, d), slopes(first, a), atol=1e-6)
    a = rng.normal(size=(4, 3)) @ rng.normal(size=(3, 4))
    d, e = rng.normal(size=(2, 4, 4))
    v = Variable(a)
    np.linalg.det(v).backward(create_graph=True)
    g = v.grad
    v.cleargrad()
    np.sum(g * d).backward(create_graph=True)
    h = v.grad
    v.cleargrad()
    np.sum(h * e).backward()
    below = lambda x: float(np.sum(second(np.linalg.det, x, d) * e))
    assert_allclose(v.grad.data, slopes(below, a), atol=1e-5)


def test_errors_keep_their_type():
    singular = Variable(np.ones((2, 2)))
    for f in (np.linalg.inv, lambda a: np.linalg.solve(a, np.ones(2)), np.linalg.cholesky):
        with pytest.raises(np.linalg.LinAlgError):
            f(singular)
    _, logdet = np.linalg.slogdet(singular)
    with pytest.raises(np.linalg.LinAlgError):
        logdet.backward()


@pytest.mark.parametrize("ord", [None, 1, 2, 3, 1.5, 0.5, np.inf])
def test_norm_of_zeros_has_gradient_zero(ord):
    f = lambda x: np.linalg.norm(x, ord)
    x = Variable(np.zeros(3))
    f(x).backward(create_graph=True)
    assert_allclose(x.grad.data, 0)
    assert_allclose(second(lambda x: f(x) ** 2 * 1.0, np.zeros(3), np.ones(3)), 0)


def test_norms_leave_elements_that_are_zero_alone():
    x = np.array([3.0, 0.0, -4.0])
    assert_allclose(gradient(np.linalg.norm, x), x / 5)
    for ord in (1, 1.5, 3, 0.5):
        g = gradient(lambda x, ord=ord: np.linalg.norm(x, ord), x)
        assert g[1] == 0
        assert np.all(np.isfinite(g))
    assert np.linalg.norm(Variable(x), -1).item() == 0 == np.linalg.norm(Variable(x), -1).data
    assert gradient(lambda x: np.linalg.norm(x, -1), x).tolist() == [0, 0, 0]


def test_what_only_counts_has_no_gradient():
    x = Variable(normals(3, 3))
    assert np.linalg.matrix_rank(x) == 3
    count = np.linalg.norm(x, 0, axis=1)
    assert count.data.tolist() == [3, 3, 3]
    assert not count.requires_grad
    assert type(np.fft.fftfreq(4)) is np.ndarray
    assert np.einsum_path("ij,jk", x, x)[0] == ["einsum_path", (0, 1)]


@pytest.mark.parametrize(
    "f", [np.linalg.det, np.linalg.inv, np.linalg.eigvalsh, np.linalg.norm, np.fft.fft]
)
def test_integer_variables_have_values_and_no_gradient(f):
    y = f(Variable(np.array([[2, 1], [1, 3]])))
    assert y.dtype.kind in "fc"
    with pytest.raises(TypeError, match="integer variable"):
        y.backward()


def test_condition_of_a_singular_matrix_is_infinite():
    assert np.linalg.cond(Variable(np.diag([1.0, 0.0]))).item() == np.inf


def test_results_have_numpys_field_names():
    a = Variable(np.diag([1.0, 2.0]))
    assert np.linalg.eigh(a).eigenvectors.shape == (2, 2)
    assert np.linalg.eig(a).eigenvalues.shape == (2,)
    assert np.linalg.qr(a).Q.shape == np.linalg.svd(a).Vh.shape == (2, 2)
    assert np.linalg.slogdet(a).logabsdet.shape == ()


TWO = Variable(np.ones((2, 2)))

LESSONS = [
    (lambda: np.linalg.qr(TWO, "raw"), TypeError, "qr: mode 'raw'.*wants 'reduced'"),
    (lambda: np.linalg.svd(TWO, hermitian=True), TypeError, "svd: hermitian.*np.linalg.eigh"),
    (lambda: np.linalg.norm(TWO, "max"), ValueError, "norm: there is no norm 'max'"),
    (lambda: np.linalg.norm(TWO, "fro", axis=0), ValueError, "no norm 'fro' of vectors"),
    (lambda: np.linalg.norm(np.stack([TWO, TWO]), 2), ValueError, "norm: got axis .* one axis"),
    (lambda: np.linalg.lstsq(TWO[0], TWO), np.linalg.LinAlgError, "lstsq: got a of shape"),
    (lambda: np.linalg.tensorsolve(TWO, TWO[0, :1]), np.linalg.LinAlgError, "tensorsolve: got a"),
    (lambda: np.linalg.tensorinv(TWO, 0), ValueError, "tensorinv: got ind=0"),
    (lambda: np.linalg.multi_dot([TWO]), ValueError, "multi_dot: got 1 arrays"),
    (lambda: np.linalg.matrix_power(TWO, 0.5), TypeError, "matrix_power: got n = 0.5"),
    (lambda: np.linalg.outer(TWO, TWO), ValueError, "linalg.outer: got shapes"),
    (lambda: np.cross(TWO, TWO), ValueError, "cross: got vectors of 2 and 2"),
    (lambda: np.tensordot(TWO, np.ones((3, 3))), ValueError, "tensordot: got shapes"),
    (lambda: np.tensordot(TWO, TWO, 3), ValueError, "tensordot: got axes=3"),
    (lambda: np.tensordot(TWO, TWO, ([0], [0, 1])), ValueError, "as many for b as for a"),
    (lambda: np.vecdot(TWO, np.ones(3)), ValueError, "vecdot: got vectors of 2 and 3"),
    (lambda: np.matrix_transpose(TWO[0]), ValueError, "matrix_transpose: got shape"),
    (lambda: np.fft.fft(TWO, 0), ValueError, "fft: got 0 points"),
    (lambda: np.fft.fft(TWO, norm="other"), ValueError, "fft: got norm 'other'"),
    (lambda: np.fft.fftn(TWO, (2, 2), (0,)), ValueError, "fft: got 2 lengths s for 1 axes"),
    (lambda: np.fft.fft(TWO, axis=2), np.exceptions.AxisError, "axis 2 is out of bounds"),
    (
        lambda: np.linalg.cond(np.reshape(TWO, (4,))[:0]),
        np.linalg.LinAlgError,
        "cond: got an empty",
    ),
]


@pytest.mark.parametrize(("call", "kind", "message"), LESSONS)
def test_errors_teach(call, kind, message):
    with pytest.raises(kind, match=message):
        call()


SCALARS = {
    "inv": lambda x: np.sum(np.linalg.inv(x)),
    "det": np.linalg.det,
    "cholesky": lambda x: np.sum(np.linalg.cholesky(np.matmul(x, x.T))),
    "eigh": lambda x: np.sum(np.linalg.eigh(x + x.T)[1] ** 3),
    "svd": lambda x: np.sum(np.linalg.svd(x)[0] ** 3),
    "qr": lambda x: np.sum(np.linalg.qr(x)[0] ** 3),
    "norm": lambda x: np.linalg.norm(x, axis=0)[1],
    "irfft": lambda x: np.fft.irfft(x, 5)[0, 1],
    "tensordot": lambda x: np.tensordot(x, x, ([0, 1], [1, 0])),
}


@pytest.mark.parametrize("f", SCALARS.values(), ids=SCALARS)
def test_forward_mode_and_batches(f):
    a = normals(2, 3, 3) + 3 * np.eye(3)
    d = np.random.default_rng(4).normal(size=(3, 3))
    _, tangent = jvp(f, (a[0],), (d,))
    assert_allclose(tangent.item(), np.sum(gradient(f, a[0]) * d), rtol=1e-9)
    each = [gradient(f, x) for x in a]
    assert_allclose(np.asarray(vmap(grad(f))(a)), each, rtol=1e-8, atol=1e-12)


def test_gradient_of_singular_determinants_in_a_batch():
    a = normals(2, 3, 1) * np.ones(3)
    assert_allclose(vmap(grad(np.linalg.det))(a), 0, atol=1e-12)
