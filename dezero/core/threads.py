"""Threads: how many, who does the work, and how it is handed over.

One pool for everything that runs in parallel: kernels, large elementwise functions and, where
NumPy has OpenBLAS, its matrix products too (``kernels/cpu/workers.py``). A job that nobody has
begun is done by the thread that waits for it, so a busy machine costs little, nothing can
deadlock, and several Python threads may compute at once.

Waking a thread that sleeps takes longer than many a job, and a thread that asks for the
interpreter's lock while another has it goes to sleep. So whoever waits first looks for a moment
whether a number on the :data:`board` has changed, without the lock: that is what the compiled
kernels bring along, see :func:`equip`. And each side asks for the lock when the other has given it
up: a worker reports a job when it begins to look for the next one, and leaves the thread that
posted a job the time to begin its own part.
"""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple

import numpy as np

WORKERS = 256
"""How many workers there are at most."""
LINE = 8
"""Numbers in a row of the board: each row is a cache line of its own."""


def _board() -> np.ndarray[Any, Any]:
    raw = np.zeros((WORKERS + 3) * LINE, np.int64)
    start = -(raw.ctypes.data // 8) % LINE
    return raw[start : start + (WORKERS + 2) * LINE].reshape(-1, LINE)


board = _board()
"""Numbers that threads watch: row 0 begins with how many jobs were posted and how many workers
there are, row 1 with how many jobs are done; then comes a row for each worker."""


class Waiting(NamedTuple):
    """How threads wait without the interpreter's lock."""

    begin: Callable[[], None]
    """Called before the first worker starts."""
    look: Callable[[int, int], bool]
    """``look(row, seen)``: wait a moment until ``board[row, 0]`` is not ``seen``; did it so?"""
    stand_by: Callable[[int, int], None]
    """``stand_by(worker, seen)``: report the job before, and wait until one is posted."""
    post: Callable[[], None]
    """Count a job that was posted, and wake a worker if all sleep."""


_waiting: Waiting | None = None


def equip(waiting: Waiting) -> None:
    """Let threads wait this way from now on; before, they sleep at once."""
    global _waiting
    with _pool.lock:  # another thread may be about to start the first worker
        if _pool.workers:
            waiting.begin()
        _waiting = waiting


class _Job:
    """A call that is done once, by whoever takes it first."""

    __slots__ = ("_args", "_done", "_error", "_taken", "_work")

    def __init__(self, work: Callable[..., Any], args: tuple[Any, ...]) -> None:
        self._work = work
        self._args = args
        self._error: BaseException | None = None
        self._taken = threading.Lock()
        self._done = threading.Lock()
        self._done.acquire()

    def run(self) -> None:
        """Do the work, unless somebody else has taken it."""
        if not self._taken.acquire(blocking=False):
            return
        try:
            self._work(*self._args)
        except BaseException as error:  # raised again where the result is waited for
            self._error = error
        finally:
            self._work = self._args = None  # type: ignore[assignment]
            self._done.release()

    def result(self) -> None:
        """Do the work or wait for it; raise what it raised."""
        self.run()
        while _waiting is not None and self._done.locked():
            seen = int(board[1, 0])
            if self._done.locked() and not _waiting.look(1, seen):
                break
        self._done.acquire()
        if self._error is not None:
            raise self._error


class _Pool:
    """Worker threads, started when they are first needed."""

    def __init__(self) -> None:
        self._queue: SimpleQueue[_Job | None] = SimpleQueue()
        self.workers: list[threading.Thread] = []
        self.lock = threading.Lock()

    def start(self, workers: int) -> None:
        """Start workers until there are so many."""
        if len(self.workers) < min(workers, WORKERS):
            with self.lock:
                while len(self.workers) < min(workers, WORKERS):
                    self._start(len(self.workers))

    def close(self) -> None:
        """Let the workers end, and wait a moment for them."""
        with self.lock:
            for _ in self.workers:
                self.offer(None)
            for worker in self.workers:
                worker.join(timeout=1)

    def _start(self, index: int) -> None:
        if index == 0 and _waiting is not None:
            _waiting.begin()
        name = f"dezero-{index + 1}"
        worker = threading.Thread(target=self._serve, args=(index,), name=name, daemon=True)
        self.workers.append(worker)
        worker.start()
        board[0, 1] = len(self.workers)

    def offer(self, job: _Job | None) -> None:
        """Offer a job to the workers; None ends one of them."""
        self._queue.put(job)
        if _waiting is not None:
            _waiting.post()

    def _serve(self, index: int) -> None:
        _local.inside = True
        while True:
            seen = int(board[0, 0])
            try:
                job = self._queue.get_nowait()
                board[1, 0] += 1  # the job before: nobody reports it otherwise
            except Empty:
                if _waiting is not None:
                    _waiting.stand_by(index, seen)
                    continue
                job = self._queue.get()
            if job is None:
                return
            job.run()
            del job  # its arrays


class _Local(threading.local):
    inside: bool = False  # whether this thread is a worker: its own work is not shared again


def _default() -> int:
    """Return the number of CPUs that this process may run on, or less if the user said so."""
    if hasattr(os, "sched_getaffinity"):
        count = len(os.sched_getaffinity(0))
    else:
        count = os.cpu_count() or 1
    for name in ("DEZERO_NUM_THREADS", "OMP_NUM_THREADS"):
        value = os.environ.get(name, "")
        if value.isdigit() and int(value) > 0:
            return min(int(value), count)
    return count


_local = _Local()
_pool = _Pool()
_count = _default()
atexit.register(lambda: _pool.close())


def get_num_threads() -> int:
    """Return how many threads kernels and large functions run on.

    At first that is the number of CPUs which the process may use, or less by the environment
    variables ``DEZERO_NUM_THREADS`` and ``OMP_NUM_THREADS``.

    Examples
    --------
    >>> import dezero
    >>> dezero.get_num_threads() >= 1
    True
    """
    return _count


def set_num_threads(count: int) -> None:
    """Run kernels, large functions and NumPy's matrix products on so many threads.

    Parameters
    ----------
    count : int
        1 or more. It holds for the whole process.

    Raises
    ------
    ValueError
        If ``count`` is not a positive integer.

    Examples
    --------
    >>> import dezero
    >>> before = dezero.get_num_threads()
    >>> dezero.set_num_threads(1)
    >>> dezero.get_num_threads()
    1
    >>> dezero.set_num_threads(before)
    """
    global _count
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise ValueError(f"set_num_threads: got {count!r}; it wants an integer, 1 or more")
    from threadpoolctl import threadpool_limits  # looks through all loaded libraries: at first use

    threadpool_limits(limits=count, user_api="blas")
    _count = count


def available(threads: int) -> int:
    """Return on how many of so many threads work may run: one, within a job of the pool's.

    There are as many workers then.
    """
    if threads <= 1 or _local.inside:
        return 1
    _pool.start(threads - 1)
    return threads


def share(work: Callable[..., Any], *args: Any, threads: int | None = None) -> None:
    """Call ``work(*args, t, n)`` for each thread ``t`` of ``n``, at the same time, and wait.

    Parameters
    ----------
    work : callable
        Should release the interpreter's lock. It runs ``n`` times, but some of the calls may come
        after one another, so none may wait for another.
    *args
        Handed on.
    threads : int, optional
        How many at most.

    Raises
    ------
    Exception
        What ``work`` raised.
    """
    n = available(_count if threads is None else min(_count, threads))
    if n == 1:
        work(*args, 0, 1)
        return
    jobs = [_Job(work, (*args, t, n)) for t in range(1, n)]
    for job in jobs:
        _pool.offer(job)
    error = None
    try:
        work(*args, 0, n)
    finally:
        for job in jobs:  # also after an error: nobody may go on writing into freed arrays
            try:
                job.result()
            except BaseException as raised:
                error = error or raised
    if error is not None:
        raise error


def _after_fork() -> None:
    """Start anew in a forked process: threads do not survive the fork."""
    global _pool
    _pool = _Pool()
    _local.inside = False
    board[0, 1] = 0
    board[2:, 0] = 0


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
