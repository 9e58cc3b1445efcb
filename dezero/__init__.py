"""DeZero, rebuilt: the define-by-run framework of *Deep Learning from Scratch 3*.

Computing with :class:`Variable` leaves a graph behind; ``backward()`` walks it.

Importing this package loads NumPy, the engine and the functions; the other rooms (layers,
optimisers, datasets ...) load when they are first named.

Examples
--------
>>> import numpy as np
>>> from dezero import Variable
>>> x = Variable(np.array(2.0))
>>> y = x**2 + 3 * x
>>> y.backward()
>>> x.grad
variable(7.0)
"""

import importlib
from typing import TYPE_CHECKING, Any

from dezero import functions, random
from dezero.core import (
    Config,
    Function,
    Parameter,
    Variable,
    as_array,
    as_variable,
    no_grad,
    setup_variable,
    test_mode,
    using_config,
)
from dezero.core.process import tune
from dezero.core.protocols import load_at_first_call
from dezero.core.threads import get_num_threads, set_num_threads
from dezero.random import seed

if TYPE_CHECKING:
    from dezero import (
        autodiff,
        core,
        core_simple,
        cuda,
        dataloaders,
        datasets,
        debug,
        functions_conv,
        layers,
        models,
        numpy,
        optimizers,
        profiling,
        scipy,
        tracing,
        transforms,
        utils,
        viz,
    )
    from dezero.autodiff import (
        checkpoint,
        custom_gradient,
        elementwise_grad,
        fixed_point,
        ggnvp,
        grad,
        gradcheck,
        gradgradcheck,
        hessian,
        hvp,
        implicit_root,
        jacobian,
        jvp,
        linearize,
        sparse_jacobian,
        stop_gradient,
        value_and_grad,
        vjp,
        vmap,
    )
    from dezero.dataloaders import DataLoader, SeqDataLoader
    from dezero.datasets import Dataset
    from dezero.debug import detect_anomaly, explain, live
    from dezero.layers import Layer
    from dezero.models import Model
    from dezero.profiling import profile
    from dezero.tracing import trace
    from dezero.viz.page import Page, show
    from dezero.viz.summary import summary

tune()
load_at_first_call("dezero.numpy")

__version__ = "0.1.0"

is_simple_core = False

_HOMES = {
    "checkpoint": "autodiff",
    "custom_gradient": "autodiff",
    "elementwise_grad": "autodiff",
    "fixed_point": "autodiff",
    "ggnvp": "autodiff",
    "grad": "autodiff",
    "gradcheck": "autodiff",
    "gradgradcheck": "autodiff",
    "hessian": "autodiff",
    "hvp": "autodiff",
    "implicit_root": "autodiff",
    "jacobian": "autodiff",
    "jvp": "autodiff",
    "linearize": "autodiff",
    "sparse_jacobian": "autodiff",
    "stop_gradient": "autodiff",
    "value_and_grad": "autodiff",
    "vjp": "autodiff",
    "vmap": "autodiff",
    "summary": "viz.summary",
    "DataLoader": "dataloaders",
    "SeqDataLoader": "dataloaders",
    "Dataset": "datasets",
    "detect_anomaly": "debug",
    "live": "debug",
    "explain": "debug",
    "Layer": "layers",
    "profile": "profiling",
    "trace": "tracing",
    "Model": "models",
    "Page": "viz.page",
    "show": "viz.page",
}
_ROOMS = (
    "autodiff",
    "core_simple",
    "cuda",
    "dataloaders",
    "datasets",
    "debug",
    "functions_conv",
    "layers",
    "models",
    "numpy",
    "optimizers",
    "profiling",
    "scipy",
    "tracing",
    "transforms",
    "utils",
    "viz",
)


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return importlib.import_module(f"dezero.{name}")
    if name in _HOMES:
        value = getattr(importlib.import_module(f"dezero.{_HOMES[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'dezero' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)


__all__ = [
    "Config",
    "DataLoader",
    "Dataset",
    "Function",
    "Layer",
    "Model",
    "Page",
    "Parameter",
    "SeqDataLoader",
    "Variable",
    "as_array",
    "as_variable",
    "autodiff",
    "checkpoint",
    "core",
    "core_simple",
    "cuda",
    "custom_gradient",
    "dataloaders",
    "datasets",
    "debug",
    "detect_anomaly",
    "elementwise_grad",
    "explain",
    "fixed_point",
    "functions",
    "functions_conv",
    "get_num_threads",
    "ggnvp",
    "grad",
    "gradcheck",
    "gradgradcheck",
    "hessian",
    "hvp",
    "implicit_root",
    "is_simple_core",
    "jacobian",
    "jvp",
    "layers",
    "linearize",
    "live",
    "models",
    "no_grad",
    "numpy",
    "optimizers",
    "profile",
    "profiling",
    "random",
    "scipy",
    "seed",
    "set_num_threads",
    "setup_variable",
    "show",
    "sparse_jacobian",
    "stop_gradient",
    "summary",
    "test_mode",
    "trace",
    "tracing",
    "transforms",
    "using_config",
    "utils",
    "value_and_grad",
    "viz",
    "vjp",
    "vmap",
]
