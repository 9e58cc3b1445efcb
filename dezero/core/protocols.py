"""NumPy's own protocols: ``np.tanh(v)`` records a node exactly as ``F.tanh(v)`` does.

Two tables say which function of this package stands for a function of NumPy's: one for ufuncs
(NEP 13), one for the rest (NEP 18). The functions enter themselves with :func:`implements`.
"""

from __future__ import annotations

import functools
import importlib
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from dezero.core import operators as ops
from dezero.core.variable import Variable


def _positive(x: Any) -> Any:
    """Return ``x``."""
    return x


table: dict[Any, Callable[..., Any]] = {
    np.add: ops.add,
    np.subtract: ops.sub,
    np.multiply: ops.mul,
    np.divide: ops.div,
    np.power: ops.pow,
    np.float_power: ops.pow,
    np.negative: ops.neg,
    np.positive: _positive,
    np.absolute: ops.absolute,
    np.conjugate: ops.conjugate,
    np.real: ops.real,
}
"""What stands for each of NumPy's functions on Variables."""

plain: set[Any] = {
    np.equal,
    np.not_equal,
    np.less,
    np.less_equal,
    np.greater,
    np.greater_equal,
    np.isnan,
    np.isinf,
    np.isfinite,
    np.isposinf,
    np.isneginf,
    np.isreal,
    np.iscomplex,
    np.signbit,
    np.spacing,
    np.floor,
    np.ceil,
    np.rint,
    np.trunc,
    np.fix,
    np.round,
    np.around,
    np.floor_divide,
    np.gcd,
    np.lcm,
    np.invert,
    np.bitwise_and,
    np.bitwise_or,
    np.bitwise_xor,
    np.bitwise_count,
    np.left_shift,
    np.right_shift,
    np.logical_and,
    np.logical_or,
    np.logical_not,
    np.logical_xor,
    np.argmax,
    np.argmin,
    np.argsort,
    np.nonzero,
    np.count_nonzero,
    np.searchsorted,
    np.shape,
    np.ndim,
    np.size,
    np.result_type,
    np.can_cast,
    np.may_share_memory,
    np.zeros_like,
    np.ones_like,
    np.empty_like,
    np.full_like,
    np.all,
    np.any,
    np.allclose,
    np.isclose,
    np.array_equal,
    np.array_equiv,
    np.iscomplexobj,
    np.isrealobj,
    np.array_repr,
    np.array_str,
    np.array2string,
}  # fmt: skip
"""Functions without a derivative: they see the arrays inside, and give plain arrays."""


lessons: dict[Any, str] = {}
"""Why a function has no gradient rule, where there is more to say than that."""

late: dict[str, str] = {"scipy.special": "dezero.scipy.rules"}
"""Rules for an optional package: what to import when it is in use and a function is unknown."""


