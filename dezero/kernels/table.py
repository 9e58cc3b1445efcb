"""Which implementation serves an array: the one place that says what is special.

Every kernel has a reference in NumPy, in the files of this folder: it defines the result, serves
every dtype, and is all there is where Numba is not installed. Those in :data:`TABLE` have a
compiled version too, in the module of that name in ``cpu/`` (Numba), for arrays of at least
so many elements: below that nobody waits for a compiler. ``cuda/`` has versions for CuPy arrays of
any size; without one the reference runs, on the GPU.

A compiled version has the name and the arguments of the reference, and returns
``NotImplemented`` for what it does not do (another dtype, a rare option): then the reference runs.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import os
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from dezero.core import Config, dispatched, implements


class Row(NamedTuple):
    """Where the compiled versions of a kernel are."""

    cpu: str | None  # module of kernels/cpu
    least: int  # elements of the first array from which the compiled version serves
    cuda: str | None = None  # module of kernels/cuda


TABLE: dict[str, Row] = {
    "attention": Row("attention", 1 << 13),
    "attention_grad": Row("attention", 1 << 13),
    "channel_sum": Row("convolution", 1 << 14),
    "conv2d": Row("convolution", 1 << 12, "convolution"),
    "conv2d_input_grad": Row("convolution", 1 << 12, "convolution"),
    "conv2d_weight_grad": Row("convolution", 1 << 12, "convolution"),
    "exp": Row("elementwise", 1 << 16),
    "tanh": Row("elementwise", 1 << 16),
    "tanh_grad": Row("elementwise", 1 << 16, "elementwise"),
    "sigmoid": Row("elementwise", 1 << 16, "elementwise"),
    "sigmoid_grad": Row("elementwise", 1 << 16, "elementwise"),
    "relu": Row("elementwise", 1 << 16),
    "relu_grad": Row("elementwise", 1 << 16, "elementwise"),
    "sgd": Row("optimizers", 1 << 14, "optimizers"),
    "momentum": Row("optimizers", 1 << 14, "optimizers"),
    "adagrad": Row("optimizers", 1 << 14, "optimizers"),
    "rmsprop": Row("optimizers", 1 << 14, "optimizers"),
    "adadelta": Row("optimizers", 1 << 14, "optimizers"),
    "adam": Row("optimizers", 1 << 14, "optimizers"),
    "gelu": Row("activations", 1 << 14, "activations"),
    "gelu_grad": Row("activations", 1 << 14, "activations"),
    "silu": Row("activations", 1 << 14, "activations"),
    "silu_grad": Row("activations", 1 << 14, "activations"),
    "lstm": Row("recurrent", 1 << 10, "recurrent"),
    "gru": Row("recurrent", 1 << 10, "recurrent"),
    "product": Row("products", 1 << 12),
    "affine": Row("products", 1 << 12),
    "sum_rows": Row("reductions", 1 << 14),
    "batch_norm": Row("batch_norm", 1 << 14, "normalization"),
    "normalised_relu": Row("batch_norm", 1 << 14),
    "batch_norm_grad": Row("batch_norm", 1 << 14, "normalization"),
    "layer_norm": Row("normalization", 1 << 14, "normalization"),
    "layer_norm_grad": Row("normalization", 1 << 14, "normalization"),
    "rms_norm": Row("normalization", 1 << 14, "normalization"),
    "rms_norm_grad": Row("normalization", 1 << 14, "normalization"),
    "group_norm": Row("normalization", 1 << 14, "normalization"),
    "group_norm_grad": Row("normalization", 1 << 14, "normalization"),
    "softmax": Row("softmax", 1 << 12, "softmax"),
    "softmax_grad": Row("softmax", 1 << 12, "softmax"),
    "log_softmax": Row("softmax", 1 << 12, "softmax"),
    "log_softmax_grad": Row("softmax", 1 << 12, "softmax"),
    "cross_entropy": Row("softmax", 1 << 9, "softmax"),
    "cross_entropy_grad": Row("softmax", 1 << 9, "softmax"),
    "sigmoid_cross_entropy": Row("softmax", 1 << 14, "softmax"),
    "sigmoid_cross_entropy_grad": Row("softmax", 1 << 14, "softmax"),
    "keep_mask": Row(None, 0, "dropout"),
    "dropped": Row("dropout", 1 << 14, "dropout"),
    "add_rows": Row("indexing", 1 << 12),
    "max_pooling": Row("pooling", 1 << 14, "pooling"),
    "max_pooling_with_winners": Row("pooling", 1 << 14, "pooling"),
    "pool_scatter": Row("pooling", 1 << 12, "pooling"),
    "pool_gather": Row("pooling", 1 << 14, "pooling"),
    "average_pooling": Row("pooling", 1 << 14, "pooling"),
    "average_pooling_grad": Row("pooling", 1 << 12, "pooling"),
}


def kernel(*, composed: bool = False) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Make a function on arrays a kernel: it is served by the version that :data:`TABLE` names.

    Parameters
    ----------
    composed : bool, default False
        Whether the reference is a formula that Variables can run as well: then it also is what a
        recorded backward pass does. Otherwise ``implements(kernel)`` says what stands for it.
    """

    def make(reference: Callable[..., Any]) -> Callable[..., Any]:
        name = reference.__name__

        @functools.wraps(reference)
        def serve(x: Any, *args: Any, **kwargs: Any) -> Any:
            row = TABLE.get(name)
            if row is not None:
                module = _module_for(x, row)
                if module is not None:
                    result = getattr(module, name)(x, *args, **kwargs)
                    if result is not NotImplemented:
                        return result
            return reference(x, *args, **kwargs)

        call = dispatched(serve)
        call.reference = reference  # type: ignore[attr-defined]
        if composed:
            implements(call)(reference)
        return call

    return make


def _module_for(x: Any, row: Row) -> Any:
    """Return the module whose version serves the array ``x``, or None for the reference."""
    if type(x) is np.ndarray:
        if row.cpu is None or x.size < row.least or x.dtype.char != "f":
            return None
        if not Config.compiled or not has_numba():
            return None
        return _load(f"dezero.kernels.cpu.{row.cpu}")
    if row.cuda is not None and type(x).__module__.partition(".")[0] == "cupy":
        return _load(f"dezero.kernels.cuda.{row.cuda}")
    return None


def compiled_version(name: str, size: int) -> Any:
    """Return the module that serves so many elements on the CPU, or None for the reference."""
    row = TABLE[name]
    if size < row.least or not Config.compiled or not has_numba():
        return None
    return _load(f"dezero.kernels.cpu.{row.cpu}")


def cuda_version(name: str) -> Any:
    """Return the module that serves CuPy arrays."""
    return _load(f"dezero.kernels.cuda.{TABLE[name].cuda}")


@functools.cache
def has_numba() -> bool:
    """Whether compiled kernels can run: Numba is installed, and ``DEZERO_COMPILED`` is not 0."""
    if os.environ.get("DEZERO_COMPILED") == "0":
        return False
    return importlib.util.find_spec("numba") is not None


@functools.cache
def _load(name: str) -> Any:
    return importlib.import_module(name)
