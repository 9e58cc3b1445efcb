"""Convolution: the compiled versions against the reference in float64."""

import threading

import numpy as np
import pytest

import dezero
from dezero.kernels import convolution as kernels

pytest.importorskip("numba")

from dezero.kernels.cpu import convolution as compiled
from dezero.kernels.cpu import cook_toom, planes


def normal(rng, *shape):
    return rng.normal(size=shape).astype(np.float32)


def problem(rng, n, c, size, o, kernel, stride=(1, 1), pad=(0, 0), dilation=(1, 1), groups=1):
    """Return images, filters, bias, the gradient of the result, and the options."""
    options = stride, pad, dilation, groups
    x, W, b = normal(rng, n, c, *size), normal(rng, o, c // groups, *kernel), normal(rng, o)
    out = kernels.geometry(size, kernel, stride, pad, dilation).out
    return x, W, b, normal(rng, n, o, *out), options


def results(module, x, W, b, gy, options):
    """Return the convolution and its three gradients."""
    return {
        "y": module.conv2d(x, W, b, *options),
        "gx": module.conv2d_input_grad(gy, W, x.shape[2:], *options),
        "gW": module.conv2d_weight_grad(x, gy, W.shape[2:], *options),
        "gb": module.channel_sum(gy),
    }


class Reference:
    conv2d = staticmethod(kernels.conv2d.reference)
    conv2d_input_grad = staticmethod(kernels.conv2d_input_grad.reference)
    conv2d_weight_grad = staticmethod(kernels.conv2d_weight_grad.reference)
    channel_sum = staticmethod(kernels.channel_sum.reference)


def check(x, W, b, gy, options, tolerance=1e-5):
    """Compare with the reference in float64, relative to the size of the result."""
    got = results(compiled, x, W, b, gy, options)
    want = results(Reference, *(a.astype(np.float64) for a in (x, W, b, gy)), options)
    for name, expected in want.items():
        assert got[name].dtype == np.float32 and got[name].shape == expected.shape, name
        scale = max(np.sqrt(np.mean(expected**2)), 1e-3)
        error = np.abs(got[name] - expected).max() / scale
        assert error < tolerance * (1 if name == "y" else 3), (name, error)


def pick(rng, *choices):
    return int(choices[rng.integers(len(choices))])


def pairs(rng, low, high):
    return tuple(int(i) for i in rng.integers(low, high, 2))


def draw(rng, kind):
    """Return the arguments of a random problem of some kind."""
    groups = {"grouped": pick(rng, 2, 3), "depthwise": pick(rng, 2, 7, 19)}.get(kind, 1)
    c, o = groups * pick(rng, 1, 3, 8), groups * pick(rng, 1, 5, 13, 40)
    if kind == "depthwise":
        c, o = groups, groups * pick(rng, 1, 2, 9)
    kernel = (1, 1) if kind == "1x1" else pairs(rng, 1, 6)
    plain = kind == "1x1"
    return {
        "n": pick(rng, 1, 2, 5),
        "c": c,
        "size": pairs(rng, 5, 40),
        "o": o,
        "kernel": kernel,
        "stride": pairs(rng, 1, 4),
        "pad": (0, 0) if plain else pairs(rng, 0, 3),
        "dilation": (1, 1) if plain else pairs(rng, 1, 3),
        "groups": groups,
    }


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("kind", ["any", "grouped", "depthwise", "1x1"])
def test_random_shapes(kind, seed):
    rng = np.random.default_rng([seed, *kind.encode()])
    arguments = draw(rng, kind)
    g = kernels.geometry(*(arguments[k] for k in ("size", "kernel", "stride", "pad", "dilation")))
    if min(g.out) < 1:
        pytest.skip("the kernel is larger than the image")
    check(*problem(rng, **arguments))


@pytest.mark.parametrize("pad", [(0, 0), (1, 1), (2, 0), (1, 2)])
@pytest.mark.parametrize(
    ("n", "c", "size", "o"),
    [
        (1, 16, (7, 8), 20),
        (3, 17, (13, 6), 35),
        (2, 40, (31, 33), 16),
        (20, 16, (3, 3), 16),  # many small images in a block
        (1, 130, (12, 11), 135),  # few tiles, many filters
        (3, 130, (5, 4), 135),
        (1, 16, (5, 150), 16),  # a row of tiles is more than a block
    ],
)
def test_winograd(n, c, size, o, pad):
    rng = np.random.default_rng([n, c, o, *size, *pad])
    arrays = problem(rng, n, c, size, o, (3, 3), pad=pad)
    check(*arrays, tolerance=2e-5)
    with dezero.using_config("fast_winograd", True):
        check(*arrays, tolerance=1e-4)


def test_fast_winograd_is_another_algorithm():
    arrays = problem(np.random.default_rng(0), 2, 32, (16, 16), 32, (3, 3), pad=(1, 1))
    exact = results(compiled, *arrays)
    with dezero.using_config("fast_winograd", True):
        fast = results(compiled, *arrays)
    assert all((exact[name] != fast[name]).any() for name in ("y", "gx", "gW"))


@pytest.mark.parametrize("m", [2, 4])
def test_matrices_make_a_correlation(m):
    AT, G, BT = (np.array(cook_toom.MATRICES[f"{name}{m}"]) for name in ("AT", "G", "BT"))
    rng = np.random.default_rng(m)
    g, d = rng.normal(size=3), rng.normal(size=m + 2)
    want = [d[i : i + 3] @ g for i in range(m)]
    np.testing.assert_allclose(AT @ ((G @ g) * (BT @ d)), want, atol=1e-10)


@pytest.mark.parametrize("rows", [(9, 30), (40, 5)])
def test_transposed_convolution_leaves_zeros_beyond_the_last_window(rows):
    rng = np.random.default_rng(3)
    gy, W = normal(rng, 2, 5, *rows), normal(rng, 5, 4, 3, 2)
    size = (rows[0] - 1) * 3 + 3 + 2, (rows[1] - 1) * 3 + 2 + 2
    got = compiled.conv2d_input_grad(gy, W, size, 3)
    want = Reference.conv2d_input_grad(gy.astype(np.float64), W, size, 3)
    np.testing.assert_allclose(got, want, atol=1e-5)
    assert (got[:, :, -2:] == 0).all() and (got[..., -2:] == 0).all()


LAYERS = [
    (2, 3, (20, 20), 8, (3, 3), (2, 2), (1, 1)),
    (2, 40, (20, 20), 40, (3, 3), (1, 1), (1, 1)),
    (1, 136, (10, 10), 136, (3, 3), (1, 1), (1, 1)),
    (4, 24, (9, 9), 24, (1, 1), (1, 1), (0, 0)),
    (3, 12, (15, 15), 12, (5, 5), (1, 1), (2, 2), (1, 1), 12),
    (8, 32, (4, 4), 40, (3, 3), (2, 2), (1, 1)),
]


@pytest.mark.parametrize("layer", range(len(LAYERS)))
def test_nan_and_infinity_reach_what_depends_on_them(layer):
    rng = np.random.default_rng(layer)
    x, W, b, gy, options = problem(rng, *LAYERS[layer])
    places = (0, 0, -1, -1), (-1, 1, 0, 0)

    def put(value, dtype):
        arrays = x.astype(dtype), W.astype(dtype), b.astype(dtype), gy.astype(dtype)
        arrays[0][places[0]] = arrays[3][places[1]] = value
        return *arrays, options

    one, other = (results(Reference, *put(value, np.float64)) for value in (1.0, 3.0))
    for value in (np.nan, np.inf):
        got = results(compiled, *put(value, np.float32))
        for name in one:
            touched = np.abs(one[name] - other[name]) > 1e-9
            assert touched.any() and not np.isfinite(got[name][touched]).any(), name
            assert np.isfinite(got[name]).any(), name


@pytest.mark.parametrize("layer", [0, 2, 3, 4])
def test_an_infinity_at_the_edge_stays_out_of_other_taps(layer):
    rng = np.random.default_rng(layer)
    n, c, size, o, _, stride = LAYERS[layer][:6]
    groups = LAYERS[layer][-1] if len(LAYERS[layer]) > 8 else 1
    x, _, _, gy, options = problem(rng, n, c, size, o, (5, 5), stride, groups=groups)
    x[0, 0, 4, 0] = np.inf  # only taps of the first column ever see it
    gW = compiled.conv2d_weight_grad(x, gy, (5, 5), *options)
    assert np.isfinite(gW[..., 1:]).all() and not np.isfinite(gW[..., 0]).all()


@pytest.mark.parametrize("layer", range(len(LAYERS)))
def test_strided_arrays(layer):
    rng = np.random.default_rng(layer)
    x, W, b, gy, options = problem(rng, *LAYERS[layer])
    want = results(compiled, x, W, b, gy, options)
    views = [np.repeat(a, 2, axis=-1)[..., ::2] for a in (x, W, b, gy)]
    views[0] = np.asfortranarray(x)
    got = results(compiled, *views, options)
    for name in want:
        np.testing.assert_array_equal(got[name], want[name])


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("layer", range(len(LAYERS)))
def test_any_number_of_threads_and_the_same_each_time(layer, threads, nothing_is_small):
    before = dezero.get_num_threads()
    arrays = problem(np.random.default_rng(layer), *LAYERS[layer])
    dezero.set_num_threads(threads)
    try:
        check(*arrays, tolerance=2e-5)
        first, second = (results(compiled, *arrays) for _ in range(2))
    finally:
        dezero.set_num_threads(before)
    for name in first:
        np.testing.assert_array_equal(first[name], second[name])


def test_calls_from_several_python_threads():
    arrays = [problem(np.random.default_rng(i), *layer) for i, layer in enumerate(LAYERS)]
    want = [results(compiled, *a) for a in arrays]
    wrong = []

    def work(i):
        for _ in range(5):
            got = results(compiled, *arrays[i])
            wrong.extend(name for name in got if (got[name] != want[i][name]).any())

    workers = [threading.Thread(target=work, args=(i,)) for i in range(len(LAYERS))]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not wrong


def test_what_the_reference_does():
    x, W, b, gy, options = problem(np.random.default_rng(0), 2, 3, (8, 8), 4, (3, 3))
    assert compiled.conv2d(x.astype(np.float64), W, b, *options) is NotImplemented
    assert compiled.conv2d(x[:0], W, b, *options) is NotImplemented
    assert compiled.conv2d(x, W[:, :, :, :0], b, *options) is NotImplemented
    assert compiled.conv2d_input_grad(gy[:0], W, (8, 8), *options) is NotImplemented
    assert compiled.conv2d_weight_grad(x, gy[:0], (3, 3), *options) is NotImplemented
    assert compiled.channel_sum(gy.astype(np.int64)) is NotImplemented


def test_planes_cover_every_place_once():
    y, x = planes.Axis(21, 11, 2, (-1, 0, 1)), planes.Axis(300, 150, 2, (-1, 0, 1))
    p, *_ = planes.layout((3, 4, 21, 300), 8, 1, y, x)
    seen = np.zeros((3, 11), int)
    for block in range(p.blocks):
        i, count, top, rows = planes.place.py_func(p, block)
        seen[i : i + count, top : top + rows] += 1
    assert (seen == 1).all()
