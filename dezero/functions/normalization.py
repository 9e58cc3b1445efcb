"""Normalisations: batch, layer, group and root mean square."""

from __future__ import annotations

from typing import Any

import numpy as np

from dezero.core import Config, Primitive, Variable, as_input, as_variable
from dezero.functions.activations import relu as positive_part
from dezero.kernels import normalization as kernels


class BatchNorm(Primitive):
    """Each channel normalised over the batch (and the image).

    As in the other normalisations, the statistics are kept as arrays for the plain backward pass,
    and recomputed from ``x`` where that is recorded, so that second derivatives see that they
    depend on it.
    """

    def __init__(self, mean: Any, var: Any, decay: float, eps: float) -> None:
        self.avg_mean = mean
        self.avg_var = var
        self.decay = float(decay)
        self.eps = float(eps)  # a NumPy number would widen float32

    def forward(self, x: Any, gamma: Any, beta: Any) -> Any:
        """Normalise; in training, move the running statistics, in place."""
        self._check(x, gamma, beta)
        self.beta_shape = beta.shape
        self.fixed = not Config.train
        gamma, beta, mean, var = gamma.reshape(-1), beta.reshape(-1), None, None
        if self.fixed:
            mean, var = self.avg_mean.reshape(-1), self.avg_var.reshape(-1)
        y, mean, var = kernels.batch_norm(x, gamma, beta, self.eps, mean, var)
        if not self.fixed and not Config.replaying:
            self._move_averages(x.size // x.shape[1], mean, var)
        self.mean = mean.astype(x.dtype)  # a copy: running statistics move on
        self.inv_std = (1 / np.sqrt(var + self.eps)).astype(x.dtype)
        return y

    def gradient(self, gy: Any, x: Any, gamma: Any) -> Any:
        """Return the gradients of x, gamma and beta."""
        mean, inv_std = self.mean, self.inv_std
        if isinstance(x, Variable) and not self.fixed:
            axes, _ = kernels.batch_axes(x)
            mean, inv_std = np.mean(x, axis=axes), 1 / np.sqrt(np.var(x, axis=axes) + self.eps)
        scale = np.reshape(gamma, (-1,))
        gx, ggamma, gbeta = kernels.batch_norm_grad(gy, x, scale, mean, inv_std, self.fixed)
        return gx, np.reshape(ggamma, gamma.shape), np.reshape(gbeta, self.beta_shape)

    def rectified(self, x: Any, gamma: Any, beta: Any, residual: Any) -> Variable:
        """Return the positive part of the result and ``residual``, in one pass: for inference."""
        x, gamma, beta = (as_input(v) for v in (x, gamma, beta))
        x, gamma, beta = (v.data if isinstance(v, Variable) else v for v in (x, gamma, beta))
        residual = residual.data if isinstance(residual, Variable) else residual
        self._check(x, gamma, beta)
        vectors = [v.reshape(-1) for v in (gamma, beta, self.avg_mean, self.avg_var)]
        y = kernels.normalised_relu(x, *vectors[:2], self.eps, *vectors[2:], residual)
        return as_variable(y)

    def _move_averages(self, count: int, mean: Any, var: Any) -> None:
        unbiased = var * (count / max(count - 1, 1))
        for average, new in ((self.avg_mean, mean), (self.avg_var, unbiased)):
            moved = average * self.decay + (1 - self.decay) * new.reshape(average.shape)
            average[...] = moved

    def _check(self, x: Any, gamma: Any, beta: Any) -> None:
        if x.ndim < 2:
            raise ValueError(
                f"batch_norm: got x of shape {x.shape}; it wants (N, C) or (N, C, ...)"
            )
        given = {"gamma": gamma, "beta": beta, "mean": self.avg_mean, "var": self.avg_var}
        _check_channels("batch_norm", x, given)
        if x.size == 0:
            raise ValueError(f"batch_norm: got x of shape {x.shape}; an empty batch has no mean")


class LayerNorm(Primitive):
    """Each row normalised over its last axis."""

    def __init__(self, eps: float = 1e-5) -> None:
        self.eps = float(eps)

    def forward(self, x: Any, gamma: Any, beta: Any) -> Any:
        """Normalise."""
        _check_last_axis("layer_norm", x, {"gamma": gamma, "beta": beta})
        y, self.mean, self.inv_std = kernels.layer_norm(x, gamma, beta, self.eps)
        return y

    def gradient(self, gy: Any, x: Any, gamma: Any) -> Any:
        """Return the gradients of x, gamma and beta."""
        mean, inv_std = self.mean, self.inv_std
        if isinstance(x, Variable):
            mean, inv_std = _recorded_statistics(x, self.eps)
        return kernels.layer_norm_grad(gy, x, gamma, mean, inv_std)


class RMSNorm(Primitive):
    """Each row divided by its root mean square."""

    def __init__(self, eps: float = 1e-6) -> None:
        self.eps = float(eps)

    def forward(self, x: Any, gamma: Any) -> Any:
        """Divide, and scale."""
        _check_last_axis("rms_norm", x, {"gamma": gamma})
        y, self.inv_rms = kernels.rms_norm(x, gamma, self.eps)
        return y

    def gradient(self, gy: Any, x: Any, gamma: Any) -> Any:
        """Return the gradients of x and gamma."""
        inv_rms = self.inv_rms
        if isinstance(x, Variable):
            inv_rms = 1 / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + self.eps)
        return kernels.rms_norm_grad(gy, x, gamma, inv_rms)


