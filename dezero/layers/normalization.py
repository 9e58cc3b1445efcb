"""BatchNorm, LayerNorm, RMSNorm, GroupNorm and Dropout."""

from __future__ import annotations

from typing import Any

import numpy as np

import dezero.functions as F
from dezero.core import Parameter, Variable
from dezero.layers.base import Layer, checked_array, checked_size, on_device_of
from dezero.layers.state import Slot


class BatchNorm(Layer):
    """Normalise each channel over the batch: ``y = gamma (x - mean) / sqrt(var + eps) + beta``.

    While training, mean and variance are those of the batch, and the running ones follow them:
    ``avg = decay avg + (1 - decay) batch``. In test mode the running ones are used.

    Parameters
    ----------
    decay : float, default 0.9
        How much of the running statistics stays at each call.
    eps : float, default 2e-5
        Keeps the division away from 0.

    Attributes
    ----------
    avg_mean, avg_var : Parameter, shape (C,)
        Running statistics: saved with the weights, no optimiser touches them.
    gamma, beta : Parameter, shape (C,)
        Ones and zeros at first. All four are made at the first call, in the dtype of ``x``.

    Raises
    ------
    TypeError, ValueError
        If ``x`` is not an array of shape (N, C) or (N, C, H, W).

    Notes
    -----
    Source: S. Ioffe, C. Szegedy, "Batch normalization", 2015.

    Examples
    --------
    >>> import numpy as np
    >>> import dezero.layers as L
    >>> layer = L.BatchNorm()
    >>> layer(np.array([[1.0], [3.0]])).data.round(2)
    array([[-1.],
           [ 1.]])
    """

    def __init__(self, decay: float = 0.9, eps: float = 2e-5) -> None:
        self.decay = decay
        self.eps = eps
        self.avg_mean = Parameter(None, name="avg_mean", requires_grad=False)
        self.avg_var = Parameter(None, name="avg_var", requires_grad=False)
        self.gamma = Parameter(None, name="gamma")
        self.beta = Parameter(None, name="beta")

    def _init_params(self, x: Any) -> None:
        C = checked_array("BatchNorm", x, 2, "x of shape (N, C) or (N, C, H, W)").shape[1]
        for param, value in (
            (self.avg_mean, 0),
            (self.avg_var, 1),
            (self.gamma, 1),
            (self.beta, 0),
        ):
            _fill(param, C, value, x)

    def _slot(self, key: str, param: Parameter) -> Slot:
        known = [p.shape for p in self.params() if p.data is not None]
        return Slot(known[0] if known else (None,), None if param.data is None else param.dtype)

    def forward(self, x: Any, relu: bool = False, residual: Any = None) -> Variable:
        """Return ``x`` normalised, plus ``residual``; with ``relu`` the positive part of it."""
        if self.beta.data is None:
            self._init_params(x)
        return F.batch_norm(
            x,
            self.gamma,
            self.beta,
            self.avg_mean.data,
            self.avg_var.data,
            self.decay,
            self.eps,
            relu=relu,
            residual=residual,
        )


class LayerNorm(Layer):
    """Normalise over the last axis: ``y = gamma (x - mean) / sqrt(var + eps) + beta``.

    Parameters
    ----------
    size : int, optional
        Size of the last axis; by default taken from the first call.
    eps : float, default 1e-5
        Keeps the division away from 0.

    Attributes
    ----------
    gamma, beta : Parameter, shape (size,)
        Ones and zeros at first: float32 where ``size`` is given, else in the dtype of ``x``.

    Raises
    ------
    TypeError, ValueError
        If ``x`` is not an array of at least one axis.

    Notes
    -----
    Source: J. Ba et al., "Layer normalization", 2016.

    Examples
    --------
    >>> import numpy as np
    >>> import dezero.layers as L
    >>> L.LayerNorm(eps=0.0)(np.array([[1.0, 3.0], [10.0, 30.0]]))
    variable([[-1.  1.]
              [-1.  1.]])
    """

    def __init__(self, size: int | None = None, eps: float = 1e-5) -> None:
        self.size = None if size is None else checked_size("LayerNorm", "size", size)
        self.eps = eps
        self.gamma = Parameter(None, name="gamma")
        self.beta = Parameter(None, name="beta")
        if size is not None:
            self._init_params(size, None)

    def _init_params(self, size: int, x: Any) -> None:
        _fill(self.gamma, size, 1, x)
        _fill(self.beta, size, 0, x)

    def _slot(self, key: str, param: Parameter) -> Slot:
        if param.data is None:
            return Slot((self.size,), None)
        return super()._slot(key, param)

    def forward(self, x: Any) -> Variable:
        """Return ``x`` normalised, of the same shape."""
        if self.beta.data is None:
            self.size = int(checked_array("LayerNorm", x, 1, "x of shape (..., size)").shape[-1])
            self._init_params(self.size, x)
        return F.layer_norm(x, self.gamma, self.beta, eps=self.eps)


