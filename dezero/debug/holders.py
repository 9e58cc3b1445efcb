"""Who holds an object: the variable of the program, and the way from there."""

from __future__ import annotations

import gc
import inspect
import re
import sys
from types import CellType, FrameType, FunctionType, MethodType, ModuleType, TracebackType
from typing import Any

from dezero.core.places import in_package

_LEVELS = 6  # objects between a variable and what it holds
_MOST = 200  # objects that are looked for


class Names:
    """The variables of the program as it stands: locals of running functions, and globals."""

    def __init__(self) -> None:
        self._names: dict[int, tuple[str, str]] = {}  # by id: the variable, and where it is
        self._running: set[int] = set()  # the ids of frames: what they hold is in their locals
        for frame in _frames():
            self._running.add(id(frame))
            where = frame.f_code.co_name
            local = _locals(frame)
            self._add(local, where)
            self._add(frame.f_globals, "<module>")
        for module in list(sys.modules.values()):
            if isinstance(module, ModuleType) and not module.__name__.startswith("dezero"):
                self._add(vars(module), f"module {module.__name__}")

    def _add(self, variables: dict[str, Any], where: str) -> None:
        for name, value in list(variables.items()):
            if not isinstance(value, ModuleType | type):
                self._names.setdefault(id(value), (name, where))

    def of(self, targets: list[Any]) -> list[str]:
        """Return how the program reaches each: ``variable `losses[...]` in main``."""
        found: dict[int, str] = {}
        paths = {id(x): [(i, "")] for i, x in enumerate(targets[:_MOST])}
        level = list(targets[:_MOST])
        seen = {*paths, *self._running}
        for _ in range(_LEVELS):
            self._settle(paths, found)
            level = [x for x in level if any(i not in found for i, _ in paths[id(x)])]
            if not level:
                break
            level, paths = _holders(level, paths, seen)
        return [found.get(i, _UNKNOWN) for i in range(len(targets))]

    def _settle(self, paths: dict[int, list[tuple[int, str]]], found: dict[int, str]) -> None:
        """Enter what is reached from a variable."""
        for key, reached in paths.items():
            if key in self._names:
                name, where = self._names[key]
                for i, path in reached:
                    found.setdefault(i, f"variable `{name}{path}` in {where}")


_UNKNOWN = "no variable of the program (a cycle that waits for the garbage collector?)"


def _frames() -> list[FrameType]:
    """Return the running frames of the program, those of this package left out."""
    found = []
    for frame in sys._current_frames().values():
        at: FrameType | None = frame
        while at is not None:
            if not in_package(at.f_code.co_filename):
                found.append(at)
            at = at.f_back
    return found


def _locals(frame: FrameType) -> dict[str, Any]:
    """Return the local variables of a frame, and leave behind no second reference to them."""
    local = frame.f_locals
    copied = dict(local)
    of_function = frame.f_code.co_flags & inspect.CO_OPTIMIZED
    if of_function and type(local) is dict and sys.getrefcount(local) <= _FRESH:
        local.clear()  # up to Python 3.12 the frame keeps this snapshot, and all that is in it
    return copied


_FRESH = 3  # references to a snapshot that nobody else has: the frame's, the local's, the call's


def _holders(
    level: list[Any], paths: dict[int, list[tuple[int, str]]], seen: set[int]
) -> tuple[list[Any], dict[int, list[tuple[int, str]]]]:
    """Return what refers to the objects of a level, with the ways to the targets from there."""
    next_level: list[Any] = []
    next_paths: dict[int, list[tuple[int, str]]] = {}
    wanted = {id(x): x for x in level}
    own = {id(level), id(wanted)}
    for holder in gc.get_referrers(*level):
        if id(holder) in seen or id(holder) in own or isinstance(holder, type):
            continue
        if isinstance(holder, FrameType) and in_package(holder.f_code.co_filename):
            continue
        ways = [
            (i, _joined(_link(holder, x), path))
            for x in gc.get_referents(holder)
            if id(x) in wanted
            for i, path in paths[id(x)]
        ]
        if ways and len(next_level) < 10 * _MOST:
            seen.add(id(holder))
            next_level.append(holder)
            next_paths[id(holder)] = ways
    return next_level, next_paths


def _joined(link: str, path: str) -> str:
    """Return a way that begins with ``link``, with an entry of a ``__dict__`` as ``.name``."""
    return re.sub(r"^\['(\w+)'\]", r".\1", path) if link == ".__dict__" else link + path


def _link(holder: Any, x: Any) -> str:
    """Return how ``x`` is written from ``holder``: ``.h``, ``['loss']``, ``[...]``."""
    if isinstance(holder, dict):
        key = next((key for key, value in holder.items() if value is x), None)
        return f"[{key!r}]"
    if isinstance(holder, CellType | FunctionType | MethodType):
        return ""
    if isinstance(holder, FrameType):  # not running: an error that was kept holds it
        names = (name for name, value in _locals(holder).items() if value is x)
        return f".f_locals[{next(names, ...)!r}]"
    if isinstance(holder, TracebackType):
        return ".tb_frame" if holder.tb_frame is x else ".tb_next"
    if isinstance(holder, BaseException) and holder.__traceback__ is x:
        return ".__traceback__"
    attributes = getattr(holder, "__dict__", None)
    if type(attributes) is dict:
        if attributes is x:
            return ".__dict__"
        for name, value in attributes.items():
            if value is x:
                return f".{name}"
    if isinstance(holder, list | tuple | set | frozenset):
        return "[...]"
    slots = (name for kind in type(holder).__mro__ for name in getattr(kind, "__slots__", ()))
    return next((f".{name}" for name in slots if getattr(holder, name, None) is x), "[...]")
