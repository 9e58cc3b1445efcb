"""Layer: parameters, and the layers inside, behind one callable object."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, KeysView, Mapping
from typing import Any, NamedTuple
from weakref import ref

import numpy as np

from dezero import random
from dezero.core import Parameter, Variable
from dezero.core.watch import part, watching
from dezero.layers.path import note_layer
from dezero.layers.state import Slot, check_fit, plain_array


class Layer:
    """A function with parameters: assign them, or other layers, as attributes, define ``forward``.

    Parameters are found where they are: in attributes, in attributes of those layers, and in
    lists, tuples and dicts at any depth, also in what was appended later. Each is given once: of
    a layer first what attributes hold directly, then what is in containers, in the order set.
    The name of one is the path to it, joined by ``/``: ``l0/W``, ``blocks/2/W``.

    Attributes
    ----------
    inputs, outputs : list of callable
        What the last call got and returned, each held weakly: call it to get the object, or
        ``None`` where that is gone or cannot be held weakly (a number, a tuple).

    Notes
    -----
    Source: steps 44, 45 and 53 of the book.

    Examples
    --------
    >>> import numpy as np
    >>> import dezero.functions as F
    >>> import dezero.layers as L
    >>> class TwoLayers(L.Layer):
    ...     def __init__(self):
    ...         self.hidden = L.Linear(10)
    ...         self.out = L.Linear(3)
    ...
    ...     def forward(self, x):
    ...         return self.out(F.relu(self.hidden(x)))
    >>> model = TwoLayers()
    >>> model(np.ones((5, 4), np.float32)).shape
    (5, 3)
    >>> [name for name, _ in model.named_params()]
    ['hidden/W', 'hidden/b', 'out/W', 'out/b']
    """

    _inputs: list[Callable[[], Any]]
    _outputs: list[Callable[[], Any]]

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        """Compute what a call returns; subclasses define it."""
        name = type(self).__name__
        raise NotImplementedError(f"{name} has no forward: define forward(self, x)")

    def __call__(self, *inputs: Any, **kwargs: Any) -> Any:
        """Return ``forward(*inputs, **kwargs)``."""
        if watching.on:
            outputs = self._call_watched(inputs, kwargs)
        else:
            try:
                outputs = self.forward(*inputs, **kwargs)
            except Exception as error:
                note_layer(error, self, inputs, kwargs)
                raise
        self._inputs = [_weakly(x) for x in inputs]
        several = outputs if isinstance(outputs, tuple) else (outputs,)
        self._outputs = [_weakly(y) for y in several]
        return outputs

    def _call_watched(self, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        with part(self, inputs) as outputs:
            try:
                outputs[0] = self.forward(*inputs, **kwargs)
            except Exception as error:
                note_layer(error, self, inputs, kwargs)
                raise
        return outputs[0]

    @property
    def inputs(self) -> list[Callable[[], Any]]:
        """What the last call got, held weakly."""
        return self._inputs

    @property
    def outputs(self) -> list[Callable[[], Any]]:
        """What the last call returned, held weakly."""
        return self._outputs

    @property
    def _params(self) -> KeysView[str]:
        """Names of the attributes that lead to parameters, in the order they were set."""
        return {
            name: None
            for name, value in _attributes(self)
            if isinstance(value, Parameter | Layer) or next(_inside(value), None)
        }.keys()

    def params(self) -> Iterator[Parameter]:
        """Give every parameter once.

        Examples
        --------
        >>> import dezero.layers as L
        >>> [p.shape for p in L.Linear(3, in_size=2).params()]
        [(2, 3), (3,)]
        """
        return (found.param for found in _inside(self))

    def named_params(self) -> Iterator[tuple[str, Parameter]]:
        """Give every parameter once, as ``(name, parameter)``.

        Examples
        --------
        >>> import dezero.layers as L
        >>> dict(L.Linear(3, in_size=2).named_params())["b"]
        variable([0. 0. 0.])
        """
        return ((found.name, found.param) for found in _inside(self))

    def _flatten_params(self, params_dict: dict[str, Any], parent_key: str = "") -> None:
        """Enter the parameters in ``params_dict`` by name (step 53 of the book)."""
        prefix = f"{parent_key}/" if parent_key else ""
        params_dict.update((prefix + name, param) for name, param in self.named_params())

    def cleargrads(self) -> None:
        """Forget the gradients of all parameters."""
        for param in self.params():
            param.cleargrad()

    def to_cpu(self) -> None:
        """Move all parameters into NumPy arrays (step 52 of the book)."""
        for param in self.params():
            param.to_cpu()

    def to_gpu(self) -> None:
        """Move all parameters onto the GPU (step 52 of the book)."""
        for param in self.params():
            param.to_gpu()

    def state_dict(self) -> dict[str, Any]:
        """Return copies of all parameters, as NumPy arrays by name.

        Raises
        ------
        ValueError
            If a parameter has no array yet, or two have the same name.

        Examples
        --------
        >>> import dezero.layers as L
        >>> layer = L.Linear(2, in_size=1)
        >>> before = layer.state_dict()
        >>> layer.b.data += 1.0
        >>> layer.load_state_dict(before)
        >>> layer.b
        variable([0. 0.])
        """
        return {name: array.copy() for name, array in self._arrays("state_dict").items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Set all parameters from arrays by name, keeping the dtype and device of each.

        Parameters
        ----------
        state : mapping of str to ndarray
            What :meth:`state_dict` returned. Parameters without an array yet take the shape
            they find. A parameter that the model holds twice may come under each of its names.

        Raises
        ------
        ValueError
            If names, shapes or kinds of number do not fit; it lists them, and nothing changed.
        """
        self._load(state, "load_state_dict", "what was given")

    def save_weights(self, path: Any) -> None:
        """Write all parameters to an ``.npz`` file, one array for each name.

        The file is written under another name first, so an interrupted write leaves the old
        file whole. The model stays on its device.

        Parameters
        ----------
        path : path-like or binary file
            ``.npz`` is added where it is missing.

        Raises
        ------
        ValueError
            If a parameter has no array yet, or two have the same name.

        Notes
        -----
        Source: step 53 of the book, whose files and these are the same.

        Examples
        --------
        >>> import os, tempfile
        >>> import dezero.layers as L
        >>> layer, other = L.Linear(3, in_size=2), L.Linear(3)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = os.path.join(folder, "weights.npz")
        ...     layer.save_weights(path)
        ...     other.load_weights(path)
        >>> bool((layer.W.data == other.W.data).all())
        True
        """
        from dezero.io.npz import write_npz

        write_npz(path, self._arrays("save_weights"))

    def load_weights(self, path: Any) -> None:
        """Set all parameters from an ``.npz`` file, keeping the dtype and device of each.

        Works before the first call too: parameters without an array take the shape they find.

        Parameters
        ----------
        path : path-like or binary file
            What :meth:`save_weights` wrote, here or in the book's package.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ValueError
            If it is no whole ``.npz`` file, holds Python objects, or does not fit the model: the
            message lists arrays that are missing, left over or misshapen. Nothing changed then.
        """
        from dezero.io.npz import read_npz

        self._load(read_npz(path, "load_weights"), "load_weights", f"file {path!s}")

    def _arrays(self, caller: str) -> dict[str, Any]:
        arrays: dict[str, Any] = {}
        empty = []
        for name, param in self.named_params():
            if name in arrays:
                raise ValueError(
                    f"{caller}: two parameters have the name {name!r}; give the keys of the dict "
                    "that holds them other names"
                )
            arrays[name] = param.data if param.data is None else plain_array(param.data)
            if param.data is None:
                empty.append(name)
        if empty:
            raise ValueError(
                f"{caller}: {', '.join(empty)} of {type(self).__name__} has no array yet; call "
                "the model on data first (a recurrent layer twice in a row), or give the size of "
                "its input (in_size, in_channels)"
            )
        return arrays

    def _load(self, state: Mapping[str, Any], caller: str, source: str) -> None:
        places = {found.name: found for found in _inside(self)}
        names = {id(found.param): name for name, found in places.items()}
        chosen: dict[str, Any] = {}
        for key, value in state.items():
            # A parameter that is held twice stands in the book's files under each of its names.
            name = names.get(id(_at(self, key)), key)
            if name in chosen and not np.array_equal(chosen[name], value):
                raise ValueError(
                    f"{caller}: {source} has different arrays for {name} and {key}, which are one "
                    f"parameter of this {type(self).__name__}"
                )
            chosen[name] = value
        slots = {name: found.owner._slot(found.key, found.param) for name, found in places.items()}
        check_fit(caller, f"{source} does not fit this {type(self).__name__}", slots, chosen)
        for name, found in places.items():
            dtype = slots[name].dtype
            like = found.param.data
            value = np.array(chosen[name], dtype)
            found.param.data = value if like is None else np.asarray(value, like=like)

    def _slot(self, key: str, param: Parameter) -> Slot:
        """Return the shape and dtype that a parameter of this layer may be given by a file.

        Layers whose parameters wait for data say here what is known of their shapes.
        """
        if param.data is None:
            return Slot(None, None)
        return Slot(param.shape, param.dtype)

    def _repr_html_(self) -> str:
        from dezero.viz.notebook import params_html

        return params_html(self)

    def __getstate__(self) -> dict[str, Any]:
        state = dict(vars(self))
        state.pop("_inputs", None)
        state.pop("_outputs", None)
        return state


