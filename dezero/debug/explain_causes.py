"""What a function did to a gradient, in words: a dead ReLU, a saturated sigmoid, a mask."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dezero.core import Primitive, Variadic, as_array
from dezero.core.function import Function, is_edge
from dezero.debug.paths import Step, shown
from dezero.tracing import origin

Reason = tuple[str, str]  # why, and what to do


def kept_arrays(function: Function) -> dict[str, Any]:
    """Return the arrays that a node keeps for its rules, by the names of its arguments."""
    if not function._edges or not function._saved:
        return {}
    if not isinstance(function, Primitive):
        return {f"x{i}": x for i, x in enumerate(function._saved[2])}
    names = (*function._names, "y")
    if isinstance(function, Variadic):
        names = tuple(f"x{i}" for i in range(len(function._edges)))
    kept = function._arrays().items()
    return {names[i]: as_array(a) for i, a in kept if i < len(names) and hasattr(a, "dtype")}


def why_stopped(step: Step) -> Reason:
    """Say why a function that got a gradient passed on nothing but zeros."""
    arrays = kept_arrays(step.function)
    reason = _KNOWN.get(step.name, _unknown)(step, arrays)
    return reason or _unknown(step, arrays)


def is_saturated(step: Step) -> bool:
    """Whether a function is flat where it is used: a sigmoid, tanh or softmax at its ends."""
    y = kept_arrays(step.function).get("y")
    if y is None or not y.size:
        return False
    if step.name == "Softmax":
        return float(y.max(axis=step.function.axis).mean()) > 0.99  # type: ignore[attr-defined]
    return step.name in _SLOPES and _flat_elements(step, y) > y.size / 2


def why_changed(step: Step) -> Reason:
    """Say why a function passed on very little, or very much, of what it got."""
    arrays = kept_arrays(step.function)
    y = arrays.get("y")
    if step.factor < 1 and step.name in _SLOPES and y is not None and y.size:
        return _saturated(step, y)
    if step.factor < 1 and step.name == "Softmax" and is_saturated(step):
        return _softmax(step, arrays) or _unknown(step, arrays)
    said = f"{step.name} multiplies its norm by {step.factor:.3g}"
    advice = _SCALE if step.factor < 1 else _GROWTH
    names = _FACTORS.get(step.name, ())
    factor = arrays.get(names[1 - step.index]) if step.index < 2 == len(names) else None
    if factor is None or not factor.size:
        return said, advice
    name = names[1 - step.index]
    return f"{said}: {name}, {_shape(factor)}, {_stretch(step, factor)}", advice


_FACTORS = {"MatMul": ("x", "W"), "Linear": ("x", "W"), "Mul": ("x0", "x1"), "Conv2d": ("x", "W")}


def _stretch(step: Step, factor: Any) -> str:
    """Say how large what a function multiplies with is."""
    is_matrix = step.name in ("MatMul", "Linear") and factor.ndim == 2 and max(factor.shape) < 2000
    if is_matrix and np.isfinite(factor).all():
        return (
            f"stretches by up to {float(np.linalg.norm(factor, 2)):.3g} (largest singular value)"
        )
    return f"has a largest value of {float(np.abs(factor).max()):.3g}"


def why_not_finite(step: Step) -> Reason:
    """Say where a NaN or infinity among the gradients came from."""
    arrays = {n: a for n, a in kept_arrays(step.function).items() if a.dtype.kind in "fc"}
    for name, a in arrays.items():
        bad = a.size - int(np.count_nonzero(np.isfinite(a)))
        if bad:
            return (
                f"the forward pass had it already: {bad} of {a.size} elements of {name!r} are "
                "NaN or infinite",
                "find the first one: run the step inside `with dezero.detect_anomaly():`",
            )
    for name, a in arrays.items():
        zeros = a.size - int(np.count_nonzero(a))
        if zeros and step.name in ("Sqrt", "Log", "Div", "Pow", "Norm"):
            return (
                f"{zeros} of {a.size} elements of {name!r} are 0, where the slope of {step.name} "
                "is infinite (and 0 times infinity is NaN)",
                f"keep it away from 0: add a small number inside, as in {step.name.lower()}(x + "
                "1e-12); np.where on the result does not help, it must be on the argument",
            )
    if step.arrived.largest > 1e30:
        return "the gradient had grown until it overflowed", _GROWTH
    return f"the rule of {step.name} gave NaN or infinity for finite values", _ANOMALY


def _unknown(step: Step, arrays: dict[str, Any]) -> Reason:
    for name, a in arrays.items():
        if a.size and not a.any():
            return (
                f"{name!r}, {_shape(a)}, is all zeros, and the gradient is multiplied by it",
                f"see why {name!r} is zero: an initialisation with zeros, a mask, a layer before",
            )
    return (
        f"its rule gave zeros for all {step.arrived.norm:.2g} that arrived",
        "look at its values: where the function is flat, nothing can be learned",
    )


def _relu(step: Step, arrays: dict[str, Any]) -> Reason | None:
    y = arrays.get("y")
    if y is None:
        return None
    active = int(np.count_nonzero(y > 0))
    if active:
        return (
            f"{active} of {y.size} outputs are active, but the gradient came to the others alone",
            "see which functions after it select elements",
        )
    return (
        f"a dead ReLU: none of its {y.size} outputs ({' x '.join(map(str, y.shape))}) is active, "
        "so its slope is 0 everywhere",
        "lower the learning rate, begin with smaller or less negative biases, normalise the "
        "inputs, or use F.leaky_relu, whose slope is never 0",
    )


_SLOPES: dict[str, Callable[[Any], Any]] = {
    "Sigmoid": lambda y: 4 * y * (1 - y),
    "Tanh": lambda y: 1 - y * y,
}


def _saturated(step: Step, y: Any) -> Reason:
    flat = _flat_elements(step, y)
    if flat <= y.size / 2:
        return f"{step.name} multiplies its norm by {step.factor:.2g}", _SCALE
    return (
        f"{step.name} is saturated: {flat} of {y.size} outputs lie at its ends, where the slope "
        "is nearly 0",
        "make its input smaller: scale the data, smaller initial weights, a normalisation layer; "
        "for a loss use the function that takes scores (F.sigmoid_cross_entropy)",
    )


def _flat_elements(step: Step, y: Any) -> int:
    return int(np.count_nonzero(_SLOPES[step.name](y) < 0.01))


def _flat(step: Step, arrays: dict[str, Any]) -> Reason | None:
    y = arrays.get("y")
    return None if y is None or not y.size else _saturated(step, y)


def _softmax(step: Step, arrays: dict[str, Any]) -> Reason | None:
    y = arrays.get("y")
    if y is None or not y.size:
        return None
    axis = getattr(step.function, "axis", -1)
    if y.shape[axis] == 1:
        return (
            f"the softmax runs over an axis of length 1 (axis {axis} of {_shape(y)}): it is 1 "
            "whatever goes in",
            "check the axis",
        )
    top = float(y.max(axis=axis).mean())
    if top < 0.99:
        if not y.all():  # some are 0, masked perhaps: the gradient may have come to these alone
            return None
        return (
            f"the softmax adds up to 1 along axis {axis}, whatever goes in, and the gradient that "
            "came is the same for all elements there",
            "the loss uses the sum, or mean, of the probabilities, a constant: check the axis, "
            "or use F.softmax_cross_entropy on the scores",
        )
    return (
        f"the softmax is saturated: the largest probability is {top:.6g} on average",
        "make the scores smaller; for a loss use F.softmax_cross_entropy on the scores",
    )


def _factor(step: Step, arrays: dict[str, Any]) -> Reason | None:
    other = arrays.get(f"x{1 - step.index}")
    if other is None or other.any():
        return None if other is None else _apart("the other factor", other)
    return (
        f"multiplied by zero: the other factor, {_shape(other)}, is all zeros",
        "see how the factor (a mask, a weight of the loss) came to be zero",
    )


def _dropout(step: Step, arrays: dict[str, Any]) -> Reason | None:
    mask = arrays.get("mask")
    if mask is not None and mask.any() and getattr(step.function, "scale", 1):
        return _apart("the mask", mask)
    return "dropout dropped every element", "lower dropout_ratio"


def _apart(what: str, factor: Any) -> Reason:
    nonzero = int(np.count_nonzero(factor))
    return (
        f"{what} is not 0 in {nonzero} of {factor.size} elements, but the gradient came to the "
        "others alone",
        "see which functions after it select elements",
    )


def _clip(step: Step, arrays: dict[str, Any]) -> Reason | None:
    x = arrays.get("x")
    if x is None or step.index:
        return None
    low, high = float(x.min()), float(x.max())
    return (
        f"clipped: all elements that count lie outside the bounds ({x.size} from {low:.3g} to "
        f"{high:.3g}), where the result is constant",
        "widen the bounds, or clip only what is shown, not what is trained on",
    )


def _chosen(step: Step, arrays: dict[str, Any]) -> Reason:
    return (
        f"{step.name} takes the other argument wherever the result counts",
        "look at the condition; a branch that is never taken learns nothing",
    )


def _picked(step: Step, arrays: dict[str, Any]) -> Reason:
    return (
        f"{step.name} passes on the elements that it picked alone, and none had a gradient",
        "see which elements the loss uses",
    )


def _minimum(step: Step, arrays: dict[str, Any]) -> Reason | None:
    pair = [a for n, a in arrays.items() if n in ("x", "x0", "x1")]
    same = len(pair) == 2 and pair[0].shape == pair[1].shape and np.array_equal(pair[0], pair[1])
    if not same and not (len(pair) == 1 and not pair[0].any()):
        return None
    return (
        f"{step.name} is at its minimum: what it compares is exactly equal, so its slope is 0",
        "nothing is left to learn here; if that surprises, check whether prediction and target "
        "are the same array",
    )


_KNOWN: dict[str, Callable[[Step, dict[str, Any]], Reason | None]] = {
    "ReLU": _relu,
    "Sigmoid": _flat,
    "Tanh": _flat,
    "Softmax": _softmax,
    "Mul": _factor,
    "Dropout": _dropout,
    "Clip": _clip,
    "Where": _chosen,
    "Maximum": _chosen,
    "Minimum": _chosen,
    "GetItem": _picked,
    "Max": _picked,
    "Min": _picked,
    "Pooling": _picked,
    "MeanSquaredError": _minimum,
    "Square": _minimum,
    "Pow": _minimum,
    "Abs": _minimum,
}

_SCALE = (
    "bring the scale right: initial weights of variance 1/inputs, a normalisation layer, "
    "residual connections, ReLU for sigmoid; in a recurrent net an LSTM or GRU"
)
_GROWTH = (
    "begin with smaller weights, normalise (data, layers), lower the learning rate; in a "
    "recurrent net an LSTM or GRU, unchain_backward() every so many steps; or "
    "optimizer.add_hook(ClipGrad(1.0))"
)
_ANOMALY = "run the step inside `with dezero.detect_anomaly():` to see its arguments"


def broadcasts(functions: list[Function]) -> tuple[str, ...]:
    """Say which functions broadcast in a way that is seldom meant, of three at most."""
    notes = []
    for function in functions:
        said = _spread_pairs(function)
        if said:
            found = origin(function)
            notes.append(f"{said} (at {shown(found.place)})" if found else said)
    return tuple(notes[:3])


def _spread_pairs(function: Function) -> str | None:
    """Say so where ``function`` made a table of all pairs from (N, 1) and (N,)."""
    if not function._broadcasts or isinstance(function._outputs, tuple):
        return None
    shapes = [shape for shape in map(_shape_of_edge, function._edges or ()) if shape]
    made = function._shape
    if len(shapes) != 2 or len(shapes[0]) == len(shapes[1]) or len(made) < 2:
        return None
    counts = [int(np.prod(shape)) for shape in shapes]
    if min(counts) < 2 or int(np.prod(made)) <= max(counts) or counts[0] != counts[1]:
        return None
    return (
        f"{function._name} made {made} from {shapes[0]} and {shapes[1]}: every element of one "
        "with every element of the other; if element by element was meant, reshape one of them"
    )


def _shape_of_edge(edge: Any) -> tuple[int, ...]:
    if is_edge(edge):
        return edge._shape
    return edge[0] if isinstance(edge, tuple) else ()


def _shape(a: Any) -> str:
    return f"{a.dtype} {a.shape}"
