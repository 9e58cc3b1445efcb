"""Attention: the compiled version against the reference, and blocks against the whole."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import dezero
import dezero.functions as F
from dezero.kernels import attention as kernels

pytest.importorskip("numba")

from dezero.kernels.cpu import attention as compiled

SHAPES = [
    ((), 37, 37, 16, 16),
    ((3,), 5, 200, 7, 3),
    ((2, 3), 130, 130, 64, 64),
    ((2, 3), 128, 65, 20, 33),
    ((2, 1, 3), 50, 97, 1, 8),
    ((1,), 300, 300, 8, 16),
]
MASKS = ["none", "causal", "booleans", "padding", "floats", "causal floats"]


def normal(rng, *shape):
    return rng.normal(size=shape).astype(np.float32)


def heads(rng, lead, t, d):
    """Return heads as a layer makes them: views of one array of positions, where there are two."""
    if len(lead) != 2:
        return normal(rng, *lead, t, d)
    whole = normal(rng, lead[0], t, 3 * lead[1] * d)[..., : lead[1] * d]
    return whole.reshape(lead[0], t, lead[1], d).transpose(0, 2, 1, 3)


def arrays(rng, lead, t, s, d, e):
    sizes = [(t, e), (t, d), (s, d), (s, e)]
    return [heads(rng, lead, *size) for size in sizes]  # gy, q, k, v


def make_mask(rng, name, lead, t, s):
    if name == "booleans":
        return rng.random((t, s)) < 0.6
    if name == "padding":
        return rng.random((*lead, 1, s)) < 0.6
    if name.endswith("floats"):
        mask = rng.normal(size=(*lead[-1:], t, s))
        mask[..., rng.random(s) < 0.2] = -np.inf
        mask[..., t // 2, :] = -np.inf
        return mask
    return None


def both(module, gy, q, k, v, mask, is_causal):
    y, lse = module.attention(q, k, v, mask, is_causal)
    return y, lse, *module.attention_grad(gy, q, k, v, mask, is_causal, y, lse)


class Reference:
    attention = staticmethod(kernels.attention.reference)
    attention_grad = staticmethod(kernels.attention_grad.reference)


def doubled(xs):
    return [x.astype(np.float64) for x in xs]


def whole(gy, q, k, v, mask, is_causal):
    """The formula on the matrix of all scores."""
    scores = q @ np.swapaxes(k, -1, -2) / np.sqrt(q.shape[-1])
    if mask is not None:
        scores = scores + (mask if mask.dtype != bool else np.where(mask, 0, -np.inf))
    if is_causal:
        scores = np.where(np.tri(*scores.shape[-2:], dtype=bool), scores, -np.inf)
    largest = scores.max(-1, keepdims=True)
    e = np.exp(scores - np.where(np.isfinite(largest), largest, 0))
    total = e.sum(-1, keepdims=True)
    P = e / np.where(total == 0, 1, total)
    dP = gy @ np.swapaxes(v, -1, -2)
    dS = P * (dP - (P * dP).sum(-1, keepdims=True)) / np.sqrt(q.shape[-1])
    return P @ v, dS @ k, np.swapaxes(dS, -1, -2) @ q, np.swapaxes(P, -1, -2) @ gy


@pytest.mark.parametrize("name", MASKS)
@pytest.mark.parametrize("block", [50, 1 << 20])
def test_the_reference_in_blocks_computes_the_formula(name, block, monkeypatch):
    monkeypatch.setattr(kernels, "BLOCK", block)
    rng = np.random.default_rng(0)
    xs = doubled(arrays(rng, (2, 3), 9, 11, 4, 5))
    mask = make_mask(rng, name, (2, 3), 9, 11)
    found = both(Reference, *xs, mask, name.startswith("causal"))
    for a, b in zip(
        (found[0], *found[2:]), whole(*xs, mask, name.startswith("causal")), strict=True
    ):
        assert np.allclose(a, b, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("name", MASKS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("threads", [1, 3])
def test_compiled_is_the_reference(shape, name, threads, nothing_is_small):
    rng = np.random.default_rng(1)
    xs = arrays(rng, *shape)
    mask = make_mask(rng, name, *shape[:3])
    before = dezero.get_num_threads()
    dezero.set_num_threads(threads)
    try:
        found = both(compiled, *xs, mask, name.startswith("causal"))
    finally:
        dezero.set_num_threads(before)
    wanted = both(Reference, *doubled(xs), mask, name.startswith("causal"))
    for a, b in zip(found, wanted, strict=True):
        assert a.dtype == np.float32
        assert a.shape == b.shape
        assert np.allclose(a, b, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("threads", [1, 2])
def test_results_are_the_same_from_run_to_run(threads, nothing_is_small):
    rng = np.random.default_rng(2)
    xs = arrays(rng, (1, 3), 300, 300, 16, 16)
    before = dezero.get_num_threads()
    dezero.set_num_threads(threads)
    try:
        first = both(compiled, *xs, None, True)
        for _ in range(5):
            for a, b in zip(both(compiled, *xs, None, True), first, strict=True):
                assert np.array_equal(a, b)
    finally:
        dezero.set_num_threads(before)


def test_arrays_that_broadcast_lie_apart_or_may_not_be_written_are_taken():
    rng = np.random.default_rng(3)
    gy, q, k, v = arrays(rng, (2, 4), 40, 50, 8, 8)
    k, v = k[:1, :1], v[0, 0]
    v.flags.writeable = False
    gy = np.broadcast_to(np.float32(0.5), gy.shape)
    q = np.asfortranarray(q)[..., ::-1, :]
    mask = rng.random((4, 1, 50)) < 0.5
    found = both(compiled, gy, q, k, v, mask, False)
    wanted = both(Reference, *doubled((gy, q, k, v)), mask, False)
    for a, b in zip(found, wanted, strict=True):
        assert a.shape == b.shape
        assert np.allclose(a, b, rtol=1e-5, atol=1e-5)


def test_results_lie_in_memory_as_their_inputs_so_that_heads_join_without_a_copy():
    rng = np.random.default_rng(4)
    gy, q, k, v = arrays(rng, (2, 4), 64, 64, 16, 16)
    y, _, *gxs = both(compiled, gy, q, k, v, None, True)
    for a in (y, *gxs):
        joined = a.transpose(0, 2, 1, 3)
        assert np.shares_memory(joined.reshape(2, 64, 64), a)


def split(whole, starts, width):
    """Return heads that are views of columns of one array of positions."""
    cut = [whole[..., start : start + width] for start in starts]
    return [x.reshape(*x.shape[:-1], 4, -1).transpose(0, 2, 1, 3) for x in cut]


def test_gradients_of_what_was_split_lie_joined(rng, nothing_is_small):
    whole, gy = normal(rng, 2, 30, 96), normal(rng, 2, 4, 30, 8)
    for starts in ((0, 32, 64), (64, 0, 32), (0, 0, 0), (0, 16, 64)):  # the last two overlap
        q, k, v = split(whole, starts, 32)
        y, lse = compiled.attention(q, k, v, None, True)
        got = compiled.attention_grad(gy, q, k, v, None, True, y, lse)
        apart = [x.copy() for x in (q, k, v)]
        want = compiled.attention_grad(gy, *apart, None, True, y, lse)
        for a, b in zip(got, want, strict=True):
            np.testing.assert_array_equal(a, b)
        joined = got[0].base is not None and got[0].base is got[1].base is got[2].base
        assert joined == (sorted(starts) == [0, 32, 64])


LAYOUTS = {
    "every third number": lambda w: [w.reshape(2, 4, 30, 8, 3)[..., i] for i in range(3)],
    "rows backwards": lambda w: [x[:, :, ::-1] for x in np.split(w.reshape(2, 4, 30, 24), 3, -1)],
    "keys that broadcast": lambda w: np.split(w.reshape(4, 4, 30, 12), [2, 3]),
    "three leading axes": lambda w: np.split(w.reshape(2, 2, 2, 30, 24), 3, -1),
    "between heads": lambda w: [
        w.reshape(2, 30, 4, 3, 8)[:, :, :, i].swapaxes(1, 2) for i in range(3)
    ],
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_gradients_of_pieces_however_they_lie(rng, layout, nothing_is_small):
    q, k, v = LAYOUTS[layout](normal(rng, 2 * 30 * 96))
    gy = normal(rng, *q.shape)
    y, lse = compiled.attention(q, k, v, None, False)
    got = compiled.attention_grad(gy, q, k, v, None, False, y, lse)
    apart = [x.copy() for x in (q, k, v)]
    want = compiled.attention_grad(gy, *apart, None, False, y, lse)
    for a, b in zip(got, want, strict=True):
        np.testing.assert_array_equal(a, b)


def test_split_before_attention_costs_no_copy_after_it(rng, monkeypatch, nothing_is_small):
    x, gy = dezero.Variable(normal(rng, 2, 160, 96)), normal(rng, 2, 4, 160, 8)

    def gradient(order, between=lambda x: x):
        parts = F.split(x, 3, axis=2)
        q, k, v = (between(parts[i]).reshape(2, 160, 4, 8).transpose(0, 2, 1, 3) for i in order)
        x.cleargrad()
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        (y * gy).sum().backward()
        return x.grad.data

    want = [gradient(order, lambda x: x * 1) for order in ((0, 1, 2), (2, 1, 0))]
    copies = []
    join = np.concatenate
    monkeypatch.setattr(np, "concatenate", lambda *args: copies.append(1) or join(*args))
    got = [gradient(order) for order in ((0, 1, 2), (2, 1, 0))]
    assert not copies
    np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (0, 0, 1)])
def test_pieces_that_lie_otherwise_are_joined_in_order(rng, order, axis):
    x, gy = dezero.Variable(normal(rng, 6, 9)), normal(rng, 6, 9)
    parts = F.split(x, 3, axis=axis)
    y = F.concatenate([parts[i] for i in order], axis=axis)
    (y * gy).sum().backward()
    want = np.zeros((6, 9), np.float32)
    cut, into = np.split(gy, 3, axis), np.split(want, 3, axis)
    for piece, i in zip(cut, order, strict=True):
        into[i] += piece
    np.testing.assert_array_equal(x.grad.data, want)


def test_nan_and_infinity_reach_what_sees_them():
    rng = np.random.default_rng(5)
    gy, q, k, v = arrays(rng, (1, 2), 140, 140, 8, 8)
    q[0, 0, 3, 2] = np.nan
    k[0, 1, 50, 0] = np.nan
    y, lse = compiled.attention(q, k, v, None, True)
    wanted, lse0 = Reference.attention(q, k, v, None, True)
    assert np.array_equal(np.isnan(y), np.isnan(wanted))
    assert np.array_equal(np.isnan(lse), np.isnan(lse0))
    assert np.isnan(y[0, 0, 3]).all()
    assert np.isnan(y[0, 1, 50:]).all()
    assert np.isfinite(y[0, 1, :50]).all()
    q, k = abs(q) * 3e19, abs(k) * 3e19  # products overflow
    q[0, 0, 3, 2] = k[0, 1, 50, 0] = 1
    with np.errstate(all="ignore"):
        y, _ = compiled.attention(q, k, v, None, False)
        wanted, _ = Reference.attention(q, k, v, None, False)
    assert np.isnan(wanted).any()
    assert np.array_equal(np.isnan(y), np.isnan(wanted))
    gy[0, 0, 7, 1] = np.nan
    q, k = arrays(rng, (1, 2), 140, 140, 8, 8)[1:3]
    _, _, gq, gk, gv = both(compiled, gy, q, k, v, None, True)
    for a, b in zip((gq, gk, gv), both(Reference, gy, q, k, v, None, True)[2:], strict=True):
        assert np.isfinite(a[np.isfinite(b)]).all(), "weights of 0 may keep NaN away, or not"
    assert np.isnan(gq[0, 0, 7]).all()
    assert np.isfinite(gq[0, 0, 8:]).all()
    assert np.isnan(gk[0, 0, :8]).all()
    assert np.isnan(gv[0, 0, :8, 1]).all()


def test_large_scores_neither_overflow_nor_lose_the_largest():
    rng = np.random.default_rng(6)
    gy, q, k, v = arrays(rng, (2,), 64, 64, 16, 16)
    xs = gy, q * 30, k * 30, v
    for a, b in zip(
        both(compiled, *xs, None, False), both(Reference, *doubled(xs), None, False), strict=True
    ):
        assert np.allclose(a, b, rtol=2e-3, atol=2e-3 * abs(b).max())


def test_what_it_is_not_for_it_leaves_to_the_reference():
    x = np.ones((8, 4))
    assert compiled.attention(x, x, x, None, False) is NotImplemented
    x = np.ones((1, 4), np.float32)
    assert compiled.attention(x, x, x, None, False) is NotImplemented, "a query alone"
    x = np.ones((0, 8, 4), np.float32)
    assert compiled.attention(x, x, x, None, False) is NotImplemented


def test_several_python_threads_at_once_do_not_share_scratch():
    rng = np.random.default_rng(7)
    jobs = [arrays(rng, (2, 3), 150, 150, 16, 16) for _ in range(4)]
    wanted = [both(compiled, *xs, None, True) for xs in jobs]
    with ThreadPoolExecutor(4) as pool:
        for _ in range(3):
            found = pool.map(lambda xs: both(compiled, *xs, None, True), jobs)
            for a, b in zip(found, wanted, strict=True):
                assert all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))