def implements(*numpy_functions: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Enter a function in the table, as what stands for ``numpy_functions`` on Variables."""

    def enter(function: Callable[..., Any]) -> Callable[..., Any]:
        table.update(dict.fromkeys(numpy_functions, function))
        return function

    return enter


def dispatched(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a function on arrays NumPy's protocol: an argument's own version of it goes first.

    Kernels and random draws are called through this, so that a Variable, a recorded array or a
    GPU array answers them as it answers NumPy's functions.
    """

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        for x in (*args, *kwargs.values()):
            if type(x) not in _COMMON and _has_own(x):
                types = tuple([type(a) for a in (*args, *kwargs.values()) if _has_own(a)])
                result = x.__array_function__(call, types, args, kwargs)
                if result is not NotImplemented:
                    return result
        return function(*args, **kwargs)

    return call


_COMMON = frozenset((np.ndarray, np.float32, np.float64, int, float, bool, tuple, str, type(None)))
_numpy_protocol = np.ndarray.__array_function__


def _has_own(x: Any) -> bool:
    return getattr(type(x), "__array_function__", _numpy_protocol) is not _numpy_protocol


def _array_ufunc(self: Variable, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
    if len(inputs) > 1 and _deferred(inputs):
        return NotImplemented
    if kwargs.get("out") is not None:
        return _write(self, ufunc, method, inputs, kwargs)
    if method == "__call__":
        return _called(ufunc, inputs, kwargs) if kwargs else _call(ufunc, inputs, kwargs)
    if method == "outer":
        return _outer(ufunc, inputs, kwargs)
    if ufunc in plain:
        return getattr(ufunc, method)(*_unwrapped(inputs), **_unwrapped(kwargs))
    standing = ufunc_methods.get((ufunc, method))
    if standing is None:
        raise TypeError(
            f"np.{ufunc.__name__}.{method} has no gradient rule for Variables; "
            f"{_ADVICE.get(method, 'use v.data for the plain value')}"
        )
    given = {name: value for name, value in kwargs.items() if name == "axis" or value is not None}
    return table.get(standing, standing)(*inputs, **{"axis": 0, **given})


ufunc_methods: dict[tuple[Any, str], Any] = {
    (np.add, "reduce"): np.sum,
    (np.multiply, "reduce"): np.prod,
    (np.maximum, "reduce"): np.max,
    (np.minimum, "reduce"): np.min,
    (np.fmax, "reduce"): np.nanmax,
    (np.fmin, "reduce"): np.nanmin,
    (np.add, "accumulate"): np.cumsum,
    (np.multiply, "accumulate"): np.cumprod,
}
"""What stands for a ufunc's methods: a function of the table, or one that takes Variables."""

_ADVICE = {
    "at": "use v.data for the plain value: it writes into an array, which no graph can record. "
    "For sums at given places write np.bincount(places, weights=v), for the rest np.where"
}


def _outer(ufunc: Any, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call a ufunc of two arguments on each pair of their elements."""
    x0, x1 = (x if hasattr(x, "shape") else np.asarray(x) for x in inputs)
    return _call(ufunc, (np.reshape(x0, (*x0.shape, *(1,) * x1.ndim)), x1), kwargs)


def _called(ufunc: Any, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call a ufunc with its keywords: ``dtype`` casts the inputs, ``where`` wants an ``out``."""
    kwargs = dict(kwargs)
    if kwargs.pop("where", True) is not True:
        raise TypeError(
            f"np.{ufunc.__name__}: where= leaves the other elements without a value; give them "
            f"one by out=, or write np.where(condition, np.{ufunc.__name__}(x), value)"
        )
    for name, default in (("casting", "same_kind"), ("order", "K"), ("subok", True)):
        if kwargs.get(name, default) == default:
            kwargs.pop(name, None)
    dtype = kwargs.pop("dtype", None)
    if dtype is not None and ufunc not in plain:
        inputs = tuple([x.astype(dtype) if hasattr(x, "astype") else x for x in inputs])
    elif dtype is not None:
        kwargs["dtype"] = dtype
    return _call(ufunc, inputs, kwargs)


def _write(
    self: Variable, ufunc: Any, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Write a result into ``out``: a Variable as ``out[...] = result`` does, or a plain array.

    A plain array only where no gradient is lost by it: ``array -= lr * x.grad``.
    """
    (out,) = kwargs["out"] if len(kwargs["out"]) == 1 else (None,)
    if isinstance(out, Variable):
        rest = {name: value for name, value in kwargs.items() if name not in ("out", "where")}
        result = _array_ufunc(self, ufunc, method, *inputs, **rest)
        where = kwargs.get("where", True)
        out[...] = result if where is True else _call(np.where, (where, result, out[...]), {})
        return out
    if ufunc not in plain and any(isinstance(x, Variable) and x.requires_grad for x in inputs):
        raise TypeError(
            f"np.{ufunc.__name__}: writing a Variable that wants a gradient into a plain array "
            "would lose its gradient; use v.data for the value, or a Variable for out"
        )
    return getattr(ufunc, method)(*_unwrapped(inputs), **_unwrapped(kwargs))


def _array_function(
    self: Variable, function: Any, types: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    if any(hasattr(kind, "_outranks") for kind in types):  # an example of vmap's may go first
        xs = [*ends(args), *ends(kwargs)]
        if _deferred(xs):
            return NotImplemented
    return _call(function, args, kwargs)


def _deferred(xs: Any) -> bool:
    """Whether an example of vmap's among the arguments answers first."""
    return any(hasattr(x, "_outranks") and x._outranks(*xs) for x in xs)


def ends(args: Any) -> Iterator[Any]:
    """Give the arguments of a call, those within lists, tuples and dicts too."""
    for x in args.values() if isinstance(args, dict) else args:
        if isinstance(x, list | tuple | dict):
            yield from ends(x)
        else:
            yield x


def _call(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    if late and function not in table and function not in plain:
        _load_late()
    implementation = table.get(function)
    if implementation is not None:
        try:
            return implementation(*args, **kwargs)
        except TypeError as error:
            called = f"{implementation.__name__}()"
            if called not in str(error):
                raise
            what = str(error).replace(called, f"np.{function.__name__} on a Variable:")
            raise TypeError(what) from error
    if function in plain:
        return function(*_unwrapped(args), **_unwrapped(kwargs))
    name = getattr(function, "__name__", repr(function))
    lesson = lessons.get(function, f"np.{name} has no gradient rule for Variables")
    raise TypeError(f"{lesson}; use v.data for the plain value, or write it as a dezero.Function")


def _load_late() -> None:
    """Import, once, the rules for the optional packages that the program has loaded."""
    for package in [package for package in late if package in sys.modules]:
        importlib.import_module(late[package])
        late.pop(package, None)


def _unwrapped(x: Any) -> Any:
    if isinstance(x, Variable):
        return x.data
    if isinstance(x, list | tuple):
        return type(x)(_unwrapped(item) for item in x)
    if isinstance(x, dict):
        return {key: _unwrapped(value) for key, value in x.items()}
    return x


def load_at_first_call(rules: str) -> None:
    """Import a module, which enters more rules, when NumPy first asks a Variable for one."""

    def first_ufunc(self: Variable, *args: Any, **kwargs: Any) -> Any:
        load()
        return _array_ufunc(self, *args, **kwargs)

    def first_function(self: Variable, *args: Any) -> Any:
        load()
        return _array_function(self, *args)

    def load() -> None:
        importlib.import_module(rules)  # another thread that comes here waits for it
        setup_protocols()

    _answer(first_ufunc, first_function)


def _answer(to_ufuncs: Any, to_functions: Any) -> None:
    Variable.__array_ufunc__ = to_ufuncs  # type: ignore[attr-defined]
    Variable.__array_function__ = to_functions  # type: ignore[attr-defined]


def setup_protocols() -> None:
    """Attach the two protocols to Variable. Runs at import."""
    _answer(_array_ufunc, _array_function)
