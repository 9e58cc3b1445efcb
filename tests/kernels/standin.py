"""A stand-in for CuPy on a machine without a GPU: arrays that are no NumPy arrays.

They hold one, answer NumPy's two protocols as CuPy's arrays do, and refuse what these refuse: a
NumPy array among the arguments, conversion to NumPy, functions and keywords that CuPy lacks. A
kernel's strings of CUDA C are compiled as C++ where there is a compiler.
"""

from __future__ import annotations

import ctypes
import functools
import importlib.machinery
import itertools
import re
import shutil
import subprocess
import sys
import tempfile
import types
from pathlib import Path

import numpy as np

_MISSING = """
block einsum_path frompyfunc geomspace histogram_bin_edges insert matvec nanpercentile
nanquantile polyder polydiv polyint spacing unstack vecdot vecmat as_strided
"""
MISSING = frozenset(_MISSING.split())
"""Functions of NumPy that CuPy 14 does not have under their names."""
_REDUCTIONS = """
sum prod max min amax amin any all mean var std nansum nanprod nanmax nanmin nanmean nanvar nanstd
"""
REFUSED = {key: {"initial", "where", "correction"} for key in _REDUCTIONS.split()} | {
    "argsort": {"stable", "order"},
    "sort": {"stable", "order"},
    "clip": {"min", "max"},
}
"""Keywords that they have in NumPy alone."""


class ndarray(np.lib.mixins.NDArrayOperatorsMixin):
    """An array on the "device"."""

    __module__ = "cupy"
    __array_priority__ = 100

    def __init__(self, array):
        self._on_device = np.asarray(array)

    def __array__(self, dtype=None, copy=None):
        raise TypeError("Implicit conversion to a NumPy array is not allowed")

    def __array_ufunc__(self, ufunc, method, *inputs, out=(), **kwargs):
        if any(hasattr(x, "__array_ufunc__") and not _known(x) for x in inputs):
            return NotImplemented
        if not kwargs.keys() <= {"dtype", "axis", "keepdims"} or ufunc.__name__ in MISSING:
            raise TypeError(f"{ufunc.__name__}: CuPy has no {list(kwargs)}")
        if out:
            kwargs["out"] = tuple(down(x) for x in out)
        if method != "__call__":
            return NotImplemented
        result = ufunc(*(down(x) for x in inputs), **kwargs)
        return out[0] if len(out) == 1 else up(result)

    def __array_function__(self, function, kinds, args, kwargs):
        if any(kind is not ndarray for kind in kinds) or _module(function) is None:
            return NotImplemented
        return called(function, args, kwargs)

    def __getitem__(self, index):
        return up(self._on_device[down(index)])

    def __setitem__(self, index, value):
        if self._on_device[down(index)] is not value:
            self._on_device[down(index)] = down(value)

    def __getattr__(self, name):
        if name.startswith("_") or name == "ctypes":
            raise AttributeError(name)
        value = getattr(self._on_device, name)
        if name == "flags":
            return types.SimpleNamespace(c_contiguous=value.c_contiguous, owndata=value.owndata)
        if not callable(value):
            return up(value)

        def method(*args, **kwargs):
            return called(value, args, kwargs)

        return method

    @property
    def base(self):
        return None if self._on_device.base is None else self

    def get(self):
        return self._on_device.copy()

    __hash__ = None

    def __len__(self):
        return len(self._on_device)

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    def __bool__(self):
        return bool(self._on_device)

    def __float__(self):
        return float(self._on_device)

    def __int__(self):
        return int(self._on_device)

    def __complex__(self):
        return complex(self._on_device)

    def __index__(self):
        return self._on_device.__index__()

    def __repr__(self):
        return repr(self._on_device)

    def __str__(self):
        return str(self._on_device)


def _module(function):
    """Return CuPy's module of the name that a function's module has in NumPy, or None."""
    return re.fullmatch(r"numpy(\.linalg|\.fft|\.lib\.stride_tricks)?", function.__module__)


def _known(x):
    return isinstance(x, ndarray | np.ndarray | np.generic)


def down(x):
    """Return the NumPy array behind an argument; refuse one that comes as it is."""
    if isinstance(x, ndarray):
        return x._on_device
    if isinstance(x, np.ndarray):
        raise TypeError(f"Unsupported type {type(x)}: a NumPy array of shape {x.shape}")
    if type(x) in (list, tuple):
        return type(x)(down(item) for item in x)
    return x


