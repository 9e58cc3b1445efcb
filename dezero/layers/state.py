"""What can be loaded into a model or an optimiser: checked before anything changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, NamedTuple

import numpy as np

_LISTED = 8


class Slot(NamedTuple):
    """What may be loaded under one name; ``None``, also within a shape, stands for anything."""

    shape: tuple[int | None, ...] | None
    dtype: Any


def plain_array(data: Any) -> Any:
    """Return ``data``, NumPy's or CuPy's, as a NumPy array."""
    if isinstance(data, np.ndarray):
        return data
    from dezero.cuda import as_numpy

    return as_numpy(data)


def check_fit(
    caller: str, headline: str, slots: Mapping[str, Slot], arrays: Mapping[str, Any]
) -> None:
    """Raise ValueError, with everything that is wrong, unless ``arrays`` fill all ``slots``."""
    missing = [name for name in slots if name not in arrays]
    extra = [name for name in arrays if name not in slots]
    wrong = [
        reason
        for name, slot in slots.items()
        if name in arrays and (reason := _misfit(name, slot, arrays[name]))
    ]
    if not (missing or extra or wrong):
        return
    lines = [
        *(f"missing: {name}{_nearest(name, extra, 'there is')}" for name in missing[:_LISTED]),
        *(f"unknown: {name}{_nearest(name, missing, 'it has')}" for name in extra[:_LISTED]),
        *wrong[:_LISTED],
    ]
    unlisted = len(missing) + len(extra) + len(wrong) - len(lines)
    if unlisted:
        lines.append(f"and {unlisted} more")
    raise ValueError(f"{caller}: {headline}, nothing was changed; " + "; ".join(lines))


def _nearest(name: str, others: Iterable[str], words: str) -> str:
    found = get_close_matches(name, others, n=1)
    return f" ({words} {found[0]})" if found else ""


def _misfit(name: str, slot: Slot, value: Any) -> str:
    """Say what keeps ``value`` out of ``slot``; an empty string if nothing does."""
    if not isinstance(value, np.ndarray | np.generic) or value.dtype.kind not in "biufc":
        kind = getattr(value, "dtype", type(value).__name__)
        return f"{name} is {kind}, not an array of numbers"
    if slot.shape is not None and not _matches(value.shape, slot.shape):
        wanted = str(slot.shape).replace("None", "any")
        return f"{name} has shape {value.shape}, the model's is {wanted}"
    if slot.dtype is not None and not np.can_cast(value.dtype, slot.dtype, "same_kind"):
        return f"{name} is {value.dtype}, which does not go into the model's {slot.dtype}"
    return ""


def _matches(shape: tuple[int, ...], wanted: tuple[int | None, ...]) -> bool:
    return len(shape) == len(wanted) and all(
        size in (n, None) for n, size in zip(shape, wanted, strict=True)
    )
