"""Normalisations: batch and layer."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from dezero.core import Config, Primitive, Variable


class _Normalization(Primitive):
    """What batch and layer normalisation share: ``gamma * (x - mean) / std + beta``.

    The statistics are kept as arrays for the plain backward pass, and recomputed from ``x``
    where that is recorded, so that second derivatives see that they depend on ``x``.
    """

    eps: float
    axes: tuple[int, ...]  # that the statistics are taken over
    param_shape: tuple[int, ...]  # in which gamma broadcasts with x
    fixed: bool  # statistics that do not depend on x
    mean: Any
    inv_std: Any

    def _statistics(self, x: Any) -> tuple[Any, Any]:
        """Return the mean and one over the standard deviation."""
        if self.fixed or not isinstance(x, Variable):
            return self.mean, self.inv_std
        mean = np.mean(x, axis=self.axes, keepdims=True)
        return mean, 1 / np.sqrt(np.var(x, axis=self.axes, keepdims=True) + self.eps)

    def _normalize(self, x: Any, gamma: Any, beta: Any) -> Any:
        self.beta_shape = beta.shape
        y = (x - self.mean) * self.inv_std
        y *= gamma.reshape(self.param_shape)
        y += beta.reshape(self.param_shape)
        return y

    def gradient(self, gy: Any, x: Any, gamma: Any) -> Any:
        """Return the gradients of x, gamma and beta."""
        mean, inv_std = self._statistics(x)
        x_hat = (x - mean) * inv_std
        others = tuple(i for i, size in enumerate(self.param_shape) if size == 1)
        gbeta = np.sum(gy, axis=others)
        ggamma = np.sum(gy * x_hat, axis=others)
        gx = None
        if self.needs[0]:
            g = gy * np.reshape(gamma, self.param_shape)
            if not self.fixed:
                count = math.prod(x.shape[axis] for axis in self.axes)
                along = np.sum(g * x_hat, axis=self.axes, keepdims=True)
                g = g - (np.sum(g, axis=self.axes, keepdims=True) + x_hat * along) * (1 / count)
            gx = g * inv_std
        return gx, np.reshape(ggamma, gamma.shape), np.reshape(gbeta, self.beta_shape)


class BatchNorm(_Normalization):
    """Each channel normalised over the batch (and the image)."""

    def __init__(self, mean: Any, var: Any, decay: float, eps: float) -> None:
        self.avg_mean = mean
        self.avg_var = var
        self.decay = float(decay)
        self.eps = float(eps)  # a NumPy number would widen float32

    def forward(self, x: Any, gamma: Any, beta: Any) -> Any:
        """Normalise; in training, move the running statistics, in place."""
        self._check(x, gamma, beta)
        self.axes = (0, *range(2, x.ndim))
        self.param_shape = (1, x.shape[1], *(1,) * (x.ndim - 2))
        self.fixed = not Config.train
        if self.fixed:
            self.mean = self.avg_mean.reshape(self.param_shape).astype(x.dtype)
            var = self.avg_var.reshape(self.param_shape)
        else:
            self.mean = x.mean(axis=self.axes, keepdims=True)
            var = x.var(axis=self.axes, keepdims=True)
            self._move_averages(x.size // x.shape[1], self.mean, var)
        self.inv_std = (1 / np.sqrt(var + self.eps)).astype(x.dtype)
        return self._normalize(x, gamma, beta)

    def _move_averages(self, count: int, mean: Any, var: Any) -> None:
        unbiased = var * (count / max(count - 1, 1))
        for average, new in ((self.avg_mean, mean), (self.avg_var, unbiased)):
            average *= self.decay
            average += (1 - self.decay) * new.reshape(average.shape)

    def _check(self, x: Any, gamma: Any, beta: Any) -> None:
        if x.ndim < 2:
            raise ValueError(
                f"batch_norm: got x of shape {x.shape}; it wants (N, C) or (N, C, ...)"
            )
        given = {"gamma": gamma, "beta": beta, "mean": self.avg_mean, "var": self.avg_var}
        for name, array in given.items():
            if array.size != x.shape[1]:
                raise ValueError(
                    f"batch_norm: got {name} of shape {array.shape} for x of shape {x.shape}; it "
                    f"wants one number a channel: ({x.shape[1]},)"
                )
        if x.size == 0:
            raise ValueError(f"batch_norm: got x of shape {x.shape}; an empty batch has no mean")


class LayerNorm(_Normalization):
    """Each row normalised over its last axis."""

    fixed = False

    def __init__(self, eps: float = 1e-5) -> None:
        self.eps = float(eps)

    def forward(self, x: Any, gamma: Any, beta: Any) -> Any:
        """Normalise."""
        for name, array in (("gamma", gamma), ("beta", beta)):
            if array.shape != x.shape[-1:]:
                raise ValueError(
                    f"layer_norm: got {name} of shape {array.shape} for x of shape {x.shape}; it "
                    f"wants the length of the last axis: {x.shape[-1:]}"
                )
        self.axes = (x.ndim - 1,)
        self.param_shape = (1,) * (x.ndim - 1) + x.shape[-1:]
        self.mean = x.mean(axis=-1, keepdims=True)
        self.inv_std = 1 / np.sqrt(x.var(axis=-1, keepdims=True) + self.eps)
        return self._normalize(x, gamma, beta)


def batch_norm(
    x: Any,
    gamma: Any,
    beta: Any,
    mean: Any,
    var: Any,
    decay: float = 0.9,
    eps: float = 2e-5,
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
    return BatchNorm(mean, var, decay, eps)(x, gamma, beta)


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


__all__ = ["BatchNorm", "LayerNorm", "batch_norm", "batch_nrom", "layer_norm"]
