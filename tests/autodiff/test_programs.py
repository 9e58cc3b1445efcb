"""Programs in autograd's style, with dezero's imports and, where it is installed, with its own."""

from __future__ import annotations

import importlib
import itertools
from types import SimpleNamespace
from typing import Any

import numpy
import pytest
import scipy.optimize
from numpy.testing import assert_allclose

DEZERO = {
    "np": "dezero.numpy",
    "npr": "dezero.numpy.random",
    "special": "dezero.scipy.special",
    "norm": "dezero.scipy.stats.norm",
    "multivariate_normal": "dezero.scipy.stats.multivariate_normal",
    "ag": "dezero.autodiff.compat",
    "optimizers": "dezero.autodiff.compat",
    "odeint": "dezero.scipy.integrate",
}
AUTOGRAD = {
    "np": "autograd.numpy",
    "npr": "autograd.numpy.random",
    "special": "autograd.scipy.special",
    "norm": "autograd.scipy.stats.norm",
    "multivariate_normal": "autograd.scipy.stats.multivariate_normal",
    "ag": "autograd",
    "optimizers": "autograd.misc.optimizers",
    "odeint": "autograd.scipy.integrate",
}


def imported(names: dict[str, str]) -> SimpleNamespace:
    m = SimpleNamespace(**{name: importlib.import_module(path) for name, path in names.items()})
    if m.ag.__name__ == "autograd":
        m.flatten = importlib.import_module("autograd.misc.flatten").flatten
        m.check_grads = importlib.import_module("autograd.test_util").check_grads
        m.tuple = importlib.import_module("autograd.builtins").tuple
    else:
        m.flatten, m.check_grads, m.tuple = m.ag.flatten, m.ag.check_grads, m.ag.tuple
    return m


def logistic_regression(m) -> Any:
    inputs = m.npr.RandomState(0).randn(20, 3)
    targets = inputs @ m.np.array([1.0, -2.0, 0.5]) > 0

    def loss(weights):
        preds = 0.5 * (m.np.tanh(m.np.dot(inputs, weights)) + 1)
        label_probabilities = preds * targets + (1 - preds) * (1 - targets)
        return -m.np.sum(m.np.log(label_probabilities))

    weights = m.np.array([0.1, 0.2, -0.3])
    m.check_grads(loss, modes=["rev"])(weights)
    training_gradient = m.ag.grad(loss)
    for _ in range(30):
        weights = weights - training_gradient(weights) * 0.01
    return loss, weights


def network_with_adam(m) -> Any:
    rs = m.npr.RandomState(1)
    x = m.np.linspace(-2, 2, 12).reshape(-1, 1)
    y = m.np.sin(2 * x)
    sizes = [1, 5, 1]
    params = [{"W": 0.5 * rs.randn(a, b), "b": rs.randn(b)} for a, b in itertools.pairwise(sizes)]

    def predict(params, inputs):
        for layer in params:
            outputs = m.np.dot(inputs, layer["W"]) + layer["b"]
            inputs = m.np.maximum(outputs, 0.1 * outputs)
        return outputs

    def objective(params, i=0):
        flat, _ = m.flatten(params)
        return m.np.mean((predict(params, x) - y) ** 2) + 1e-3 * m.np.dot(flat, flat)

    seen = []
    params = m.optimizers.adam(
        m.ag.grad(objective),
        params,
        step_size=0.05,
        num_iters=25,
        callback=lambda p, i, g: seen.append((i, g[0]["W"].shape)),
    )
    assert seen[-1] == (24, (1, 5))
    flat, unflatten = m.flatten(params)
    return lambda flat: objective(unflatten(flat)), flat


def mixture_of_gaussians(m) -> Any:
    rs = m.npr.RandomState(2)
    data = m.np.concatenate([rs.randn(10, 2) * 0.3 + 2, rs.randn(10, 2) * 0.3 - 2])
    start = {
        "log proportions": m.np.zeros(2),
        "means": rs.randn(2, 2),
        "lower triangles": m.np.array([m.np.eye(2)] * 2),
    }

    def log_likelihood(params):
        weights = params["log proportions"] - m.special.logsumexp(params["log proportions"])
        scores = []
        for w, mean, L in zip(weights, params["means"], params["lower triangles"], strict=True):
            scores.append(
                w + m.multivariate_normal.logpdf(data, mean, m.np.dot(L.T, L) + 0.1 * m.np.eye(2))
            )
        return m.np.sum(m.special.logsumexp(m.np.vstack(scores), axis=0))

    flat, unflatten = m.flatten(start)

    def objective(flat):
        return -log_likelihood(unflatten(flat))

    result = scipy.optimize.minimize(
        m.ag.value_and_grad(objective), flat, jac=True, method="CG", options={"maxiter": 3}
    )
    assert result.fun < objective(flat)
    return objective, flat


