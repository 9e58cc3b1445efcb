"""Stopping a program at its first NaN, infinity, overwritten array or accidental broadcast."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import Any
from weakref import ref

import numpy as np

from dezero.core import Function, Primitive, Variable, Variadic
from dezero.core.function import describe, is_edge, overwritten
from dezero.core.places import place
from dezero.core.watch import given, watchers
from dezero.debug.checksums import arrays_of, changed, remember
from dezero.debug.ranges import contents, counts, flaw, plain
from dezero.layers import Layer
from dezero.tracing import Origin, origin, trace


class _Located(Exception):
    """An error that says where the function was called, and in which layer."""

    _layers = None  # the message has the path: note_layer adds none

    def __init__(self, message: str, function: str, called: Origin | None) -> None:
        super().__init__(message)
        self.function = function
        self.origin = called

    def __reduce__(self) -> Any:
        return type(self), (str(self), self.function, self.origin)


class AnomalyError(_Located, FloatingPointError):
    """A NaN or an infinity has appeared, inside :class:`detect_anomaly`.

    Attributes
    ----------
    function : str
        The name of the function that gave it.
    origin : Origin or None
        Where that was called, and in which layers; ``None`` if it was called before the block.
    """


class OverwrittenError(_Located, RuntimeError):
    """An array was changed between forward and backward, seen by :class:`detect_anomaly`.

    Attributes
    ----------
    function : str
        The name of the function that had kept the array.
    origin : Origin or None
        Where that was called.
    """


class BroadcastWarning(UserWarning):
    """Two arrays of as many elements were broadcast against each other."""


class detect_anomaly(trace):
    """Stop a program, inside a ``with`` block, where it begins to go wrong.

    The first NaN or infinity that a function returns, or that its gradient rule does, raises an
    error that names the function, the line of the program that called it, the layer, and what was
    in its inputs. In backward that is the line of the forward call. An array that was changed
    after a function kept it for its gradient, in whatever way, raises where the gradient needs
    it. Two arrays of as many elements that broadcast to more, a column with a row, warn.

    A step of a network takes about twice as long, a program of many small functions ten to twenty
    times: it is for finding a bug.

    Parameters
    ----------
    forward, backward : bool, default True
        Whether the results of functions, and of gradient rules, are looked at.
    infinity : bool, default True
        Whether infinities raise too, not only NaN.
    overwritten : bool, default True
        Whether arrays are compared with what they were, by checksum.
    broadcast : {"warn", "raise", None}, default "warn"
        What happens where arrays of as many elements but of different numbers of axes, ``(N, 1)``
        and ``(N,)`` say, broadcast to more elements than either has: a warning, once for a line
        of the program, or an error.
    depth : int, default 4
        How many lines of the program to show: the one that called the function, the one that
        called that one's function, and so on.

    Raises
    ------
    AnomalyError
        A ``FloatingPointError``: a NaN, or an infinity, and where it came from.
    OverwrittenError
        A ``RuntimeError``: an array was changed between forward and backward.
    ValueError
        With ``broadcast="raise"``.

    Notes
    -----
    A NaN raises wherever it is seen first; the message says if an input held one already. An
    infinity raises where it is made of finite numbers: ``log(0)``, a division by zero, a number
    too large for its type. Infinities that were given are no error, so a mask of ``-inf`` may be
    added to the scores of an attention. What a function computes inside itself is its own affair:
    the result counts. NumPy's own warnings of overflow, division by zero and invalid values are
    silent in watched functions: the error says more.

    The block belongs to its thread. An inner block counts, with its options, in place of the
    outer one. NumPy's functions that skip NaN, ``nanvar`` and so on, compute with them: they want
    an inner block with ``forward=False``. What NumPy computes on plain arrays is not seen, nor in
    a ``vmap`` of plain arrays, nor are tangents of forward mode that are not recorded.

    Checksums are those of CRC-32, of arrays in the CPU's memory. They belong to functions called
    in the block, and are compared in backward passes in the block.

    Examples
    --------
    >>> import numpy as np, dezero
    >>> x = dezero.Variable(np.array([1.0, 0.0]), name="x")
    >>> with dezero.detect_anomaly():
    ...     y = np.log(x)
    Traceback (most recent call last):
    dezero.debug.anomaly.AnomalyError: Log gave 1 -inf, made here of finite inputs...
    """

    def __init__(
        self,
        *,
        forward: bool = True,
        backward: bool = True,
        infinity: bool = True,
        overwritten: bool = True,
        broadcast: str | None = "warn",
        depth: int = 4,
    ) -> None:
        if broadcast not in ("warn", "raise", None):
            raise ValueError(
                f'detect_anomaly: broadcast is "warn", "raise" or None, got {broadcast!r}'
            )
        super().__init__(depth)
        self.forward = forward
        self.backward = backward
        self.infinity = infinity
        self.overwritten = overwritten
        self.broadcast = broadcast
        self._inside = 0  # functions, and gradient rules, that are running
        self._quiet: list[Any] = []
        self._models: list[ref[Layer]] = []  # the outermost layers that were called
        self._warned: set[tuple[str, int]] = set()
        self._given_infinity = False  # to a gradient of the pass that is running

    def enter(self, part: Any, inputs: tuple[Any, ...]) -> None:
        """Go into a layer, or a backward pass."""
        if isinstance(part, Layer) and not self.layers:
            known = [model() for model in self._models]
            if not any(model is part for model in known):
                self._models.append(ref(part))
        if part == "backward":
            self._given_infinity = self._given_infinity and bool(self._inside)
            self._hush()
        super().enter(part, inputs)

    def leave(self, part: Any, outputs: Any) -> None:
        """Come out of it; look at the sums of gradients that a backward pass found."""
        super().leave(part, outputs)
        if part == "backward":
            self._quiet.pop().__exit__(None, None, None)
            if outputs and self.backward and self._counts():
                for leaf, gx in outputs.items():
                    self._check_sum(leaf, gx)

    def before(self, function: Any, xs: list[Any]) -> None:
        """Remember where ``function`` is called."""
        super().before(function, xs)
        self._begin()

    def after(self, function: Any, xs: list[Any], ys: Any) -> None:
        """Look at what it returned."""
        self._end()
        if ys is None or not self._counts():
            return
        if self.overwritten:
            remember(function, given(), xs, ys)
        if self._inside:
            return  # a part of another function, or of a gradient rule, whose result counts
        if self.forward:
            for y in ys if isinstance(ys, tuple) else (ys,):
                self._check_output(function, xs, y)
        if self.broadcast and function._broadcasts:
            self._check_broadcast(function, xs, ys)

    def before_gradient(self, function: Any, gy: Any) -> None:
        """Compare the arrays that the gradient rules are going to read with what they were."""
        if self.overwritten and self._counts():
            for index, array in sorted(changed(function).items()):
                raise self._overwritten(function, index, array)
        self._begin()

    def after_gradient(self, function: Any, gy: Any, gxs: Any) -> None:
        """Look at the gradients."""
        self._end()
        if gxs is None or not self.backward or not self._counts():
            return
        for index, gx in enumerate(gxs):
            found = self._flaw(gx)
            if found == "infinity" and _gives_infinity(function, arrays_of(function).values(), gy):
                self._given_infinity = True
            elif found:
                raise self._bad_gradient(function, index, gy, gx)

    def _begin(self) -> None:
        self._inside += 1
        self._hush()

    def _hush(self) -> None:
        """Keep NumPy from warning, until the entry is taken off."""
        self._quiet.append(np.errstate(divide="ignore", over="ignore", invalid="ignore"))
        self._quiet[-1].__enter__()

    def _end(self) -> None:
        self._inside -= 1
        self._quiet.pop().__exit__(None, None, None)

    def _counts(self) -> bool:
        """Whether this is the innermost block."""
        blocks = [watcher for watcher in watchers() if isinstance(watcher, detect_anomaly)]
        return not blocks or blocks[-1] is self

    def _flaw(self, x: Any) -> str:
        found = "" if x is None else flaw(x)
        return "" if found == "infinity" and not self.infinity else found

    def _check_output(self, function: Any, xs: list[Any], y: Any) -> None:
        found = self._flaw(y)
        if not found or (found == "infinity" and _gives_infinity(function, xs)):
            return
        names = self._names(function, given(), xs)
        said = f"{function._name} gave {counts(y)}, {_blame(found, zip(names, xs, strict=True))}"
        lines = [
            *_location(origin(function)),
            *_listed(zip(names, xs, strict=True)),
            f"  result: {contents(y)}",
        ]
        raise AnomalyError("\n".join([said, *lines]), function._name, origin(function))

    def _bad_gradient(self, function: Any, index: int, gy: Any, gx: Any) -> AnomalyError:
        arrays = arrays_of(function)
        edges = function._edges
        names = [*self._names(function, edges, edges), "result"]
        gys = gy if isinstance(gy, list) else [gy]
        inputs = [("the gradient that arrived", g) for g in gys]
        inputs += [(names[min(i, len(edges))], array) for i, array in arrays.items()]
        said = (
            f"the gradient of {function._name} with respect to {names[index]} holds {counts(gx)}, "
            f"{_blame(self._flaw(gx), inputs)}"
        )
        lines = [
            *_location(origin(function)),
            *_listed((name, x) for name, x in inputs if x is not None),
            f"  gradient: {contents(gx)}",
        ]
        return AnomalyError("\n".join([said, *lines]), function._name, origin(function))

    def _check_sum(self, leaf: Any, gx: Any) -> None:
        """Raise if a gradient holds what no rule gave: the sum over uses, or over a broadcast."""
        found = self._flaw(gx)
        if not found or (found == "infinity" and self._given_infinity):
            return
        name = self._name_of(leaf) or "an argument"
        raise AnomalyError(
            f"the gradient of {name} holds {counts(gx)}: no gradient rule gave these; they are "
            "the sum of the gradients of all its uses, or of the elements that broadcasting "
            f"repeated, too large for {describe(plain(gx))}",
            "backward",
            None,
        )

    def _overwritten(self, function: Any, index: int, array: Any) -> OverwrittenError:
        edges = function._edges
        called = origin(function)
        at = f" at {called.place.quoted}" if called else ""
        if index < len(edges):
            name = self._names(function, edges, edges)[index]
            what, how = f"{name} of {function._name}, {describe(array)}", f"was read{at}"
        else:
            what = f"the result of {function._name}, {describe(array)}"
            how = f"was computed{at}, and its gradient needs it"
        edge = edges[index] if index < len(edges) else None
        wrote = "by a write into the array or into a view of it, which leaves no trace"
        if isinstance(edge, Variable) and edge._written and overwritten(edge, array):
            wrote = f"at {edge._written}"
        said = f"backward through {function._name}: an array was changed before its gradient"
        wrong = "the gradient would be wrong"
        if not isinstance(function, Primitive):  # it is known only that it names `inputs`, say
            wrong += f" if {function._name}.backward reads its numbers"
        lines = [
            f"  {what}, {how}",
            f"  it was changed {wrote}; now {contents(array)}",
            *_layer_line(called),
            f"  {wrong}: write into a copy, or after backward()",
        ]
        return OverwrittenError("\n".join([said, *lines]), function._name, called)

    def _check_broadcast(self, function: Any, xs: list[Any], y: Any) -> None:
        shapes = [x.shape for x in xs if getattr(x, "shape", ())]
        sizes = [int(np.prod(shape)) for shape in shapes]
        pairs = [
            (a, b)
            for i, a in enumerate(shapes)
            for j, b in enumerate(shapes[:i])
            if len(a) != len(b) and sizes[i] == sizes[j]
        ]
        if not pairs or y.size <= max(sizes):
            return
        b, a = pairs[0]
        here = place()
        said = (
            f"{function._name} of arrays of shapes {a} and {b} gives {y.shape}, each element of "
            f"one with each of the other, at {here.quoted}\n"
            "  if they belong together one by one, give both one shape: t.reshape(x.shape); if "
            "all pairs are meant, write the new axis: t[None, :]"
        )
        if self.broadcast == "raise":
            raise ValueError(said)
        if (here.file, here.line) not in self._warned:
            self._warned.add((here.file, here.line))
            warnings.warn_explicit(said, BroadcastWarning, here.file, here.line)

    def _names(self, function: Any, inputs: Iterable[Any], xs: Iterable[Any]) -> list[str]:
        """Return what to call the inputs of ``function``: its argument, and whose array it is."""
        names = []
        inputs = list(inputs)
        for i, _ in enumerate(xs):
            argument = _argument(function, i)
            who = self._name_of(inputs[i]) if i < len(inputs) else ""
            names.append(f"{argument} ({who})" if who else argument)
        return names

    def _name_of(self, x: Any) -> str:
        """Return the name of a Variable, or of what computed it; empty if it has none."""
        if isinstance(x, Variable) and x._node is None:
            return self._parameter(x) or (f"variable {x.name!r}" if x.name else "")
        if isinstance(x, Variable) and x.name:
            return f"variable {x.name!r}"
        node = x._node if isinstance(x, Variable) else x
        if not is_edge(node) or node._function is None:
            return ""
        called = origin(node._function)
        return f"result of {node._function._name}" + (f" at {called.place}" if called else "")

    def _parameter(self, x: Variable) -> str:
        """Return the path of a parameter in a model that was called."""
        for model in filter(None, (weak() for weak in self._models)):
            for name, param in model.named_params():
                if param is x:
                    return f"parameter {name} of {type(model).__name__}"
        return ""


def _blame(found: str, inputs: Iterable[tuple[str, Any]]) -> str:
    """Say whether the flaw was there before."""
    flaws = {name: flaw(x) for name, x in inputs if x is not None}
    for name, held in flaws.items():
        if held == found:
            return f"because {name} already holds {'NaN' if found == 'NaN' else 'infinities'}"
    infinite = [name for name, held in flaws.items() if held]
    if infinite:
        return f"made here of infinities in {' and '.join(infinite)}"
    return "made here of finite inputs"


def _listed(inputs: Iterable[tuple[str, Any]]) -> list[str]:
    """Return a line for each input; of many, only those that are not finite."""
    inputs = list(inputs)
    shown = inputs if len(inputs) <= _MANY else [(name, x) for name, x in inputs if flaw(x)]
    lines = [f"  {name}: {contents(x)}" for name, x in shown]
    if len(shown) < len(inputs):
        lines.append(f"  {len(inputs) - len(shown)} more inputs, all finite")
    return lines


_MANY = 6


def _gives_infinity(function: Any, xs: Iterable[Any], gy: Any = None) -> bool:
    """Whether a function was given an infinity: in an array, a gradient or a parameter."""
    attributes = getattr(function, "__dict__", {}).values()
    gys = gy if isinstance(gy, list) else [gy]
    return any(plain(x) is not None and flaw(x) for x in (*xs, *gys, *attributes) if x is not None)


def _argument(function: Function, index: int) -> str:
    """Return the name of an argument of ``forward``."""
    if isinstance(function, Primitive) and not isinstance(function, Variadic):
        return function._names[index] if index < len(function._names) else f"input {index}"
    code = getattr(function.forward, "__code__", None)
    names = code.co_varnames[1 : code.co_argcount] if code else ()
    return names[index] if index < len(names) else f"input {index}"


def _location(called: Origin | None) -> list[str]:
    """Return the lines of a message that say where a function was called."""
    if called is None:
        return ["  its forward call was before the block: nobody knows the line"]
    lines = []
    for i, line in enumerate(called.places):
        word = "called at" if i == 0 else "  from"
        code = f": {line.code}" if line.code else ""
        lines.append(f"  {word} {line} in {line.function}{code}")
    return [*lines, *_layer_line(called)]


def _layer_line(called: Origin | None) -> list[str]:
    if called is None or not called.layers:
        return []
    return [f"  in layer {' > '.join(called.layers)} ({called.kinds[-1]})"]
