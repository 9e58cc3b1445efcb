"""Recurrent functions: LSTM and GRU, a step at a time and over whole sequences.

The nodes here take all weights as one matrix ``W``: rows for the input, for the bias, for the
state (and for the bias of the state, with a GRU). So a step has few gradients, and those of many
steps are added up once.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from dezero.core import Config, Primitive, Variable, Variadic, as_input
from dezero.kernels import recurrent as kernels
from dezero.kernels.products import product


class Pack(Variadic):
    """Weights of the gates, one array each, as the one matrix that the nodes want.

    Inputs are as many arrays as there are gates for each block of rows: weights of the input,
    (C, H), biases, (H,), weights of the state, (H, H), and where there are, biases of the state.
    ``None`` stands for a bias of zeros.
    """

    def __init__(self, gates: int) -> None:
        self.gates = gates
        self.used = False  # by a backward pass

    def forward(self, *ws: Any) -> Any:
        """Return the matrix."""
        blocks = [ws[i : i + self.gates] for i in range(0, len(ws), self.gates)]
        zeros = np.zeros_like(ws[0][0])
        rows = [
            np.concatenate([zeros if w is None else w for w in block], axis=-1) for block in blocks
        ]
        rows = [row if len(row.shape) == 2 else row[None] for row in rows]
        self.sizes = [len(row) for row in rows]
        return np.concatenate(rows)

    def gradient(self, gy: Any) -> Any:
        """Cut the gradient at the joints."""
        self.used = True
        if gy.__class__ is Steps:
            gy = gy.sum()
        H = gy.shape[1] // self.gates
        gws: list[Any] = []
        start = 0
        for k, size in enumerate(self.sizes):
            rows: Any = start if k % 2 else slice(start, start + size)  # biases: (H,)
            gws += [gy[rows, g * H : (g + 1) * H] for g in range(self.gates)]
            start += size
        return tuple(gws)


class Steps:
    """The gradient of packed weights before the products: what each step brings to them.

    A product for each step would go over the whole matrix each time. The backward walk adds
    gradients up; here that joins the steps, and the products are made once, of tall matrices.
    """

    __slots__ = ("_terms", "dtype", "shape")
    __array_ufunc__ = None  # array + Steps is left to __radd__

    def __init__(self, shape: tuple[int, ...], *term: Any) -> None:
        self.shape = shape
        self.dtype = term[-1].dtype
        self._terms = [term]

    def __add__(self, other: Any) -> Any:
        if other.__class__ is not Steps:
            return self.sum() + other
        self._terms += other._terms
        return self

    __radd__ = __add__

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return np.asarray(self.sum(), dtype)

    def sum(self) -> Any:
        """Return the gradient as an array."""
        return _packed_gradient(
            *(_rows(part[0] if len(part) == 1 else np.concatenate(part))
              for part in zip(*self._terms, strict=True))
        )  # fmt: skip


def _packed_gradient(rows: Any, ga: Any, gm: Any = None) -> Any:
    """Return the gradient of packed weights, from matrices of rows of all steps.

    With ``gm`` the products with the state, whose gradients these are, are apart: GRU.
    """
    if gm is None:
        return product(rows.T, ga)
    inputs = rows.shape[1] - gm.shape[1] // 3 - 1
    parts = product(rows[:, :inputs].T, ga), product(rows[:, inputs:].T, gm)
    return np.concatenate(parts)


def _rows(x: Any) -> Any:
    """Return matrices, one for each step, as one matrix."""
    return np.reshape(x, (x.shape[0] * x.shape[1], x.shape[2]))


class _Recurrent(Primitive):
    """What LSTM and GRU share; inputs are ``x``, of one step or of all, the state, and ``W``."""

    _kernel: ClassVar[Any]
    _rows: Any
    _pull_back: Any

    def __init__(self, reverse: bool = False, panels: dict[str, Any] | None = None) -> None:
        self.reverse = reverse
        self.panels: dict[str, Any] = {} if panels is None else panels

    def _filled(self, gy: Any) -> tuple[Any, ...]:
        return tuple(gy)  # the kernels know what None is

    def _through(self, kernel: Any, x: Any, *state_and_W: Any) -> Any:
        """Run the kernel; keep how to go back, and the rows that W was multiplied with."""
        *state, W = state_and_W
        x = x[None] if len(x.shape) == 2 else x
        return kernel(W, x, *state, self.panels, self.reverse, Config.enable_backprop)

    def _back(self, gys: Any, *inputs: Any) -> Any:
        """Return the gradients of the inputs, of which the first and last are of packed shape.

        Where the pass is recorded, by the composed formula.
        """
        rows, pull = self._rows, self._pull_back
        if any(isinstance(gy, Variable) for gy in gys):
            *_, rows, pull = self._through(self._kernel.reference, *inputs)
        states = len(inputs) - 2
        needs = self.needs
        gradients = pull(*gys, needs[:-1])
        gates, (gx, *gstate) = gradients[: -1 - states], gradients[-1 - states :]
        if gx is not None and len(inputs[0].shape) == 2:
            gx = gx[0]
        return gx, *gstate, self._gW(inputs[-1], rows, gates) if needs[-1] else None

    def _gW(self, W: Any, rows: Any, gates: tuple[Any, ...]) -> Any:
        plain = all(type(a) is np.ndarray for a in (rows, *gates)) and gates[-1].dtype == W.dtype
        if plain and self._edges[-1].__class__ is Pack:
            return Steps(W.shape, rows, *gates)
        return _packed_gradient(_rows(rows), *(_rows(g) for g in gates))


class LSTMCell(_Recurrent):
    """A step of an LSTM: the new ``h`` and ``c``."""

    _kernel = kernels.lstm

    def forward(self, x: Any, h: Any, c: Any, W: Any) -> Any:
        """Return the new state."""
        _check("lstm_cell", 2, x, (h, c), W.shape[0] - 1, W.shape[1] // 4)
        y, c, self._rows, self._pull_back = self._through(kernels.lstm, x, h, c, W)
        return y[0], c

    def gradient(self, gys: Any, x: Any, h: Any, c: Any, W: Any) -> Any:
        """Go back through the gates."""
        return self._back((None, *gys), x, h, c, W)


class LSTM(LSTMCell):
    """An LSTM over a sequence: all ``h``, and the last ``h`` and ``c``."""

    def forward(self, x: Any, h: Any, c: Any, W: Any) -> Any:
        """Return the outputs, and the state after the last step."""
        _check("lstm", 3, x, (h, c), W.shape[0] - 1, W.shape[1] // 4)
        y, c, self._rows, self._pull_back = self._through(kernels.lstm, x, h, c, W)
        return y, y[0 if self.reverse else -1].copy(), c

    def gradient(self, gys: Any, x: Any, h: Any, c: Any, W: Any) -> Any:
        """Go back through the steps."""
        return self._back(gys, x, h, c, W)


class GRUCell(_Recurrent):
    """A step of a GRU: the new ``h``."""

    _kernel = kernels.gru

    def forward(self, x: Any, h: Any, W: Any) -> Any:
        """Return the new state."""
        _check("gru_cell", 2, x, (h,), W.shape[0] - 2, W.shape[1] // 3)
        y, self._rows, self._pull_back = self._through(kernels.gru, x, h, W)
        return y[0]

    def gradient(self, gy: Any, x: Any, h: Any, W: Any) -> Any:
        """Go back through the gates."""
        return self._back((None, gy), x, h, W)


class GRU(GRUCell):
    """A GRU over a sequence: all ``h``, and the last one."""

    def forward(self, x: Any, h: Any, W: Any) -> Any:
        """Return the outputs, and the state after the last step."""
        _check("gru", 3, x, (h,), W.shape[0] - 2, W.shape[1] // 3)
        y, self._rows, self._pull_back = self._through(kernels.gru, x, h, W)
        return y, y[0 if self.reverse else -1].copy()

    def gradient(self, gys: Any, x: Any, h: Any, W: Any) -> Any:
        """Go back through the steps."""
        return self._back(gys, x, h, W)


_WANTED = {2: "x (N, C)", 3: "x (T, N, C) with T at least 1"}


def _check(name: str, ndim: int, x: Any, states: tuple[Any, ...], rows: int, H: int) -> None:
    """Raise ValueError unless ``x`` is of the right size, and the state is of the same batch."""
    shape = x.shape
    if len(shape) != ndim or shape[-1] != rows - H or (ndim == 3 and shape[0] == 0):
        raise ValueError(
            f"{name}: got x of shape {shape} with weights for C={rows - H} features and H={H} "
            f"hidden units; it wants {_WANTED[ndim]}"
        )
    wanted = (shape[-2], H)
    for state in states:
        if state is not None and state.shape != wanted:
            raise ValueError(
                f"{name}: got a state of shape {state.shape}; for x of shape {shape} and H={H} "
                f"hidden units it wants {wanted}, or None for zeros"
            )


def _packed(name: str, gates: int, Wx: Any, Wh: Any, *biases: Any) -> Variable:
    """Return the weights of a public function as one matrix; raise where they do not fit."""
    Wx, Wh, *bs = (as_input(w) for w in (Wx, Wh, *biases))
    H = Wh.shape[0] if len(Wh.shape) == 2 else -1
    fits = Wh.shape == (H, gates * H) and len(Wx.shape) == 2 and Wx.shape[1] == gates * H
    if not fits or any(b.shape != (gates * H,) for b in bs):
        shapes = ", ".join(str(tuple(w.shape)) for w in (Wx, Wh, *bs))
        wanted = f"(C, {gates} H), (H, {gates} H)" + f", ({gates} H,)" * len(bs)
        raise ValueError(f"{name}: got weights of shapes {shapes}; it wants {wanted}")
    return Pack(1)(Wx, bs[0], Wh, *bs[1:])


def lstm_cell(x: Any, h: Any, c: Any, Wx: Any, Wh: Any, b: Any) -> tuple[Variable, Variable]:
    r"""Compute a step of a long short-term memory; return the new ``h`` and ``c``.

    .. math::

        f, i, o = \sigma(x W_x + h W_h + b),\quad u = \tanh(x W_x + h W_h + b),\quad
        c' = f c + i u,\quad h' = o \tanh c'

    with columns of the weights for each gate.

    Parameters
    ----------
    x : Variable or array of shape (N, C)
        Inputs.
    h, c : Variable or array of shape (N, H), or None
        The state; ``None`` is a state of zeros.
    Wx, Wh : Variable or array of shape (C, 4 H) and (H, 4 H)
        Weights, in the order f, i, o, u.
    b : Variable or array of shape (4 H,)
        Bias.

    Raises
    ------
    ValueError
        If the shapes do not fit.

    Notes
    -----
    Source: step 60 of the book; S. Hochreiter, J. Schmidhuber, "Long short-term memory", 1997.

    Examples
    --------
    >>> import numpy as np, dezero.functions as F
    >>> Wx, Wh, b = np.ones((3, 8)), np.ones((2, 8)), np.zeros(8)
    >>> h, c = F.lstm_cell(np.zeros((1, 3)), None, None, Wx, Wh, b)
    >>> h
    variable([[0. 0.]])
    """
    return LSTMCell()(x, h, c, _packed("lstm_cell", 4, Wx, Wh, b))


def lstm(
    x: Any, h: Any, c: Any, Wx: Any, Wh: Any, b: Any, reverse: bool = False
) -> tuple[Variable, Variable, Variable]:
    """Compute :func:`lstm_cell` over a sequence: ``h`` of all steps, and the last ``h`` and ``c``.

    Parameters
    ----------
    x : Variable or array of shape (T, N, C)
        Inputs of T steps.
    h, c : Variable or array of shape (N, H), or None
        The state before; ``None`` is a state of zeros.
    Wx, Wh : Variable or array of shape (C, 4 H) and (H, 4 H)
        Weights, in the order f, i, o, u.
    b : Variable or array of shape (4 H,)
        Bias.
    reverse : bool, default False
        Go through the sequence from its end; outputs stay where their inputs are.

    Returns
    -------
    y, h, c : Variable
        Of shape (T, N, H), (N, H) and (N, H).

    Raises
    ------
    ValueError
        If the shapes do not fit.

    Examples
    --------
    >>> import numpy as np, dezero.functions as F
    >>> Wx, Wh, b = np.ones((3, 8)), np.ones((2, 8)), np.zeros(8)
    >>> y, h, c = F.lstm(np.ones((5, 1, 3)), None, None, Wx, Wh, b)
    >>> y.shape, h.shape
    ((5, 1, 2), (1, 2))
    """
    return LSTM(reverse)(x, h, c, _packed("lstm", 4, Wx, Wh, b))


def gru_cell(x: Any, h: Any, Wx: Any, Wh: Any, bx: Any, bh: Any) -> Variable:
    r"""Compute a step of a gated recurrent unit; return the new ``h``.

    .. math::

        r, z = \sigma(x W_x + b_x + h W_h + b_h),\quad
        n = \tanh(x W_x + b_x + r\,(h W_h + b_h)),\quad h' = (1 - z) n + z h

    with columns of the weights for each gate. The reset gate acts after the product with the
    state, as in cuDNN and PyTorch; in the paper it acts on ``h`` before.

    Parameters
    ----------
    x : Variable or array of shape (N, C)
        Inputs.
    h : Variable or array of shape (N, H), or None
        The state; ``None`` is a state of zeros.
    Wx, Wh : Variable or array of shape (C, 3 H) and (H, 3 H)
        Weights, in the order r, z, n.
    bx, bh : Variable or array of shape (3 H,)
        Biases of the two products.

    Raises
    ------
    ValueError
        If the shapes do not fit.

    Notes
    -----
    Source: K. Cho et al., "Learning phrase representations using RNN encoder-decoder", 2014.

    Examples
    --------
    >>> import numpy as np, dezero.functions as F
    >>> Wx, Wh, b = np.ones((3, 6)), np.ones((2, 6)), np.zeros(6)
    >>> F.gru_cell(np.zeros((1, 3)), np.ones((1, 2)), Wx, Wh, b, b).shape
    (1, 2)
    """
    return GRUCell()(x, h, _packed("gru_cell", 3, Wx, Wh, bx, bh))


def gru(
    x: Any, h: Any, Wx: Any, Wh: Any, bx: Any, bh: Any, reverse: bool = False
) -> tuple[Variable, Variable]:
    """Compute :func:`gru_cell` over a sequence: ``h`` of all steps, and the last one.

    Parameters
    ----------
    x : Variable or array of shape (T, N, C)
        Inputs of T steps.
    h : Variable or array of shape (N, H), or None
        The state before; ``None`` is a state of zeros.
    Wx, Wh : Variable or array of shape (C, 3 H) and (H, 3 H)
        Weights, in the order r, z, n.
    bx, bh : Variable or array of shape (3 H,)
        Biases of the two products.
    reverse : bool, default False
        Go through the sequence from its end; outputs stay where their inputs are.

    Returns
    -------
    y, h : Variable
        Of shape (T, N, H) and (N, H).

    Raises
    ------
    ValueError
        If the shapes do not fit.

    Examples
    --------
    >>> import numpy as np, dezero.functions as F
    >>> Wx, Wh, b = np.ones((3, 6)), np.ones((2, 6)), np.zeros(6)
    >>> y, h = F.gru(np.ones((5, 1, 3)), None, Wx, Wh, b, b)
    >>> y.shape, h.shape
    ((5, 1, 2), (1, 2))
    """
    return GRU(reverse)(x, h, _packed("gru", 3, Wx, Wh, bx, bh))


__all__ = [
    "GRU",
    "LSTM",
    "GRUCell",
    "LSTMCell",
    "gru",
    "gru_cell",
    "lstm",
    "lstm_cell",
]