def ode_net(m) -> Any:
    rs = m.npr.RandomState(3)
    times = m.np.linspace(0.0, 1.0, 5)
    truth = m.np.stack([m.np.cos(times), m.np.sin(times)], axis=1)

    def motion(y, t, W, b):
        return m.np.tanh(m.np.dot(y, W)) + b * t

    def loss(flat):
        W, b = m.np.reshape(flat[:4], (2, 2)), flat[4:]
        path = m.odeint.odeint(motion, truth[0], times, m.tuple((W, b)), rtol=1e-10, atol=1e-10)
        return m.np.mean((path - truth) ** 2)

    return loss, 0.5 * rs.randn(6)


def recurrent_network(m) -> Any:
    rs = m.npr.RandomState(4)
    sequence = m.np.eye(4)[rs.randint(0, 4, size=(7, 3))]  # time, example, letter
    hidden = 5
    params = {
        "initial": 0.1 * rs.randn(1, hidden),
        "change": 0.3 * rs.randn(hidden + 4 + 1, hidden),
        "predict": 0.3 * rs.randn(hidden + 1, 4),
    }

    def with_ones(*arrays):
        ones = m.np.ones((arrays[0].shape[0], 1))
        return m.np.hstack([*arrays, ones])

    def log_likelihood(params):
        state = m.np.repeat(params["initial"], 3, axis=0)
        total = 0.0
        for letters, following in itertools.pairwise(sequence):
            state = m.np.tanh(m.np.dot(with_ones(letters, state), params["change"]))
            scores = m.np.dot(with_ones(state), params["predict"])
            logs = scores - m.special.logsumexp(scores, axis=1, keepdims=True)
            total += m.np.sum(logs * following)
        return total / 18

    params = m.optimizers.rmsprop(
        lambda p, i: m.ag.grad(lambda p: -log_likelihood(p))(p), params, num_iters=5
    )
    flat, unflatten = m.flatten(params)
    return lambda flat: -log_likelihood(unflatten(flat)), flat


def variational_inference(m) -> Any:
    x = m.np.linspace(-1, 1, 9)
    y = 1.5 * x - 0.4 + 0.1 * m.npr.RandomState(5).randn(9)

    def log_posterior(weights):
        prior = m.np.sum(m.norm.logpdf(weights, 0, 10.0), axis=1)
        means = m.np.outer(weights[:, 0], x) + weights[:, 1:]
        return prior + m.np.sum(m.norm.logpdf(y[None], means, 0.3), axis=1)

    def objective(params, t=0):
        mean, log_std = params[:2], params[2:]
        samples = m.npr.RandomState(t).randn(20, 2) * m.np.exp(log_std) + mean
        entropy = 0.5 * 2 * (1.0 + m.np.log(2 * m.np.pi)) + m.np.sum(log_std)
        return -(entropy + m.np.mean(log_posterior(samples)))

    params = m.optimizers.sgd(
        m.ag.grad(objective), m.np.array([0.5, 0.0, -1.0, -1.0]), num_iters=10, step_size=0.001
    )
    return objective, params


def gaussian_process(m) -> Any:
    rs = m.npr.RandomState(6)
    x = m.np.sort(rs.rand(8, 1), axis=0) * 4
    y = m.np.cos(x[:, 0])

    def covariance(log_params, a, b):
        scale, lengths = m.np.exp(log_params[0]), m.np.exp(log_params[1:])
        gaps = m.np.expand_dims(a / lengths, 1) - m.np.expand_dims(b / lengths, 0)
        return scale * m.np.exp(-0.5 * m.np.sum(gaps**2, axis=2))

    def negative_log_likelihood(params):
        mean, noise = params[0], m.np.exp(params[1]) + 1e-3
        K = covariance(params[2:], x, x) + noise * m.np.eye(8)
        centred = y - mean
        _, logdet = m.np.linalg.slogdet(K)
        return 0.5 * (m.np.dot(centred, m.np.linalg.solve(K, centred)) + logdet)

    start = m.np.array([0.1, -2.0, 0.0, 0.2])
    found = scipy.optimize.minimize(
        m.ag.value_and_grad(negative_log_likelihood),
        start,
        jac=True,
        method="CG",
        options={"maxiter": 4},
    )
    assert found.fun < negative_log_likelihood(start)
    return negative_log_likelihood, start


