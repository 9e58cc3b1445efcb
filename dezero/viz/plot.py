"""The graph as a file: which program draws it, and what a notebook shows."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dezero.viz.dot import GraphvizError, find_graphviz, get_dot_graph, run_graphviz
from dezero.viz.fold import Fold
from dezero.viz.graph import Label
from dezero.viz.layout import Layout, lay_out
from dezero.viz.options import Show, graph_of, labels, run, shown
from dezero.viz.png import to_png
from dezero.viz.svg import to_svg
from dezero.viz.text import get_text_graph


def get_svg_graph(
    output: Any,
    verbose: bool = True,
    label: Label | None = None,
    *,
    show: Show = None,
    fold: Fold = None,
    inputs: Any = None,
) -> str:
    """Return the graph behind ``output`` as a self-contained SVG picture.

    The picture follows the reader's light or dark setting, and a tooltip on each node says all
    there is to say about it. Arguments and errors are those of :func:`get_dot_graph`.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> from dezero.viz import get_svg_graph
    >>> x = Variable(np.array(3.0), name="x")
    >>> get_svg_graph(x * x)[:38]
    '<svg xmlns="http://www.w3.org/2000/svg'
    """
    return to_svg(_laid_out(output, shown(verbose, show), label, fold, inputs))


def plot_dot_graph(
    output: Any,
    verbose: bool = True,
    to_file: str | os.PathLike[str] = "graph.png",
    label: Label | None = None,
    *,
    show: Show = None,
    fold: Fold = None,
    inputs: Any = None,
) -> Any:
    """Draw the graph behind ``output`` into a file.

    The extension says how: ``.dot`` is text for Graphviz, ``.svg`` is always DeZero's own
    picture; ``.png`` and ``.pdf`` are made by Graphviz's ``dot`` where it is installed. Without
    it a ``.png`` is drawn by DeZero with Pillow, and a ``.pdf`` cannot be made. ``.html`` is the
    interactive page, ``.txt`` the text of :func:`get_text_graph`.

    Parameters
    ----------
    output, verbose, label, show, fold, inputs
        What to draw and how, as in :func:`get_dot_graph`. Of these ``output`` and ``inputs``
        apply to a page: its reader folds layers there, and it shows values and lines anyway.
    to_file : str or path, default 'graph.png'
        The file to write.

    Returns
    -------
    IPython.display.Image, IPython.display.SVG or None
        The picture if IPython runs (for a .png or .svg file), otherwise ``None``.

    Raises
    ------
    ValueError
        If the extension is another, or the graph is too large for a .png file.
    RuntimeError
        If a .pdf is asked for and Graphviz is missing or fails.
    ModuleNotFoundError
        If a .png is asked for and neither Graphviz nor Pillow is installed.

    Warns
    -----
    RuntimeWarning
        If Graphviz is installed but fails; the .png is drawn by DeZero then.

    Notes
    -----
    Source: step 26 of the book.

    Examples
    --------
    >>> import numpy as np, os, tempfile
    >>> from dezero import Variable
    >>> from dezero.utils import plot_dot_graph
    >>> y = Variable(np.array(3.0), name="x") ** 2
    >>> file = os.path.join(tempfile.mkdtemp(), "my graph.svg")
    >>> plot_dot_graph(y, to_file=file)
    >>> os.path.exists(file)
    True
    """
    path = Path(to_file)
    extension = path.suffix.lower()
    if extension not in _PICTURES:
        raise ValueError(
            f"plot_dot_graph: cannot tell from to_file={os.fspath(to_file)!r} what to write; "
            f"wants a name that ends in {', '.join(_PICTURES)}"
        )
    names = shown(verbose, show)
    options: dict[str, Any] = {"label": label, "show": names, "fold": fold, "inputs": inputs}
    picture = _PICTURES[extension](output, options)
    path.write_bytes(picture.encode() if isinstance(picture, str) else picture)
    return _shown(path, extension)


def _laid_out(
    output: Any, show: tuple[str, ...], label: Label | None, fold: Fold, inputs: Any
) -> Layout:
    return lay_out(graph_of(output, show, fold, inputs), labels(show, label))


def _dot(output: Any, options: dict[str, Any]) -> str:
    return get_dot_graph(output, **options) + "\n"


def _svg(output: Any, options: dict[str, Any]) -> str:
    return get_svg_graph(output, **options)


def _text(output: Any, options: dict[str, Any]) -> str:
    return get_text_graph(output, **options) + "\n"


def _html(output: Any, options: dict[str, Any]) -> str:
    from dezero.viz.page import get_html_page

    if options["inputs"] is not None:
        output = run(output, options["inputs"])
    page: str = get_html_page(output)
    return page


def _png(output: Any, options: dict[str, Any]) -> bytes:
    program = find_graphviz()
    if program is not None:
        try:
            return run_graphviz(program, get_dot_graph(output, **options), "png")
        except GraphvizError as error:
            warnings.warn(
                f"plot_dot_graph: Graphviz failed, so DeZero drew the graph itself: {error}",
                RuntimeWarning,
                stacklevel=3,
            )
    return to_png(_laid_out(output, **options))


def _pdf(output: Any, options: dict[str, Any]) -> bytes:
    program = find_graphviz()
    if program is None:
        raise RuntimeError(
            "plot_dot_graph: a .pdf needs Graphviz (https://graphviz.org), whose program 'dot' "
            "was not found; to_file='graph.svg' and 'graph.png' do not need it"
        )
    return run_graphviz(program, get_dot_graph(output, **options), "pdf")


_PICTURES: dict[str, Callable[[Any, dict[str, Any]], str | bytes]] = {
    ".dot": _dot,
    ".svg": _svg,
    ".png": _png,
    ".pdf": _pdf,
    ".html": _html,
    ".txt": _text,
}


def _shown(path: Path, extension: str) -> Any:
    """Return what a notebook displays; outside of IPython nothing, and IPython is not imported."""
    ipython = sys.modules.get("IPython")
    if ipython is None or ipython.get_ipython() is None:
        return None
    from IPython import display

    if extension == ".png":
        return display.Image(filename=str(path))
    return display.SVG(filename=str(path)) if extension == ".svg" else None