class GroupNorm(Primitive):
    """Each group of channels normalised, example by example."""

    def __init__(self, groups: int, eps: float = 1e-5) -> None:
        self.groups = groups
        self.eps = float(eps)

    def forward(self, x: Any, gamma: Any, beta: Any) -> Any:
        """Normalise."""
        self._check(x, gamma, beta)
        y, self.mean, self.inv_std = kernels.group_norm(x, gamma, beta, self.groups, self.eps)
        return y

    def gradient(self, gy: Any, x: Any, gamma: Any) -> Any:
        """Return the gradients of x, gamma and beta."""
        mean, inv_std = self.mean, self.inv_std
        if isinstance(x, Variable):
            rows: Any = np.reshape(x, (*mean.shape[:2], -1))
            mean, inv_std = _recorded_statistics(rows, self.eps)
        return kernels.group_norm_grad(gy, x, gamma, mean, inv_std)

    def _check(self, x: Any, gamma: Any, beta: Any) -> None:
        if x.ndim < 2 or self.groups < 1 or x.shape[1] % self.groups:
            raise ValueError(
                f"group_norm: got x of shape {x.shape} and {self.groups} groups; it wants "
                "(N, C, ...) with a number of channels C that the groups divide"
            )
        _check_channels("group_norm", x, {"gamma": gamma, "beta": beta})
        if x.size == 0:
            raise ValueError(f"group_norm: got x of shape {x.shape}; an empty group has no mean")


def _recorded_statistics(x: Variable, eps: float) -> tuple[Any, Any]:
    """Return mean and one over the standard deviation along the last axis, as Variables."""
    mean = np.mean(x, axis=-1, keepdims=True)
    return mean, 1 / np.sqrt(np.var(x, axis=-1, keepdims=True) + eps)


def _check_channels(name: str, x: Any, given: dict[str, Any]) -> None:
    for argument, array in given.items():
        if array.size != x.shape[1]:
            raise ValueError(
                f"{name}: got {argument} of shape {array.shape} for x of shape {x.shape}; it "
                f"wants one number a channel: ({x.shape[1]},)"
            )


def _check_last_axis(name: str, x: Any, given: dict[str, Any]) -> None:
    for argument, array in given.items():
        if array.shape != x.shape[-1:]:
            raise ValueError(
                f"{name}: got {argument} of shape {array.shape} for x of shape {x.shape}; it "
                f"wants the length of the last axis: {x.shape[-1:]}"
            )


