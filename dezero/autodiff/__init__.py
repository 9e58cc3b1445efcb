"""Functions into their derivatives: what autograd and JAX offer, on the objects of the book."""

from dezero.autodiff.checks import gradcheck, gradgradcheck
from dezero.autodiff.custom import checkpoint, custom_gradient, stop_gradient
from dezero.autodiff.implicit import fixed_point, implicit_root
from dezero.autodiff.jacobians import ggnvp, hessian, hvp, jacobian
from dezero.autodiff.sparse import sparse_jacobian
from dezero.autodiff.transforms import (
    elementwise_grad,
    grad,
    jvp,
    linearize,
    value_and_grad,
    vjp,
)
from dezero.autodiff.vectorize import vmap

__all__ = [
    "checkpoint",
    "custom_gradient",
    "elementwise_grad",
    "fixed_point",
    "ggnvp",
    "grad",
    "gradcheck",
    "gradgradcheck",
    "hessian",
    "hvp",
    "implicit_root",
    "jacobian",
    "jvp",
    "linearize",
    "sparse_jacobian",
    "stop_gradient",
    "value_and_grad",
    "vjp",
    "vmap",
]
