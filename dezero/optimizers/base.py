"""Optimizer: what every algorithm shares, and the hooks that run before an update."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, ClassVar

import numpy as np

from dezero.core import Parameter, Variable
from dezero.core.blocks import in_blocks
from dezero.core.function import describe
from dezero.core.watch import section
from dezero.kernels.optimizers import update_all
from dezero.layers import Layer
from dezero.layers.state import Slot, check_fit, plain_array

_OWN = frozenset(("update_one", "rule"))
_BLOCK = 1 << 14  # elements that are updated at a time: their temporaries stay in the cache


class Optimizer:
    """Updates the parameters of a model from their gradients: subclass it, with ``update_one``.

    Algorithms of this package define ``rule(data, grad, *state)`` instead, which changes the
    arrays in place, element by element, and name in ``slots`` the arrays of state, zeros at
    first, that they keep for each parameter.

    Attributes
    ----------
    target : Layer
        What :meth:`setup` was given.
    hooks : list of callable
        Called with the list of parameters before each update.
    states : dict
        State of the algorithm: for each parameter a tuple of arrays, as many as ``slots``.

    Notes
    -----
    Source: step 46 of the book.

    Examples
    --------
    >>> import numpy as np
    >>> import dezero.layers as L
    >>> from dezero.optimizers import Optimizer
    >>> class SignDescent(Optimizer):
    ...     def update_one(self, param):
    ...         param.data -= 0.5 * np.sign(param.grad.data)
    >>> layer = L.Linear(1, in_size=1)
    >>> optimizer = SignDescent().setup(layer)
    >>> layer(np.ones((1, 1), np.float32)).backward()
    >>> optimizer.update()
    >>> layer.b
    variable([-0.5])
    """

    slots: ClassVar[tuple[str, ...]] = ()
    kernel: ClassVar[str | None] = None  # of the table of kernels: does what ``rule`` does

    def __init__(self) -> None:
        self.target: Any = None
        self.hooks: list[Callable[[list[Parameter]], Any]] = []
        self.states: dict[Parameter, tuple[Any, ...]] = {}

    def setup(self, target: Any) -> Any:
        """Take a model, or a layer, to update; return the optimizer.

        Raises
        ------
        TypeError
            If ``target`` has no ``params``.
        """
        if not callable(getattr(target, "params", None)):
            raise TypeError(
                f"{type(self).__name__}.setup: got {type(target).__name__}; it wants a model or "
                "a layer: anything with params()"
            )
        self.target = target
        return self

    def add_hook(self, f: Callable[[list[Parameter]], Any]) -> None:
        """Call ``f(params)`` before each update, after the hooks that are there already."""
        self.hooks.append(f)

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Run the hooks, then update each parameter that has a gradient, once.

        Those with ``requires_grad=False``, or whose gradient a hook took away, stay as they are,
        and so does their state.

        Raises
        ------
        RuntimeError
            If there is no target yet.
        ValueError, TypeError
            If a gradient does not have the shape of its parameter, or that holds no floats.
        """
        if self.target is None:
            raise RuntimeError(
                f"{type(self).__name__}.update: there is nothing to update yet; call "
                "setup(model) first"
            )
        with section(self):
            self._update()

    def _update(self) -> None:
        params = list(_with_gradient(dict.fromkeys(self.target.params())))
        for hook in self.hooks:
            self._run_hook(hook, params)
        params = list(_with_gradient(params))
        self._each(partial(_check, type(self).__name__), params)
        self._each(self.update_one, self._update_together(params))

    def _run_hook(self, hook: Callable[[list[Parameter]], Any], params: list[Parameter]) -> None:
        try:
            hook(params)
        except Exception as error:
            name = getattr(hook, "__qualname__", type(hook).__name__)
            error.add_note(f"in the hook {name} of {type(self).__name__}.update")
            raise

    def _each(self, do: Callable[[Parameter], None], params: list[Parameter]) -> None:
        """Call ``do`` on each parameter; an error says in a note which one it was."""
        for param in params:
            try:
                do(param)
            except Exception as error:
                named = (name for name, p in self._named_params() if p is param)
                error.add_note(
                    f"in {type(self).__name__}.update, at the parameter "
                    f"{next(named, param.name)!r}, {describe(param._data)}, whose gradient is "
                    f"{describe(array_of(param.grad))}"
                )
                raise

    def _update_together(self, params: list[Parameter]) -> list[Parameter]:
        """Update what a compiled kernel serves in one pass; return the other parameters."""
        if self.kernel is None or not self._is_plain():
            return params
        lines = [(param.data, array_of(param.grad), *self._state(param)) for param in params]
        served = update_all(self.kernel, lines, self._rates())
        for param, line, done in zip(params, lines, served, strict=True):
            if done:
                param.data = line[0]  # the engine notes that the array was written
        return [param for param, done in zip(params, served, strict=True) if not done]

    def _is_plain(self) -> bool:
        """Whether a parameter is updated by the very rule that the kernel stands for.

        That is so unless a subclass, a class mixed in, or this object has put its own
        ``update_one`` or ``rule`` in its place.
        """
        kind = type(self)
        if kind.update_one is not Optimizer.update_one or not _OWN.isdisjoint(vars(self)):
            return False
        return next(("kernel" in vars(c) for c in kind.__mro__ if "rule" in vars(c)), False)

    def _rates(self) -> tuple[float, ...]:
        """Return the hyperparameters, in the order of the compiled kernel."""
        raise NotImplementedError

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "rule" in cls.__dict__ and "kernel" not in cls.__dict__:
            cls.kernel = None  # a formula of its own

    def update_one(self, param: Parameter) -> None:
        """Update one parameter, in place."""
        data = param.data
        _blockwise(self.rule, (data, array_of(param.grad), *self._state(param)))
        param.data = data  # the engine notes that the array was written

    def rule(self, data: Any, grad: Any, *state: Any) -> None:
        """Update ``data``, and the state, in place from ``grad``: arrays of one shape."""
        name = type(self).__name__
        raise NotImplementedError(f"{name} has no update_one: define update_one(self, param)")

    def _state(self, param: Parameter) -> tuple[Any, ...]:
        """Return the arrays kept for ``param``, zeros at first."""
        state = self.states.get(param)
        if state is None:
            state = tuple(np.zeros_like(param.data, order="C") for _ in self.slots)
            self.states[param] = state
        elif state and state[0].shape != param.shape:
            raise ValueError(
                f"{type(self).__name__}: the parameter {param.name!r} has shape {param.shape}, "
                f"its state {state[0].shape}; make a new optimizer where a model changes"
            )
        elif state and type(state[0]) is not type(param.data):  # the model went to another device
            state = tuple(self._like(param, plain_array(array)) for array in state)
            self.states[param] = state
        return state

    def _scalars(self) -> dict[str, int]:
        """Return whole numbers, by attribute, that belong to the state: a count of steps."""
        return {}

    def state_dict(self) -> dict[str, Any]:
        """Return copies of the state, as NumPy arrays by the parameter's name and the slot.

        Hyperparameters are not in it: they are in the program. Can be written with
        ``dezero.io.write_npz``.

        Examples
        --------
        >>> import numpy as np
        >>> import dezero.layers as L
        >>> from dezero.optimizers import MomentumSGD
        >>> layer = L.Linear(1, in_size=1)
        >>> optimizer = MomentumSGD(lr=0.5).setup(layer)
        >>> layer(np.ones((1, 1), np.float32)).backward()
        >>> optimizer.update()
        >>> optimizer.state_dict()
        {'W/v': array([[-0.5]], dtype=float32), 'b/v': array([-0.5], dtype=float32)}
        """
        state: dict[str, Any] = {
            name: np.array(value, np.int64) for name, value in self._scalars().items()
        }
        for name, param in self._named_params():
            for slot, array in zip(self.slots, self.states.get(param, ()), strict=False):
                state[f"{name}/{slot}"] = plain_array(array).copy()
        return state

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from what :meth:`state_dict` returned.

        Parameters that were never updated when it was taken have no state, and start anew.

        Raises
        ------
        ValueError
            If it does not fit the parameters or the algorithm; nothing changed then.
        """
        name = f"{type(self).__name__}.load_state_dict"
        params = dict(self._named_params())
        slots = {key: Slot((), np.int64) for key in self._scalars()}
        for key, param in params.items():
            keys = [f"{key}/{slot}" for slot in self.slots]
            if any(k in state for k in keys):
                shape = None if param.data is None else param.shape
                slots |= dict.fromkeys(keys, Slot(shape, None))
        check_fit(name, "the state does not fit", slots, state)
        self.states = {
            param: tuple(self._like(param, state[f"{key}/{slot}"]) for slot in self.slots)
            for key, param in params.items()
            if self.slots and f"{key}/{self.slots[0]}" in state
        }
        for key in self._scalars():
            setattr(self, key, int(state[key]))

    def _like(self, param: Parameter, value: Any) -> Any:
        """Return a copy of ``value`` with the dtype and on the device of ``param``."""
        if param.data is None:
            return np.array(value)
        return np.array(value, param.dtype, order="C", like=param.data)

    def _named_params(self) -> Iterator[tuple[str, Parameter]]:
        if self.target is None:
            raise RuntimeError(f"{type(self).__name__}: call setup(model) first")
        if isinstance(self.target, Layer):
            return self.target.named_params()
        return ((str(i), param) for i, param in enumerate(dict.fromkeys(self.target.params())))


def array_of(grad: Any) -> Any:
    """Return the array of a gradient: a Variable, or an array that a user put there."""
    return grad.data if isinstance(grad, Variable) else np.asarray(grad)


def _with_gradient(params: Iterable[Parameter]) -> Iterator[Parameter]:
    return (p for p in params if p.grad is not None and p.requires_grad)


def _check(name: str, param: Parameter) -> None:
    shape = array_of(param.grad).shape
    if shape != param.shape:
        raise ValueError(
            f"{name}.update: the gradient of {param.name!r} has shape {shape}, the parameter "
            f"{param.shape}; a gradient has the shape of its parameter"
        )
    if param.dtype.kind not in "fc":
        raise TypeError(
            f"{name}.update: the parameter {param.name!r} holds {param.dtype}, which cannot be "
            "moved by small steps; make it float: Parameter(array.astype(np.float32))"
        )


def _blockwise(rule: Callable[..., None], arrays: tuple[Any, ...]) -> None:
    """Call ``rule`` on the arrays; on large ones, block by block.

    Temporaries of a block stay in the cache: no passes over memory, no fresh pages.
    """
    data = arrays[0]
    blocks = data.size > _BLOCK and all(
        type(a) is np.ndarray and a.flags.c_contiguous for a in (data, *arrays[2:])
    )
    if not blocks:
        rule(*arrays)
        return
    flat = [a.reshape(-1) for a in arrays]
    for i in range(0, data.size, _BLOCK):
        rule(*(a[i : i + _BLOCK] for a in flat))


class WeightDecay:
    """Hook: add ``rate * param`` to each gradient, as an L2 penalty of ``rate / 2`` would.

    Parameters
    ----------
    rate : float
        Strength.

    Notes
    -----
    Gradients are replaced, never written into: two parameters may share one array.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Parameter, Variable
    >>> from dezero.optimizers import WeightDecay
    >>> p = Parameter(np.array([10.0]))
    >>> p.grad = Variable(np.array([1.0]))
    >>> WeightDecay(0.5)([p])
    >>> p.grad
    variable([6.])
    """

    def __init__(self, rate: float) -> None:
        self.rate = checked("WeightDecay", "rate", rate)

    def __call__(self, params: Iterable[Parameter]) -> None:
        """Replace the gradients of ``params``."""
        for param in _with_gradient(params):
            _check("WeightDecay", param)
            _replace(param, in_blocks(self._decayed, array_of(param.grad), param.data))

    def _decayed(self, grad: Any, data: Any) -> Any:
        return grad + float(self.rate) * data


class ClipGrad:
    """Hook: scale all gradients down so that their common norm is at most ``max_norm``.

    Parameters
    ----------
    max_norm : float
        The largest norm, over all parameters together.

    Notes
    -----
    Gradients are replaced, never written into: two parameters may share one array. Source:
    R. Pascanu et al., "On the difficulty of training recurrent neural networks", 2013.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Parameter, Variable
    >>> from dezero.optimizers import ClipGrad
    >>> p = Parameter(np.zeros(2))
    >>> p.grad = Variable(np.array([30.0, 40.0]))
    >>> ClipGrad(5.0)([p])
    >>> p.grad.data.round(4)
    array([3., 4.])
    """

    def __init__(self, max_norm: float) -> None:
        self.max_norm = checked("ClipGrad", "max_norm", max_norm)

    def __call__(self, params: Iterable[Parameter]) -> None:
        """Replace the gradients of ``params``, if they are too large."""
        params = list(_with_gradient(params))
        norm = math.sqrt(sum(_sum_of_squares(array_of(param.grad)) for param in params))
        rate = float(self.max_norm) / (norm + 1e-6)
        if rate < 1:
            for param in params:
                _replace(param, in_blocks(np.multiply, array_of(param.grad), rate))


class FreezeParam:
    """Hook: keep the parameters of some layers as they are.

    Their gradients are cleared before the update; what is left out keeps its state too.

    Parameters
    ----------
    *layers : Layer or Parameter
        What is frozen. Parameters that a layer gets later are frozen as well.

    Raises
    ------
    TypeError
        If one is neither.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero.models import MLP
    >>> from dezero.optimizers import SGD, FreezeParam
    >>> model = MLP((4, 1))
    >>> optimizer = SGD().setup(model)
    >>> optimizer.add_hook(FreezeParam(model.l0))
    >>> model(np.ones((1, 2), np.float32)).backward()
    >>> before = model.state_dict()
    >>> optimizer.update()
    >>> [name for name, p in model.named_params() if (p.data != before[name]).any()]
    ['l1/W', 'l1/b']
    """

    def __init__(self, *layers: Layer | Parameter) -> None:
        for layer in layers:
            if not isinstance(layer, Layer | Parameter):
                raise TypeError(
                    f"FreezeParam: got {type(layer).__name__}; it wants layers or parameters, "
                    "one by one: FreezeParam(model.l0, model.l1)"
                )
        self.layers = layers

    @property
    def freeze_params(self) -> list[Parameter]:
        """The parameters that are frozen."""
        return [
            param
            for layer in self.layers
            for param in ([layer] if isinstance(layer, Parameter) else layer.params())
        ]

    def __call__(self, params: Iterable[Parameter]) -> None:
        """Clear the gradients of what is frozen."""
        for param in self.freeze_params:
            param.cleargrad()


def checked(
    name: str, argument: str, value: float, below: float = math.inf, zero: bool = True
) -> float:
    """Return ``value``, a number from 0 (or above) up to but not at ``below``."""
    if not (0 < value < below or (zero and value == 0)):
        least = "from 0" if zero else "above 0"
        end = "" if below == math.inf else f" and below {below:g}"
        raise ValueError(f"{name}: {argument} is a number {least}{end}, got {value!r}")
    return value


def _replace(param: Parameter, grad: Any) -> None:
    param.grad = Variable(np.asarray(grad, like=param.data), requires_grad=False)


def _sum_of_squares(grad: Any) -> float:
    """Return the sum; in float64 where a float32 would overflow, or lose small numbers."""
    if grad.dtype == np.float32 and type(grad) is np.ndarray:
        flat = grad.reshape(-1)
        with np.errstate(over="ignore"):
            total = float(np.dot(flat, flat))
        if 1e-20 < total < math.inf:
            return total
    flat = np.abs(grad).reshape(-1)
    return float(np.einsum("i,i->", flat, flat, dtype=np.float64, casting="same_kind"))
