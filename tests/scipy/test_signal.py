"""scipy.signal.convolve on Variables: SciPy's values, derivatives by differences."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.signal
from numpy.testing import assert_allclose

from dezero import Variable
from dezero.scipy.signal import convolve


def check(f, reference, a, b):
    """Check values, gradients (``f`` is linear in each) and the mixed second derivative."""
    wanted = reference(a, b)
    v, w = Variable(a), Variable(b)
    y = f(v, w)
    assert y.shape == wanted.shape
    assert_allclose(y.data, wanted, rtol=1e-10, atol=1e-12)
    seed = np.cos(1 + np.arange(wanted.size)).reshape(wanted.shape)
    da, db = (np.sin(1 + np.arange(x.size)).reshape(x.shape) for x in (a, b))
    np.sum(y * seed).backward(create_graph=True)
    ga, gb = v.grad, w.grad
    assert_allclose(np.sum(ga.data * da), np.sum(reference(da, b) * seed), rtol=1e-9)
    assert_allclose(np.sum(gb.data * db), np.sum(reference(a, db) * seed), rtol=1e-9)
    v.cleargrad()
    w.cleargrad()
    np.sum(ga * da).backward()
    assert v.grad is None
    assert_allclose(np.sum(w.grad.data * db), np.sum(reference(da, db) * seed), rtol=1e-9)


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize(
    ("a", "b"),
    [((7,), (3,)), ((3,), (7,)), ((5, 6), (2, 3)), ((4, 3, 3), (2, 3, 1)), ((4,), (4,))],
)
def test_convolve(mode, a, b, rng):
    check(
        lambda x, w: convolve(x, w, mode),
        lambda x, w: scipy.signal.convolve(x, w, mode, "direct"),
        rng.normal(size=a),
        rng.normal(size=b),
    )


@pytest.mark.parametrize("mode", ["full", "valid"])
def test_axes(mode, rng):
    def reference(images, kernels):
        return np.array(
            [
                [
                    sum(
                        scipy.signal.convolve(image[d], kernels[d, j], mode, "direct")
                        for d in range(kernels.shape[0])
                    )
                    for j in range(kernels.shape[1])
                ]
                for image in images
            ]
        )

    check(
        lambda x, w: convolve(x, w, axes=([2, 3], [2, 3]), dot_axes=([1], [0]), mode=mode),
        reference,
        rng.normal(size=(2, 3, 5, 4)),
        rng.normal(size=(3, 4, 2, 3)),
    )


def test_plain_arrays_and_errors(rng):
    x, w = rng.normal(size=(2, 4)), rng.normal(size=(2, 3))
    outer = convolve(x, w, axes=([1], [1]))
    assert type(outer) is np.ndarray
    assert_allclose(outer[1, 0], np.convolve(x[1], w[0]))
    with pytest.raises(ValueError, match="mode 'all'"):
        convolve(Variable(x), w, "all")
    with pytest.raises(ValueError, match="in every axis"):
        convolve(Variable(x), np.ones((1, 5)), "valid")
    with pytest.raises(ValueError, match="as many axes"):
        convolve(Variable(x), np.ones(3))


def test_float32_stays(rng):
    x = Variable(rng.normal(size=5).astype(np.float32))
    y = convolve(x, np.ones(2, np.float32))
    y.backward()
    assert y.dtype == x.grad.dtype == np.float32
