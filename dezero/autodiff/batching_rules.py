"""How calls on one example become one call on the whole batch.

``RULES`` says it for NumPy's functions. A rule gets the batch and the arguments of the call; it
may answer ``NotImplemented``. Without one, the function runs once for each example.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from dezero.autodiff.batched import Batch, Batched, BatchingError
from dezero.core.elementwise import Elementwise, binary, unary
from dezero.core.function import fresh
from dezero.core.primitive import Primitive
from dezero.core.protocols import ends
from dezero.core.protocols import table as implementations
from dezero.core.variable import Variable
from dezero.functions import (
    activations,
    convolution,
    indexing,
    linear_algebra,
    losses,
    normalization,
    reductions,
    shapes,
)
from dezero.functions.dropout import Dropout, keep_mask
from dezero.functions.pooling import AveragePooling, Pooling
from dezero.kernels import softmax as softmax_kernels
from dezero.kernels import special
from dezero.numpy import ufuncs

Rule = Callable[..., Any]
RULES: dict[Any, Rule] = {}


def rule(*functions: Any) -> Callable[[Rule], Rule]:
    """Enter the batching rule of NumPy's functions."""

    def enter(f: Rule) -> Rule:
        RULES.update(dict.fromkeys(functions, f))
        return f

    return enter


def call_numpy(batch: Batch, function: Any, args: Any, kwargs: Any, elementwise: bool) -> Any:
    """Call one of NumPy's functions, or a kernel, for all examples."""
    if elementwise and function not in RULES and function.signature is None and not kwargs:
        return _each(batch, function(*batch.aligned(args)))
    if function in WRITING or getattr(function, "__name__", "") == "at":
        raise BatchingError("vmap: it runs example by example where a function writes into arrays")
    if not any(map(batch.holds, ends([*args, *kwargs.values()]))):  # like=: the kind of array
        return function(*args, **kwargs)
    known = RULES.get(function)
    result = NotImplemented
    if known is not None:
        try:
            result = known(batch, *args, **kwargs)
        except TypeError:  # an argument that the rule does not know
            result = NotImplemented
    if result is NotImplemented:
        result = _composed(function, args, kwargs)
    return batch.looped(function, args, kwargs) if result is NotImplemented else result


WRITING = {np.copyto, np.fill_diagonal, np.place, np.put, np.put_along_axis, np.putmask}
"""Functions that write into an argument, which may belong to all examples."""


class _State(threading.local):
    composing: tuple[Any, ...] = ()


_state = _State()


def _composed(function: Any, args: Any, kwargs: Any) -> Any:
    """Call what is written in simpler NumPy calls: a kernel's reference, or what differentiates.

    Where that is not all there is to it, it fails, and the function runs once for each example.
    """
    formula = getattr(function, "reference", None) or implementations.get(function)
    if formula is None or function in _state.composing:
        return NotImplemented
    before = _state.composing
    _state.composing = (*before, function)
    try:
        result = formula(*args, **kwargs)
    except Exception:
        return NotImplemented
    finally:
        _state.composing = before
    return _unwrapped(result)


def _unwrapped(result: Any) -> Any:
    """Return batches as they are, not as what a Variable holds."""
    if isinstance(result, Variable):
        return result if result._node is not None else result._data
    if isinstance(result, tuple | list):
        items = [_unwrapped(y) for y in result]
        return type(result)(*items) if hasattr(result, "_fields") else type(result)(items)
    return result