class Found(NamedTuple):
    """A parameter with its name, the layer that owns it and the key it has there."""

    name: str
    owner: Layer
    key: str
    param: Parameter


def _attributes(layer: Layer) -> list[tuple[str, Any]]:
    """Return the attributes of ``layer`` that may lead to parameters."""
    return [
        (name, value)
        for name, value in vars(layer).items()
        if type(value) not in _PLAIN and isinstance(value, _HOLDERS) and name not in _OWN
    ]


_HOLDERS = (Parameter, Layer, list, tuple, dict, set, frozenset)
_PLAIN = frozenset((int, float, bool, str, type, type(None), np.ndarray, Variable))
_OWN = ("_inputs", "_outputs")


def _inside(root: Any) -> Iterator[Found]:
    """Give the parameters inside a layer, or a list, tuple or dict, each once."""
    owner = root if isinstance(root, Layer) else Layer()
    return _walk(root, owner, "", {id(root)})


def _walk(root: Any, owner: Layer, prefix: str, seen: set[int]) -> Iterator[Found]:
    for key, value in _children(root):
        if type(value) in _PLAIN or not isinstance(value, _HOLDERS) or id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, Parameter):
            yield Found(f"{prefix}{key}", owner, str(key), value)
        else:
            inner = value if isinstance(value, Layer) else owner
            yield from _walk(value, inner, f"{prefix}{key}/", seen)


