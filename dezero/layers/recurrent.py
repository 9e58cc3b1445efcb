"""RNN, LSTM and GRU: layers that remember the step before."""

from __future__ import annotations

from typing import Any

import dezero.functions as F
from dezero.core import Config, Variable
from dezero.functions import recurrent as functions
from dezero.layers.base import Layer, checked_array, checked_flag, checked_size
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
            if x.shape[:-1] != self.h.shape[:-1]:  # broadcasting would mix the sequences
                raise ValueError(_batch_changed("RNN", x, self.h))
            self.h = F.tanh(self.x2h(x) + self.h2h(self.h))
        return self.h


class _Packed:
    """The weights of a layer as one matrix, recorded once for many steps.

    It holds as long as they are the same arrays, and gradients go the same way. What was made for
    one backward pass is not used after it: then an optimiser may have written into the arrays.
    """

    __slots__ = ("W", "_recorded", "_weights", "panels")

    def __init__(self, gates: int, params: tuple[Any, ...]) -> None:
        self.W: Variable = functions.Pack(gates)(*params)
        self.panels: dict[str, Any] = {}
        self._recorded = Config.enable_backprop
        self._weights = [None if p is None else (p, p._data, p.requires_grad) for p in params]

    def holds(self, params: tuple[Any, ...]) -> bool:
        """Whether the matrix can be used for one more step."""
        node = self.W._node
        if node is None:
            if self.W.requires_grad:  # cut off from the parameters by unchain_backward()
                return False
        elif not node._edges or node.used:
            return False
        for p, kept in zip(params, self._weights, strict=True):
            if p is None or kept is None:
                if p is not kept:
                    return False
            elif p is not kept[0] or p._data is not kept[1] or p.requires_grad is not kept[2]:
                return False
        return self._recorded is Config.enable_backprop

    def __reduce__(self) -> Any:
        return _nothing, ()  # copies of the layer make their own


def _nothing() -> None:
    return None


class _Gated(Layer):
    """What LSTM and GRU share: weights packed for many steps, more layers and directions.

    A layer of several is made of layers of one: its own weights are those of the first layer
    forward, and the others are the attributes ``l0_reverse``, ``l1``, ``l1_reverse`` ...
    """

    h: Variable | None
    _packed: _Packed | None

    def _stack(
        self, in_size: int | None, num_layers: int, bidirectional: bool, dropout: float
    ) -> None:
        """Check the options, and make the other layers."""
        name = type(self).__name__
        self.num_layers = checked_size(name, "num_layers", num_layers)
        instead = "the number of layers is num_layers=..."
        self.bidirectional = checked_flag(name, "bidirectional", bidirectional, instead)
        if not 0 <= dropout <= 1:
            raise ValueError(f"{name}: dropout is a ratio from 0 to 1, got {dropout!r}")
        self.dropout = float(dropout)
        for k in range(self.num_layers):
            size = in_size if k == 0 else self.hidden_size * (2 if self.bidirectional else 1)
            if k > 0:
                setattr(self, f"l{k}", self._one(size))
            if self.bidirectional:
                setattr(self, f"l{k}_reverse", self._one(size))
        self._packed = None
        self._forget()

    def _layers(self) -> list[list[Any]]:
        """Return the layers, each as its directions."""
        return [
            [
                self if k == 0 else getattr(self, f"l{k}"),
                *([getattr(self, f"l{k}_reverse")] if self.bidirectional else ()),
            ]
            for k in range(self.num_layers)
        ]

    def reset_state(self) -> None:
        """Forget the state: the next call begins a new sequence."""
        for directions in self._layers():
            for layer in directions:
                layer._forget()
                layer._packed = None

    def forward(self, x: Any) -> Variable:
        """Return the new ``h`` of a step, or of all steps of a sequence.

        Parameters
        ----------
        x : Variable or array of shape (N, in_size) or (T, N, in_size)
            One step, or T of them.

        Returns
        -------
        Variable of shape (N, hidden_size) or (T, N, hidden_size)
            Of the last layer; of both directions, forward first, twice as wide.
        """
        name = type(self).__name__
        wanted = "x of shape (N, in_size), one step, or (T, N, in_size), a sequence"
        ndim = len(checked_array(name, x, 2, wanted).shape)
        if ndim > 3:
            raise ValueError(f"{name}: got an array of shape {x.shape}; it wants {wanted}")
        if self.num_layers == 1 and not self.bidirectional:
            return self._step(x) if ndim == 2 else self._sequence(x, False)
        if self.bidirectional and ndim == 2:
            raise ValueError(
                f"{name}: got one step, x of shape {x.shape}, but the backward direction begins "
                "at the end: give it the whole sequence, x of shape (T, N, in_size)"
            )
        for k, directions in enumerate(self._layers()):
            if k > 0 and self.dropout > 0:
                x = F.dropout(x, self.dropout)
            if ndim == 2:
                x = directions[0]._step(x)
            else:
                ys = [layer._sequence(x, d == 1) for d, layer in enumerate(directions)]
                x = ys[0] if len(ys) == 1 else F.concatenate(ys, axis=2)
        return x

    def _weights(self, x: Any) -> _Packed:
        """Return the packed weights: those of the step before, where they still hold."""
        h = self.h
        if h is not None and x.shape[-2] != h.shape[-2]:
            raise ValueError(_batch_changed(type(self).__name__, x, h))
        params = self._gate_params()
        packed = self._packed
        if packed is not None and self.h is not None and packed.holds(params):
            return packed
        for linear, *_ in self._gates():
            if linear.W.data is None:
                linear.in_size = x.shape[-1]
                linear._init_W(x)
        self._packed = packed = _Packed(len(self._gates()), params)
        return packed

    hidden_size: int

    def _one(self, in_size: int | None) -> Any:
        raise NotImplementedError

    def _forget(self) -> None:
        raise NotImplementedError

    def _gates(self) -> tuple[tuple[Linear, Linear], ...]:
        raise NotImplementedError

    def _gate_params(self) -> tuple[Any, ...]:
        raise NotImplementedError

    def _step(self, x: Any) -> Variable:
        raise NotImplementedError

    def _sequence(self, x: Any, reverse: bool) -> Variable:
        raise NotImplementedError