def apply_function(batch: Batch, function: Any, inputs: Any) -> Any:
    """Apply a differentiable function for all examples."""
    inputs = [x._data if isinstance(x, Variable) and not x.requires_grad else x for x in inputs]
    if isinstance(function, Primitive):
        inputs = [x if isinstance(x, Variable) else function._constant(x) for x in inputs]
    if isinstance(function, type):  # an elementwise one of one or two arguments
        return batch.of((unary if len(inputs) == 1 else binary)(function, *batch.aligned(inputs)))
    if isinstance(function, Elementwise):
        twin: Any = fresh(function)
        return batch.of(Primitive.__call__(twin, *batch.aligned(inputs)))
    kind = type(function)
    if kind in IMAGES and batch.holds(inputs[0]) and not any(map(batch.holds, inputs[1:])):
        return _merged(batch, function, inputs)
    if kind in RUNS_ON_BATCHES or (isinstance(function, Primitive) and _plain(inputs)):
        try:
            return function.forward(*inputs)
        except BatchingError:
            pass
    return batch.looped(lambda *xs: fresh(function)(*xs), inputs, {})


def _plain(inputs: Any) -> bool:
    """Whether nobody differentiates: then the forward pass is all there is to a function."""
    while any(isinstance(x, Batched) for x in inputs):
        inputs = [x.value if isinstance(x, Batched) else x for x in inputs]
    return not any(isinstance(x, Variable) and x.requires_grad for x in inputs)


RUNS_ON_BATCHES = {
    activations.GELU,
    activations.LeakyReLU,
    activations.LogSoftmax,
    activations.Softmax,
    convolution.Conv2d,
    convolution.Deconv2d,
    convolution.Im2col,
    convolution.Col2im,
    Dropout,
    indexing.GetItem,
    indexing.GetItemGrad,
    linear_algebra.Einsum,
    linear_algebra.Linear,
    linear_algebra.MatMul,
    losses.MeanSquaredError,
    normalization.GroupNorm,
    normalization.LayerNorm,
    normalization.RMSNorm,
    reductions.LogSumExp,
    reductions.Max,
    reductions.Min,
    reductions.Sum,
    shapes.BroadcastTo,
    shapes.Cast,
    shapes.Concatenate,
    shapes.Stack,
    shapes.Pad,
    shapes.Reshape,
    shapes.Split,
    shapes.SumTo,
    shapes.Transpose,
}
"""Functions whose ``forward`` is made of NumPy calls that have the same derivatives as it."""

IMAGES = {AveragePooling, Pooling}
"""Functions of (N, C, H, W): a batch of these is one longer batch of images."""


def _merged(batch: Batch, function: Any, inputs: Any) -> Any:
    x = inputs[0].value
    y = fresh(function)(x.reshape((-1, *x.shape[2:])), *inputs[1:])
    return batch.of(y.reshape((batch.size, -1, *y.shape[1:])))


def axes_of(axis: Any, ndim: int) -> Any:
    """Return axes of one example as axes of the whole batch."""
    if axis is None:
        return tuple(range(1, ndim + 1))
    if isinstance(axis, tuple | list):
        return tuple([_axis(a, ndim) for a in axis])
    return _axis(axis, ndim)


def _axis(axis: int, ndim: int) -> int:
    if not -ndim <= axis < max(ndim, 1):
        raise np.exceptions.AxisError(axis, ndim)
    return axis % max(ndim, 1) + 1


def _reduction(function: Any) -> Rule:
    def reduce(batch: Batch, x: Any, axis: Any = None, *args: Any, **kwargs: Any) -> Any:
        if args or not batch.holds(x) or kwargs.pop("out", None) is not None:
            return NotImplemented
        if not x.ndim:
            kwargs.pop("keepdims", None)
            axis, x = None, batch.of(x.value[:, None])
        where = kwargs.pop("where", None)
        if where is not None:
            where = batch.whole(np.broadcast_to(where, x.shape))
            kwargs["where"] = where
        return batch.of(function(x.value, axis=axes_of(axis, x.ndim), **kwargs))

    return reduce


def _along_axis(function: Any, default: int | None) -> Rule:
    """Return the rule of a function along one axis, of the flat array for ``None``."""

    def along(batch: Batch, x: Any, axis: Any = default, **kwargs: Any) -> Any:
        if not batch.holds(x) or not x.ndim:
            return NotImplemented
        if axis is None:
            x, axis = x.reshape(-1), 0
        return batch.of(function(x.value, axis=axes_of(axis, x.ndim), **kwargs))

    return along


