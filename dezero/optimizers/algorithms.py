"""The algorithms. Each rule is the formula, on arrays of one shape, in place."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from dezero.optimizers.base import Optimizer, checked


class SGD(Optimizer):
    """Gradient descent: ``p -= lr g`` (step 46 of the book).

    Parameters
    ----------
    lr : float, default 0.01
        Learning rate.

    Examples
    --------
    >>> import numpy as np
    >>> import dezero.layers as L
    >>> from dezero.optimizers import SGD
    >>> layer = L.Linear(1, in_size=1)
    >>> optimizer = SGD(lr=0.1).setup(layer)
    >>> layer(np.ones((1, 1), np.float32)).backward()
    >>> optimizer.update()
    >>> layer.b
    variable([-0.1])
    """

    kernel = "sgd"

    def __init__(self, lr: float = 0.01) -> None:
        super().__init__()
        self.lr = checked("SGD", "lr", lr)

    def _rates(self) -> tuple[float, ...]:
        return (self.lr,)

    def rule(self, data: Any, grad: Any, *state: Any) -> None:
        """Go down the gradient."""
        data -= float(self.lr) * grad


class MomentumSGD(Optimizer):
    """Gradient descent with momentum: ``v = momentum v - lr g; p += v`` (step 46 of the book).

    Parameters
    ----------
    lr : float, default 0.01
        Learning rate.
    momentum : float, default 0.9
        What stays of the velocity at each step.

    Notes
    -----
    Source: B. Polyak, "Some methods of speeding up the convergence of iteration methods", 1964.

    Examples
    --------
    >>> from dezero.models import MLP
    >>> from dezero.optimizers import MomentumSGD
    >>> optimizer = MomentumSGD(lr=0.1).setup(MLP((10, 1)))
    """

    kernel = "momentum"
    slots = ("v",)

    def __init__(self, lr: float = 0.01, momentum: float = 0.9) -> None:
        super().__init__()
        self.lr = checked(type(self).__name__, "lr", lr)
        self.momentum = checked(type(self).__name__, "momentum", momentum)

    def _rates(self) -> tuple[float, ...]:
        return self.lr, self.momentum, 0.0

    def rule(self, data: Any, grad: Any, *state: Any) -> None:
        """Change the velocity, and go on with it."""
        (v,) = state
        v *= float(self.momentum)
        v -= float(self.lr) * grad
        data += v


class NesterovSGD(MomentumSGD):
    """Momentum that looks ahead: ``v = momentum v - lr g; p += momentum v - lr g``.

    Parameters
    ----------
    lr : float, default 0.01
        Learning rate.
    momentum : float, default 0.9
        What stays of the velocity at each step.

    Notes
    -----
    Source: Y. Nesterov, 1983; in this form Y. Bengio et al., "Advances in optimizing recurrent
    networks", 2012.

    Examples
    --------
    >>> from dezero.models import MLP
    >>> from dezero.optimizers import NesterovSGD
    >>> optimizer = NesterovSGD(lr=0.1).setup(MLP((10, 1)))
    """

    kernel = "momentum"

    def _rates(self) -> tuple[float, ...]:
        return self.lr, self.momentum, 1.0

    def rule(self, data: Any, grad: Any, *state: Any) -> None:
        """Change the velocity, and go on with what it will be."""
        (v,) = state
        step = float(self.lr) * grad
        v *= float(self.momentum)
        v -= step
        data += float(self.momentum) * v - step


class AdaGrad(Optimizer):
    """Steps that shrink where gradients were large: ``h += g^2; p -= lr g / (sqrt(h) + eps)``.

    Parameters
    ----------
    lr : float, default 0.001
        Learning rate.
    eps : float, default 1e-8
        Keeps the division away from 0.

    Notes
    -----
    Source: J. Duchi et al., "Adaptive subgradient methods", 2011.

    Examples
    --------
    >>> from dezero.models import MLP
    >>> from dezero.optimizers import AdaGrad
    >>> optimizer = AdaGrad(lr=0.1).setup(MLP((10, 1)))
    """

    kernel = "adagrad"
    slots = ("h",)

    def __init__(self, lr: float = 0.001, eps: float = 1e-8) -> None:
        super().__init__()
        self.lr = checked("AdaGrad", "lr", lr)
        self.eps = checked("AdaGrad", "eps", eps)

    def _rates(self) -> tuple[float, ...]:
        return self.lr, self.eps

    def rule(self, data: Any, grad: Any, *state: Any) -> None:
        """Go down the gradient, scaled by its history."""
        (h,) = state
        h += grad * grad
        data -= float(self.lr) * grad / (np.sqrt(h) + float(self.eps))


class RMSprop(Optimizer):
    """AdaGrad that forgets: ``h = rho h + (1 - rho) g^2; p -= lr g / (sqrt(h) + eps)``.

    Parameters
    ----------
    lr : float, default 0.01
        Learning rate.
    rho : float, default 0.99
        What stays of the history at each step.
    eps : float, default 1e-8
        Keeps the division away from 0.

    Notes
    -----
    Source: T. Tieleman, G. Hinton, lecture 6.5 of "Neural networks for machine learning", 2012.

    Examples
    --------
    >>> from dezero.models import MLP
    >>> from dezero.optimizers import RMSprop
    >>> optimizer = RMSprop(lr=0.01).setup(MLP((10, 1)))
    """

    kernel = "rmsprop"
    slots = ("h",)

    def __init__(self, lr: float = 0.01, rho: float = 0.99, eps: float = 1e-8) -> None:
        super().__init__()
        self.lr = checked("RMSprop", "lr", lr)
        self.rho = checked("RMSprop", "rho", rho, below=1)
        self.eps = checked("RMSprop", "eps", eps)

    def _rates(self) -> tuple[float, ...]:
        return self.lr, 1 - self.rho, self.eps

    def rule(self, data: Any, grad: Any, *state: Any) -> None:
        """Go down the gradient, scaled by its recent history."""
        (h,) = state
        h += (1 - float(self.rho)) * (grad * grad - h)
        data -= float(self.lr) * grad / (np.sqrt(h) + float(self.eps))


class AdaDelta(Optimizer):
    """Steps without a learning rate, scaled by the steps before.

    ::

        a  = rho a + (1 - rho) g^2
        dx = sqrt((b + eps) / (a + eps)) g
        b  = rho b + (1 - rho) dx^2
        p -= dx

    Parameters
    ----------
    rho : float, default 0.95
        What stays of the history at each step.
    eps : float, default 1e-6
        Sets the size of the first steps.

    Notes
    -----
    Source: M. Zeiler, "ADADELTA: an adaptive learning rate method", 2012.

    Examples
    --------
    >>> from dezero.models import MLP
    >>> from dezero.optimizers import AdaDelta
    >>> optimizer = AdaDelta().setup(MLP((10, 1)))
    """

    kernel = "adadelta"
    slots = ("msg", "msdx")

    def __init__(self, rho: float = 0.95, eps: float = 1e-6) -> None:
        super().__init__()
        self.rho = checked("AdaDelta", "rho", rho, below=1)
        self.eps = checked("AdaDelta", "eps", eps, zero=False)

    def _rates(self) -> tuple[float, ...]:
        return 1 - self.rho, self.eps

    def rule(self, data: Any, grad: Any, *state: Any) -> None:
        """Go down the gradient, scaled by the history of steps over that of gradients."""
        msg, msdx = state
        rho, eps = float(self.rho), float(self.eps)
        msg += (1 - rho) * (grad * grad - msg)
        dx = np.sqrt((msdx + eps) / (msg + eps)) * grad
        msdx += (1 - rho) * (dx * dx - msdx)
        data -= dx


class Adam(Optimizer):
    """Steps from running means of the gradient and its square.

    ::

        m  = beta1 m + (1 - beta1) g
        v  = beta2 v + (1 - beta2) g^2
        p -= lr m / (sqrt(v) + eps)     with lr = alpha sqrt(1 - beta2^t) / (1 - beta1^t)

    Parameters
    ----------
    alpha : float, default 0.001
        Learning rate.
    beta1, beta2 : float, default 0.9 and 0.999
        What stays of the means at each step.
    eps : float, default 1e-8
        Keeps the division away from 0.

    Attributes
    ----------
    t : int
        Number of updates so far.

    Notes
    -----
    Source: D. Kingma, J. Ba, "Adam: a method for stochastic optimization", 2014; ``eps`` stands
    where the end of its section 2, and the book, have it: within the corrected step.

    Examples
    --------
    >>> from dezero.models import MLP
    >>> from dezero.optimizers import Adam
    >>> optimizer = Adam(alpha=0.01).setup(MLP((10, 1)))
    """

    kernel = "adam"
    slots = ("m", "v")

    def __init__(
        self, alpha: float = 0.001, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8
    ) -> None:
        super().__init__()
        name = type(self).__name__
        self.t = 0
        self.alpha = checked(name, "alpha", alpha)
        self.beta1 = checked(name, "beta1", beta1, below=1)
        self.beta2 = checked(name, "beta2", beta2, below=1)
        self.eps = checked(name, "eps", eps)

    @property
    def lr(self) -> float:
        """The rate of the last update, of the first one before that; ``alpha`` sets it."""
        t = max(self.t, 1)
        return float(self.alpha) * math.sqrt(1 - self.beta2**t) / (1 - self.beta1**t)

    @lr.setter
    def lr(self, value: float) -> None:
        raise AttributeError(
            f"{type(self).__name__}: lr is computed from alpha and the number of updates; set "
            f"optimizer.alpha = {value!r}"
        )

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Count the step, then update as :meth:`Optimizer.update` does."""
        self.t += 1
        try:
            super().update(*args, **kwargs)
        except BaseException:
            self.t -= 1
            raise

    def _scalars(self) -> dict[str, int]:
        return {"t": self.t}

    def _rates(self) -> tuple[float, ...]:
        return self.lr, 1 - self.beta1, 1 - self.beta2, self.eps, 1.0

    def rule(self, data: Any, grad: Any, *state: Any) -> None:
        """Go down the mean gradient, scaled by the mean square."""
        m, v = state
        self._step(data, grad, m, v, float(self.eps))

    def _step(self, data: Any, grad: Any, m: Any, v: Any, eps: float) -> None:
        m += (1 - float(self.beta1)) * (grad - m)
        v += (1 - float(self.beta2)) * (grad * grad - v)
        data -= self.lr * m / (np.sqrt(v) + eps)


