"""What all pictures have in common: what is drawn, what is folded, what each node says."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Any

from dezero.core import Variable, using_config
from dezero.tracing import trace
from dezero.viz.fold import Fold, fold_layers
from dezero.viz.graph import SHOWN, Graph, Label, collect, label_of

Show = str | Iterable[str] | None


def shown(verbose: bool, show: Show) -> tuple[str, ...]:
    """Return what to say of nodes besides names; ``verbose`` decides where ``show`` is None.

    Raises
    ------
    ValueError
        If something cannot be shown.
    """
    if show is None:
        return ("shape", "dtype") if verbose else ()
    names = (show,) if isinstance(show, str) else tuple(show)
    wrong = [name for name in names if name not in SHOWN]
    if wrong:
        raise ValueError(f"show={wrong[0]!r}: a picture can show {', '.join(SHOWN)}")
    return names


def graph_of(output: Any, show: tuple[str, ...], fold: Fold, inputs: Any = None) -> Graph:
    """Return the graph to draw of a Variable, a list of them, or a model and its inputs."""
    if inputs is not None:
        output = run(output, inputs if isinstance(inputs, tuple | list) else (inputs,))
    return fold_layers(collect(output, values="value" in show), fold)


def labels(show: tuple[str, ...], label: Label | None) -> Label:
    """Return what gives the text of nodes."""
    return label or (lambda node: label_of(node, show))


def run(model: Any, inputs: Iterable[Any]) -> list[Any]:
    """Run a model, traced, on inputs that are called as its arguments are; return its outputs."""
    given = [
        Variable(x, name=name) if hasattr(x, "dtype") and not isinstance(x, Variable) else x
        for x, name in _named(model, inputs)
    ]
    with using_config("enable_backprop", True), trace():
        found = list(_variables(model(*given)))
    if not found:
        raise TypeError(f"graph: {type(model).__name__} returned no Variable: nothing to draw")
    return found


def _named(model: Any, inputs: Iterable[Any]) -> list[tuple[Any, str]]:
    names = list(inspect.signature(getattr(model, "forward", model)).parameters)
    return [(x, names[i] if i < len(names) else f"x{i}") for i, x in enumerate(inputs)]


def _variables(outputs: Any) -> Iterable[Any]:
    if isinstance(outputs, dict):
        outputs = list(outputs.values())
    if isinstance(outputs, tuple | list):
        for part in outputs:
            yield from _variables(part)
    elif isinstance(outputs, Variable):
        yield outputs
