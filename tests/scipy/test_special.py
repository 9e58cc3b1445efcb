"""scipy.special on Variables: ends of domains, complex arguments, orders, what is not covered."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import scipy.special as sp
from numpy.testing import assert_allclose

from dezero import Variable, no_grad
from dezero.scipy import special
from dezero.scipy.rules import NOT_COVERED


def derivatives(f, x, order):
    """Return the derivative of that order of a function of one argument."""
    v = Variable(np.array(x))
    y = f(v)
    for _ in range(order):
        v.cleargrad()
        y.backward(create_graph=True)
        y = v.grad
    return y.data


@pytest.mark.parametrize(
    ("f", "x", "order", "expected"),
    [
        (sp.exprel, 0.0, 1, 1 / 2),
        (sp.exprel, 0.0, 3, 1 / 4),
        (sp.exprel, 1e-11, 1, 1 / 2),
        (sp.rgamma, -2.0, 1, 2.0),
        (sp.rgamma, 0.0, 1, 1.0),
        (sp.rgamma, 0.0, 2, 2 * np.euler_gamma),
        (sp.psi, -1.5, 1, 9.3792466449891),
        (lambda v: sp.xlogy(0.0, v), 0.0, 1, 0.0),
        (lambda v: sp.xlogy(2.0, v), 4.0, 2, -1 / 8),
        (lambda v: sp.xlog1py(0.0, v), -1.0, 1, 0.0),
        (lambda v: sp.rel_entr(0.0, v), 0.0, 1, 0.0),
        (lambda v: sp.boxcox(v, 2.0), 0.0, 1, 0.0),
        (lambda v: sp.boxcox(3.0, v), 0.0, 1, np.log(3) ** 2 / 2),
        (lambda v: sp.boxcox(0.0, v), 2.0, 1, 1 / 4),
        (lambda v: sp.boxcox1p(2.0, v), 0.0, 2, np.log(3) ** 3 / 3),
        (lambda v: sp.inv_boxcox(0.5, v), 0.0, 1, -np.exp(0.5) / 8),
        (lambda v: sp.pseudo_huber(1.0, v), 0.0, 2, 1.0),
        (lambda v: sp.pseudo_huber(v, 0.0), 0.0, 1, 0.0),
        (lambda v: sp.gammainc(3.0, v), 0.0, 1, 0.0),
        (lambda v: sp.gammainc(3.0, v), 0.0, 2, 0.0),
        (lambda v: sp.gammainc(3.0, v), 0.0, 3, 1.0),
        (lambda v: sp.gammainc(1.0, v), 0.0, 2, -1.0),
        (lambda v: sp.betainc(2.0, 1.0, v), 0.0, 2, 2.0),
        (lambda v: sp.betainc(1.0, 3.0, v), 1.0, 3, 6.0),
        (sp.log_ndtr, -1e6, 1, 1e6),
        (sp.log_ndtr, -1e6, 2, -1.0),
        (sp.log_ndtr, 40.0, 1, 0.0),
        (sp.ndtri_exp, -1e10, 1, 1 / np.sqrt(2e10)),
        (sp.erfcx, 1e5, 1, -1e-10 / np.sqrt(np.pi)),
        (sp.dawsn, 1e5, 1, -0.5e-10),
        (sp.erfcx, 60.0, 1, 120 * sp.erfcx(60.0) - 2 / np.sqrt(np.pi)),
        (sp.dawsn, -60.0, 1, 1 - 120 * sp.dawsn(60.0)),
        (lambda v: sp.huber(2.0, v), -0.5, 1, -0.5),
        (lambda v: sp.huber(2.0, v), -2.5, 1, -2.0),
        (lambda v: sp.huber(v, 1.0), 2.0, 1, 0.0),
        (lambda v: sp.i0e(v), -1.5, 1, sp.i0e(1.5) - sp.i1e(1.5)),
        (lambda v: sp.airye(v)[2], -1.5, 1, sp.airy(-1.5)[3]),
        (lambda v: sp.airye(v)[3], -1.5, 1, -1.5 * sp.airy(-1.5)[2]),
        (sp.log_expit, 800.0, 1, 0.0),
        (sp.expit, 40.0, 1, np.exp(-40.0)),
        (sp.j1, 0.0, 1, 0.5),
        (lambda v: sp.jv(1, v), 0.0, 1, 0.5),
        (lambda v: sp.jv(2, v), 0.0, 2, 0.25),
        (lambda v: sp.iv(2, v), 0.0, 2, 0.25),
        (lambda v: sp.struve(0, v), 0.0, 1, 2 / np.pi),
        (sp.bei, 0.0, 2, 0.5),
        (sp.ellipk, 0.0, 1, np.pi / 8),
        (sp.ellipk, 0.0, 2, 9 * np.pi / 64),
        (sp.ellipk, 1e-11, 2, 9 * np.pi / 64),
        (sp.ellipe, 0.0, 2, -3 * np.pi / 64),
        (sp.ellipkm1, 1.0, 1, -np.pi / 8),
        (sp.ellipkm1, 1e-300, 1, -0.5e300),
        (lambda v: sp.ellipkinc(1.0, v), 0.0, 1, (1 - np.sin(1) * np.cos(1)) / 4),
        (lambda v: sp.ellipeinc(7.0, v), 0.0, 1, -(7 - np.sin(7) * np.cos(7)) / 4),
        (lambda v: sp.agm(v, 2.0), 2.0, 1, 0.5),
        (lambda v: sp.agm(v, 2.0), 2.0, 2, -1 / 16),
        (lambda v: sp.elliprd(v, 1.0, 1.0), 1.0, 1, -3 / 10),
        (lambda v: sp.elliprd(1.0, 1.0, v), 1.0, 1, -9 / 10),
        (lambda v: sp.elliprj(1.0, 1.0, 1.0, v), 1.0, 1, -3 / 5),
        (lambda v: sp.elliprc(1.0, v), 1.0, 1, -1 / 3),
        (sp.spence, 1.0, 1, -1.0),
        (sp.spence, 1.0, 2, 1 / 2),
        (lambda v: sp.sici(v)[0], 0.0, 1, 1.0),
        (lambda v: sp.sici(v)[0], 0.0, 3, -1 / 3),
        (lambda v: sp.shichi(v)[0], 0.0, 3, 1 / 3),
        (lambda v: sp.it2j0y0(v)[0], 1e-6, 1, 0.25e-6),
        (lambda v: sp.eval_legendre(3, v), 1.0, 1, 6.0),
        (lambda v: sp.eval_legendre(0, v), 1.0, 1, 0.0),
        (lambda v: sp.eval_chebyt(4, v), -1.0, 2, 80.0),
        (lambda v: np.real(sp.lambertw(v)), 0.0, 1, 1.0),
        (lambda v: sp.chndtr(2.0, 4.0, v), 0.0, 1, -0.5 * sp.chdtr(4, 2) + 0.5 * sp.chdtr(6, 2)),
    ],
)
def test_ends_of_domains(f, x, order, expected):
    with np.errstate(divide="ignore", invalid="ignore"):
        got = derivatives(f, x, order)
    assert_allclose(got, expected, rtol=1e-10 if abs(expected) < 1 else 1e-8, atol=1e-14)


HOLOMORPHIC = {
    "gamma": sp.gamma, "loggamma": sp.loggamma, "rgamma": sp.rgamma,
    "expm1": sp.expm1, "log1p": sp.log1p, "wrightomega": sp.wrightomega,
    "erf": sp.erf, "erfc": sp.erfc, "erfi": sp.erfi, "erfcx": sp.erfcx, "dawsn": sp.dawsn,
    "wofz": sp.wofz, "ndtr": sp.ndtr, "log_ndtr": sp.log_ndtr, "spence": sp.spence,
    "expi": sp.expi, "exp1": sp.exp1, "lambertw": sp.lambertw,
    "jv": lambda z: sp.jv(1.5, z), "yv": lambda z: sp.yv(1, z), "iv": lambda z: sp.iv(0.5, z),
    "kv": lambda z: sp.kv(2, z), "kve": lambda z: sp.kve(0.5, z),
    "hankel1": lambda z: sp.hankel1(1, z), "hankel2": lambda z: sp.hankel2(0.5, z),
    "hankel1e": lambda z: sp.hankel1e(1, z), "hankel2e": lambda z: sp.hankel2e(0.5, z),
    "hyp0f1": lambda z: sp.hyp0f1(1.5, z), "hyp1f1": lambda z: sp.hyp1f1(1.5, 0.5, z),
    "hyp2f1": lambda z: sp.hyp2f1(1.5, 0.5, 2.5, z),
    "xlogy": lambda z: sp.xlogy(z, 1 + z), "xlog1py": lambda z: sp.xlog1py(z, z),
    "eval_legendre": lambda z: sp.eval_legendre(2.5, z),
    "eval_jacobi": lambda z: sp.eval_jacobi(2.5, 0.5, 1.5, z),
    "elliprf": lambda z: sp.elliprf(z, 1.0, 2.0), "elliprc": lambda z: sp.elliprc(z, 2 + z),
    "elliprd": lambda z: sp.elliprd(1.0, z, 2.0), "elliprg": lambda z: sp.elliprg(1.0, z, 2.0),
    "airy": lambda z: sp.airy(z)[1], "sici": lambda z: sp.sici(z)[0],
    "shichi": lambda z: sp.shichi(z)[1], "fresnel": lambda z: sp.fresnel(z)[0],
    "spherical_jn": lambda z: special.spherical_jn(2, z),
}  # fmt: skip


@pytest.mark.parametrize("name", HOLOMORPHIC)
@pytest.mark.parametrize("point", [0.7 + 0.4j, 1.2 - 0.8j])
def test_complex(name, point):
    f = HOLOMORPHIC[name]
    h = 1e-4
    wanted = (8 * (f(point + h) - f(point - h)) - (f(point + 2 * h) - f(point - 2 * h))) / (12 * h)
    for direction in (1.0, 1j):
        v = Variable(np.array(point))
        np.real(direction * f(v)).backward()
        assert_allclose(np.conj(v.grad.data), direction * wanted, rtol=1e-8)


@pytest.mark.parametrize("f", [sp.jve, sp.yve, sp.ive], ids=lambda f: f.__name__)
def test_scaled_bessel_functions_of_complex_arguments(f):
    point, h = 0.7 + 0.4j, 1e-5
    for direction in (1.0, 1j, 0.3 - 2j):
        v = Variable(np.array(point))
        np.real(direction * f(1.5, v)).backward()
        for step, got in ((h, np.real(v.grad.data)), (1j * h, np.imag(v.grad.data))):
            wanted = direction * (f(1.5, point + step) - f(1.5, point - step)) / (2 * h)
            assert_allclose(got, np.real(wanted), rtol=1e-7)


@pytest.mark.parametrize(
    ("f", "count"), [(sp.kelvin, 4), (sp.modfresnelp, 2), (sp.modfresnelm, 2)],
    ids=lambda f: getattr(f, "__name__", ""),
)  # fmt: skip
def test_complex_values_of_real_arguments(f, count):
    x, h = 0.8, 1e-3
    for i in range(count):
        for direction in (1.0, 1j):
            v = Variable(np.array(x))
            np.real(direction * f(v)[i]).backward(create_graph=True)
            near, far = (direction * (f(x + s)[i] - f(x - s)[i]) for s in (h, 2 * h))
            assert_allclose(v.grad.data, np.real(8 * near - far) / (12 * h), rtol=1e-8)
            assert v.grad.dtype == np.float64


def test_trigamma_of_complex_arguments_is_refused():
    v = Variable(np.array(1 + 1j))
    with pytest.raises(TypeError, match="psi"):
        np.real(sp.psi(v)).backward()


def test_airye_of_complex_arguments_is_refused():
    v = Variable(np.array(1 + 1j))
    with pytest.raises(TypeError, match="airye is not holomorphic"):
        np.real(sp.airye(v)[0]).backward()


@pytest.mark.parametrize("name", sorted(NOT_COVERED))
def test_what_is_not_covered_says_why(name):
    ufunc = getattr(sp._ufuncs, name)
    v = Variable(np.array(0.5))
    with pytest.raises(TypeError, match=f"scipy.special.{name}: "):
        ufunc(*([v] * ufunc.nin))


def test_every_ufunc_has_a_rule_or_a_reason():
    from dezero.core.protocols import lessons, plain, table

    ufuncs = {getattr(sp, name) for name in dir(sp) if isinstance(getattr(sp, name), np.ufunc)}
    assert {f.__name__ for f in ufuncs - set(table) - plain - set(lessons)} == set()


def test_an_order_is_a_constant():
    order, x = Variable(np.array(1.5)), Variable(np.array([1.0, 2.0]))
    with pytest.raises(TypeError, match=r"jv has no derivative .* argument 0 \(v\)"):
        sp.jv(order, x)
    assert_allclose(sp.jv(order.data, x).data, sp.jv(1.5, x.data))
    with no_grad():
        assert_allclose(sp.jv(order, x).data, sp.jv(1.5, x.data))
    whole = sp.yn(Variable(np.array(2)), x)
    assert_allclose(whole.data, sp.yn(2, x.data))


def test_keywords_of_ufuncs_are_refused():
    with pytest.raises(TypeError, match="where="):
        sp.gammaln(Variable(np.ones(2)), where=np.array([True, False]))


def test_steps_give_plain_arrays():
    assert type(sp.gammasgn(Variable(np.array([-0.5, 0.5])))) is np.ndarray


def test_float32_stays_beside_numbers():
    x = np.array([0.5, 0.7], np.float32)
    for f in (lambda v: sp.gammainc(2.0, v), lambda v: sp.eval_hermite(3, v)):
        v = Variable(x)
        y = f(v)
        y.backward()
        assert y.dtype == v.grad.dtype == np.float32


def test_import_dezero_does_not_import_scipy():
    code = (
        "import sys, dezero, numpy as np; assert 'scipy' not in sys.modules\n"
        "from dezero import Variable\n"
        "v = Variable(np.array(2.0)); y = v.__array_ufunc__\n"
        "import scipy.special; assert 'dezero.scipy' not in sys.modules\n"
        "y = scipy.special.gammaln(v); y.backward(); assert abs(float(v.grad) - 0.4227843) < 1e-6"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


RNG = np.random.default_rng(5)
X, W = RNG.normal(size=(2, 3)), RNG.uniform(0.2, 1.0, (2, 3))

COMPOSED = [
    (lambda m, x: m.logsumexp(x), X),
    (lambda m, x: m.logsumexp(x, axis=1, keepdims=True), X),
    (lambda m, x: m.logsumexp(x, axis=(0, 1), b=W), X),
    (lambda m, x: m.logsumexp(x, axis=0, b=np.array([[1.0], [0.0]])), X),
    (lambda m, x: m.logsumexp(X, axis=0, b=x, keepdims=True), W),
    (lambda m, x: m.logsumexp(x, axis=1, b=np.array([2.0, -1.0, -9.0]), return_sign=True)[0], X),
    (lambda m, x: m.softmax(x), X),
    (lambda m, x: m.softmax(x, axis=0), X),
    (lambda m, x: m.log_softmax(x, axis=-1), X),
    (lambda m, x: m.polygamma(0, x), W),
    (lambda m, x: m.polygamma(2, x), W),
    (lambda m, x: m.polygamma(np.array([0, 1, 3]), x), W),
    (lambda m, x: m.multigammaln(x, 3), W + 1),
    (lambda m, x: m.sinc(x), X),
    (lambda m, x: m.factorial(x), W),
    (lambda m, x: m.comb(5.5, x), W),
    (lambda m, x: m.comb(x, 2, repetition=True), W + 1),
    (lambda m, x: m.spherical_jn(1, x), X),
    (lambda m, x: m.spherical_jn(2, x, derivative=True), X),
    (lambda m, x: m.spherical_yn(2, x), X + np.copysign(0.3, X)),
    (lambda m, x: m.spherical_in(np.array([0, 1, 2]), x, True), X),
    (lambda m, x: m.spherical_kn(2, x), W),
]


@pytest.mark.parametrize(("f", "x"), COMPOSED)
def test_composed_functions(f, x):
    wanted = f(sp, x)
    y = f(special, Variable(x))
    assert_allclose(y.data, wanted, rtol=1e-10, atol=1e-12)
    assert y.shape == np.shape(wanted)
    assert type(f(special, x)) is type(wanted)
    seed, direction = np.cos(np.arange(y.size)).reshape(y.shape), np.sin(1 + x)

    def first(t):
        v = Variable(x + t * direction)
        np.sum(f(special, v) * seed).backward(create_graph=True)
        return v, np.sum(v.grad * direction)

    v, slope = first(0.0)
    h = 1e-3
    for got, g in (
        (slope.data, lambda t: np.sum(f(sp, x + t * direction) * seed)),
        (None, lambda t: first(t)[1].data),
    ):
        if got is None:
            v.cleargrad()
            slope.backward()
            got = np.sum(v.grad.data * direction)
        near, far = g(h) - g(-h), g(2 * h) - g(-2 * h)
        assert_allclose(got, (8 * near - far) / (12 * h), rtol=1e-6, atol=1e-8)


def test_every_other_name_is_scipys():
    assert special.gammaln is sp.gammaln
    assert special.jn_zeros is sp.jn_zeros


def test_wrong_arguments_teach():
    v = Variable(np.array(0.5))
    with pytest.raises(ValueError, match="polygamma: the order n is 1.5"):
        special.polygamma(1.5, v)
    with pytest.raises(ValueError, match="multigammaln: got d = 3"):
        special.multigammaln(v, 3)


def test_logsumexp_far_out():
    v = Variable(np.array([1000.0, -np.inf, 5000.0]))
    y = special.logsumexp(v, b=np.array([1.0, 1.0, 0.0]))
    y.backward()
    assert_allclose(y.data, 1000.0)
    assert_allclose(v.grad.data, [1.0, 0.0, 0.0])
