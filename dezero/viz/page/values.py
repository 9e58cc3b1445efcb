"""Numbers as a page shows them: a short form for the box, a longer one for the panel."""

from __future__ import annotations

from typing import Any

import numpy as np

_WHOLE = 40  # elements that are all shown
_LONGEST = 600  # letters of an array's text
_INLINE = 4  # elements that fit into a box


def summary(x: Any, brief: bool = False) -> list[Any]:
    """Return what a page shows of an array; if ``brief``, no text of a large one.

    Returns
    -------
    list
        The short text, the long text (0 where the short says it all), and of an array that does
        not fit into a box minimum, mean, maximum and Euclidean norm, as text: a page's
        data knows no NaN. A fourth entry says that something is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> summary(np.array(2.5))
    ['2.5']
    >>> summary(np.arange(1000.0))[0::2]
    ['(1000,)', ['0', '499.5', '999', '1.824e+04']]
    """
    a = as_numpy(x)
    if a.size == 1 and a.ndim == 0:
        return _flagged([number(a[()])], a)
    if a.size <= _INLINE and a.ndim <= 1:
        short = "[" + " ".join(map(number, a)) + "]"
        return _flagged([short], a)
    text = "" if brief and a.size > _WHOLE else _text(a)
    return _flagged([shape_text(a.shape), text, _statistics(a)], a)


def _flagged(parts: list[Any], a: Any) -> list[Any]:
    if a.dtype.kind not in "fc" or np.isfinite(a).all():
        return parts
    return [*parts, *[0] * (3 - len(parts)), 1]


def as_numpy(x: Any) -> Any:
    """Return an array of NumPy's, of a Variable, of a number or of an array on the GPU."""
    x = getattr(x, "_data", x)
    return x.get() if hasattr(x, "get") else np.asarray(x)


def number(x: Any) -> str:
    """Return a number in at most six significant digits, as Python writes them.

    >>> number(2.0), number(1 / 3), number(np.float32(0.1)), number(7), number(1e10)
    ('2.0', '0.333333', '0.1', '7', '1e+10')
    """
    if isinstance(x, bool | np.bool_):
        return str(bool(x))
    if isinstance(x, int | np.integer):
        return str(x)
    if isinstance(x, complex | np.complexfloating):
        return f"{x:.4g}"
    text = f"{x:.6g}"
    return f"{text}.0" if text.lstrip("-").isdigit() else text


def shape_text(shape: tuple[int, ...]) -> str:
    """Return ``(2, 3)``, without the ``np.int64`` of shapes that were computed."""
    return str(tuple(int(n) for n in shape))


def _text(a: Any) -> str:
    edge = 3 if a.ndim < 2 else 2 if a.ndim < 4 else 1
    text = np.array2string(
        a, precision=4, threshold=_WHOLE, edgeitems=edge, max_line_width=48, suppress_small=True
    )
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "\u2026"


def _statistics(a: Any) -> Any:
    if a.dtype.kind not in "iufb" or not a.size:
        return 0
    with np.errstate(all="ignore"):
        norm = np.sqrt(np.vdot(a, a).astype(np.float64)) if a.dtype.kind == "f" else None
        if norm is None or not np.isfinite(norm):
            norm = np.linalg.norm(a.astype(np.float64).ravel())
        figures = (a.min(), a.sum(dtype=np.float64) / a.size, a.max(), norm)
    return [f"{float(figure):.4g}" for figure in figures]
