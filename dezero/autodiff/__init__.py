"""Functions into their derivatives: what autograd and JAX offer, on the objects of the book."""

from dezero.autodiff.transforms import (
    elementwise_grad,
    grad,
    jvp,
    linearize,
    value_and_grad,
    vjp,
)
from dezero.autodiff.vectorize import vmap

__all__ = ["elementwise_grad", "grad", "jvp", "linearize", "value_and_grad", "vjp", "vmap"]
