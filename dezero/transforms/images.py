"""Transforms of images: Pillow images, and arrays of shape (C, H, W)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from dezero.random import generator
from dezero.transforms.base import Array, Transform

if TYPE_CHECKING:
    from PIL.Image import Image

_BILINEAR = 2  # PIL.Image.BILINEAR, without importing Pillow to say so


class Convert(Transform):
    """Convert a Pillow image to a mode such as ``'RGB'`` or ``'L'``.

    Parameters
    ----------
    mode : str, optional
        A mode of Pillow, or ``'BGR'``: an RGB image with its channels in reverse, which the
        weights of VGG16 want.

    Raises
    ------
    TypeError
        If the item is not a Pillow image.

    Notes
    -----
    Book: ``dezero/transforms.py``.

    Examples
    --------
    >>> from PIL import Image
    >>> Convert("BGR")(Image.new("RGB", (1, 1), (1, 2, 3))).getpixel((0, 0))
    (3, 2, 1)
    """

    def __init__(self, mode: str = "RGB") -> None:
        self.mode = mode

    def __call__(self, x: Any) -> Image:
        image = _as_image(x, "Convert")
        if self.mode != "BGR":
            return image.convert(self.mode)
        from PIL import Image

        return Image.merge("RGB", image.convert("RGB").split()[::-1])

    def __repr__(self) -> str:
        return f"Convert({self.mode!r})"


class Resize(Transform):
    """Scale a Pillow image to a size, without keeping its proportions.

    Parameters
    ----------
    size : int or pair of int
        Width and height; one number is both.
    mode : int, optional
        Filter, a member of `PIL.Image.Resampling`; bilinear by default.

    Raises
    ------
    ValueError
        If `size` is not one or two whole numbers of at least 1.
    TypeError
        If the item is not a Pillow image.

    Notes
    -----
    Book: ``dezero/transforms.py``.

    Examples
    --------
    >>> from PIL import Image
    >>> Resize((4, 3))(Image.new("RGB", (8, 8))).size
    (4, 3)
    """

    def __init__(self, size: int | tuple[int, int], mode: int = _BILINEAR) -> None:
        self.size = _pair(size, "Resize")
        self.mode = mode

    def __call__(self, x: Any) -> Image:
        from PIL.Image import Resampling

        return _as_image(x, "Resize").resize(self.size, Resampling(self.mode))

    def __repr__(self) -> str:
        return f"Resize({self.size})"


class CenterCrop(Transform):
    """Cut the middle out of a Pillow image.

    Parameters
    ----------
    size : int or pair of int
        Width and height of what is kept; one number is both.

    Raises
    ------
    ValueError
        If `size` is not one or two whole numbers of at least 1, or the image is smaller.
    TypeError
        If the item is not a Pillow image.

    Notes
    -----
    Book: ``dezero/transforms.py``. Where the margin is odd, the right and the bottom lose more.

    Examples
    --------
    >>> from PIL import Image
    >>> CenterCrop(4)(Image.new("L", (8, 6))).size
    (4, 4)
    """

    def __init__(self, size: int | tuple[int, int]) -> None:
        self.size = _pair(size, "CenterCrop")

    def __call__(self, x: Any) -> Image:
        image = _as_image(x, "CenterCrop")
        width, height = self.size
        if image.width < width or image.height < height:
            raise ValueError(
                f"CenterCrop: cannot cut {width}x{height} out of an image of "
                f"{image.width}x{image.height} (width x height): put a Resize before it"
            )
        left, top = (image.width - width) // 2, (image.height - height) // 2
        return image.crop((left, top, left + width, top + height))

    def __repr__(self) -> str:
        return f"CenterCrop({self.size})"


class ToArray(Transform):
    """Turn a Pillow image into an array of shape (C, H, W); an array is left as it is.

    Parameters
    ----------
    dtype : dtype, optional
        Of the array; the values stay what they are, 0 to 255 for the usual modes.

    Raises
    ------
    TypeError
        If the item is neither a Pillow image nor an array.

    Notes
    -----
    Book: ``dezero/transforms.py``. A greyscale image gets one channel.

    Examples
    --------
    >>> from PIL import Image
    >>> x = ToArray()(Image.new("RGB", (4, 2)))
    >>> x.shape, x.dtype
    ((3, 2, 4), dtype('float32'))
    """

    batched = True

    def __init__(self, dtype: npt.DTypeLike = np.float32) -> None:
        self.dtype = np.dtype(dtype)

    def __call__(self, x: Any) -> Array:
        if isinstance(x, np.ndarray):
            return x
        pixels = np.asarray(_as_image(x, "ToArray"))
        planes = pixels[np.newaxis] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)
        return np.array(planes, dtype=self.dtype, order="C")

    def batch(self, xs: Array) -> Array:
        return xs

    def __repr__(self) -> str:
        return f"ToArray({self.dtype})"


class ToPIL(Transform):
    """Turn a uint8 array of shape (C, H, W) or (H, W) into a Pillow image.

    Raises
    ------
    TypeError
        If the item is not an array of uint8.
    ValueError
        If it has another number of axes, or not 1, 3 or 4 channels.

    Notes
    -----
    Book: ``dezero/transforms.py``. One channel gives a greyscale image, 3 RGB, 4 RGBA.

    Examples
    --------
    >>> ToPIL()(np.zeros((3, 2, 4), np.uint8)).size
    (4, 2)
    """

    def __call__(self, x: Any) -> Image:
        if not isinstance(x, np.ndarray) or x.dtype != np.uint8:
            raise TypeError(
                f"ToPIL: wants an array of uint8, 0 to 255; got {_describe(x)}: "
                "scale it and put AsType(np.uint8) before ToPIL"
            )
        if x.ndim == 2:
            x = x[np.newaxis]
        if x.ndim != 3 or x.shape[0] not in (1, 3, 4):
            raise ValueError(
                f"ToPIL: wants shape (C, H, W) with C of 1, 3 or 4, or (H, W); got {x.shape}"
            )
        from PIL import Image

        pixels = x[0] if x.shape[0] == 1 else x.transpose(1, 2, 0)
        return Image.fromarray(np.ascontiguousarray(pixels))


class RandomHorizontalFlip(Transform):
    """Mirror an image left to right, with a probability.

    Parameters
    ----------
    p : float, optional
        Probability that an item is mirrored.
    seed : int, optional
        Seed of a generator of its own. Without it the one of the package is used
        (`dezero.seed`), which is NumPy's global one until that is called.

    Raises
    ------
    ValueError
        If `p` is not in [0, 1], or an array has fewer than two axes.
    TypeError
        If the item is neither a Pillow image nor an array.

    Notes
    -----
    An array of shape (..., H, W) is mirrored along its last axis.

    Examples
    --------
    >>> RandomHorizontalFlip(p=1.0)(np.array([[1, 2, 3]]))
    array([[3, 2, 1]])
    """

    batched = True

    def __init__(self, p: float = 0.5, seed: int | None = None) -> None:
        if not 0.0 <= p <= 1.0:
            raise ValueError(f"RandomHorizontalFlip: p is a probability, 0 to 1; got {p!r}")
        self.p = p
        self._rng = None if seed is None else np.random.default_rng(seed)

    def __call__(self, x: Any) -> Any:
        if isinstance(x, np.ndarray):
            self._check_axes(x.shape)
            return np.ascontiguousarray(x[..., ::-1]) if self._flips(1)[0] else x
        image = _as_image(x, "RandomHorizontalFlip")
        if not self._flips(1)[0]:
            return image
        from PIL.Image import Transpose

        return image.transpose(Transpose.FLIP_LEFT_RIGHT)

    def batch(self, xs: Array) -> Array:
        self._check_axes(xs.shape[1:])
        flips = self._flips(len(xs)).reshape(-1, *[1] * (xs.ndim - 1))
        return np.where(flips, xs[..., ::-1], xs)

    def _flips(self, n: int) -> Array:
        flips: Array = (self._rng or generator()).random(n) < self.p
        return flips

    def _check_axes(self, shape: tuple[int, ...]) -> None:
        if len(shape) < 2:
            raise ValueError(
                f"RandomHorizontalFlip: wants an image of shape (..., H, W); got {shape}: "
                "put it before Flatten"
            )

    def __repr__(self) -> str:
        return f"RandomHorizontalFlip({self.p})"


def _pair(size: int | tuple[int, int], name: str) -> tuple[int, int]:
    numbers = (size, size) if isinstance(size, (int, np.integer)) else tuple(size)
    if len(numbers) != 2 or any(not isinstance(n, (int, np.integer)) or n < 1 for n in numbers):
        raise ValueError(
            f"{name}: size is one whole number or (width, height), at least 1; got {size!r}"
        )
    return int(numbers[0]), int(numbers[1])


def _as_image(x: Any, name: str) -> Image:
    try:
        from PIL.Image import Image
    except ImportError as error:
        raise ImportError(f"{name} needs Pillow: pip install pillow") from error
    if isinstance(x, Image):
        return x
    hint = ": put ToPIL() before it" if isinstance(x, np.ndarray) and name != "ToArray" else ""
    raise TypeError(f"{name}: wants a Pillow image; got {_describe(x)}{hint}")


def _describe(x: Any) -> str:
    if isinstance(x, np.ndarray):
        return f"an array of {x.dtype}, shape {x.shape}"
    return type(x).__name__
