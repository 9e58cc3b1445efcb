"""What a dataset does to an item before it hands it out.

A transform is a callable of one item. Those that say ``batched = True`` also have a method
``batch``, which does the same to an array with a leading batch axis, with the identical result:
a dataset that holds its data in one array then builds a batch in a few NumPy calls. A plain
function is a transform as well; it is called item by item.

Images are Pillow images up to `ToArray`, and arrays of shape (C, H, W) after it. Pillow is
imported when a transform first meets an image.
"""

from dezero.transforms.arrays import AsType, Flatten, Normalize, ToFloat, ToInt
from dezero.transforms.base import Compose, Transform, is_batched
from dezero.transforms.images import (
    CenterCrop,
    Convert,
    RandomHorizontalFlip,
    Resize,
    ToArray,
    ToPIL,
)

__all__ = [
    "AsType",
    "CenterCrop",
    "Compose",
    "Convert",
    "Flatten",
    "Normalize",
    "RandomHorizontalFlip",
    "Resize",
    "ToArray",
    "ToFloat",
    "ToInt",
    "ToPIL",
    "Transform",
    "is_batched",
]