def batch_norm(
    x: Any,
    gamma: Any,
    beta: Any,
    mean: Any,
    var: Any,
    decay: float = 0.9,
    eps: float = 2e-5,
    *,
    relu: bool = False,
    residual: Any = None,
) -> Variable:
    r"""Return :math:`\gamma (x - \mu) / \sqrt{\sigma^2 + \epsilon} + \beta` for each channel.

    In training (``Config.train``) the statistics are those of the batch, and the running ones
    are moved towards them in place; otherwise the running ones are used.

    Parameters
    ----------
    x : Variable or array of shape (N, C) or (N, C, H, W)
        The batch.
    gamma, beta : Variable or array of shape (C,)
        Scale and shift.
    mean, var : array of shape (C,)
        Running statistics; ``var`` is unbiased.
    decay : float, default 0.9
        What stays of the running statistics at each call.
    eps : float, default 2e-5
        Added to the variance.
    relu : bool, default False
        Whether to return the positive part; at inference that costs no pass of its own.
    residual : Variable or array of the shape of x, optional
        Added to the result, before ``relu``.

    Raises
    ------
    ValueError
        If a shape does not fit.

    Notes
    -----
    Source: Ioffe and Szegedy, Batch Normalization, 2015. The book's package also calls it
    ``batch_nrom``.

    Examples
    --------
    >>> import numpy as np, dezero.functions as F
    >>> one, zero = np.ones(1), np.zeros(1)
    >>> y = F.batch_norm(np.array([[1.0], [3.0]]), one, zero, zero.copy(), one.copy(), eps=0.0)
    >>> y
    variable([[-1.]
              [ 1.]])
    """
    mean = mean.data if isinstance(mean, Variable) else mean
    var = var.data if isinstance(var, Variable) else var
    if residual is not None and np.shape(residual) != np.shape(x):
        raise ValueError(
            f"batch_norm: got a residual of shape {np.shape(residual)} for x of shape "
            f"{np.shape(x)}; it wants the same shape"
        )
    function = BatchNorm(mean, var, decay, eps)
    if relu and not Config.train and not Config.enable_backprop:
        return function.rectified(x, gamma, beta, residual)
    y = function(x, gamma, beta)
    y = y if residual is None else y + residual
    return positive_part(y) if relu else y


batch_nrom = batch_norm


def layer_norm(x: Any, gamma: Any, beta: Any, eps: float = 1e-5) -> Variable:
    r"""Return :math:`\gamma (x - \mu) / \sqrt{\sigma^2 + \epsilon} + \beta` along the last axis.

    Parameters
    ----------
    x : Variable or array of shape (..., C)
        Rows of features.
    gamma, beta : Variable or array of shape (C,)
        Scale and shift.
    eps : float, default 1e-5
        Added to the variance.

    Raises
    ------
    ValueError
        If ``gamma`` or ``beta`` is not as long as the last axis.

    Notes
    -----
    Source: Ba, Kiros and Hinton, Layer Normalization, 2016.

    Examples
    --------
    >>> import numpy as np, dezero.functions as F
    >>> F.layer_norm(np.array([[1.0, 3.0]]), np.ones(2), np.zeros(2), eps=0.0)
    variable([[-1.  1.]])
    """
    return LayerNorm(eps)(x, gamma, beta)


def rms_norm(x: Any, gamma: Any, eps: float = 1e-6) -> Variable:
    r"""Return :math:`\gamma x / \sqrt{\overline{x^2} + \epsilon}` along the last axis.

    Parameters
    ----------
    x : Variable or array of shape (..., C)
        Rows of features.
    gamma : Variable or array of shape (C,)
        Scale.
    eps : float, default 1e-6
        Added to the mean of squares.

    Raises
    ------
    ValueError
        If ``gamma`` is not as long as the last axis.

    Notes
    -----
    Source: Zhang and Sennrich, Root Mean Square Layer Normalization, 2019.

    Examples
    --------
    >>> import numpy as np, dezero.functions as F
    >>> F.rms_norm(np.array([[1.0, 7.0]]), np.ones(2), eps=0.0)
    variable([[0.2 1.4]])
    """
    return RMSNorm(eps)(x, gamma)


def group_norm(x: Any, gamma: Any, beta: Any, groups: int, eps: float = 1e-5) -> Variable:
    r"""Return :math:`\gamma (x - \mu) / \sqrt{\sigma^2 + \epsilon} + \beta` by groups of channels.

    Mean and variance are those of a group of channels of one example: of all pixels in them.

    Parameters
    ----------
    x : Variable or array of shape (N, C) or (N, C, ...)
        The batch.
    gamma, beta : Variable or array of shape (C,)
        Scale and shift of each channel.
    groups : int
        How many groups; it divides ``C``. 1 is layer normalisation over channels and pixels, ``C``
        is instance normalisation.
    eps : float, default 1e-5
        Added to the variance.

    Raises
    ------
    ValueError
        If a shape does not fit, or the groups do not divide the channels.

    Notes
    -----
    Source: Wu and He, Group Normalization, 2018.

    Examples
    --------
    >>> import numpy as np, dezero.functions as F
    >>> x = np.array([[1.0, 3.0, 10.0, 30.0]])
    >>> F.group_norm(x, np.ones(4), np.zeros(4), groups=2, eps=0.0)
    variable([[-1.  1. -1.  1.]])
    """
    return GroupNorm(groups, eps)(x, gamma, beta)


__all__ = [
    "BatchNorm",
    "GroupNorm",
    "LayerNorm",
    "RMSNorm",
    "batch_norm",
    "batch_nrom",
    "group_norm",
    "layer_norm",
    "rms_norm",
]
