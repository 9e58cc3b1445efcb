"""Every function of NumPy's has a state, and does what the state says."""

from __future__ import annotations

import io

import numpy as np
import pytest
import scipy.special as sp
from numpy.testing import assert_array_equal

from dezero import Variable
from dezero.core import protocols
from dezero.numpy.coverage import (
    DIFFERENTIABLE,
    IN_DEZERO_NUMPY,
    NOT_COVERED,
    PLAIN,
    UNCOVERED,
    functions,
    state,
)

protocols._load_late()
MODULES = (np, np.linalg, np.fft, np.emath, sp)
ALL = [(f"{m.__name__}.{name}", f) for m in MODULES for name, f in functions(m)]


@pytest.mark.parametrize(("name", "function"), ALL, ids=[name for name, _ in ALL])
def test_every_function_has_a_state_and_a_note(name, function):
    kind, note = state(function)
    assert note != "no rule yet", f"{name}: a rule, or a reason in dezero/numpy/coverage.py"
    assert note or kind == PLAIN, f"{name}: a docstring for what stands for it"
    assert len(note) < 130


@pytest.mark.parametrize("function", NOT_COVERED, ids=lambda f: f.__name__)
def test_the_error_gives_the_reason(function):
    x = Variable(np.ones(2))
    args = [x] * function.nin if isinstance(function, np.ufunc) else [x, *_more(function)]
    with pytest.raises(TypeError) as caught:
        function(*args)
    assert NOT_COVERED[function] in str(caught.value)


def _more(function):
    needed = {
        np.busday_count: ["2020-01-01"],
        np.busday_offset: [1],
        np.emath.logn: [2.0],
        np.emath.power: [2],
    }
    return needed.get(function, [])


V, W = np.array([3.0, 1.0, 2.0]), np.array([1.0, 5.0, 2.0])
I, J = np.array([6, 3, 8]), np.array([2, 3, 1])
PLAIN_ARGUMENTS = {
    **dict.fromkeys(
        [
            np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal,
            np.floor_divide, np.logical_and, np.logical_or, np.logical_xor, np.result_type,
            np.may_share_memory, np.shares_memory, np.allclose, np.isclose, np.array_equal,
            np.array_equiv, np.isin, np.common_type,
        ],
        (V, W),
    ),
    **dict.fromkeys(
        [
            np.gcd, np.lcm, np.bitwise_and, np.bitwise_or, np.bitwise_xor, np.left_shift,
            np.right_shift,
        ],
        (I, J),
    ),
    **dict.fromkeys([np.invert, np.bitwise_count], (I,)),
    getattr(np, "in1d", np.isin): (V, W),
    np.searchsorted: (np.sort(V), W),
    np.digitize: (V, np.sort(W)),
    np.argpartition: (V, 1),
    np.can_cast: (V.dtype, np.float32),
    np.full_like: (V, 2.0),
    np.lexsort: ((V, W),),
    np.einsum_path: ("i,i->", V, W),
    np.ravel_multi_index: ((np.array([1, 2]), np.array([0, 1])), (3, 4)),
    np.unravel_index: (np.array([1, 5]), (3, 4)),
    np.packbits: (np.array([1, 0, 1], np.uint8),),
    np.unpackbits: (np.array([1, 255], np.uint8),),
    np.ix_: (I, J),
    np.diag_indices_from: (np.eye(3),),
    np.tril_indices_from: (np.eye(3),),
    np.triu_indices_from: (np.eye(3),),
    np.linalg.matrix_rank: (np.eye(3),),
}  # fmt: skip
SAVING = {np.save, np.savetxt, np.savez, np.savez_compressed}


@pytest.mark.filterwarnings("ignore:`in1d`:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:numpy.fix is deprecated:DeprecationWarning")
@pytest.mark.parametrize(
    ("name", "function"),
    [(name, f) for name, f in ALL if state(f)[0] == PLAIN and f not in SAVING],
    ids=lambda x: x if isinstance(x, str) else "",
)
def test_plain_functions_give_what_they_give_for_arrays(name, function):
    args = PLAIN_ARGUMENTS.get(function, (V,))
    got = function(*[_with_variables(x) for x in args])
    expected = function(*args)
    assert type(got) is type(expected)
    if function not in (np.empty_like,):
        _same(got, expected)


def _with_variables(x):
    if isinstance(x, tuple) and x and isinstance(x[0], np.ndarray):
        return tuple(Variable(a) for a in x)
    return Variable(x) if isinstance(x, np.ndarray) else x


def _same(got, expected):
    if isinstance(expected, np.ndarray):
        assert_array_equal(got, expected)
    elif isinstance(expected, tuple | list):
        for a, b in zip(got, expected, strict=True):
            _same(a, b)
    elif not isinstance(expected, str):
        assert got == expected


def test_files_get_the_values():
    x = Variable(V)
    file = io.BytesIO()
    np.save(file, x)
    file.seek(0)
    assert_array_equal(np.load(file), V)
    for save in (np.savez, np.savez_compressed):
        file = io.BytesIO()
        save(file, x, weights=x)
        file.seek(0)
        loaded = np.load(file)
        assert_array_equal(loaded["weights"], loaded["arr_0"])
    text = io.StringIO()
    np.savetxt(text, x)
    assert_array_equal(np.loadtxt(io.StringIO(text.getvalue())), V)


def test_unique_values_with_their_places_and_counts():
    data = np.array([[3.0, 1.0], [2.0, 1.0]])
    for function in (np.unique_all, np.unique_counts, np.unique_inverse):
        x = Variable(data)
        got, expected = function(x), function(data)
        assert type(got) is type(expected)
        for a, b in zip(got, expected, strict=True):
            assert_array_equal(a.data if isinstance(a, Variable) else a, b)
        order = np.argsort(got.values)
        np.sum(got.values[order] * np.array([1.0, 10.0, 100.0])).backward()
        assert_array_equal(x.grad.data, [[100.0, 1.0], [10.0, 0.0]])


@pytest.mark.parametrize("assume_unique", [False, True])
def test_setxor1d(assume_unique):
    x, y = Variable(V), Variable(W)
    z = np.setxor1d(x, y, assume_unique)
    assert_array_equal(z.data, np.setxor1d(V, W, assume_unique))
    np.sum(z * np.array([1.0, 10.0])).backward()
    assert_array_equal(x.grad.data, [1.0, 0.0, 0.0])
    assert_array_equal(y.grad.data, [0.0, 10.0, 0.0])
    assert_array_equal(np.setxor1d(x, W).data, np.setxor1d(V, W))


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.complex128])
def test_sort_complex(dtype):
    data = V.astype(dtype) * (1 + 1j if dtype is np.complex128 else 1)
    x = Variable(data)
    y = np.sort_complex(x)
    assert_array_equal(y.data, np.sort_complex(data))
    assert y.dtype == np.sort_complex(data).dtype
    np.sum(np.real(y) * np.array([1.0, 10.0, 100.0])).backward()
    assert x.grad.dtype == dtype
    assert_array_equal(x.grad.data, [100.0, 1.0, 10.0])


def test_states_of_a_few():
    assert state(np.tanh)[0] == DIFFERENTIABLE
    assert state(np.array)[0] == IN_DEZERO_NUMPY
    assert state(sp.kolmogorov)[0] == UNCOVERED
    assert state(sp.jv) == (DIFFERENTIABLE, "Gradients for ``x``, not for ``v``.")
    assert state(sp.pro_ang1)[1] == "Gradients for ``x``, not for ``m``, ``n``, ``c``."
    assert state(len)[0] == UNCOVERED
