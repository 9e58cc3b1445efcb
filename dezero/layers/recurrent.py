"""RNN and LSTM: layers that remember the step before."""

from __future__ import annotations

from typing import Any

import dezero.functions as F
from dezero.core import Variable
from dezero.layers.base import Layer, checked_size
from dezero.layers.linear import Linear


class RNN(Layer):
    """Compute ``h = tanh(x Wx + b + h Wh)`` from the state of the last call (step 59 of the book).

    Parameters
    ----------
    hidden_size : int
        Size of the state.
    in_size : int, optional
        Size of ``x``; by default taken from the first call.

    Attributes
    ----------
    x2h, h2h : Linear
        Weights of the input, with a bias, and of the state. Without ``in_size`` those of the
        state are drawn at the second call, as in the book, so that its seeded programs give its
        numbers.
    h : Variable or None
        The state, shape (N, hidden_size); ``None`` at the start.

    Raises
    ------
    ValueError
        If the batch has another size than the state.

    Examples
    --------
    >>> import numpy as np
    >>> import dezero.layers as L
    >>> rnn = L.RNN(4)
    >>> xs = np.ones((5, 2, 3), np.float32)  # 5 steps, a batch of 2
    >>> for x in xs:
    ...     h = rnn(x)
    >>> h.shape
    (2, 4)
    >>> rnn.reset_state()
    """

    def __init__(self, hidden_size: int, in_size: int | None = None) -> None:
        checked_size("RNN", "hidden_size", hidden_size)
        self.x2h = Linear(hidden_size, in_size=in_size)
        self.h2h = Linear(
            hidden_size, nobias=True, in_size=None if in_size is None else hidden_size
        )
        self.h: Variable | None = None

    def reset_state(self) -> None:
        """Forget the state: the next call begins a new sequence."""
        self.h = None

    def forward(self, x: Any) -> Variable:
        """Return the new state, shape (N, hidden_size), for ``x`` of shape (N, in_size)."""
        if self.h is None:
            self.h = F.tanh(self.x2h(x))
        else:
            _check_batch("RNN", x, self.h)
            self.h = F.tanh(self.x2h(x) + self.h2h(self.h))
        return self.h


class LSTM(Layer):
    """Compute a long short-term memory step from the state of the last call (step 60 of the book).

    ::

        f, i, o = sigmoid(x Wx + b + h Wh)   with weights of their own
        u       = tanh(x Wx + b + h Wh)
        c       = f c + i u
        h       = o tanh(c)

    Parameters
    ----------
    hidden_size : int
        Size of the state.
    in_size : int, optional
        Size of ``x``; by default taken from the first call.

    Attributes
    ----------
    x2f, x2i, x2o, x2u : Linear
        Weights of the input, with a bias, for the forget, input and output gate and the update.
    h2f, h2i, h2o, h2u : Linear
        Weights of the state.
    h, c : Variable or None
        The state, shape (N, hidden_size) each; ``None`` at the start.

    Raises
    ------
    ValueError
        If the batch has another size than the state.

    Notes
    -----
    Source: S. Hochreiter, J. Schmidhuber, "Long short-term memory", 1997; forget gate: F. Gers
    et al., "Learning to forget", 2000.

    Examples
    --------
    >>> import numpy as np
    >>> import dezero.layers as L
    >>> lstm = L.LSTM(4)
    >>> lstm(np.ones((2, 3), np.float32)).shape
    (2, 4)
    >>> lstm.c.shape
    (2, 4)
    >>> lstm.reset_state()
    """

    def __init__(self, hidden_size: int, in_size: int | None = None) -> None:
        H = checked_size("LSTM", "hidden_size", hidden_size)
        self.x2f = Linear(H, in_size=in_size)
        self.x2i = Linear(H, in_size=in_size)
        self.x2o = Linear(H, in_size=in_size)
        self.x2u = Linear(H, in_size=in_size)
        self.h2f = Linear(H, in_size=H, nobias=True)
        self.h2i = Linear(H, in_size=H, nobias=True)
        self.h2o = Linear(H, in_size=H, nobias=True)
        self.h2u = Linear(H, in_size=H, nobias=True)
        self.h: Variable | None = None
        self.c: Variable | None = None

    def reset_state(self) -> None:
        """Forget the state: the next call begins a new sequence."""
        self.h = None
        self.c = None

    def forward(self, x: Any) -> Variable:
        """Return the new ``h``, shape (N, hidden_size), for ``x`` of shape (N, in_size)."""
        f, i, o, u = self.x2f(x), self.x2i(x), self.x2o(x), self.x2u(x)
        if self.h is not None:
            _check_batch("LSTM", x, self.h)
            h = self.h
            f, i, o, u = f + self.h2f(h), i + self.h2i(h), o + self.h2o(h), u + self.h2u(h)
        c = F.sigmoid(i) * F.tanh(u)
        self.c = c if self.c is None else F.sigmoid(f) * self.c + c
        self.h = F.sigmoid(o) * F.tanh(self.c)
        return self.h


def _check_batch(name: str, x: Any, h: Variable) -> None:
    """Raise where broadcasting would mix the sequences of a batch in silence."""
    if x.shape[:-1] != h.shape[:-1]:
        raise ValueError(
            f"{name}: got x of shape {x.shape} after a state of shape {h.shape}; the batch must "
            "stay the same within a sequence: call reset_state() to begin a new one"
        )