class LSTM(_Gated):
    """Compute a long short-term memory step from the state of the last call (step 60 of the book).

    ::

        f, i, o = sigmoid(x Wx + b + h Wh)   with weights of their own
        u       = tanh(x Wx + b + h Wh)
        c       = f c + i u
        h       = o tanh(c)

    Called on a sequence, it computes all steps at once, which is faster.

    Parameters
    ----------
    hidden_size : int
        Size of the state.
    in_size : int, optional
        Size of ``x``; by default taken from the first call.
    num_layers : int, default 1
        How many layers; each reads what the one before gave.
    bidirectional : bool, default False
        Whether each layer also reads the sequence from its end, with other weights. That
        direction begins anew at each call.
    dropout : float, default 0.0
        Dropout between layers, while training.

    Attributes
    ----------
    x2f, x2i, x2o, x2u : Linear
        Weights of the input, with a bias, for the forget, input and output gate and the update.
    h2f, h2i, h2o, h2u : Linear
        Weights of the state.
    h, c : Variable or None
        The state, shape (N, hidden_size) each; ``None`` at the start.
    l1, l2, ..., l0_reverse, l1_reverse, ... : LSTM
        The other layers and directions, each with weights and a state of its own.

    Raises
    ------
    ValueError
        If the batch has another size than the state, or both directions are given one step.

    Notes
    -----
    Gradients go through the state into the calls before, until ``unchain_backward()``. Weights
    are read anew at the start of a sequence and whenever the array of a parameter is replaced or
    updated (``param.data = ...``, ``param.data += ...``, an optimiser); what is written into an
    array behind its parameter, ``param.data[0] = ...``, counts from the next sequence on, or from
    the step after a backward pass.

    Source: S. Hochreiter, J. Schmidhuber, "Long short-term memory", 1997; forget gate: F. Gers
    et al., "Learning to forget", 2000; both directions: M. Schuster, K. Paliwal, "Bidirectional
    recurrent neural networks", 1997.

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

    A sequence of 5 steps, two layers and both directions:

    >>> lstm = L.LSTM(4, num_layers=2, bidirectional=True)
    >>> lstm(np.ones((5, 2, 3), np.float32)).shape
    (5, 2, 8)
    """

    def __init__(
        self,
        hidden_size: int,
        in_size: int | None = None,
        *,
        num_layers: int = 1,
        bidirectional: bool = False,
        dropout: float = 0.0,
    ) -> None:
        self.hidden_size = H = checked_size("LSTM", "hidden_size", hidden_size)
        self.x2f = Linear(H, in_size=in_size)
        self.x2i = Linear(H, in_size=in_size)
        self.x2o = Linear(H, in_size=in_size)
        self.x2u = Linear(H, in_size=in_size)
        self.h2f = Linear(H, in_size=H, nobias=True)
        self.h2i = Linear(H, in_size=H, nobias=True)
        self.h2o = Linear(H, in_size=H, nobias=True)
        self.h2u = Linear(H, in_size=H, nobias=True)
        self.c: Variable | None = None
        self._stack(in_size, num_layers, bidirectional, dropout)

    def _one(self, in_size: int | None) -> LSTM:
        return LSTM(self.hidden_size, in_size)

    def _forget(self) -> None:
        self.h = None
        self.c = None

    def _gates(self) -> tuple[tuple[Linear, Linear], ...]:
        x2, h2 = (self.x2f, self.x2i, self.x2o, self.x2u), (self.h2f, self.h2i, self.h2o, self.h2u)
        return tuple(zip(x2, h2, strict=True))

    def _gate_params(self) -> tuple[Any, ...]:
        f, i, o, u = self.x2f, self.x2i, self.x2o, self.x2u
        return (
            *(f.W, i.W, o.W, u.W, f.b, i.b, o.b, u.b),
            *(self.h2f.W, self.h2i.W, self.h2o.W, self.h2u.W),
        )

    def _step(self, x: Any) -> Variable:
        packed = self._weights(x)
        cell = functions.LSTMCell(False, packed.panels)
        self.h, self.c = cell(x, self.h, self.c, packed.W)
        return self.h

    def _sequence(self, x: Any, reverse: bool) -> Variable:
        if reverse:
            self._forget()
        packed = self._weights(x)
        lstm = functions.LSTM(reverse, packed.panels)
        y, self.h, self.c = lstm(x, self.h, self.c, packed.W)
        return y