def _one_value(function: Any) -> Rule:
    """Return the rule of a function whose results for all examples it gives by itself."""
    return lambda batch, x, *args, **kwargs: _each(batch, function(x.value, *args, **kwargs))


def _transform(function: Any) -> Rule:
    def transform(batch: Batch, a: Any, n: Any = None, axis: int = -1, norm: Any = None) -> Any:
        return batch.of(function(a.value, n, axes_of(axis, a.ndim), norm))

    return transform


def _enter(make: Callable[[Any], Rule], *functions: Any) -> None:
    RULES.update({function: make(function) for function in functions})


_enter(_reduction, np.sum, np.prod, np.max, np.min, np.mean, np.var, np.std, np.any, np.all)
_enter(lambda f: _along_axis(f, None), np.cumsum, np.cumprod, np.argmax, np.argmin)
_enter(lambda f: _along_axis(f, -1), np.sort, np.argsort)
_enter(_reduction, np.median, np.nansum, np.nanprod, np.nanmax, np.nanmin, np.nanmean, np.ptp)
_enter(_reduction, np.nanvar, np.nanstd, np.nanmedian, np.count_nonzero)
_enter(lambda f: _along_axis(f, 1), softmax_kernels.softmax, softmax_kernels.log_softmax)
_enter(_transform, np.fft.fft, np.fft.ifft, np.fft.rfft, np.fft.irfft)
_enter(
    _one_value, np.real, np.imag, np.conjugate, np.angle, np.nan_to_num, np.sinc, np.i0, np.copy
)
_enter(_one_value, special.erf, special.sigmoid, ufuncs.bessel_i, ufuncs.sinc_derivative)
_enter(
    _one_value,
    np.linalg.cholesky,
    np.linalg.det,
    np.linalg.eig,
    np.linalg.eigh,
    np.linalg.eigvalsh,
    np.linalg.inv,
    np.linalg.matrix_power,
    np.linalg.pinv,
    np.linalg.qr,
    np.linalg.slogdet,
    np.linalg.svd,
)


def _constant(function: Any) -> Rule:
    """Return the rule of a function that reads the shape and dtype alone: all share its result."""

    def constant(batch: Batch, x: Any, *args: Any, dtype: Any = None, **kwargs: Any) -> Any:
        like = np.broadcast_to(np.zeros((), x.dtype), x.shape)
        return function(like, *args, dtype=dtype, **kwargs)

    return constant


_enter(_constant, np.zeros_like, np.ones_like, np.empty_like)


def _each(batch: Batch, result: Any) -> Any:
    if not isinstance(result, tuple | list):
        return batch.of(result)
    items = [batch.of(y) for y in result]
    return type(result)(*items) if hasattr(result, "_fields") else tuple(items)


@rule(np.linalg.solve)
def _solve(batch: Batch, a: Any, b: Any) -> Any:
    vector = b.ndim == 1
    if vector:
        b = np.expand_dims(b, -1)
    y = np.linalg.solve(*batch.aligned((a, b)))
    return batch.of(y[..., 0] if vector else y)


@rule(np.where)
def _where(batch: Batch, condition: Any, *choices: Any) -> Any:
    return batch.of(np.where(*batch.aligned((condition, *choices)))) if choices else NotImplemented


@rule(np.clip)
def _clip(batch: Batch, a: Any, a_min: Any = None, a_max: Any = None, **kwargs: Any) -> Any:
    low, high = kwargs.pop("min", a_min), kwargs.pop("max", a_max)
    if kwargs:
        return NotImplemented
    return batch.of(np.clip(*batch.aligned((a, low, high))))