def up(x):
    """Return results as arrays of this kind; scalars become 0-d arrays, as with CuPy."""
    if type(x) in (list, tuple):
        return type(x)(up(item) for item in x)
    return ndarray(x) if isinstance(x, np.ndarray | np.generic) else x


_HOST = {"shape", "ndim", "size", "can_cast", "result_type", "iscomplexobj", "isrealobj", "item"}
_HOST |= {"tolist", "broadcast_shapes", "min_scalar_type"}


def called(function, args, kwargs):
    name = function.__name__
    if name in MISSING or kwargs.keys() & REFUSED.get(name, set()):
        raise TypeError(f"CuPy has no {name}({list(kwargs)})")
    if name in ("asarray", "array", "copyto"):  # what moves arrays between the two
        args = [a._on_device if isinstance(a, ndarray) else a for a in args]
        return up(np.array(*args, **kwargs) if name == "array" else function(*args, **kwargs))
    out = kwargs.get("out")
    result = function(*down(tuple(args)), **{key: down(value) for key, value in kwargs.items()})
    return result if name in _HOST else out if isinstance(out, ndarray) else up(result)


class _Namespace(types.ModuleType):
    """A module whose functions are NumPy's of the same names, on arrays of this kind."""

    def __init__(self, name, source, **extra):
        super().__init__(name)
        self.__spec__ = importlib.machinery.ModuleSpec(name, None)
        self._source = source
        vars(self).update(extra)

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        value = getattr(self._source, name)
        if isinstance(value, type) or not callable(value):
            return value

        def function(*args, **kwargs):
            return called(value, args, kwargs)

        if isinstance(value, np.ufunc):
            function.at = lambda a, index, b: value.at(a._on_device, down(index), down(b))
        return function


def as_strided(x, shape=None, strides=None):
    return ndarray(np.lib.stride_tricks.as_strided(x._on_device, shape, strides))


# --- kernels of CUDA C


COMPILER = next((c for c in map(shutil.which, ("c++", "g++", "clang++")) if c), None)
_TYPES = {
    "f": "float",
    "d": "double",
    "?": "bool",
    "i": "int",
    "l": "long",
    "L": "unsigned long",
    "q": "long long",
}
_TYPES |= {"b": "signed char", "B": "unsigned char", "H": "unsigned short", "I": "unsigned"}
_NAMED = {
    "int32": np.int32,
    "int64": np.int64,
    "float64": np.float64,
    "uint64": np.uint64,
    "bool": np.bool_,
}
_HEAD = """
#define BOTH(name) \\
    static inline float name(float x) { return __builtin_##name##f(x); } \\
    static inline double name(double x) { return __builtin_##name(x); }
BOTH(exp) BOTH(log) BOTH(log1p) BOTH(tanh) BOTH(erf) BOTH(sqrt) BOTH(fabs)
template <class T> static inline bool isfinite(T x) { return __builtin_isfinite(x); }
typedef long ptrdiff_t;
"""
"""What CUDA C has without a header; C++'s own take ten times as long to compile as a kernel."""


def _params(text):
    found = []
    for part in filter(None, (p.strip() for p in text.split(","))):
        *words, name = part.split()
        found.append((words[-1], name, words[0] == "raw"))
    return found