def _children(root: Any) -> Iterable[tuple[Any, Any]]:
    """Give what is directly inside: of a layer what are parameters or layers first."""
    if isinstance(root, Layer):
        return sorted(_attributes(root), key=lambda x: not isinstance(x[1], Parameter | Layer))
    if isinstance(root, dict):
        return root.items()
    if isinstance(root, list | tuple):
        return enumerate(root)
    if any(isinstance(value, Parameter | Layer) for value in root):
        raise TypeError(
            "Layer: got a set of parameters or layers; a set has no order to name them by: "
            "use a list or a dict"
        )
    return ()


def _at(root: Any, name: str) -> Any:
    """Return what stands at a path such as ``blocks/2/W``; ``None`` if nothing does."""
    for key in name.split("/"):
        inside = _children(root) if isinstance(root, _HOLDERS[1:]) else ()
        root = {str(k): value for k, value in inside}.get(key)
    return root


def _weakly(x: Any) -> Callable[[], Any]:
    try:
        return ref(x)
    except TypeError:
        return _nothing


def _nothing() -> None:
    """Stand for an object that cannot be held weakly."""


def scaled_normal(shape: tuple[int, ...], fan_in: int, dtype: Any, x: Any) -> Any:
    """Draw weights with variance ``1 / fan_in``, on the device of ``x`` (step 44 of the book)."""
    W = random.normal(shape, dtype)
    W *= math.sqrt(1.0 / max(fan_in, 1))
    return on_device_of(x, W)


def on_device_of(x: Any, array: Any) -> Any:
    """Return ``array`` as the kind of array that ``x`` is, or holds; ``None`` stands for NumPy."""
    data = x.data if isinstance(x, Variable) else x
    return array if data is None or type(data) is np.ndarray else np.asarray(array, like=data)


def checked_flag(layer: str, name: str, value: Any, instead: str) -> bool:
    """Return a bool; a number there is most likely meant as a size."""
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{layer}: {name} is True or False, got {value!r}; {instead}")
    return bool(value)


def checked_size(layer: str, name: str, value: Any) -> int:
    """Return a whole number of at least 1."""
    if isinstance(value, bool) or not hasattr(value, "__index__") or value.__index__() < 1:
        raise ValueError(f"{layer}: {name} is a whole number of at least 1, got {value!r}")
    return int(value.__index__())


def checked_array(layer: str, x: Any, ndim: int, wanted: str) -> Any:
    """Return ``x``, an array or Variable of at least ``ndim`` axes."""
    if not hasattr(x, "shape") or not hasattr(x, "dtype"):
        raise TypeError(f"{layer}: got {type(x).__name__}; it wants {wanted}, np.array(...) say")
    if len(x.shape) < ndim:
        raise ValueError(f"{layer}: got an array of shape {x.shape}; it wants {wanted}")
    return x
