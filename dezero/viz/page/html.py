"""The page as one HTML file: what makes it, and what shows it."""

from __future__ import annotations

import html
import inspect
import json
import os
import re
import sys
import tempfile
import webbrowser
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from dezero.core.variable import Variable
from dezero.layers import Layer
from dezero.viz.graph import clean
from dezero.viz.page.data import PageData
from dezero.viz.page.record import Recorder

LANGUAGES = ("en", "ko", "ja")
_SCRIPTS = (
    "words.js",
    "layout.js",
    "state.js",
    "boxes.js",
    "graph.js",
    "camera.js",
    "parts.js",
    "panel.js",
    "details.js",
    "search.js",
    "main.js",
)


class Page:
    """A page that writes, opens and shows itself.

    Attributes
    ----------
    html : str
        The whole file.
    functions : int
        How many functions it shows.
    """

    def __init__(self, text: str, functions: int) -> None:
        self.html = text
        self.functions = functions

    def save(self, to_file: str | os.PathLike[str]) -> Path:
        """Write the page into a file and return its path."""
        path = Path(to_file)
        path.write_text(self.html, encoding="utf-8")
        return path

    def open(self) -> None:
        """Show the page in the system's browser, from a file in the temporary folder."""
        with tempfile.NamedTemporaryFile(
            "w", prefix="dezero-", suffix=".html", delete=False, encoding="utf-8"
        ) as file:
            file.write(self.html)
        if not webbrowser.open(Path(file.name).as_uri()):
            print(f"show: no browser here; the page is {file.name}", file=sys.stderr)

    def _repr_html_(self) -> str:
        """Return the page in a frame, as Jupyter shows it."""
        return (
            f'<iframe srcdoc="{html.escape(self.html)}" sandbox="allow-scripts" '
            'title="DeZero" style="width:100%;height:720px;border:1px solid #8884;'
            'border-radius:8px"></iframe>'
        )

    def __repr__(self) -> str:
        return f"<Page of {self.functions} functions: .open(), .save('graph.html')>"


def get_html_page(
    output: Any,
    *,
    title: str | dict[str, str] | None = None,
    language: str | None = None,
    names: dict[str, Any] | None = None,
) -> str:
    """Return the graph behind ``output`` as an interactive page, one self-contained HTML file.

    The page walks forward and backward step by step; it needs no network and no server, and
    none of its gradients is stored: ``grad`` of every Variable stays as it is.

    Parameters
    ----------
    output : Variable or list of Variables
        Where the graph ends.
    title : str or dict of str to str, optional
        The heading, or the heading in each language: ``{"en": ..., "ko": ...}``.
    language : {'en', 'ko', 'ja'}, optional
        What the page begins in; by default the reader's own, where it is one of these.
    names : dict of str to Variable, optional
        Names for Variables that have none of their own: ``names={"x": x}``, or ``locals()``.

    Raises
    ------
    TypeError
        If ``output`` is not a Variable or a list of them.
    ValueError
        If the list is empty, or the graph has more than 20,000 functions.

    Notes
    -----
    Source lines and layers are shown for what ran inside :func:`dezero.trace`; :func:`show`
    of a function does that by itself.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> from dezero.viz import get_html_page
    >>> x = Variable(np.array(3.0), name="x")
    >>> get_html_page(x * x)[:15]
    '<!doctype html>'
    """
    return _page(output, None, title, language, _by_id(names)).html


def show(
    output: Any,
    *args: Any,
    to_file: str | os.PathLike[str] | None = None,
    title: str | dict[str, str] | None = None,
    language: str | None = None,
    names: dict[str, Any] | None = None,
    open_browser: bool | None = None,
    **kwargs: Any,
) -> Page:
    """Show a computation as an interactive page: each step forward and backward, with numbers.

    Parameters
    ----------
    output : Variable, list of Variables, or callable
        The result of a computation; or a function or model, which is then called on ``args`` and
        watched, so that the page has all values, source lines and layers.
    *args, **kwargs
        What a callable is called on. Numbers become Variables, and so do arrays of floats unless
        it is a layer: its input is data.
    to_file : str or path, optional
        A file to write the page into.
    title, language, names
        As for :func:`get_html_page`.
    open_browser : bool, optional
        Whether to open the page in a browser. By default if no file is named and no notebook
        shows it.

    Returns
    -------
    Page
        It shows itself in Jupyter, and has ``save`` and ``open``.

    Notes
    -----
    The walk shown is the engine's own, watched (:mod:`dezero.core.watch`).

    Examples
    --------
    >>> import dezero
    >>> dezero.show(lambda x: (x**2).sum(), 3.0, open_browser=False)
    <Page of 2 functions: .open(), .save('graph.html')>
    """
    known = _by_id(names)
    recorder = None
    if callable(output) and not isinstance(output, Variable):
        heading = title or _name_of(output)
        output, recorder, own = _run(output, args, kwargs)
        known = {**own, **known}
        title = heading
    elif args or kwargs:
        raise TypeError(
            f"show: got {type(output).__name__} and arguments; wants a Variable alone, or a "
            "function and what to call it on: show(f, x)"
        )
    page = _page(output, recorder, title, language, known)
    if to_file is not None:
        page.save(to_file)
    if open_browser or (open_browser is None and to_file is None and not _in_notebook()):
        page.open()
    return page


