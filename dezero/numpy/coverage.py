"""What each function of NumPy's does with Variables, and, where it does nothing, why.

The one place where reasons are: the errors (:data:`dezero.core.protocols.lessons`) and the page
``docs/numpy.md`` both take them from here. A function that NumPy has in some versions only is
skipped in the others.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from dezero.core import protocols
from dezero.numpy import creation

DIFFERENTIABLE = "differentiable"
IN_DEZERO_NUMPY = "differentiable in dezero.numpy"
PLAIN = "plain result"
NUMPYS_OWN = "NumPy's own"
UNCOVERED = "not covered"


def _named(groups: dict[str, str], module: Any = np) -> dict[Any, str]:
    return {
        getattr(module, name): reason
        for reason, names in groups.items()
        for name in names.split()
        if hasattr(module, name)
    }


_EMATH = _named(
    {
        "it chooses real or complex results by the values; write the function of complex numbers, "
        "np.sqrt(v.astype(complex))": ("arccos arcsin arctanh log log10 log2 logn power sqrt"),
    },
    np.emath,
)

NOT_COVERED = _EMATH | _named(
    {
        "dates and business days do not change continuously": (
            "busday_count busday_offset datetime_as_string is_busday isnat"
        ),
        "it goes to the next floating-point number, a step smaller than rounding; add "
        "np.spacing(x), a plain array": "nextafter",
    }
)
"""Why each function that asks its arguments has no rule."""

WITHOUT_ARRAYS = {
    **_named(
        {
            "makes an array from numbers": (
                "arange empty eye identity indices ones zeros tri diag_indices tril_indices "
                "triu_indices mask_indices"
            ),
            "makes an array from a number; for a window whose parameter has a gradient write its "
            "formula (np.i0, np.cos)": "bartlett blackman hamming hanning kaiser",
            "calls the function given on arrays of indices; its result may be a Variable": (
                "fromfunction"
            ),
            "an older name of np.vstack": "row_stack",
            "an older name of np.trapezoid": "trapz",
            "makes a ufunc of objects of any Python function; write that in NumPy's calls, or use "
            "dezero.autodiff.vmap": "frompyfunc",
            "takes shapes": "broadcast_shapes",
            "takes dtypes": "datetime_data isdtype issubdtype mintypecode promote_types typename",
            "says what kind of object it is given; a Variable is no scalar, and can be iterated": (
                "isscalar iterable"
            ),
            "looks at memory: np.isfortran(v.data)": "isfortran",
            "steps through memory: np.nested_iters of v.data": "nested_iters",
            "makes plain arrays and refuses Variables: use dezero.numpy.asarray and np.isfinite": (
                "asarray_chkfinite"
            ),
            "makes np.matrix and refuses Variables: use dezero.numpy.array, np.block": (
                "asmatrix bmat"
            ),
            "makes plain arrays of numbers one by one: use dezero.numpy.array of a list": (
                "fromiter"
            ),
            "makes arrays of bytes, text, files or other packages' memory": (
                "from_dlpack frombuffer fromfile fromregex fromstring genfromtxt load loadtxt"
            ),
            "makes text of a number": (
                "base_repr binary_repr format_float_positional format_float_scientific"
            ),
            "is about NumPy itself": (
                "get_include get_printoptions getbufsize geterr geterrcall info printoptions "
                "set_printoptions setbufsize seterr seterrcall show_config show_runtime test"
            ),
        }
    ),
    **_named({"is about NumPy itself": "test"}, np.linalg),
    **_named({"makes an array from numbers": "fftfreq rfftfreq"}, np.fft),
    **_named({"is about NumPy itself": "test"}, np.fft),
}
"""What each function does that NumPy calls without asking its arguments: its own, as it is."""

protocols.lessons.update(
    {
        f: f"np.{'emath.' if f in _EMATH else ''}{f.__name__}: {why}"
        for f, why in NOT_COVERED.items()
    }
)
protocols.plain.update(
    _named(
        {
            "": "common_type in1d min_scalar_type packbits save savetxt savez savez_compressed "
            "shares_memory unpackbits"
        }
    )
)


def state(function: Any) -> tuple[str, str]:
    """Return what a function of NumPy's, or a ufunc of SciPy's, does with Variables, and a note.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero.numpy.coverage import state
    >>> state(np.zeros)
    ("NumPy's own", 'makes an array from numbers')
    >>> state(np.argmax)
    ('plain result', '')
    """
    name = getattr(function, "__name__", "")
    if function in protocols.table:
        return DIFFERENTIABLE, _first_line(protocols.table[function])
    if function in protocols.plain:
        return PLAIN, ""
    if function in protocols.lessons:
        return UNCOVERED, protocols.lessons[function].partition(": ")[2]
    if function in WITHOUT_ARRAYS:
        return NUMPYS_OWN, WITHOUT_ARRAYS[function]
    if getattr(np, name, None) is function and hasattr(creation, name):
        return IN_DEZERO_NUMPY, _first_line(getattr(creation, name))
    return UNCOVERED, "no rule yet"


def _first_line(function: Any) -> str:
    return (function.__doc__ or "").strip().partition("\n\n")[0].replace("\n", " ")


def functions(module: Any) -> Iterable[tuple[str, Any]]:
    """Give the public functions and ufuncs of a module of NumPy's, by name; of SciPy's, ufuncs.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero.numpy.coverage import functions
    >>> "fft2" in dict(functions(np.fft))
    True
    """
    numpys = module.__name__.startswith("numpy")
    for name in sorted(dir(module)):
        value = getattr(module, name) if not name.startswith("_") else None
        if isinstance(value, np.ufunc) or (
            numpys and callable(value) and not isinstance(value, type)
        ):
            yield name, value
