"""Normalisations: what users see of them, with the compiled kernels and without."""

import numpy as np
import pytest

import dezero.functions as F
import dezero.layers as L
from dezero import Variable, no_grad, test_mode, using_config

both = pytest.mark.parametrize("compiled", [True, False])


def variables(rng, shape, channels, dtype=np.float32):
    x = Variable(rng.standard_normal(shape).astype(dtype) + 1)
    gamma, beta = (Variable(rng.standard_normal(channels).astype(dtype)) for _ in range(2))
    return x, gamma, beta


def called(name, x, gamma, beta):
    """Call a normalisation with running statistics of its own."""
    if name == "rms_norm":
        return F.rms_norm(x, gamma)
    if name == "layer_norm":
        return F.layer_norm(x, gamma, beta)
    if name == "group_norm":
        return F.group_norm(x, gamma, beta, 4)
    zeros, ones = np.zeros(gamma.size, x.dtype), np.ones(gamma.size, x.dtype)
    return F.batch_norm(x, gamma, beta, zeros, ones)


CASES = [
    ("batch_norm", (300, 64)),
    ("batch_norm", (40, 16, 5, 7)),
    ("batch_norm", (10, 16, 11, 12)),
    ("group_norm", (10, 16, 11, 12)),
    ("group_norm", (300, 64)),
    ("layer_norm", (20, 30, 64)),
    ("rms_norm", (20, 30, 64)),
]


@pytest.mark.parametrize(("name", "shape"), CASES, ids=str)
def test_second_derivatives_of_large_arrays(rng, name, shape):
    """The recorded pass, with kernels below it, against float64 without them."""
    channels = shape[-1] if name in ("layer_norm", "rms_norm") else shape[1]
    inputs = variables(rng, shape, channels)
    w = rng.standard_normal(shape).astype(np.float32)
    results = []
    for dtype, compiled in ((np.float32, True), (np.float64, False)):
        xs = [Variable(v.data.astype(dtype)) for v in inputs]
        with using_config("compiled", compiled):
            F.sum(called(name, *xs) * w.astype(dtype)).backward(create_graph=True)
            gs = [v.grad for v in xs if v.grad is not None]
            for v in xs:
                v.cleargrad()
            sum(F.sum(g * g) for g in gs).backward()
        results.append([g.data for g in gs] + [v.grad.data for v in xs if v.grad is not None])
    assert len(results[0]) == len(results[1])
    for a, b in zip(*results, strict=True):
        assert a.dtype == np.float32
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=2e-5 * np.abs(b).max())


@both
def test_running_statistics(rng, compiled):
    x = rng.standard_normal((50, 8, 9, 10)).astype(np.float32) * 3 + 100
    layer = L.BatchNorm(decay=0.5)
    with using_config("compiled", compiled):
        layer(x)
    count = x.size // 8
    mean, var = x.mean(axis=(0, 2, 3), dtype=float), x.var(axis=(0, 2, 3), dtype=float)
    np.testing.assert_allclose(layer.avg_mean.data, mean / 2, rtol=1e-5)
    np.testing.assert_allclose(layer.avg_var.data, 0.5 + var * count / (count - 1) / 2, rtol=1e-4)
    before = layer.avg_mean.data.copy()
    with test_mode(), using_config("compiled", compiled):
        y = layer(x)
    np.testing.assert_array_equal(layer.avg_mean.data, before)
    shape = (1, 8, 1, 1)
    wanted = (x - before.reshape(shape)) / np.sqrt(layer.avg_var.data + 2e-5).reshape(shape)
    np.testing.assert_allclose(y.data, wanted, rtol=1e-4, atol=1e-4)


@both
def test_statistics_that_move_on_do_not_change_the_gradient(rng, compiled):
    x, gamma, beta = variables(rng, (200, 16, 3, 4), 16)
    mean, var = np.zeros(16, np.float32), np.ones(16, np.float32)
    with using_config("compiled", compiled), test_mode():
        y = F.batch_norm(x, gamma, beta, mean, var)
    mean += 100
    var *= 100
    y.backward()
    wanted = np.broadcast_to(gamma.data.reshape(1, 16, 1, 1), x.shape)
    np.testing.assert_allclose(x.grad.data, wanted, rtol=1e-4)
    np.testing.assert_allclose(gamma.grad.data, x.data.sum(axis=(0, 2, 3), dtype=float), rtol=1e-4)


