"""A table of a model's layers: what each gives, holds and costs."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from dezero import random
from dezero.core import Parameter, no_grad, test_mode
from dezero.core.watch import Watcher, start, stop
from dezero.layers import Layer
from dezero.layers.path import path_of
from dezero.viz.costs import multiply_adds


@dataclass(slots=True)
class Row:
    """A layer of a :class:`Summary`. Its counts include the layers inside.

    Attributes
    ----------
    name, kind : str
        Its name in the layer around it, and its class.
    depth : int
        How many layers are around it.
    outputs : list of tuple of int
        Shapes of what its last call returned.
    calls : int
        How often it was called.
    parameters, trainable : int
        How many numbers its parameters have, and those of them that want a gradient.
    multiply_adds : int
        How many the functions inside did, in all calls.
    output_bytes, parameter_bytes : int
        Memory of the arrays that the functions inside made, in all calls, and of its parameters.
    shared : bool
        Whether the layer has a row above, in another place: totals count its parameters once.
    """

    name: str
    kind: str
    depth: int
    outputs: list[tuple[int, ...]] = field(default_factory=list)
    calls: int = 0
    parameters: int = 0
    trainable: int = 0
    multiply_adds: int = 0
    output_bytes: int = 0
    parameter_bytes: int = 0
    shared: bool = False


@dataclass(slots=True)
class Summary:
    """What :func:`summary` returns: ``str`` is the table.

    Attributes
    ----------
    rows : list of Row
        In the order of first calls, the model itself first.
    parameters, trainable, multiply_adds, output_bytes, parameter_bytes : int
        Totals of the model, with everything counted once.
    """

    rows: list[Row]
    parameters: int
    trainable: int
    multiply_adds: int
    output_bytes: int
    parameter_bytes: int

    def __str__(self) -> str:
        table = [_HEAD, *map(_cells, self.rows)]
        widths = [max(len(row[i]) for row in table) for i in range(len(_HEAD))]
        lines = [_aligned(row, widths) for row in table]
        rule = "─" * max(map(len, lines))
        return "\n".join([lines[0], rule, *lines[1:], rule, *self._totals()])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        def row(cells: Sequence[str], tag: str) -> str:
            sides = ["left"] * 2 + ["right"] * (len(cells) - 2)
            inside = "".join(
                f'<{tag} style="text-align:{side};white-space:pre">{html.escape(cell)}</{tag}>'
                for cell, side in zip(cells, sides, strict=True)
            )
            return f"<tr>{inside}</tr>"

        body = "".join(row(_cells(r), "td") for r in self.rows)
        totals = "<br>".join(map(html.escape, self._totals()))
        return f"<table>{row(_HEAD, 'th')}{body}</table><p>{totals}</p>"

    def _totals(self) -> list[str]:
        frozen = self.parameters - self.trainable
        return [
            f"parameters     {self.parameters:,} ({self.trainable:,} trainable, {frozen:,} not)",
            f"multiply-adds  {self.multiply_adds:,}",
            f"memory         {memory_text(self.parameter_bytes)} of parameters, "
            f"{memory_text(self.output_bytes)} of results",
        ]


def summary(model: Layer, *inputs: Any) -> Summary:
    """Run ``model`` on ``inputs``, and return a table of its layers in the order of their calls.

    Parameters
    ----------
    model : Layer
        Any layer or model. It is left as it was: the run is in test mode and records nothing, and
        parameters that wait for data, running statistics, the state of recurrent layers and the
        random generators are put back.
    *inputs : Variable, array, or tuple of int
        What ``forward`` takes; a tuple is the shape of a float32 array of zeros.

    Returns
    -------
    Summary
        ``rows``, totals, and the table as its text.

    Raises
    ------
    TypeError
        If ``model`` is no layer.

    Notes
    -----
    A multiply-add is a multiplication and an addition: 1 of the operations that papers call MACs,
    2 of their FLOPs. Those of matrix products, convolutions, attention (without regard to a mask)
    and recurrent layers are counted, from the shapes the functions really got. Memory of results
    is what the functions made, whether it is kept or not; views cost nothing.

    Examples
    --------
    >>> import dezero
    >>> model = dezero.models.MLP((10, 3))
    >>> print(dezero.summary(model, (8, 4)))
    layer  kind    output   parameters  multiply-adds  memory
    ─────────────────────────────────────────────────────────
    MLP    MLP     (8, 3)           83            560   736 B
      l0   Linear  (8, 10)          50            320   320 B
      l1   Linear  (8, 3)           33            240    96 B
    ─────────────────────────────────────────────────────────
    parameters     83 (83 trainable, 0 not)
    multiply-adds  560
    memory         332 B of parameters, 736 B of results
    """
    if not isinstance(model, Layer):
        raise TypeError(
            f"summary: got {type(model).__name__}; it wants a layer or model, and what to run it "
            "on: summary(model, x)"
        )
    given = [np.zeros(x, np.float32) if _is_shape(x) else x for x in inputs]
    with _unchanged(model), no_grad(), test_mode():
        counter = _Counter()
        start(counter)
        try:
            model(*given)
        finally:
            stop(counter)
        return counter.summary(model)


def _is_shape(x: Any) -> bool:
    return isinstance(x, tuple) and all(isinstance(size, int) for size in x)


class _Counter(Watcher):
    """Makes a row for each layer that is called, and adds up what runs inside."""

    def __init__(self) -> None:
        self.rows: dict[tuple[int, ...], Row] = {}  # by the ids of a layer and those around it
        self.layers: list[Layer] = []
        self.open: list[Row] = []
        self.seen: set[int] = set()
        self.met: list[tuple[Layer, Row]] = []

    def enter(self, part: Any, inputs: tuple[Any, ...]) -> None:
        """Go into a layer."""
        if not isinstance(part, Layer):
            return
        self.layers.append(part)
        key = tuple(map(id, self.layers))
        if key not in self.rows:
            name = path_of(self.layers)[-1]
            row = Row(name, type(part).__name__, len(self.open), shared=id(part) in self.seen)
            self.rows[key] = row
            self.met.append((part, row))
        self.seen.add(id(part))
        self.open.append(self.rows[key])
        self.rows[key].calls += 1

    def leave(self, part: Any, outputs: Any) -> None:
        """Come out of it."""
        if isinstance(part, Layer) and self.open:
            self.layers.pop()
            self.open.pop().outputs = list(_shapes(outputs))

    def after(self, function: Any, xs: list[Any], ys: Any) -> None:
        """Add what a function did to the layers around it."""
        if ys is None:
            return
        count = multiply_adds(function, xs, ys)
        size = sum(_new_bytes(y, xs) for y in (ys if isinstance(ys, tuple) else (ys,)))
        for row in self.open:
            row.multiply_adds += count
            row.output_bytes += size

    def summary(self, model: Layer) -> Summary:
        """Return the table, with what the layers hold now that they have been run."""
        for layer, row in self.met:
            row.parameters, row.trainable, row.parameter_bytes = count_params(layer)
        first = {key: i for i, key in enumerate(self.rows)}
        nested = sorted(  # what was called later in the same layer still stands below it
            self.rows, key=lambda key: [first[key[:i]] for i in range(1, len(key) + 1)]
        )
        rows = [self.rows[key] for key in nested]
        return Summary(rows, *count_params(model)[:2], rows[0].multiply_adds, rows[0].output_bytes,
                       rows[0].parameter_bytes)  # fmt: skip


def count_params(layer: Layer) -> tuple[int, int, int]:
    """Return how many numbers a layer's parameters have, how many are trained, and bytes."""
    params = [p for p in layer.params() if p.data is not None]
    trainable = sum(p.size for p in params if p.requires_grad)
    return sum(p.size for p in params), trainable, sum(p.data.nbytes for p in params)