class GRU(_Gated):
    """Compute a step of a gated recurrent unit from the state of the last call.

    ::

        r, z = sigmoid(x Wx + b + h Wh)         with weights of their own
        n    = tanh(x Wx + b + r (h Wh + bh))
        h    = (1 - z) n + z h

    The reset gate ``r`` acts after the product with the state, as in cuDNN and PyTorch. Called on
    a sequence, it computes all steps at once, which is faster.

    Parameters
    ----------
    hidden_size : int
        Size of the state.
    in_size : int, optional
        Size of ``x``; by default taken from the first call.
    num_layers : int, default 1
        How many layers; each reads what the one before gave.
    bidirectional : bool, default False
        Whether each layer also reads the sequence from its end, with other weights. That
        direction begins anew at each call.
    dropout : float, default 0.0
        Dropout between layers, while training.

    Attributes
    ----------
    x2r, x2z, x2n : Linear
        Weights of the input, with a bias, for the reset and update gate and the candidate.
    h2r, h2z, h2n : Linear
        Weights of the state; that of the candidate has a bias.
    h : Variable or None
        The state, shape (N, hidden_size); ``None`` at the start.
    l1, l2, ..., l0_reverse, l1_reverse, ... : GRU
        The other layers and directions, each with weights and a state of its own.

    Raises
    ------
    ValueError
        If the batch has another size than the state, or both directions are given one step.

    Notes
    -----
    When weights are read, and how far gradients go, is as for :class:`LSTM`.

    Source: K. Cho et al., "Learning phrase representations using RNN encoder-decoder", 2014.

    Examples
    --------
    >>> import numpy as np
    >>> import dezero.layers as L
    >>> gru = L.GRU(4)
    >>> gru(np.ones((2, 3), np.float32)).shape
    (2, 4)
    >>> gru(np.ones((5, 2, 3), np.float32)).shape
    (5, 2, 4)
    """

    def __init__(
        self,
        hidden_size: int,
        in_size: int | None = None,
        *,
        num_layers: int = 1,
        bidirectional: bool = False,
        dropout: float = 0.0,
    ) -> None:
        self.hidden_size = H = checked_size("GRU", "hidden_size", hidden_size)
        self.x2r = Linear(H, in_size=in_size)
        self.x2z = Linear(H, in_size=in_size)
        self.x2n = Linear(H, in_size=in_size)
        self.h2r = Linear(H, in_size=H, nobias=True)
        self.h2z = Linear(H, in_size=H, nobias=True)
        self.h2n = Linear(H, in_size=H)
        self._stack(in_size, num_layers, bidirectional, dropout)

    def _one(self, in_size: int | None) -> GRU:
        return GRU(self.hidden_size, in_size)

    def _forget(self) -> None:
        self.h = None

    def _gates(self) -> tuple[tuple[Linear, Linear], ...]:
        return (self.x2r, self.h2r), (self.x2z, self.h2z), (self.x2n, self.h2n)

    def _gate_params(self) -> tuple[Any, ...]:
        r, z, n = self.x2r, self.x2z, self.x2n
        return (
            *(r.W, z.W, n.W, r.b, z.b, n.b),
            *(self.h2r.W, self.h2z.W, self.h2n.W, self.h2r.b, self.h2z.b, self.h2n.b),
        )

    def _step(self, x: Any) -> Variable:
        packed = self._weights(x)
        self.h = functions.GRUCell(False, packed.panels)(x, self.h, packed.W)
        return self.h

    def _sequence(self, x: Any, reverse: bool) -> Variable:
        if reverse:
            self._forget()
        packed = self._weights(x)
        y, self.h = functions.GRU(reverse, packed.panels)(x, self.h, packed.W)
        return y


def _batch_changed(name: str, x: Any, h: Variable) -> str:
    return (
        f"{name}: got x of shape {x.shape} after a state of shape {h.shape}; the batch must stay "
        "the same within a sequence: call reset_state() to begin a new one"
    )