@rule(np.reshape)
def _reshape(batch: Batch, x: Any, shape: Any, order: str = "C") -> Any:
    if order != "C":
        return NotImplemented
    shape = tuple(shape) if isinstance(shape, tuple | list) else (shape,)
    if -1 in shape:
        rest = int(np.prod([s for s in shape if s != -1]))
        shape = tuple([x.size // rest if s == -1 else s for s in shape])
    return batch.of(np.reshape(x.value, (batch.size, *shape)))


@rule(np.ravel)
def _ravel(batch: Batch, x: Any, order: str = "C") -> Any:
    return _reshape(batch, x, -1, order)


@rule(np.transpose)
def _transpose(batch: Batch, x: Any, axes: Any = None) -> Any:
    axes = range(x.ndim)[::-1] if axes is None else axes
    return batch.of(np.transpose(x.value, (0, *(a % x.ndim + 1 for a in axes))))


@rule(np.swapaxes)
def _swapaxes(batch: Batch, x: Any, axis1: int, axis2: int) -> Any:
    return batch.of(np.swapaxes(x.value, _axis(axis1, x.ndim), _axis(axis2, x.ndim)))


@rule(np.moveaxis)
def _moveaxis(batch: Batch, x: Any, source: Any, destination: Any) -> Any:
    return batch.of(np.moveaxis(x.value, axes_of(source, x.ndim), axes_of(destination, x.ndim)))


@rule(np.expand_dims)
def _expand_dims(batch: Batch, x: Any, axis: Any) -> Any:
    count = len(axis) if isinstance(axis, tuple | list) else 1
    return batch.of(np.expand_dims(x.value, axes_of(axis, x.ndim + count)))


@rule(np.squeeze)
def _squeeze(batch: Batch, x: Any, axis: Any = None) -> Any:
    if axis is None:
        axis = tuple([i for i, size in enumerate(x.shape) if size == 1])
    if not x.ndim or axis == ():
        return x
    return batch.of(np.squeeze(x.value, axes_of(axis, x.ndim)))


@rule(np.broadcast_to)
def _broadcast_to(batch: Batch, x: Any, shape: Any) -> Any:
    shape = tuple(shape) if isinstance(shape, tuple | list) else (shape,)
    (value,) = batch.aligned((x,))
    value = value.reshape((batch.size, *(1,) * (len(shape) - x.ndim), *x.shape))
    return batch.of(np.broadcast_to(value, (batch.size, *shape)))


@rule(np.concatenate)
def _concatenate(batch: Batch, xs: Any, axis: int | None = 0) -> Any:
    if axis is None:
        xs, axis = [np.reshape(x, -1) for x in xs], 0
    ndim = max(x.ndim for x in xs)
    return batch.of(np.concatenate([batch.whole(x) for x in xs], axes_of(axis, ndim)))


@rule(np.stack)
def _stack(batch: Batch, xs: Any, axis: int = 0) -> Any:
    wholes = [batch.whole(x) for x in xs]
    return batch.of(np.stack(wholes, _axis(axis, wholes[0].ndim)))


@rule(np.asarray, np.asanyarray)
def _asarray(batch: Batch, x: Any, dtype: Any = None) -> Any:
    if not batch.holds(x):
        return NotImplemented
    return x if dtype is None or x.dtype == dtype else x.astype(dtype)


@rule(np.shape)
def _shape(batch: Batch, x: Any) -> Any:
    return x.shape


@rule(np.ndim)
def _ndim(batch: Batch, x: Any) -> Any:
    return x.ndim


@rule(np.size)
def _size(batch: Batch, x: Any, axis: int | None = None) -> Any:
    return x.size if axis is None else x.shape[axis]


@rule(np.result_type)
def _result_type(batch: Batch, *xs: Any) -> Any:
    return np.result_type(*(x.dtype if isinstance(x, Batched) else x for x in xs))


@rule(np.iscomplexobj)
def _iscomplexobj(batch: Batch, x: Any) -> Any:
    return x.dtype.kind == "c"


@rule(keep_mask)
def _keep_mask(batch: Batch, x: Any, dropout_ratio: float) -> Any:
    value = x.value.data if isinstance(x.value, Variable) else x.value
    return batch.of(keep_mask(value, dropout_ratio))