def _new_bytes(y: Any, xs: list[Any]) -> int:
    """Return the memory of a result, 0 where it is an input or a view of one."""
    arrays = [x for x in xs if isinstance(x, np.ndarray)]
    if isinstance(y, np.ndarray) and any(np.may_share_memory(y, x) for x in arrays):
        return 0
    return int(getattr(y, "nbytes", 0))


def _shapes(outputs: Any) -> Iterator[tuple[int, ...]]:
    if isinstance(outputs, dict):
        outputs = tuple(outputs.values())
    if isinstance(outputs, tuple | list):
        for part in outputs:
            yield from _shapes(part)
    elif hasattr(outputs, "shape"):
        yield tuple(outputs.shape)


@contextmanager
def _unchanged(model: Layer) -> Iterator[None]:
    """Put back, after the block, what a run changes in a model, and the random generators."""
    with ExitStack() as stack:
        stack.callback(random.set_state, random.get_state())
        stack.callback(np.random.set_state, np.random.get_state())
        for thing in _parts(model):
            if isinstance(thing, Layer):
                stack.callback(_refill, vars(thing), dict(vars(thing)))
            elif isinstance(thing, Parameter):
                stack.callback(_put_back, thing, thing._data)
            else:
                stack.callback(_refill, thing, thing.copy())
        yield


def _put_back(param: Parameter, data: Any) -> None:
    if param._data is not data:
        param._data = data


def _refill(container: Any, content: Any) -> None:
    """Give a list or dict the content it had."""
    container.clear()
    (container.extend if isinstance(container, list) else container.update)(content)


def _parts(root: Any) -> list[Any]:
    """Return the layers, parameters, lists and dicts in ``root``, at any depth."""
    found: dict[int, Any] = {}
    stack = [root]
    while stack:
        thing = stack.pop()
        if id(thing) in found or not isinstance(thing, Layer | Parameter | list | dict | tuple):
            continue
        found[id(thing)] = thing
        if isinstance(thing, Layer):
            stack += vars(thing).values()
        elif not isinstance(thing, Parameter):
            stack += thing.values() if isinstance(thing, dict) else thing
    return [thing for thing in found.values() if not isinstance(thing, tuple)]


_HEAD = ("layer", "kind", "output", "parameters", "multiply-adds", "memory")


def _cells(row: Row) -> tuple[str, ...]:
    calls = f" x{row.calls}" if row.calls > 1 else ""
    parameters = "shared" if row.shared and row.parameters else f"{row.parameters:,}"
    return (
        "  " * row.depth + row.name,
        row.kind + calls,
        ", ".join(map(str, row.outputs)),
        parameters,
        f"{row.multiply_adds:,}",
        memory_text(row.output_bytes),
    )


def _aligned(cells: tuple[str, ...], widths: list[int]) -> str:
    left = [cell.ljust(width) for cell, width in zip(cells[:3], widths, strict=False)]
    right = [cell.rjust(width) for cell, width in zip(cells[3:], widths[3:], strict=True)]
    return "  ".join(left + right)


def memory_text(size: int) -> str:
    """Return ``1.50 MiB`` for a number of bytes."""
    for unit, step in (("GiB", 30), ("MiB", 20), ("KiB", 10)):
        if size >= 1 << step:
            return f"{size / (1 << step):.2f} {unit}"
    return f"{size} B"


__all__ = ["Row", "Summary", "summary"]
