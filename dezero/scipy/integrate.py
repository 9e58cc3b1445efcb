"""``scipy.integrate`` on Variables: ``odeint``; every other name is SciPy's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.integrate

import dezero.functions as F
from dezero.core import (
    Config,
    Function,
    Variable,
    no_grad,
    using_config,
)

__all__ = ["odeint"]


def __getattr__(name: str) -> Any:
    return getattr(scipy.integrate, name)


class _Odeint(Function):
    """The solution of ``y' = func(y, t, *args)`` at given times; its gradient by the adjoint."""

    def __init__(self, func: Callable[..., Any], options: dict[str, Any]) -> None:
        self.func = func
        self.options = options

    def forward(self, y0: Any, t: Any, *args: Any) -> Any:
        with no_grad():
            self.ys = scipy.integrate.odeint(self._slope, y0, t, args, **self.options)
        return self.ys

    def _slope(self, y: Any, t: Any, *args: Any) -> Any:
        dy = _stacked(self.func(y, t, *args))
        return dy.data if isinstance(dy, Variable) else dy

    def backward(self, gy: Variable) -> Any:
        """Walk from the last time to the first, where each adds the gradient it got."""
        if Config.enable_backprop:
            raise NotImplementedError(
                "odeint: its gradient cannot be differentiated again (create_graph=True); for "
                "second derivatives write the solver's steps in NumPy calls"
            )
        t, *args = (x.data for x in self.inputs[1:])
        ys, gys = self.ys, gy.data
        gt = np.zeros(t.shape, ys.dtype)
        a, g_args = gys[-1], [np.zeros(x.shape) for x in args]
        for i in range(len(t) - 1, 0, -1):
            gt[i] = np.dot(gys[i], self._slope(ys[i], t[i], *args))
            a, g_args = self._back(ys[i], a, g_args, t[i - 1 : i + 1], args)
            gt[0] -= np.dot(a, self._slope(ys[0], t[0], *args)) if i == 1 else 0
            a = a + gys[i - 1]
        return tuple(Variable(np.asarray(g), requires_grad=False) for g in (a, gt, *g_args))

    def _back(self, y: Any, a: Any, g_args: Any, span: Any, args: Any) -> tuple[Any, Any]:
        """Solve the adjoint equation back over one interval.

        The gradient ``a`` for the state changes by ``-a`` times the derivative of ``func`` for
        it, the gradient for the arguments by ``-a`` times that for them.
        """
        size = y.size

        def slope(state: Any, t: Any) -> Any:
            dy, gradients = self._pulled(state[:size], state[size : 2 * size], t, args)
            return np.concatenate([dy, *(-np.ravel(g) for g in gradients)])

        start = np.concatenate([y, a, *(np.ravel(g) for g in g_args)])
        end = scipy.integrate.odeint(slope, start, span[::-1], **self.options)[-1]
        found, begin = [], 2 * size
        for g in g_args:
            found.append(end[begin : begin + g.size].reshape(g.shape))
            begin += g.size
        return end[size : 2 * size], found

    def _pulled(self, y: Any, a: Any, t: Any, args: Any) -> tuple[Any, list[Any]]:
        """Return the slope, and ``a`` times its derivative for the state and the arguments."""
        with using_config("enable_backprop", True):
            inputs = [Variable(np.array(x, float)) for x in (y, *args)]
            dy = _stacked(self.func(inputs[0], t, *inputs[1:]))
            if not isinstance(dy, Variable) or dy.creator is None:  # depends on time alone
                return dy, [np.zeros(x.shape) for x in inputs]
            F.sum(dy * a).backward()
        return dy.data, [np.zeros(x.shape) if x.grad is None else x.grad.data for x in inputs]


def _stacked(dy: Any) -> Any:
    if not isinstance(dy, list | tuple):
        return dy
    recorded = any(isinstance(x, Variable) for x in dy)
    return F.stack([_scalar(x) for x in dy]) if recorded else np.asarray(dy)


def _scalar(x: Any) -> Any:
    return x if isinstance(x, Variable) else np.asarray(x, float)


def odeint(func: Callable[..., Any], y0: Any, t: Any, args: Any = (), **options: Any) -> Any:
    """Return the solution of ``y' = func(y, t, *args)`` at the times ``t``.

    Parameters
    ----------
    func : callable
        Of the state, the time and the arguments, written in NumPy calls; it returns an array or
        a list of the state's length.
    y0 : Variable or array
        The state at ``t[0]``, of shape ``(K,)``.
    t : Variable or array
        The times, of shape ``(N,)``.
    args : tuple
        What else ``func`` takes; Variables among them have gradients.
    **options
        As ``scipy.integrate.odeint`` has them (``rtol``, ``atol``, ``mxstep`` ...); gradients are
        as exact as the tolerances say.

    Returns
    -------
    Variable
        Of shape ``(N, K)``.

    Notes
    -----
    The gradient solves the adjoint equation back in time (Chen, Rubanova, Bettencourt and
    Duvenaud, 2018): its memory does not grow with the number of steps. It is differentiable once.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> from dezero.scipy.integrate import odeint
    >>> rate = Variable(np.array(0.5))
    >>> y = odeint(lambda y, t, rate: -rate * y, np.array([1.0]), np.array([0.0, 2.0]), (rate,))
    >>> y[1, 0].backward()
    >>> print(f"{rate.grad.data:.4f}")  # -2 exp(-1)
    -0.7358
    """
    if options.get("full_output") or options.get("tfirst") or options.get("Dfun"):
        raise TypeError(
            "odeint: full_output, tfirst and Dfun are for scipy.integrate.odeint alone"
        )
    if not any(isinstance(x, Variable) for x in (y0, t, *args)):
        return scipy.integrate.odeint(func, y0, t, args, **options)
    inputs = (x if isinstance(x, Variable) else np.asarray(x, float) for x in (y0, t, *args))
    return _Odeint(func, options)(*inputs)
