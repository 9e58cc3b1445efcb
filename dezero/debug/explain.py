"""explain: why a parameter has no gradient, a zero, a tiny, an exploding one, or NaN."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from dezero.core import Parameter, Variable, as_array
from dezero.core.function import describe_kind
from dezero.debug.explain_causes import (
    broadcasts,
    is_saturated,
    why_changed,
    why_not_finite,
    why_stopped,
)
from dezero.debug.explain_cuts import Cut, cut_in_graph, cut_in_run, frozen, no_graph
from dezero.debug.explain_held import held_beside, of_optimizer
from dezero.debug.explain_run import Run
from dezero.debug.explain_text import HARMLESS, show, show_all
from dezero.debug.paths import NOTHING, Flow, Size, Step, size_of
from dezero.layers import Layer

Status = Literal[
    "ok", "cut", "frozen", "unused", "no graph", "zero", "tiny", "exploding", "nan",
    "cancels", "accumulated", "changed", "integer",
]  # fmt: skip
_SMALL = 1e-5  # of the gradients of the others, and of that of the loss
_LARGE = 1e3  # times the gradient of the loss
_STEEP = 1e6  # more than any healthy network shows: ResNet-50 at its beginning has 1e4 to 1e5


@dataclass(frozen=True)
class Explanation:
    """What :func:`explain` found; ``str`` of it, or ``print``, says it in words.

    Attributes
    ----------
    status : str
        ``"ok"``, or what is the matter: there is no gradient (``"cut"``, ``"frozen"``,
        ``"unused"``, ``"no graph"``), it is ``"zero"``, ``"tiny"``, ``"exploding"`` or ``"nan"``,
        the parameter has no effect, so that only rounding is left (``"cancels"``), ``param.grad``
        holds more than this gradient (``"accumulated"``), or it cannot be computed
        (``"changed"``: an array was written in place, ``"integer"``).
    param : str
        The parameter, described.
    cut : Cut or None
        Where it happens and why: with ``what``, ``why``, ``advice``, ``place`` (the line),
        ``layers`` and ``certain``, which tells what is known from what is only likely.
    path : tuple of Step
        The functions from the loss to the parameter on the way of the largest part of the
        gradient, with the norms that arrived and were passed on.
    gradient : array or None
        The gradient of this loss alone.
    size : Size
        Its norm, its largest absolute value, and the share of zeros.
    contributions : tuple of Size
        What it is the sum of: a part for each call that used the parameter, the largest first.
    notes : tuple of str
        What else is worth knowing.
    """

    status: Status
    param: str
    cut: Cut | None = None
    path: tuple[Step, ...] = ()
    gradient: Any = None
    size: Size = NOTHING
    contributions: tuple[Size, ...] = ()
    notes: tuple[str, ...] = ()
    weight: float = field(default=0.0, repr=False)  # the norm of the parameter

    def __str__(self) -> str:
        return show(self)

    __repr__ = __str__


@dataclass(frozen=True)
class Explanations:
    """What :func:`explain` found for the parameters of a model: a table, where shown.

    Attributes
    ----------
    rows : dict of str to Explanation
        By the name of the parameter.
    """

    rows: dict[str, Explanation]

    @property
    def ok(self) -> bool:
        """Whether nothing is the matter with any of them; some may be frozen or without effect."""
        return all(row.status in HARMLESS for row in self.rows.values())

    def __getitem__(self, name: str) -> Explanation:
        return self.rows[name]

    def __str__(self) -> str:
        return show_all(self.rows)

    __repr__ = __str__


def explain(loss: Any, param: Any, optimizer: Any = None) -> Any:
    """Say why ``param`` has no gradient, a zero, tiny, exploding or NaN one, or that all is well.

    The graph is walked with the real rules, and the norm of the gradient measured at each
    function. No ``grad`` is touched and the graph is not freed: ask before or after ``backward``,
    but before ``optimizer.update()``, which overwrites what the graph needs.

    Parameters
    ----------
    loss : Variable, or callable without arguments
        A result; or what computes it, which is then run once. A graph does not contain what was
        never recorded, so the callable is the way to the full answer where there is *no* gradient:
        the run is watched, all its values are kept (give it a step, not the whole training), and
        the line at which the parameter left the graph is found. In a graph, lines and layers are
        known if it was made inside ``with dezero.trace():``.
    param : Variable or Layer
        A parameter, or any other Variable; of a model, all parameters are looked at.
    optimizer : Optimizer, optional
        Look, too, whether it updates the parameter.

    Returns
    -------
    Explanation or Explanations
        To be printed, or read: ``status``, ``cut``, ``path``. For a model a table of these.

    Raises
    ------
    TypeError
        If ``loss`` or ``param`` is neither.

    Notes
    -----
    A gradient is called tiny if its norm is less than 1e-5 of both the largest among the other
    parameters and that of the loss itself (which is 1), or if a saturated function made it less
    than 1e-6; exploding if it is over 1000 times that of the loss, and either a change of the
    parameter by a millionth would change the loss by more than its own value, or functions that
    come again and again on the way multiplied it by over a million.

    Examples
    --------
    >>> import numpy as np, dezero, dezero.functions as F
    >>> W = dezero.Parameter(np.ones((2, 3)), name="W")
    >>> found = dezero.explain(lambda: F.sum(F.relu(np.ones((4, 2)) @ W - 5.0)), W)
    >>> found.status, found.cut.what
    ('zero', 'ReLU')
    >>> found.cut.why
    'a dead ReLU: none of its 12 outputs (4 x 3) is active, so its slope is 0 everywhere'
    >>> dezero.explain(lambda: F.sum(W.data * 2.0), W).cut.what
    '.data'
    """
    run = None
    if callable(loss) and not isinstance(loss, Variable | Layer):
        with Run() as run:
            loss = loss()
    _check(loss, param, run)
    flow = _flow(loss)
    if isinstance(param, Variable):
        return _explain_one(loss, param, run, flow, optimizer)
    rows = {name: _explain_one(loss, p, run, flow, optimizer) for name, p in param.named_params()}
    return Explanations(rows)


def _check(loss: Any, param: Any, run: Run | None) -> None:
    if not isinstance(loss, Variable) and run is None:
        raise TypeError(
            f"explain: got {type(loss).__name__} for the loss; it wants the Variable itself (not "
            "float(loss) or loss.data), or a function without arguments that computes it"
        )
    if not isinstance(param, Variable) and not hasattr(param, "named_params"):
        raise TypeError(
            f"explain: got {type(param).__name__} for the parameter; it wants a Variable "
            "(model.l1.W, not its .data or .grad's array), or a model"
        )


def _flow(loss: Any) -> Flow | Cut | None:
    """Return the measured walk; where it stops with an error, what that says."""
    if not isinstance(loss, Variable) or loss._node is None:
        return None
    if not loss._node._function._edges:
        return None
    try:
        flow = Flow(loss)
        flow.notes = (*_of_value(loss), *broadcasts(flow.functions))
        return flow
    except (RuntimeError, TypeError, ValueError) as error:
        message = str(error)
        if "in place" in message:
            advice = "ask before the array is changed: before optimizer.update(), say"
            return Cut("changed", message, advice)
        if "integer" in message:
            return Cut("integer", message, "make the input float: x.astype(np.float32)")
        if "freed" in message:
            return Cut("freed", message, "compute the loss again")
        raise


def _of_value(loss: Variable) -> list[str]:
    if size_of(loss.data).finite:
        return []
    return ["the loss itself is NaN or infinite: `with dezero.detect_anomaly():` finds where"]


def _explain_one(
    loss: Any, param: Variable, run: Run | None, flow: Flow | Cut | None, optimizer: Any
) -> Explanation:
    found = _diagnose(loss, param, run, flow)
    notes = list(found.notes)
    if run is None and param.grad is None and found.path:
        notes.append(_why_none(loss, param))
    if optimizer is not None:
        notes += of_optimizer(param, optimizer)
    if not isinstance(loss, Variable):
        notes.append(f"the computation returned {type(loss).__name__}, not a Variable")
    return replace(found, notes=tuple(notes))


def _why_none(loss: Variable, param: Variable) -> str:
    if param._node is not None:
        return "its grad is None: backward(retain_grad=True) leaves gradients on the way"
    if loss.grad is None:
        return "its grad is None: backward() has not run on this loss yet"
    return "its grad is None: it was cleared after backward()"


def _diagnose(loss: Any, param: Variable, run: Run | None, flow: Flow | Cut | None) -> Explanation:
    about = _described(param)
    if param._data is None:
        why = "it holds no array yet: no data went through its layer"
        return Explanation("unused", about, Cut("unused", why, "call the layer that holds it"))
    if isinstance(flow, Cut):
        known: dict[str, Status] = {"changed": "changed", "integer": "integer"}
        return Explanation(known.get(flow.what, "no graph"), about, flow)
    if flow is None:
        if not param.requires_grad and param._node is None:
            return Explanation("frozen", about, frozen())
        cut = no_graph(loss, run, param) if isinstance(loss, Variable) else None
        cut = cut or cut_in_run(run, loss, param)  # type: ignore[arg-type]
        return Explanation("no graph", about, cut)
    target = flow.target(param)
    if target is None and param is not loss:
        return _unreached(loss, param, run, flow)
    return _measured(param, flow, target)


def _unreached(loss: Variable, param: Variable, run: Run | None, flow: Flow) -> Explanation:
    if run is not None:
        cut = cut_in_run(run, loss, param)
    else:
        cut = cut_in_graph(loss, param, flow.functions)
    kinds: dict[str, Status] = {
        "frozen": "frozen",
        "unused": "unused",
        "not in the loss": "unused",
    }
    return Explanation(kinds.get(cut.what, "cut"), _described(param), cut)


def _measured(param: Variable, flow: Flow, target: Any) -> Explanation:
    """Explain a gradient that there is, and what ``param.grad`` holds."""
    found = _judged(param, flow, target)
    return found if param.size == 0 else _compared(param, found, flow)


def _judged(param: Variable, flow: Flow, target: Any) -> Explanation:
    gradient = flow.gradients.get(id(param))
    contributions = flow.contributions(target)
    size = size_of(gradient) if gradient is not None else flow.arrived.get(target, NOTHING)
    found = Explanation(
        "ok",
        _described(param),
        path=tuple(flow.path_to(target)),
        gradient=None if gradient is None else as_array(gradient),
        size=size,
        contributions=tuple(step.passed for step in contributions),
        notes=flow.notes,
        weight=size_of(param.data).norm if param.size else 0.0,
    )
    if param.size == 0:
        return replace(found, notes=("it has no elements", *found.notes))
    if not size.finite:
        return replace(found, status="nan", cut=_first_not_finite(found))
    if size.norm == 0:
        cut = _of_zero(found)
        return replace(found, status="cancels" if cut.what == "sum" else "zero", cut=cut)
    if _is_tiny(param, found, flow):
        cut = _of_change(found, down=True)
        return replace(found, status="cancels" if cut.what == "sum" else "tiny", cut=cut)
    if _explodes(found, flow):
        return replace(found, status="exploding", cut=_of_change(found, down=False))
    return found


def _is_tiny(param: Variable, found: Explanation, flow: Flow) -> bool:
    kind = Parameter if isinstance(param, Parameter) else Variable
    others = [
        size.norm for v, size in flow.leaves.items() if v is not param and isinstance(v, kind)
    ]
    reference = max((x for x in others if math.isfinite(x)), default=1e-3 * flow.seed.norm)
    if found.size.norm < _SMALL * min(reference, flow.seed.norm):
        return True
    loss = float(np.abs(np.sum(flow.loss.data)))  # near 0 where a network has learned all
    flat = found.size.norm < _SMALL * min(0.1 * flow.seed.norm, loss)
    return flat and any(step.factor < 1e-4 and is_saturated(step) for step in found.path)


def _explodes(found: Explanation, flow: Flow) -> bool:
    if found.size.norm <= _LARGE * flow.seed.norm:
        return False
    if _growth_of_repeated(found.path[:-1]) > _STEEP:  # a recurrent net, say
        return True
    loss = float(np.abs(np.sum(flow.loss.data)))
    count = 1 if found.gradient is None else found.gradient.size
    weight = max(found.weight, 0.1 * math.sqrt(count))  # biases begin with 0
    return found.size.norm * weight > _STEEP * max(loss, flow.seed.norm)


def _growth_of_repeated(path: tuple[Step, ...]) -> float:
    """Return by what the functions that come five times, or more, multiplied the norm."""
    count = Counter(step.name for step in path)
    logs = [math.log(s.factor) for s in path if count[s.name] >= 5 and s.factor > 0]
    return math.exp(min(sum(logs), 700.0))


def _first_not_finite(found: Explanation) -> Cut:
    """Return the first function, from the loss on, that made NaN or infinity."""
    for step in found.path:
        if step.arrived.finite and not step.passed.finite:
            why, advice = why_not_finite(step)
            return Cut(step.name, why, advice, step.place, step.layers)
    first = found.path[0] if found.path else None
    if first is None or not first.arrived.finite:
        return Cut("loss", "the gradient given for the loss is NaN or infinite", "see loss.grad")
    return Cut("sum", "finite parts overflowed where they were added up", "make the loss smaller")


def _of_zero(found: Explanation) -> Cut:
    """Return the first function, from the loss on, that let nothing through."""
    for i, step in enumerate(found.path):
        if step.arrived.norm and not step.passed.norm:
            why, advice = why_stopped(step)
            return Cut(step.name, why, advice, step.place, step.layers)
        after = found.path[i + 1].arrived if i + 1 < len(found.path) else found.size
        if step.passed.norm and not after.norm:
            return Cut(
                "sum",
                f"several gradients, of {step.name} and others, add up to exactly 0",
                "the loss does not depend on it: what is added at one place is taken away at "
                "another",
                step.place,
                step.layers,
            )
    return Cut("loss", "the gradient given for the loss is 0", "see loss.grad")


def _of_change(found: Explanation, down: bool) -> Cut:
    """Return the function that shrank (or grew) the gradient most, and what others like it did."""
    steps = [s for s in found.path if s.arrived.norm and s.passed.norm]
    if not steps:
        return Cut("sum", "the parts it is the sum of nearly cancel", _CANCEL, certain=False)
    parts = max((c.norm for c in found.contributions), default=0.0)
    if down and _cancels(found, parts):
        return Cut("sum", "the parts it is the sum of nearly cancel: what is left is rounding",
                   _CANCEL, steps[-1].place, steps[-1].layers, certain=False)  # fmt: skip
    logs: dict[str, list[float]] = {}
    for step in steps:
        logs.setdefault(step.name, []).append(math.log(step.factor))
    pick = min if down else max
    name = pick(logs, key=lambda n: sum(logs[n]))
    alike = [s for s in steps if s.name == name]
    worst = pick(alike[:-1] or alike, key=lambda s: s.factor)  # the last leads into the parameter
    count, mean = len(logs[name]), math.exp(sum(logs[name]) / len(logs[name]))
    many = (
        f"{count} calls of {name} on the path multiply the norm by {mean:.3g} on average, by "
        f"{math.exp(sum(logs[name])):.3g} together"
    )
    why, advice = why_changed(worst)
    why = f"{many}; {why}" if count > 1 else why
    return Cut(name, why, advice, worst.place, worst.layers)


_CANCEL = (
    "most often harmless: a bias before batch normalisation, or added to all inputs of a softmax, "
    "changes nothing; it can be left out"
)


def _cancels(found: Explanation, parts: float) -> bool:
    """Whether the gradient is a sum over many examples, or calls, of which rounding is left."""
    last = found.path[-1]
    if parts > 1e4 * found.size.norm:
        return True
    invariant = any(step.name in _INVARIANT for step in found.path)
    return invariant and last.passed.norm < 1e-4 * last.arrived.norm


_INVARIANT = (
    "BatchNorm", "LayerNorm", "GroupNorm", "RMSNorm", "Attention", "Softmax", "LogSoftmax",
    "SoftmaxCrossEntropy",
)  # fmt: skip


def _compared(param: Variable, found: Explanation, flow: Flow) -> Explanation:
    """Compare ``param.grad`` with the gradient of this loss alone, once ``backward`` has run."""
    if param.grad is None or found.gradient is None:
        return found
    notes = list(found.notes)
    if getattr(param.grad, "_node", None) is not None:
        notes.append(
            "param.grad carries a graph of its own (create_graph=True), which keeps memory alive "
            "until cleargrad()"
        )
    if flow.loss.grad is not None and found.size.finite:
        held = held_beside(param, found.gradient, found.size)
        if isinstance(held, Cut) and found.status == "ok":
            found = replace(found, status="accumulated", cut=held)
        elif held is not None:
            notes.append(held.why if isinstance(held, Cut) else held)
    return replace(found, notes=tuple(notes))


def _described(param: Variable) -> str:
    kind = type(param).__name__.lower()
    name = f" {param.name!r}" if param.name else ""
    if param._data is None:
        return f"{kind}{name}"
    return f"{kind}{name} {describe_kind(param._data.shape, param._data.dtype)}"


__all__ = ["Explanation", "Explanations", "explain"]
