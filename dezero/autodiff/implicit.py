"""Derivatives of what is found by solving an equation, without going through the solver."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dezero.autodiff.custom import custom_gradient
from dezero.autodiff.jacobians import jacobian
from dezero.autodiff.transforms import vjp
from dezero.autodiff.trees import plain
from dezero.core import Variable


def implicit_root(residual: Callable[..., Any], solve: Callable[..., Any]) -> Callable[..., Any]:
    r"""Return a differentiable function of parameters from a solver of :math:`F(x, p) = 0`.

    By the implicit function theorem :math:`dx = -(\partial F/\partial x)^{-1}
    (\partial F/\partial p)\,dp`: the solver may be any code, SciPy's say, and is not recorded.

    Parameters
    ----------
    residual : callable
        ``residual(x, *p)``, an array of the shape of ``x``, in NumPy calls.
    solve : callable
        ``solve(*p)``, given plain arrays, returns the root.

    Returns
    -------
    callable
        ``x = root(*p)``. Its derivatives, of any order, are as exact as the root.

    Notes
    -----
    Source: S. Krantz, H. Parks, "The implicit function theorem", 2002; as a building block of
    networks: S. Bai et al., "Deep equilibrium models", 2019.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero.autodiff import grad, implicit_root
    >>> root = implicit_root(lambda x, a: x * x - a, lambda a: np.sqrt(a))
    >>> print(grad(root)(4.0), grad(grad(root))(4.0))
    0.25 -0.03125
    """
    function: Any = None

    def forward(*p: Any) -> Any:
        x = np.asarray(plain(solve(*[_plain(value) for value in p])))

        def pullback(gy: Any) -> Any:
            root = function(*p) if any(_recorded(value) for value in p) else x
            w = _solved(residual, root, p, gy)
            return vjp(lambda *q: residual(root, *q), *p)[1](-w)

        return x, pullback

    function = custom_gradient(forward)
    return function


def _recorded(x: Any) -> bool:
    return isinstance(x, Variable) and x.requires_grad


def _plain(x: Any) -> Any:
    return x.data[()] if isinstance(x, Variable) else x


def _solved(residual: Callable[..., Any], x: Any, p: Any, gy: Any) -> Any:
    """Return ``w`` with ``w^T dF/dx = gy^T``."""
    J = jacobian(residual)(x, *p)
    n = int(np.prod(np.shape(x)))
    matrix = np.transpose(np.reshape(J, (n, n)))
    return np.reshape(np.linalg.solve(matrix, np.reshape(gy, (n, 1))), np.shape(x))


def fixed_point(
    step: Callable[..., Any],
    x0: Any,
    *params: Any,
    tolerance: float = 1e-10,
    max_steps: int = 1000,
) -> Any:
    r"""Return the limit of ``x = step(x, *params)``, differentiable in the parameters.

    Parameters
    ----------
    step : callable
        A contraction, in NumPy calls.
    x0 : array
        Where it begins.
    *params
        Differentiated.
    tolerance : float
        The largest change of an element at which it ends.
    max_steps : int
        After how many steps it gives up.

    Raises
    ------
    RuntimeError
        If it has not ended by then.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero.autodiff import fixed_point, grad
    >>> f = lambda a: fixed_point(lambda x, a: np.cos(a * x), 1.0, a)
    >>> print(f"{f(1.0):.6f} {grad(f)(1.0):.6f}")
    0.739085 -0.297474
    """

    def iterate(*plain_params: Any) -> Any:
        x = np.asarray(
            _plain(x0), np.float64 if np.asarray(_plain(x0)).dtype.kind != "f" else None
        )
        for _ in range(max_steps):
            new = np.asarray(_plain(step(x, *plain_params)))
            change = np.max(np.abs(new - x), initial=0.0)
            x = new
            if change <= tolerance:
                return x
        raise RuntimeError(
            f"fixed_point: after {max_steps} steps the largest change is {change:.3g}; it wants a "
            f"step that contracts, more max_steps, or a larger tolerance than {tolerance:g}"
        )

    return implicit_root(lambda x, *p: step(x, *p) - x, iterate)(*params)
