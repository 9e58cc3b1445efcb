"""What a page says of a function's rule: its formula where it is a common one, and its source."""

from __future__ import annotations

import inspect
import os
from typing import Any

import dezero

_LINES = 40  # of a source text

# y and the gradients of the inputs, in the names that the function's forward gives to its inputs;
# ^{..} is set higher and _{..} lower, as digits after a letter are.
_FORMULAS: dict[str, tuple[str, dict[str, str]]] = {
    "Add": ("x0 + x1", {"x0": "gy", "x1": "gy"}),
    "Sub": ("x0 - x1", {"x0": "gy", "x1": "-gy"}),
    "Mul": ("x0 · x1", {"x0": "gy · x1", "x1": "gy · x0"}),
    "Div": ("x0 / x1", {"x0": "gy / x1", "x1": "-gy · x0 / x1^{2}"}),
    "Neg": ("-x", {"x": "-gy"}),
    "Pow": ("x0^{x1}", {"x0": "gy · x1 · x0^{x1 - 1}", "x1": "gy · y · log x0"}),
    "Abs": ("|x|", {"x": "gy · sign x"}),
    "Square": ("x^{2}", {"x": "gy · 2x"}),
    "Exp": ("e^{x}", {"x": "gy · e^{x}"}),
    "Log": ("log x", {"x": "gy / x"}),
    "Sqrt": ("√x", {"x": "gy / 2√x"}),
    "Sin": ("sin x", {"x": "gy · cos x"}),
    "Cos": ("cos x", {"x": "-gy · sin x"}),
    "Tanh": ("tanh x", {"x": "gy · (1 - y^{2})"}),
    "Sigmoid": ("1 / (1 + e^{-x})", {"x": "gy · y · (1 - y)"}),
    "ReLU": ("max(x, 0)", {"x": "gy · [x > 0]"}),
    "Maximum": ("max(x0, x1)", {}),
    "Minimum": ("min(x0, x1)", {}),
    "MatMul": ("x W", {"x": "gy W^{T}", "W": "x^{T} gy"}),
    "Linear": ("x W + b", {"x": "gy W^{T}", "W": "x^{T} gy", "b": "∑ gy"}),
    "Sum": ("∑ x", {"x": "gy → shape(x)"}),
    "SumTo": ("∑ x → shape", {"x": "gy → shape(x)"}),
    "BroadcastTo": ("x → shape", {"x": "∑ gy → shape(x)"}),
    "Reshape": ("reshape(x)", {"x": "reshape(gy)"}),
    "Transpose": ("x^{T}", {"x": "gy^{T}"}),
    "GetItem": ("x[i]", {"x": "0, [i] += gy"}),
    "Softmax": ("e^{x} / ∑ e^{x}", {"x": "y · (gy - ∑ gy · y)"}),
    "LogSoftmax": ("x - log ∑ e^{x}", {"x": "gy - e^{y} ∑ gy"}),
    "MeanSquaredError": (
        "∑ (x0 - x1)^{2} / N",
        {"x0": "gy · 2(x0 - x1) / N", "x1": "-gy · 2(x0 - x1) / N"},
    ),
    "SoftmaxCrossEntropy": (
        "-∑ log softmax(x)_{t} / N",
        {"x": "gy · (softmax(x) - onehot(t)) / N"},
    ),
    "Dropout": ("x · mask", {"x": "gy · mask"}),
}
_HOME = os.path.dirname(dezero.__file__) + os.sep


def describe_rule(function: Any) -> dict[str, Any]:
    """Return formula, names of the inputs and source of the rule of ``function``'s class.

    Examples
    --------
    >>> from dezero import Variable
    >>> import numpy as np
    >>> x = Variable(np.array(3.0))
    >>> rule = describe_rule((x * x).creator)
    >>> rule["y"], rule["gx"]
    ('x0 · x1', ['gy · x1', 'gy · x0'])
    """
    kind = type(function)
    sources = _sources(kind)
    names = _names(function)
    ours = all(file.startswith(_HOME) for file, _, _ in sources)
    y, gxs = _FORMULAS.get(kind.__name__, ("", {})) if ours else ("", {})
    shown = [
        {"at": f"{_short(file)}:{line}", "code": text} for file, line, text in sources if text
    ]
    return {"y": y, "names": names, "gx": [gxs.get(name, "") for name in names], "source": shown}


def _names(function: Any) -> list[str]:
    """Return a name for each input: those of ``forward``; numbered where it takes any number."""
    count = len(function._edges or ())
    names = list(getattr(function, "_names", ()))
    if not names:
        try:
            names = [
                p.name
                for p in inspect.signature(function.forward).parameters.values()
                if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
            ]
        except (TypeError, ValueError):
            names = []
    if len(names) < count or "xs" in names:
        return ["x"] if count == 1 else [f"x{i}" for i in range(count)]
    return names[:count]


def _sources(kind: Any) -> list[tuple[str, int, str]]:
    """Return file, line and text of each piece of code that is the rule of ``kind``."""
    if getattr(kind, "_joint", False):
        rules = [kind.gradient]
    elif kind._rules is not None:
        rules = [rule for rule in kind._rules if rule is not None]
    else:
        rules = [kind.backward]
    found: dict[tuple[str, int], str] = {}
    for rule in rules:
        try:
            lines, start = inspect.getsourcelines(rule)
            file = inspect.getsourcefile(rule) or "?"
        except (OSError, TypeError):  # a ufunc, or a line that was typed
            code = getattr(rule, "__code__", None)
            found.setdefault((getattr(code, "co_filename", "?"), 0), "")
            continue
        found.setdefault((file, start), _trimmed(lines))
    return [(file, line, text) for (file, line), text in found.items()]


def _trimmed(lines: list[str]) -> str:
    kept = lines[:_LINES] + (["...\n"] if len(lines) > _LINES else [])
    return inspect.cleandoc("\n" + "".join(kept))


def _short(file: str) -> str:
    """Return ``dezero/core/operators.py`` for a file of this package, the file's name else."""
    inside = file.startswith(_HOME)
    return (
        "dezero/" + file[len(_HOME) :].replace(os.sep, "/") if inside else os.path.basename(file)
    )
