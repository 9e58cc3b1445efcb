"""``dezero.profile``: where the time and the memory of a run went."""

from __future__ import annotations

import os
from typing import Any

from dezero.profiling import rows as sums
from dezero.profiling.chrome import write_chrome
from dezero.profiling.flame import write_flame
from dezero.profiling.record import Record
from dezero.profiling.rows import Peak, Row
from dezero.profiling.table import heading, table


class profile:
    """Record, inside a ``with`` block, the time and memory of each function, layer and line.

    It hears what its thread runs: functions, their gradients, layers, backward passes, updates.
    The time of a gradient belongs to the line and the layer that called the function. Times are
    wall times, ``self`` ones without what ran inside, so that they add up to the whole; what
    no function took is told apart: Python in layers, the walk of a backward pass, the program
    outside, and the profile itself.

    **Memory** is that of arrays which functions or gradient rules made, counted from the moment
    they return until the array is freed, views of one memory once. Not counted are parameters,
    data, state of optimizers, scratch inside of a function, gradients on leaves that the walk
    had to sum or reshape, and anything from before the profile. While it is watched, a backward
    pass holds the gradients of a function until the next one has run. **Moved** are the bytes
    of the arrays that functions read and write, each once a call, in the cache or not.

    Attributes
    ----------
    wall : float
        Seconds that the block took.
    phases : dict of str to float
        Seconds in ``forward``, ``backward``, ``update``, ``outside`` of all functions and layers,
        and in the ``profile`` itself; they add up to ``wall``.
    peak : Peak
        The most bytes alive: ``bytes``, and the ``function``, ``layer``, ``place`` and ``phase``
        that ran then.

    Notes
    -----
    It costs some microseconds a function and half a kilobyte of memory: profile tens of steps,
    after one that has compiled the kernels. Several may be nested; each hears its own thread
    alone. Functions on a GPU return before they are done: there, times are those of launching.

    Examples
    --------
    >>> import numpy as np, dezero
    >>> model = dezero.models.MLP((100, 10))
    >>> x = np.ones((50, 20), np.float32)
    >>> with dezero.profile() as p:
    ...     for _ in range(3):
    ...         model.cleargrads()
    ...         (model(x) ** 2).sum().backward()
    ...         p.step()
    >>> print(p)  # doctest: +ELLIPSIS
    profile of ... ms, 3 steps of ... ms
      forward ... ms (... %)
    ...
    >>> row = next(row for row in p.by("layer") if row.name == "MLP > l1")
    >>> row.calls, row.gradients, row.forward < p.wall
    (3, 3, True)
    """

    def __init__(self) -> None:
        self._record = Record()

    def __enter__(self) -> profile:
        if self._record.root.start:
            raise RuntimeError(
                "profile: it has recorded already; make a new one: dezero.profile()"
            )
        self._record.begin()
        return self

    def __exit__(self, *exc: object) -> None:
        self._record.finish()

    def step(self) -> None:
        """Mark the end of a step, for ``by("step")``.

        Raises
        ------
        RuntimeError
            If nothing is being recorded.
        """
        root = self._record.root
        if not root.start or root.end:
            raise RuntimeError("profile.step: call it inside the with block of the profile")
        self._record.mark()

    @property
    def wall(self) -> float:
        """Seconds that the block took."""
        root = self._done("wall").root
        return (root.end - root.start) * 1e-9

    @property
    def phases(self) -> dict[str, float]:
        """Seconds by what they were for; they add up to :attr:`wall`."""
        return sums.phases(self._done("phases"))

    @property
    def peak(self) -> Peak:
        """The most bytes that were alive, and what ran then."""
        return sums.peak(self._done("peak"))

    def by(self, kind: str) -> list[Row]:
        """Return rows for each ``"function"``, ``"layer"``, ``"line"`` or marked ``"step"``.

        Returns
        -------
        list of Row
            Those with the longest self time first, layers by total time, steps in order. The
            self times of all rows add up to :attr:`wall`.

        Raises
        ------
        ValueError
            If ``kind`` is something else.
        RuntimeError
            If the block has not ended.
        """
        return sums.rows(self._done("by"), kind)

    def table(self, top: int = 10, kinds: tuple[str, ...] = ("function", "layer", "line")) -> str:
        """Return the first ``top`` rows of each kind as text: what ``print`` shows.

        Parameters
        ----------
        top : int, default 10
            Rows of each table.
        kinds : tuple of str, optional
            Which tables. One of the steps comes first, where they were marked.
        """
        record = self._done("table")
        kinds = ("step", *kinds) if record.marks and "step" not in kinds else kinds
        parts = [heading(self.wall, self.phases, self.peak, len(record.marks))]
        parts += [table(kind, self.by(kind), self.wall, top) for kind in kinds]
        return "\n\n".join(parts)

    def __str__(self) -> str:
        return self.table()

    def flame(self, path: str | os.PathLike[str]) -> None:
        """Write a page with the flame graph: what ran inside of what, as wide as it took time.

        It is one HTML file that needs no network: zoom by click, search, arrow keys.
        """
        write_flame(self._done("flame"), path)

    def chrome(self, path: str | os.PathLike[str]) -> None:
        """Write the run, call by call, in Chrome's trace format.

        It opens in https://ui.perfetto.dev or ``chrome://tracing``. Arrows lead from each
        function to its gradient, and a counter shows the memory.
        """
        write_chrome(self._done("chrome"), path)

    def _done(self, asked: str) -> Any:
        if not self._record.root.end:
            raise RuntimeError(f"profile.{asked}: it is known when the with block has ended")
        return self._record
