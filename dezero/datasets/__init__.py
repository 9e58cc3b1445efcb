"""The datasets of the book, and the class to build one's own on."""

from dezero.datasets.base import Dataset, load_cache_npz, save_cache_npz
from dezero.datasets.images import CIFAR10, CIFAR100, MNIST, ImageNet
from dezero.datasets.sequences import Shakespear, SinCurve
from dezero.datasets.spiral import Spiral, get_spiral

__all__ = [
    "CIFAR10",
    "CIFAR100",
    "MNIST",
    "Dataset",
    "ImageNet",
    "Shakespear",
    "SinCurve",
    "Spiral",
    "get_spiral",
    "load_cache_npz",
    "save_cache_npz",
]
