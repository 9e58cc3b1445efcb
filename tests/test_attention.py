"""Attention as users call it: masks, memory, derivatives; see also the table of functions."""

import tracemalloc

import numpy as np
import pytest

import dezero
import dezero.functions as F
from dezero import Variable
from dezero.kernels.table import has_numba


def qkv(*shape, dtype=np.float64, seed=0):
    rng = np.random.default_rng(seed)
    return [Variable(rng.normal(size=shape).astype(dtype)) for _ in range(3)]


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("kind", ["booleans", "floats"])
def test_a_query_that_sees_no_key_gets_zeros_and_so_does_its_gradient(kind, compiled):
    q, k, v = qkv(2, 64, 64, dtype=np.float32)
    seen = np.ones((64, 64), bool)
    seen[5] = False
    mask = seen if kind == "booleans" else np.where(seen, 0.5, -np.inf)
    with dezero.using_config("compiled", compiled):
        y = F.scaled_dot_product_attention(q, k, v, mask=mask)
        F.sum(y * y).backward()
    assert np.array_equal(y.data[:, 5], np.zeros((2, 64)))
    assert np.array_equal(q.grad.data[:, 5], np.zeros((2, 64)))
    for x in (y, q.grad, k.grad, v.grad):
        assert np.isfinite(x.data).all()
        assert x.dtype == np.float32


def test_a_learned_mask_may_hide_a_row_too():
    q, k, v = qkv(3, 4)
    mask = Variable(np.zeros((3, 3)))
    mask.data[1] = -np.inf
    y = F.scaled_dot_product_attention(q, k, v, mask=mask)
    F.sum(y * y).backward()
    assert np.array_equal(y.data[1], np.zeros(4))
    assert np.array_equal(mask.grad.data[1], np.zeros(3))
    assert np.isfinite(q.grad.data).all()


def test_no_keys_at_all_give_zeros():
    q, k = Variable(np.ones((2, 3))), Variable(np.ones((0, 3)))
    y = F.scaled_dot_product_attention(q, k, k)
    assert np.array_equal(y.data, np.zeros((2, 3)))
    y.backward()
    assert np.array_equal(q.grad.data, np.zeros((2, 3)))
    assert k.grad.shape == (0, 3)


@pytest.mark.parametrize("compiled", [True, False])
def test_memory_grows_with_the_length_not_with_its_square(compiled):
    q, k, v = qkv(1, 2, 2048, 16, dtype=np.float32)
    matrix = 2 * 2048 * 2048 * 4
    least = matrix / 8 if compiled and has_numba() else matrix
    with dezero.using_config("compiled", compiled):
        F.sum(F.scaled_dot_product_attention(q, k, v, is_causal=True)).backward()  # compiles
        tracemalloc.start()
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        kept, peak = tracemalloc.get_traced_memory()
        y.backward()
        all_peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert kept < matrix / 50
    assert peak < least
    assert all_peak < least


@pytest.mark.parametrize("length", [9, 160])
def test_the_recorded_backward_gives_the_gradients_of_the_blocks(length):
    xs = qkv(2, length, 64, dtype=np.float32)
    y = F.scaled_dot_product_attention(*xs, is_causal=True)
    weight = np.random.default_rng(1).normal(size=y.shape).astype(np.float32)
    loss = F.sum(y * weight)
    loss.backward()
    raw = [x.grad.data for x in xs]
    for x in xs:
        x.cleargrad()
    y = F.scaled_dot_product_attention(*xs, is_causal=True)
    F.sum(y * weight).backward(create_graph=True)
    for x, gx in zip(xs, raw, strict=True):
        assert x.grad.creator is not None
        assert np.allclose(x.grad.data, gx, rtol=1e-4, atol=1e-5)


def test_one_head_of_keys_serves_all_queries():
    q, k, v = qkv(2, 4, 6, 3)
    k, v = Variable(k.data[:, :1]), Variable(v.data[0, 0])
    y = F.scaled_dot_product_attention(q, k, v)
    y.backward()
    every = [Variable(np.broadcast_to(x.data, q.shape).copy()) for x in (k, v)]
    wanted = F.scaled_dot_product_attention(q.data, *every)
    wanted.backward()
    assert np.allclose(y.data, wanted.data)
    assert np.allclose(k.grad.data, every[0].grad.data.sum(axis=1, keepdims=True))
    assert np.allclose(v.grad.data, every[1].grad.data.sum(axis=(0, 1)))


def test_leading_axes_that_do_not_fit_are_refused():
    x, y = np.ones((2, 4, 3)), np.ones((3, 4, 3))
    with pytest.raises(
        ValueError, match=r"scaled_dot_product_attention: got shapes q \(2, 4, 3\)"
    ):
        F.scaled_dot_product_attention(x, y, y)


def test_dropout_drops_weights_in_training_only():
    q, k, v = qkv(2, 40, 8)
    plain = F.scaled_dot_product_attention(q, k, v).data
    dezero.seed(3)
    dropped = F.scaled_dot_product_attention(q, k, v, dropout_ratio=0.5).data
    assert not np.allclose(plain, dropped)
    assert np.array_equal(
        F.scaled_dot_product_attention(q, k, v, dropout_ratio=1.0).data, 0 * plain
    )
    with dezero.test_mode():
        kept = F.scaled_dot_product_attention(q, k, v, dropout_ratio=0.5).data
        with pytest.raises(ValueError, match="dropout_ratio 2"):
            F.scaled_dot_product_attention(q, k, v, dropout_ratio=2)
    assert np.array_equal(plain, kept)


def test_it_takes_a_node_and_not_the_matrix_of_weights():
    q, k, v = qkv(2, 5, 4)
    y = F.scaled_dot_product_attention(q, k, v)
    assert type(y.creator).__name__ == "Attention"
    assert [x is y for x, y in zip(y.creator.inputs, (q, k, v), strict=True)] == [True] * 3
