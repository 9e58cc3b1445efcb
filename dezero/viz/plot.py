"""The graph as a file: which program draws it, and what a notebook shows."""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path
from typing import Any

from dezero.viz.dot import GraphvizError, find_graphviz, get_dot_graph, run_graphviz
from dezero.viz.graph import Label, collect, full_label, plain_label
from dezero.viz.layout import lay_out
from dezero.viz.png import to_png
from dezero.viz.svg import to_svg

FORMATS = (".dot", ".svg", ".png", ".pdf")


def get_svg_graph(output: Any, verbose: bool = True, label: Label | None = None) -> str:
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
    return to_svg(lay_out(collect(output), label or _default_label(verbose)))


def plot_dot_graph(
    output: Any,
    verbose: bool = True,
    to_file: str | os.PathLike[str] = "graph.png",
    label: Label | None = None,
) -> Any:
    """Draw the graph behind ``output`` into a file.

    The extension says how: ``.dot`` is text for Graphviz, ``.svg`` is always DeZero's own
    picture; ``.png`` and ``.pdf`` are made by Graphviz's ``dot`` where it is installed. Without
    it a ``.png`` is drawn by DeZero with Pillow, and a ``.pdf`` cannot be made.

    Parameters
    ----------
    output : Variable or list of Variables
        Where the graph ends.
    verbose : bool, default True
        Whether variables show shape and dtype besides their names.
    to_file : str or path, default 'graph.png'
        The file to write.
    label : callable, optional
        Takes a :class:`GraphNode`, returns its text, instead of the default.

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
    if extension not in FORMATS:
        raise ValueError(
            f"plot_dot_graph: cannot tell from to_file={os.fspath(to_file)!r} what to write; "
            f"wants a name that ends in {', '.join(FORMATS)}"
        )
    if extension == ".dot":
        picture = (get_dot_graph(output, verbose, label) + "\n").encode()
    elif extension == ".svg":
        picture = get_svg_graph(output, verbose, label).encode()
    elif extension == ".png":
        picture = _png(output, verbose, label)
    else:
        picture = _pdf(output, verbose, label)
    path.write_bytes(picture)
    return _shown(path, extension)


def _default_label(verbose: bool) -> Label:
    return full_label if verbose else plain_label


def _png(output: Any, verbose: bool, label: Label | None) -> bytes:
    program = find_graphviz()
    if program is not None:
        try:
            return run_graphviz(program, get_dot_graph(output, verbose, label), "png")
        except GraphvizError as error:
            warnings.warn(
                f"plot_dot_graph: Graphviz failed, so DeZero drew the graph itself: {error}",
                RuntimeWarning,
                stacklevel=3,
            )
    return to_png(lay_out(collect(output), label or _default_label(verbose)))


def _pdf(output: Any, verbose: bool, label: Label | None) -> bytes:
    program = find_graphviz()
    if program is None:
        raise RuntimeError(
            "plot_dot_graph: a .pdf needs Graphviz (https://graphviz.org), whose program 'dot' "
            "was not found; to_file='graph.svg' and 'graph.png' do not need it"
        )
    return run_graphviz(program, get_dot_graph(output, verbose, label), "pdf")


def _shown(path: Path, extension: str) -> Any:
    """Return what a notebook displays; outside of IPython nothing, and IPython is not imported."""
    ipython = sys.modules.get("IPython")
    if ipython is None or ipython.get_ipython() is None:
        return None
    from IPython import display

    if extension == ".png":
        return display.Image(filename=str(path))
    return display.SVG(filename=str(path)) if extension == ".svg" else None
