"""What convolution and pooling want of their arguments, and the lessons where they get others.

The same checks serve images (N, C, H, W) and signals (N, C, L): sizes are tuples of a number for
each axis after the channels.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import Any

import numpy as np

from dezero.kernels.convolution import get_conv_outsize, get_deconv_outsize, pair

_LAYOUTS = {
    4: "four axes (N, C, H, W): images, channels, height, width; x[np.newaxis] makes one image a "
    "batch of one",
    3: "three axes (N, C, L): signals, channels, length; x[np.newaxis] makes one signal a batch "
    "of one",
}


def check_pair(name: str, what: str, value: Any, least: int) -> tuple[int, int]:
    """Return ``value`` as a pair of integers, none below ``least``; raise a lesson otherwise."""
    try:
        result = pair(value)
    except ValueError:
        result = (least - 1, least - 1)
    if min(result) < least:
        raise ValueError(
            f"{name}: {what} is {value!r}; it wants an integer or a pair of integers "
            f"(height, width), {least} or more"
        )
    return result


def check_number(name: str, what: str, value: Any, least: int) -> int:
    """Return ``value`` as an integer, not below ``least``; raise a lesson otherwise."""
    try:
        result = index(value)
    except TypeError:
        result = least - 1
    if result < least:
        raise ValueError(f"{name}: {what} is {value!r}; it wants an integer, {least} or more")
    return result


def check_images(name: str, what: str, x: Any, axes: int = 4) -> None:
    """Raise unless ``x`` is a batch of images (or signals, of 3 axes) of real numbers."""
    if not hasattr(x, "ndim"):
        shape = "(N, C, H, W)" if axes == 4 else "(N, C, L)"
        raise TypeError(
            f"{name}: {what} is {type(x).__name__}; it wants a Variable or an array of shape "
            f"{shape}"
        )
    if x.ndim != axes:
        raise ValueError(f"{name}: {what} has shape {x.shape}; it wants {_LAYOUTS[axes]}")
    if min(x.shape[2:]) < 1:
        holds = "images hold no pixel" if axes == 4 else "signals hold no sample"
        raise ValueError(f"{name}: {what} has shape {x.shape}: its {holds}")
    if x.dtype.kind not in "fiub":
        raise TypeError(f"{name}: {what} is {x.dtype}; it wants real numbers")


def check_filters(
    name: str, x: Any, W: Any, b: Any = None, groups: int = 1, transposed: bool = False
) -> None:
    """Raise unless the filters ``W`` and the bias ``b`` fit the images ``x`` and the groups."""
    if not hasattr(W, "ndim"):
        layout = _layout_of_filters(x, groups, transposed)
        raise TypeError(f"{name}: W is {type(W).__name__}; it wants filters of shape {layout}")
    if x.ndim != W.ndim or min(W.shape[2:]) < 1:
        layout = _layout_of_filters(x, groups, transposed)
        raise ValueError(f"{name}: W has shape {W.shape}; it wants filters of shape {layout}")
    if W.dtype.kind != "f":
        raise TypeError(
            f"{name}: W is {W.dtype}; it wants floating-point filters: W.astype(np.float32)"
        )
    _check_groups(name, x.shape[1], f"x of shape {x.shape}", groups)
    if not transposed:
        _check_groups(name, W.shape[0], f"the output that W of shape {W.shape} makes", groups)
    have, want = x.shape[1], W.shape[0] if transposed else W.shape[1] * groups
    if have != want:
        raise ValueError(
            f"{name}: x of shape {x.shape} has {have} channels, but W of shape {W.shape} wants "
            f"{want}{f' ({groups} groups)' if groups > 1 else ''}; filters have the shape "
            f"{_layout_of_filters(x, groups, transposed)}"
        )
    channels = W.shape[1] * groups if transposed else W.shape[0]
    if b is not None and np.shape(b) != (channels,):
        raise ValueError(
            f"{name}: b has shape {np.shape(b)}, but W of shape {W.shape} makes {channels} "
            f"channels; it wants the shape ({channels},), or None for no bias"
        )


def _layout_of_filters(x: Any, groups: int, transposed: bool) -> str:
    per = "/groups" if groups > 1 else ""
    return f"({'C, O' if transposed else 'O, C'}{per}, {'KH, KW' if x.ndim == 4 else 'K'})"


def _check_groups(name: str, channels: int, whose: str, groups: int) -> None:
    if channels % groups:
        raise ValueError(
            f"{name}: {whose} has {channels} channels, which {groups} groups cannot share evenly; "
            "take a number of groups that divides the channels of the input and of the output"
        )


def check_fits(
    name: str,
    x_shape: Any,
    kernel: Sequence[int],
    stride: Sequence[int],
    pad: Sequence[int],
    dilation: Sequence[int] = (1, 1),
) -> None:
    """Raise if the window is larger than the images with their padding."""
    window = extent(kernel, dilation)
    out = map(get_conv_outsize, x_shape[2:], window, stride, pad)
    if min(out) < 1:
        spread = f" spread by dilation {tuple(dilation)} to {window}" if max(dilation) > 1 else ""
        raise ValueError(
            f"{name}: a window of {tuple(kernel)}{spread} is larger than images of "
            f"{tuple(x_shape[2:])} with pad {tuple(pad)}; take a smaller kernel, more padding or "
            "larger images"
        )


def extent(kernel: Sequence[int], dilation: Sequence[int]) -> tuple[int, ...]:
    """Return how many pixels a dilated window spans along each axis."""
    return tuple(d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=False))


def deconv_size(
    name: str,
    x_shape: Any,
    W_shape: Any,
    stride: Sequence[int],
    pad: Sequence[int],
    outsize: Any,
    dilation: Sequence[int],
) -> tuple[int, ...]:
    """Return the output size of a transposed convolution, given or the smallest."""
    size, kernel = tuple(x_shape[2:]), tuple(W_shape[2:])
    window = extent(kernel, dilation)
    smallest = tuple(map(get_deconv_outsize, size, window, stride, pad))
    result: tuple[int, ...] = smallest if outsize is None else tuple(outsize)
    spread = f", dilation {tuple(dilation)}" if max(dilation) > 1 else ""
    what = f"a window of {kernel}{spread}, stride {tuple(stride)} and pad {tuple(pad)}"
    if min(result) < 1:
        raise ValueError(
            f"{name}: inputs of {size} with {what} would give an output of {result}; take less "
            "padding"
        )
    if tuple(map(get_conv_outsize, result, window, stride, pad)) != size:
        largest = tuple(a + s - 1 for a, s in zip(smallest, stride, strict=True))
        raise ValueError(
            f"{name}: no convolution takes outsize {result} to the input's {size}; with {what} "
            f"outsize goes from {smallest} to {largest}"
        )
    return result


def check_window(name: str, kernel: Sequence[int], pad: Sequence[int]) -> None:
    """Raise if a window of pooling could lie in the padding alone."""
    if any(p >= k for p, k in zip(pad, kernel, strict=True)):
        raise ValueError(
            f"{name}: pad {tuple(pad)} is not less than kernel_size {tuple(kernel)}: some windows "
            "would lie in the padding alone; take less padding"
        )
