"""Model, and the two ways to line layers up: Sequential and MLP."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import dezero.functions as F
from dezero.core import Variable
from dezero.layers import Layer, Linear


class Model(Layer):
    """A :class:`dezero.Layer` that can draw its graph (step 45 of the book)."""

    def plot(
        self,
        *inputs: Any,
        to_file: str = "model.png",
        verbose: bool = True,
        show: Any = None,
        fold: Any = None,
    ) -> Any:
        """Run the model on ``inputs`` and draw the graph of the result into ``to_file``.

        The run is traced, so the picture has boxes for the layers.

        Parameters
        ----------
        *inputs : Variable or ndarray
            What ``forward`` takes.
        to_file : str, default "model.png"
            The ending says the format.
        verbose, show, fold
            What nodes show, and which layers are drawn as one box, as in
            :func:`dezero.viz.get_dot_graph`.

        Returns
        -------
        object
            What ``dezero.utils.plot_dot_graph`` returns: the picture, where it can be shown.
        """
        from dezero.utils import plot_dot_graph

        return plot_dot_graph(self, verbose, to_file, show=show, fold=fold, inputs=inputs)

    def _load_pretrained(self, url: str) -> None:
        from dezero.download import get_file

        self.load_weights(get_file(url))


class Sequential(Model):
    """Run layers one after another.

    Parameters
    ----------
    *layers : callable
        Layers, or functions such as ``F.relu``. They become the attributes ``l0``, ``l1``, ...

    Attributes
    ----------
    layers : tuple of callable
        The layers, in order; to exchange one, assign its attribute: ``model.l2 = ...``.

    Raises
    ------
    TypeError
        If one of them cannot be called.

    Notes
    -----
    Source: step 46 of the book.

    Examples
    --------
    >>> import numpy as np
    >>> import dezero.functions as F
    >>> import dezero.layers as L
    >>> from dezero.models import Sequential
    >>> model = Sequential(L.Linear(10), F.relu, L.Linear(3))
    >>> model(np.ones((2, 4), np.float32)).shape
    (2, 3)
    """

    def __init__(self, *layers: Callable[..., Any]) -> None:
        for i, layer in enumerate(layers):
            if not callable(layer):
                raise TypeError(
                    f"{type(self).__name__}: layer {i} is {type(layer).__name__}, which cannot be "
                    "called; give layers one by one: Sequential(a, b), or Sequential(*layers)"
                )
            setattr(self, f"l{i}", layer)
        self._count = len(layers)

    @property
    def layers(self) -> tuple[Any, ...]:
        """The layers, in order."""
        return tuple(getattr(self, f"l{i}") for i in range(self._count))

    def forward(self, x: Any) -> Any:
        """Return the result of the last layer."""
        for layer in self.layers:
            x = layer(x)
        return x


class MLP(Sequential):
    """Linear layers with a function between them: a multilayer perceptron (step 45 of the book).

    Parameters
    ----------
    fc_output_sizes : sequence of int
        Size of the result of each layer; they become the attributes ``l0``, ``l1``, ...
    activation : callable, default F.sigmoid
        Applied to the result of every layer but the last.

    Raises
    ------
    ValueError
        If no sizes are given.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero.models import MLP
    >>> model = MLP((10, 3))
    >>> model(np.ones((5, 4), np.float32)).shape
    (5, 3)
    >>> model.l0.W.shape, model.l1.W.shape
    ((4, 10), (10, 3))
    """

    def __init__(
        self, fc_output_sizes: Sequence[int], activation: Callable[[Any], Variable] = F.sigmoid
    ) -> None:
        if isinstance(fc_output_sizes, int) or not len(fc_output_sizes):
            raise ValueError(
                "MLP: fc_output_sizes are the sizes of the layers' results, "
                f"(100, 10) say; got {fc_output_sizes!r}"
            )
        super().__init__(*(Linear(size) for size in fc_output_sizes))
        self.activation = activation

    def forward(self, x: Any) -> Any:
        """Return the result of the last layer, shape (N, fc_output_sizes[-1])."""
        *hidden, last = self.layers
        for layer in hidden:
            x = self.activation(layer(x))
        return last(x)
