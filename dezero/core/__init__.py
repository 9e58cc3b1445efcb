"""The engine: variables, functions, the backward walk, configuration, operators.

Imports nothing from the rest of the package. Start reading at ``variable.py``.
"""

from dezero.core.config import Config, no_grad, test_mode, using_config
from dezero.core.elementwise import Elementwise, elementwise
from dezero.core.function import Function
from dezero.core.operators import (
    Add,
    Div,
    Mul,
    Neg,
    Pow,
    Sub,
    add,
    div,
    mul,
    neg,
    pow,
    rdiv,
    rsub,
    setup_variable,
    sub,
)
from dezero.core.primitive import Primitive, Variadic
from dezero.core.protocols import dispatched, implements, setup_protocols
from dezero.core.variable import Parameter, Variable, array_types, as_array, as_input, as_variable

setup_variable()
setup_protocols()

__all__ = [
    "Add",
    "Config",
    "Div",
    "Elementwise",
    "Function",
    "Mul",
    "Neg",
    "Parameter",
    "Pow",
    "Primitive",
    "Sub",
    "Variable",
    "Variadic",
    "add",
    "array_types",
    "as_array",
    "as_input",
    "as_variable",
    "dispatched",
    "div",
    "elementwise",
    "implements",
    "mul",
    "neg",
    "no_grad",
    "pow",
    "rdiv",
    "rsub",
    "setup_protocols",
    "setup_variable",
    "sub",
    "test_mode",
    "using_config",
]