class ElementwiseKernel:
    """``operation`` for each element, in C++; what CuPy would refuse, this refuses too."""

    def __init__(self, in_params, out_params, operation, name="kernel", preamble=""):
        self.ins, self.outs = _params(in_params), _params(out_params)
        self.operation, self.name, self.preamble = operation, name, preamble

    def __call__(self, *args, size=None):
        params = self.ins + self.outs
        given = [down(a) for a in args] + [None] * (len(params) - len(args))
        dtypes = self._dtypes(params, given)
        shapes = [a.shape for a, p in zip(given, params, strict=True)
                  if isinstance(a, np.ndarray) and not p[2]]  # fmt: skip
        shape = np.broadcast_shapes(*shapes) if size is None else (size,)
        arrays, keep = [], []
        for i, (a, (kind, _, raw)) in enumerate(zip(given, params, strict=True)):
            dtype = dtypes[kind]
            if i >= len(self.ins):
                a = np.empty(shape, dtype) if a is None else a
                assert a.dtype == dtype, f"{self.name}: an output of {a.dtype}"
                assert raw or a.shape == shape, f"{self.name}: an output of shape {a.shape}"
                keep.append(a)
                a = np.ascontiguousarray(a)
            else:
                a = np.asarray(a, dtype)
                a = np.ascontiguousarray(a if raw else np.broadcast_to(a, shape))
            arrays.append(a)
        types_of = tuple((kind, dtypes[kind].char) for kind, _, _ in params)
        run = _compiled(self.source(types_of))
        pointers = [a.ctypes.data_as(ctypes.c_void_p) for a in arrays]
        run(ctypes.c_long(int(np.prod(shape))), *pointers)
        for target, a in zip(keep, arrays[len(self.ins) :], strict=True):
            if target is not a:
                target[...] = a
        results = [up(target) for target in keep]
        return results[0] if len(results) == 1 else tuple(results)

    def _dtypes(self, params, given):
        dtypes = {kind: np.dtype(t) for kind, t in _NAMED.items()}
        for weak in (False, True):
            for (kind, name, _), a in zip(params, given, strict=True):
                if a is None or isinstance(a, int | float) != weak:
                    continue
                if not weak and kind in _NAMED:
                    continue
                dtype = dtypes.setdefault(kind, np.asarray(a).dtype)
                if not weak and dtype != a.dtype:
                    raise TypeError(f"{self.name}: {name} is {a.dtype}, not {dtype}")
        return dtypes

    def source(self, types_of):
        params = self.ins + self.outs
        lines = [f"typedef {_TYPES[char]} {kind};" for kind, char in dict(types_of).items()
                 if kind not in ("bool",)]  # fmt: skip
        pointers = ", ".join(f"{kind} *_{name}" for kind, name, _ in params)
        body = []
        for j, (kind, name, raw) in enumerate(params):
            const = "const " if j < len(self.ins) else ""
            body.append(f"{const}{kind} *{name} = _{name};" if raw
                        else f"{const}{kind} &{name} = _{name}[i];")  # fmt: skip
        code = "".join(lines) + self.preamble
        loop = f"for (long i = 0; i < _n; i++) {{ {' '.join(body)} {self.operation}; }}"
        return f'{_HEAD}{code}\nextern "C" void run(long _n, {pointers}) {{ {loop} }}'


class ReductionKernel:
    """A sum along axes of what ``map_expr`` gives for each element."""

    def __init__(self, ins, outs, map_expr, reduce_expr, post, identity, name="kernel"):
        assert reduce_expr == "a + b"
        assert identity == "0"
        ((kind, out, _),) = _params(outs)
        self.map = ElementwiseKernel(ins, f"{kind} _mapped", f"_mapped = {map_expr}", name)
        self.post = ElementwiseKernel(f"{kind} a", f"{kind} {out}", post, name)

    def __call__(self, *args, axis=None, keepdims=False):
        mapped = self.map(*args)
        return self.post(ndarray(np.asarray(np.sum(mapped.get(), axis=axis, keepdims=keepdims))))


_numbers = itertools.count()


@functools.cache
def _folder():
    return tempfile.TemporaryDirectory(prefix="dezero-standin-")


@functools.cache
def _compiled(source):
    base = Path(_folder().name) / f"kernel{next(_numbers)}"
    base.with_suffix(".cpp").write_text(source)
    command = [COMPILER, "-shared", "-fPIC", "-O1", "-w", f"{base}.cpp", "-o", f"{base}.so"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{source}\n{done.stderr}"
    return ctypes.CDLL(f"{base}.so").run


class CUDARuntimeError(RuntimeError):
    """What CuPy raises where there is no driver."""


runtime = types.SimpleNamespace(getDeviceCount=lambda: 1, CUDARuntimeError=CUDARuntimeError)
cupy = _Namespace(
    "cupy",
    np,
    ndarray=ndarray,
    asnumpy=lambda x: x.get() if isinstance(x, ndarray) else np.asarray(x),
    cuda=types.SimpleNamespace(runtime=runtime),
    lib=types.SimpleNamespace(stride_tricks=types.SimpleNamespace(as_strided=as_strided)),
    linalg=_Namespace("cupy.linalg", np.linalg),
    ElementwiseKernel=ElementwiseKernel,
    ReductionKernel=ReductionKernel,
)


def install(monkeypatch):
    """Make the package find this in place of CuPy until the test ends."""
    from dezero import cuda
    from dezero.kernels import table

    for name in [name for name in sys.modules if name.startswith("dezero.kernels.cuda")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    monkeypatch.setattr(cuda, "_cupy", lambda: cupy)
    monkeypatch.setattr(cuda, "_available", lambda: True)
    table._load.cache_clear()
    return cupy