@both
def test_parameters_of_other_shapes(rng, compiled):
    """The book's package keeps gamma and beta as (1, C)."""
    x = Variable(rng.standard_normal((300, 64)).astype(np.float32))
    gamma, beta = (Variable(np.ones((1, 64), np.float32)) for _ in range(2))
    mean, var = np.zeros((1, 64), np.float32), np.ones((1, 64), np.float32)
    with using_config("compiled", compiled):
        y = F.batch_norm(x, gamma, beta, mean, var)
        y.backward()
    assert gamma.grad.shape == beta.grad.shape == (1, 64)
    np.testing.assert_allclose(beta.grad.data, 300, rtol=1e-6)


def test_group_norm_has_layer_and_instance_norm_at_its_ends(rng):
    x = rng.standard_normal((3, 6, 4, 5))
    ones, zeros = np.ones(6), np.zeros(6)
    one = F.group_norm(x, ones, zeros, 1)
    flat = F.layer_norm(x.reshape(3, -1), np.ones(120), np.zeros(120)).data
    np.testing.assert_allclose(one.data, flat.reshape(x.shape), rtol=1e-10)
    each = F.group_norm(x, ones, zeros, 6, eps=0.0).data
    np.testing.assert_allclose(each.mean(axis=(2, 3)), 0, atol=1e-12)
    np.testing.assert_allclose(each.std(axis=(2, 3)), 1)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda x, c: F.group_norm(x, c, c, 4), "4 groups"),
        (lambda x, c: F.group_norm(x, c, c, 0), "0 groups"),
        (lambda x, c: F.group_norm(x, c[:3], c, 2), "gamma of shape"),
        (lambda x, c: F.group_norm(x[:0], c, c, 2), "empty"),
        (lambda x, c: F.group_norm(c, c, c, 2), r"\(N, C, \.\.\.\)"),
        (lambda x, c: F.rms_norm(x, c), "last axis"),
        (lambda x, c: L.GroupNorm(4)(x), "4 groups"),
        (lambda x, c: L.GroupNorm(4, 6), "4 groups"),
        (lambda x, c: L.GroupNorm(0), "groups"),
        (lambda x, c: L.RMSNorm(0), "size"),
    ],
)
def test_errors_say_what_is_wanted(call, words):
    with pytest.raises(ValueError, match=words):
        call(np.ones((2, 6, 5), np.float32), np.ones(6, np.float32))


@pytest.mark.parametrize("make", [L.RMSNorm, lambda n=None: L.GroupNorm(2, n), L.LayerNorm])
def test_layers_make_parameters_at_the_first_call_or_before(rng, make):
    x = rng.standard_normal((4, 6)).astype(np.float64)
    late, early = make(), make(6)
    late(x)
    assert [p.dtype for p in late.params()] == [np.float64] * len(list(late.params()))
    assert [p.dtype for p in early.params()] == [np.float32] * len(list(late.params()))
    np.testing.assert_allclose(
        early(x.astype(np.float32)).data, late(x).data, rtol=1e-5, atol=1e-6
    )
    y = late(Variable(x))
    F.sum(y * x).backward()
    assert all(p.grad is not None for p in late.params())


def test_float16_and_empty_rows():
    half = np.full((4, 8), 300, np.float16)
    half[:, ::2] = 301
    y = F.layer_norm(half, np.ones(8, np.float16), np.zeros(8, np.float16))
    assert y.dtype == np.float16 and np.isfinite(y.data).all()
    empty = F.rms_norm(np.ones((0, 8), np.float32), np.ones(8, np.float32))
    assert empty.shape == (0, 8)


@pytest.mark.parametrize("shape", [(2, 3, 40, 40), (2, 3, 2, 2), (4, 3)])
@pytest.mark.parametrize("added", [True, False])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_batch_norm_relu_and_residual_at_inference(shape, added, dtype):
    rng = np.random.default_rng(0)
    x, r = (rng.standard_normal(shape).astype(dtype) for _ in range(2))
    gamma, beta, mean = (rng.standard_normal(3).astype(dtype) for _ in range(3))
    var = rng.uniform(0.5, 2.0, 3).astype(dtype)
    residual = r if added else None
    x.flat[0] = np.nan
    with test_mode():
        recorded = F.batch_norm(x, Variable(gamma), beta, mean, var, relu=True, residual=residual)
        with no_grad():
            once = F.batch_norm(x, gamma, beta, mean, var, relu=True, residual=residual)
    assert recorded.creator is not None
    assert once.creator is None
    assert once.dtype == dtype
    assert np.isnan(once.data.flat[0])
    assert np.allclose(once.data, recorded.data, rtol=1e-5, atol=1e-5, equal_nan=True)
    assert np.nanmin(once.data) == 0.0


def test_batch_norm_names_a_residual_that_does_not_fit():
    x, v = np.ones((2, 3)), np.ones(3)
    with pytest.raises(ValueError, match=r"residual of shape \(3,\) for x of shape \(2, 3\)"):
        F.batch_norm(x, v, v, v, v, residual=v)