class AdamW(Adam):
    """Adam with weight decay beside the gradient: ``p -= alpha weight_decay p`` at each step.

    Here ``eps`` is added to the corrected ``sqrt(v / (1 - beta2^t))``.

    Parameters
    ----------
    alpha : float, default 0.001
        Learning rate.
    beta1, beta2 : float, default 0.9 and 0.999
        What stays of the means at each step.
    eps : float, default 1e-8
        Keeps the division away from 0.
    weight_decay : float, default 0.01
        Strength of the decay.

    Notes
    -----
    Source: I. Loshchilov, F. Hutter, "Decoupled weight decay regularization", 2017.

    Examples
    --------
    >>> from dezero.models import MLP
    >>> from dezero.optimizers import AdamW
    >>> optimizer = AdamW(alpha=0.01, weight_decay=0.1).setup(MLP((10, 1)))
    """

    kernel = "adam"

    def __init__(
        self,
        alpha: float = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        eps: float = 1e-8,
        weight_decay: float = 0.01,
    ) -> None:
        super().__init__(alpha, beta1, beta2, eps)
        self.weight_decay = checked("AdamW", "weight_decay", weight_decay)

    def _rates(self) -> tuple[float, ...]:
        eps = self.eps * math.sqrt(1 - self.beta2**self.t)
        keep = 1 - self.alpha * self.weight_decay
        return self.lr, 1 - self.beta1, 1 - self.beta2, eps, keep

    def rule(self, data: Any, grad: Any, *state: Any) -> None:
        """Decay, then step as Adam."""
        data *= 1 - float(self.alpha) * float(self.weight_decay)
        eps = float(self.eps) * math.sqrt(1 - float(self.beta2) ** self.t)
        m, v = state
        self._step(data, grad, m, v, eps)