def _run(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Any, Recorder, dict[int, str]]:
    """Call ``function``, watched; return its result, who watched, and names of the arguments."""
    if not isinstance(function, Layer):
        args = tuple(map(_as_argument, args))
    names: dict[int, str] = {}
    try:
        target = function.forward if isinstance(function, Layer) else function
        bound = inspect.signature(target).bind(*args, **kwargs).arguments
        names = _by_id(bound)
    except (TypeError, ValueError):
        pass  # a builtin, or a mistake that the call itself explains better
    with Recorder() as recorder:
        result = function(*args, **kwargs)
    return result, recorder, names


def _as_argument(x: Any) -> Any:
    if isinstance(x, float | int) and not isinstance(x, bool):
        return Variable(np.array(float(x)))
    if isinstance(x, np.ndarray | np.floating) and x.dtype.kind in "fc":
        return Variable(np.asarray(x))
    return x


def _page(
    output: Any,
    recorder: Recorder | None,
    title: str | dict[str, str] | None,
    language: str | None,
    names: dict[int, str],
) -> Page:
    if language is not None and language not in LANGUAGES:
        raise ValueError(f"show: language={language!r}; wants one of {', '.join(LANGUAGES)}")
    outputs = list(output) if isinstance(output, list | tuple) else [output]
    if not outputs:
        raise ValueError("show: got an empty list, wants at least one Variable")
    for y in outputs:
        if not isinstance(y, Variable):
            raise TypeError(
                f"show: got {type(y).__name__}, wants a Variable or a list of Variables: give it "
                "the result of the computation, such as y in y = f(x), or the function and what "
                "to call it on: show(f, x)"
            )
    data = PageData(outputs, recorder, names).as_dict()
    titles = title if isinstance(title, dict) else {"en": title or ""}
    data["title"] = {code: clean(text) for code, text in titles.items()}
    data["language"] = language or ""
    return Page(_assemble(data), len(data["functions"]))


def _assemble(data: dict[str, Any]) -> str:
    """Return the file: the page's own text, style and program with the data in it."""
    parts = {
        "title": html.escape(next(iter(data["title"].values()), "") or "DeZero"),
        "style": _read("page.css"),
        "data": as_json(data),
        "script": "\n".join(map(_read, _SCRIPTS)),
    }
    pieces = re.split("@@(\\w+)@@", _read("page.html"))  # text, name, text, name ... text
    return "".join(parts[piece] if i % 2 else piece for i, piece in enumerate(pieces))


def _read(name: str) -> str:
    return (files("dezero.viz.page") / name).read_text(encoding="utf-8")


def as_json(data: Any) -> str:
    r"""Return ``data`` as JSON that may stand inside a script element.

    Letters that HTML could take for the end of the script are written as escapes.

    >>> as_json("</script>")
    '"\\u003c/script\\u003e"'
    """
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    for letter in "<>&":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return text


def _by_id(names: dict[str, Any] | None) -> dict[int, str]:
    """Return the names by the ids of Variables, and of the arrays that stand for constants."""
    found: dict[int, str] = {}
    for name, v in (names or {}).items():
        if isinstance(v, Variable | np.ndarray):
            found[id(v)] = found[id(getattr(v, "_data", v))] = name
    return found


def _name_of(function: Any) -> str:
    name = getattr(function, "__name__", type(function).__name__)
    return "" if name == "<lambda>" else str(name)


def _in_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    return ipython is not None and ipython.get_ipython() is not None