def fluid(m) -> Any:
    size = 6
    grid = m.np.arange(size)
    target = m.np.exp(-0.3 * ((grid[:, None] - 3) ** 2 + (grid[None] - 2) ** 2))
    smoke = m.np.roll(target, 2, axis=1)

    def project(vx, vy):
        h = 1.0 / size
        div = (
            -0.5
            * h
            * (
                m.np.roll(vx, -1, axis=0)
                - m.np.roll(vx, 1, axis=0)
                + m.np.roll(vy, -1, axis=1)
                - m.np.roll(vy, 1, axis=1)
            )
        )
        p = m.np.zeros(div.shape)
        for _ in range(5):
            p = (div + sum(m.np.roll(p, s, axis=a) for s in (-1, 1) for a in (0, 1))) / 4
        vx = vx - 0.5 * (m.np.roll(p, -1, axis=0) - m.np.roll(p, 1, axis=0)) / h
        vy = vy - 0.5 * (m.np.roll(p, -1, axis=1) - m.np.roll(p, 1, axis=1)) / h
        return vx, vy

    def advect(f, vx, vy):
        xs, ys = m.np.meshgrid(grid, grid, indexing="ij")
        x, y = (xs - vx).ravel(), (ys - vy).ravel()
        left, top = m.np.floor(x).astype(int), m.np.floor(y).astype(int)
        rw, bw = x - left, y - top
        left, right = left % size, (left + 1) % size
        top, bottom = top % size, (top + 1) % size
        upper = (1 - rw) * ((1 - bw) * f[left, top] + bw * f[left, bottom])
        lower = rw * ((1 - bw) * f[right, top] + bw * f[right, bottom])
        return m.np.reshape(upper + lower, f.shape)

    def loss(flat):
        vx, vy = m.np.reshape(flat, (2, size, size))
        f = smoke
        for _ in range(3):
            vx, vy = project(advect(vx, vx, vy), advect(vy, vx, vy))
            f = advect(f, vx, vy)
        return m.np.mean((f - target) ** 2)

    return loss, 0.3 * m.npr.RandomState(7).randn(2 * size * size)


def rosenbrock(m) -> Any:
    def f(x):
        return m.np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)

    start = m.np.array([-0.8, 0.5, 1.2])
    result = scipy.optimize.minimize(
        m.ag.value_and_grad(f),
        start,
        jac=True,
        method="Newton-CG",
        hessp=m.ag.hessian_vector_product(f),
    )
    assert_allclose(result.x, 1, atol=1e-4)
    return f, start


PROGRAMS = [
    logistic_regression,
    network_with_adam,
    mixture_of_gaussians,
    ode_net,
    recurrent_network,
    variational_inference,
    gaussian_process,
    fluid,
    rosenbrock,
]


def slope(f, x, v, h=1e-4) -> float:
    near, far = f(x + h * v) - f(x - h * v), f(x + 2 * h * v) - f(x - 2 * h * v)
    return (8 * near - far) / (12 * h)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.__name__)
def test_program(program):
    """Its gradient where it ends, and products with its Hessian, against differences."""
    m = imported(DEZERO)
    f, x = program(m)
    v = numpy.random.RandomState(0).randn(x.size)
    gradient = m.ag.grad(f)
    assert type(gradient(x)) is numpy.ndarray
    assert_allclose(numpy.dot(gradient(x), v), slope(f, x, v), rtol=1e-5, atol=1e-6)
    if program is not ode_net:  # odeint is differentiated once, backwards
        assert_allclose(m.ag.make_jvp(f)(x)(v)[1], slope(f, x, v), rtol=1e-5, atol=1e-6)
        product = m.ag.make_hvp(f)(x)[0](v)
        assert_allclose(product, slope(gradient, x, v), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.__name__)
def test_program_as_by_autograd(program):
    pytest.importorskip("autograd")
    ours, theirs = imported(DEZERO), imported(AUTOGRAD)
    (f, x), (g, y) = program(ours), program(theirs)
    rtol, atol = (1e-5, 1e-7) if program is ode_net else (1e-8, 1e-10)
    assert_allclose(x, y, rtol=rtol, atol=atol)
    assert_allclose(f(x), g(x), rtol=rtol, atol=atol)
    assert_allclose(ours.ag.grad(f)(x), theirs.ag.grad(g)(x), rtol=rtol, atol=atol)