class RMSNorm(Layer):
    """Divide by the root mean square over the last axis: ``y = gamma x / sqrt(mean(x^2) + eps)``.

    Parameters
    ----------
    size : int, optional
        Size of the last axis; by default taken from the first call.
    eps : float, default 1e-6
        Keeps the division away from 0.

    Attributes
    ----------
    gamma : Parameter, shape (size,)
        Ones at first: float32 where ``size`` is given, else in the dtype of ``x``.

    Raises
    ------
    TypeError, ValueError
        If ``x`` is not an array of at least one axis.

    Notes
    -----
    Source: B. Zhang, R. Sennrich, "Root mean square layer normalization", 2019.

    Examples
    --------
    >>> import numpy as np
    >>> import dezero.layers as L
    >>> L.RMSNorm(eps=0.0)(np.array([[1.0, 7.0], [-10.0, 70.0]]))
    variable([[ 0.2  1.4]
              [-0.2  1.4]])
    """

    def __init__(self, size: int | None = None, eps: float = 1e-6) -> None:
        self.size = None if size is None else checked_size("RMSNorm", "size", size)
        self.eps = eps
        self.gamma = Parameter(None, name="gamma")
        if size is not None:
            _fill(self.gamma, size, 1, None)

    def _slot(self, key: str, param: Parameter) -> Slot:
        if param.data is None:
            return Slot((self.size,), None)
        return super()._slot(key, param)

    def forward(self, x: Any) -> Variable:
        """Return ``x`` normalised, of the same shape."""
        if self.gamma.data is None:
            self.size = int(checked_array("RMSNorm", x, 1, "x of shape (..., size)").shape[-1])
            _fill(self.gamma, self.size, 1, x)
        return F.rms_norm(x, self.gamma, eps=self.eps)


class GroupNorm(Layer):
    """Normalise groups of channels: ``y = gamma (x - mean) / sqrt(var + eps) + beta``.

    Mean and variance are those of a group of one example.

    Parameters
    ----------
    groups : int
        How many groups; it divides the number of channels.
    channels : int, optional
        Number of channels; by default taken from the first call.
    eps : float, default 1e-5
        Keeps the division away from 0.

    Attributes
    ----------
    gamma, beta : Parameter, shape (channels,)
        Ones and zeros at first: float32 where ``channels`` is given, else in the dtype of ``x``.

    Raises
    ------
    TypeError, ValueError
        If ``x`` is not an array of shape (N, C) or (N, C, ...), or the groups do not divide ``C``.

    Notes
    -----
    Source: Y. Wu, K. He, "Group normalization", 2018.

    Examples
    --------
    >>> import numpy as np
    >>> import dezero.layers as L
    >>> L.GroupNorm(2, eps=0.0)(np.array([[1.0, 3.0, 10.0, 30.0]]))
    variable([[-1.  1. -1.  1.]])
    """

    def __init__(self, groups: int, channels: int | None = None, eps: float = 1e-5) -> None:
        self.groups = checked_size("GroupNorm", "the number of groups", groups)
        self.channels = channels
        self.eps = eps
        self.gamma = Parameter(None, name="gamma")
        self.beta = Parameter(None, name="beta")
        if channels is not None:
            self._init_params(checked_size("GroupNorm", "channels", channels), None)

    def _init_params(self, channels: int, x: Any) -> None:
        if channels % self.groups:
            raise ValueError(
                f"GroupNorm: got {channels} channels for {self.groups} groups, which do not "
                "divide them"
            )
        _fill(self.gamma, channels, 1, x)
        _fill(self.beta, channels, 0, x)

    def _slot(self, key: str, param: Parameter) -> Slot:
        if param.data is None:
            return Slot((self.channels,), None)
        return super()._slot(key, param)

    def forward(self, x: Any) -> Variable:
        """Return ``x`` normalised, of the same shape."""
        if self.beta.data is None:
            wanted = "x of shape (N, C) or (N, C, ...)"
            self.channels = int(checked_array("GroupNorm", x, 2, wanted).shape[1])
            self._init_params(self.channels, x)
        return F.group_norm(x, self.gamma, self.beta, self.groups, eps=self.eps)


class Dropout(Layer):
    """While training, set elements to 0 with a probability, and scale up the others (step 54).

    Parameters
    ----------
    dropout_ratio : float, default 0.5
        The probability.

    Examples
    --------
    >>> import numpy as np
    >>> import dezero
    >>> import dezero.layers as L
    >>> with dezero.test_mode():
    ...     L.Dropout(0.5)(np.ones(3))
    variable([1. 1. 1.])
    """

    def __init__(self, dropout_ratio: float = 0.5) -> None:
        self.dropout_ratio = dropout_ratio

    def forward(self, x: Any) -> Variable:
        """Return ``x`` with some elements 0."""
        return F.dropout(x, self.dropout_ratio)


def _fill(param: Parameter, size: int, value: int, x: Any) -> None:
    """Give ``param`` an array of one value, in the dtype and on the device of ``x``."""
    if param.data is None:
        dtype = np.float32 if x is None or x.dtype.kind != "f" else x.dtype
        param.data = on_device_of(x, np.full(size, value, dtype))
