"""Losses, each a mean over the batch, and the accuracy."""

from __future__ import annotations

from typing import Any

import numpy as np

from dezero.core import Primitive, Variable, as_array, as_input, implements, sub
from dezero.functions.activations import log_softmax
from dezero.functions.indexing import check_labels, get_item
from dezero.functions.math import maximum
from dezero.functions.reductions import average
from dezero.functions.reductions import sum as sum_
from dezero.kernels import softmax as kernels


class MeanSquaredError(Primitive):
    """The mean of squared differences."""

    def forward(self, x0: Any, x1: Any) -> Any:
        """Return the mean."""
        check_same_shape("mean_squared_error", x0, x1)
        difference = _float_like(x0, x1) - _float_like(x1, x0)
        return (difference * difference).sum() / max(difference.size, 1)

    def gx0(self, gy: Any, x0: Any, x1: Any) -> Any:
        """Return ``2 (x0 - x1) / size``."""
        return np.reshape(gy * (2 / max(x0.size, 1)) * (x0 - x1), x0.shape)

    def gx1(self, gy: Any, x0: Any, x1: Any) -> Any:
        """Return ``2 (x1 - x0) / size``."""
        return np.reshape(gy * (2 / max(x0.size, 1)) * (x1 - x0), x1.shape)


class SoftmaxCrossEntropy(Primitive):
    """The mean of minus the logarithm of the softmax at the labels."""

    def __init__(self, ignore_label: int | None = None, label_smoothing: float = 0.0) -> None:
        self.ignore_label = ignore_label
        self.smoothing = float(label_smoothing)

    def forward(self, x: Any, t: Any) -> Any:
        """Return the mean; the logarithms of the normalisers are kept for backward."""
        check_class_labels("softmax_cross_entropy", x, t, self.ignore_label)
        labels = self._labels(t)
        losses, self.log_z = kernels.cross_entropy(x, labels, self.smoothing)
        self.count = max(len(t) if labels is t else np.count_nonzero(labels >= 0), 1)
        return _as_float_of(losses.sum() / self.count, x)

    def gx(self, gy: Any, x: Any, t: Any) -> Any:
        """Return ``(softmax - one hot) / N``."""
        labels = self._labels(t)
        return kernels.cross_entropy_grad(x, labels, self.log_z, gy / self.count, self.smoothing)

    def _labels(self, t: Any) -> Any:
        """Return the labels, with -1 where they are to be ignored."""
        if self.ignore_label is None:
            return t
        return np.where(t == self.ignore_label, -1, t.astype(np.int64))


@implements(kernels.cross_entropy_grad)
def _cross_entropy_grad(x: Any, t: Any, log_z: Any, scale: Any, smoothing: float) -> Variable:
    target = np.full(x.shape, smoothing / max(x.shape[1], 1), x.dtype, like=t)
    target[np.arange(len(t), like=t), t] += 1 - smoothing
    gx: Any = (np.exp(log_softmax(x, 1)) - target) * scale
    ignored = (t < 0)[:, None]
    if ignored.any():
        gx = np.where(ignored, 0, gx)
    return gx


class SigmoidCrossEntropy(Primitive):
    """The cross entropy of labels 0 and 1 with the sigmoid of scores."""

    def forward(self, x: Any, t: Any) -> Any:
        """Return ``mean(max(x, 0) - x t + log(1 + exp(-|x|)))``, which never overflows."""
        check_same_shape("sigmoid_cross_entropy", x, t)
        loss = kernels.sigmoid_cross_entropy(x, _labels_for(x, t))
        return _as_float_of(loss / max(len(x), 1), x)

    def gx(self, gy: Any, x: Any, t: Any) -> Any:
        """Return ``(sigmoid(x) - t) / N``."""
        return kernels.sigmoid_cross_entropy_grad(x, _labels_for(x, t), gy / max(len(x), 1))


class BinaryCrossEntropy(Primitive):
    """The cross entropy of labels 0 and 1 with probabilities."""

    def forward(self, p: Any, t: Any) -> Any:
        """Return the mean, with logarithms no less than -100 (as PyTorch's)."""
        check_same_shape("binary_cross_entropy", p, t)
        if (p < 0).any() or (p > 1).any():
            raise ValueError(
                f"binary_cross_entropy: got p from {p.min()} to {p.max()}; it wants probabilities "
                "from 0 to 1: F.sigmoid(x), or sigmoid_cross_entropy on the scores"
            )
        with np.errstate(divide="ignore"):
            yes, no = np.maximum(np.log(p), -100), np.maximum(np.log1p(-p), -100)
        loss = -(t * yes + (1 - t) * no).sum(dtype=np.float64) / max(len(p), 1)
        return _as_float_of(loss, p)

    def gp(self, gy: Any, p: Any, t: Any) -> Any:
        """Return ``(p - t) / (p (1 - p)) / N``."""
        slope = (p - _float_like(t, p)) / np.maximum(p * (1 - p), 1e-12) * (gy / max(len(p), 1))
        return np.reshape(slope, p.shape)


def mean_squared_error(x0: Any, x1: Any) -> Variable:
    r"""Return the mean of :math:`(x_0 - x_1)^2` over all elements.

    Parameters
    ----------
    x0, x1 : Variable or array, of one shape
        Prediction and target; both may want a gradient.

    Raises
    ------
    ValueError
        If the shapes differ: ``(N, 1)`` and ``(N,)`` would broadcast to ``(N, N)``.

    Notes
    -----
    Source: step 42 of the book. It divides by the number of elements; for the book's
    ``(N, 1)`` that is the same as dividing by ``N``.

    Examples
    --------
    >>> import numpy as np, dezero.functions as F
    >>> F.mean_squared_error(np.array([1.0, 2.0]), np.array([1.0, 4.0]))
    variable(2.0)
    """
    return MeanSquaredError()(x0, x1)


def mean_squared_error_simple(x0: Any, x1: Any) -> Variable:
    """Return the mean squared error composed of simpler functions (step 42 of the book).

    Examples
    --------
    >>> import numpy as np, dezero.functions as F
    >>> F.mean_squared_error_simple(np.array([1.0, 2.0]), np.array([1.0, 4.0]))
    variable(2.0)
    """
    check_same_shape("mean_squared_error_simple", x0, x1)
    difference = sub(x0, x1)
    return sum_(difference**2) / max(difference.size, 1)


def softmax_cross_entropy(
    x: Any, t: Any, ignore_label: int | None = None, label_smoothing: float = 0.0
) -> Variable:
    r"""Return the mean of :math:`-\log \mathrm{softmax}(x)_t` over the batch.

    Parameters
    ----------
    x : Variable or array of shape (N, C)
        Scores of the classes.
    t : array of int, shape (N,)
        Labels from 0 to ``C - 1``; no gradient.
    ignore_label : int, optional
        Rows with this label, -100 say, count neither in the loss nor in the mean.
    label_smoothing : float from 0 to 1, default 0
        The share of the label that goes to all classes alike: with :math:`\epsilon`, the target
        is :math:`1 - \epsilon + \epsilon / C` at the label and :math:`\epsilon / C` elsewhere.

    Returns
    -------
    Variable of shape ()
        In the dtype of ``x``, computed in float64.

    Raises
    ------
    ValueError
        If the shapes do not fit, a label is not a class, or ``label_smoothing`` is not a share.
    TypeError
        If the labels are not integers.

    Notes
    -----
    Source: step 47 of the book; for label smoothing Szegedy et al., Rethinking the Inception
    Architecture, 2015. In the gradient, probabilities below 1e-30 are 0.

    Examples
    --------
    >>> import numpy as np, dezero.functions as F
    >>> F.softmax_cross_entropy(np.zeros((1, 2)), np.array([1]))
    variable(0.6931471805599453)
    >>> F.softmax_cross_entropy(np.zeros((2, 2)), np.array([1, -100]), ignore_label=-100)
    variable(0.6931471805599453)
    """
    if not 0 <= label_smoothing <= 1:
        raise ValueError(
            f"softmax_cross_entropy: got label_smoothing {label_smoothing}; it wants a share from "
            "0 to 1"
        )
    return SoftmaxCrossEntropy(ignore_label, label_smoothing)(x, t)


def softmax_cross_entropy_simple(x: Any, t: Any) -> Variable:
    """Return the softmax cross entropy composed of simpler functions (step 47 of the book).

    Examples
    --------
    >>> import numpy as np, dezero.functions as F
    >>> F.softmax_cross_entropy_simple(np.zeros((1, 2)), np.array([1]))
    variable(0.6931471805599453)
    """
    labels = t.data if isinstance(t, Variable) else as_array(t)
    check_class_labels("softmax_cross_entropy_simple", x, labels)
    picked = log_softmax(x, 1)[np.arange(len(labels), like=labels), labels]
    return -sum_(picked) / max(len(labels), 1)


def sigmoid_cross_entropy(x: Any, t: Any) -> Variable:
    r"""Return the cross entropy of labels 0 and 1 with :math:`\sigma(x)`, summed over ``N``.

    Parameters
    ----------
    x : Variable or array of shape (N, ...)
        Scores.
    t : array of that shape
        Labels 0 and 1, or probabilities; no gradient.

    Raises
    ------
    ValueError
        If the shapes differ.

    Examples
    --------
    >>> import numpy as np, dezero.functions as F
    >>> F.sigmoid_cross_entropy(np.array([100.0]), np.array([0]))
    variable(100.0)
    """
    return SigmoidCrossEntropy()(x, t)


def binary_cross_entropy(p: Any, t: Any) -> Variable:
    """Return the cross entropy of labels 0 and 1 with probabilities ``p``.

    Parameters
    ----------
    p : Variable or array of shape (N, ...)
        Probabilities from 0 to 1.
    t : array of that shape
        Labels 0 and 1, or probabilities; no gradient.

    Raises
    ------
    ValueError
        If the shapes differ, or ``p`` is no probability.

    Examples
    --------
    >>> import numpy as np, dezero.functions as F
    >>> print(f"{F.binary_cross_entropy(np.array([0.5]), np.array([1])):.4f}")
    0.6931
    """
    return BinaryCrossEntropy()(p, t)


def accuracy(y: Any, t: Any) -> Variable:
    """Return the share of rows of ``y`` whose largest element is at the label; no gradient.

    Source: step 50 of the book.

    Parameters
    ----------
    y : Variable or array of shape (N, C)
        Scores.
    t : array of int, shape (N,)
        Labels.

    Examples
    --------
    >>> import numpy as np, dezero.functions as F
    >>> F.accuracy(np.array([[0.1, 0.9], [0.8, 0.2]]), np.array([1, 1]))
    variable(0.5)
    """
    scores = y.data if isinstance(y, Variable) else as_array(y)
    labels = t.data if isinstance(t, Variable) else as_array(t)
    if scores.ndim != 2 or labels.size != len(scores):
        raise ValueError(
            f"accuracy: got y of shape {scores.shape} and t of shape {labels.shape}; it wants "
            "(N, C) and (N,)"
        )
    right = scores.argmax(axis=1) == labels.reshape(-1)
    return Variable(as_array(right.mean()), requires_grad=False)


def _float_like(x: Any, other: Any) -> Any:
    """Return integers in the type of the other array, so that they do not widen float32."""
    return x.astype(other.dtype) if x.dtype.kind in "iub" and other.dtype.kind == "f" else x


def _labels_for(x: Any, t: Any) -> Any:
    """Return labels in the shape and, where they are integers, the dtype of scores."""
    return np.reshape(_float_like(t, x), x.shape)


def _as_float_of(loss: Any, x: Any) -> Any:
    """Return a loss, which was computed in float64, in the dtype of scores."""
    return loss.astype(x.dtype) if x.dtype.kind == "f" else loss


def check_same_shape(name: str, x0: Any, x1: Any) -> None:
    """Raise ValueError if the shapes differ so that broadcasting would give a wrong loss.

    Leading axes of length 1 change nothing: step 59 of the book compares (1, 1) with (1,).
    """
    a, b = x0.shape, x1.shape
    common = min(len(a), len(b))
    if a != b and (x0.size != x1.size or a[len(a) - common :] != b[len(b) - common :]):
        raise ValueError(
            f"{name}: got shapes {a} and {b}; they must be the same, since broadcasting would "
            "give a wrong loss; reshape one of them"
        )


def negative_log_likelihood(x: Any, t: Any) -> Variable:
    r"""Return the mean of :math:`-x_t`, where ``x`` has logarithms of probabilities.

    Parameters
    ----------
    x : Variable or array of shape (N, C)
        What :func:`dezero.functions.log_softmax` gives, say.
    t : array of int, shape (N,)
        Labels from 0 to ``C - 1``; no gradient.

    Raises
    ------
    ValueError, TypeError
        If the shapes do not fit, or a label is not a class.

    Examples
    --------
    >>> import numpy as np, dezero.functions as F
    >>> F.negative_log_likelihood(np.log([[0.5, 0.5]]), np.array([0]))
    variable(0.6931471805599453)
    """
    return -average(_at_labels("negative_log_likelihood", x, t))


def focal_loss(x: Any, t: Any, gamma: float = 2.0) -> Variable:
    r"""Return the mean of :math:`-(1 - p_t)^\gamma \log p_t`, where p is the softmax of ``x``.

    Examples that are right already count less than in the cross entropy, which is ``gamma = 0``.

    Parameters
    ----------
    x : Variable or array of shape (N, C)
        Scores of the classes.
    t : array of int, shape (N,)
        Labels from 0 to ``C - 1``; no gradient.
    gamma : float, default 2
        At least 0.

    Raises
    ------
    ValueError, TypeError
        If the shapes do not fit, a label is not a class, or gamma is negative.

    Notes
    -----
    Source: Lin et al., Focal Loss for Dense Object Detection, 2017.

    Examples
    --------
    >>> import numpy as np, dezero.functions as F
    >>> print(f"{F.focal_loss(np.zeros((1, 2)), np.array([1])):.6f}")
    0.173287
    """
    if gamma < 0:
        raise ValueError(f"focal_loss: got gamma {gamma}; it wants a number of at least 0")
    log_p = _at_labels("focal_loss", log_softmax(x), t)
    return -average((-np.expm1(log_p)) ** gamma * log_p)


def multiclass_hinge(x: Any, t: Any, margin: float = 1.0) -> Variable:
    r"""Return the mean over the batch of :math:`\sum_{j \ne t} \max(0, x_j - x_t + m)`.

    Parameters
    ----------
    x : Variable or array of shape (N, C)
        Scores of the classes.
    t : array of int, shape (N,)
        Labels from 0 to ``C - 1``; no gradient.
    margin : float, default 1
        By how much the score of the label has to be larger.

    Raises
    ------
    ValueError, TypeError
        If the shapes do not fit, or a label is not a class.

    Notes
    -----
    Source: Weston and Watkins, 1999.

    Examples
    --------
    >>> import numpy as np, dezero.functions as F
    >>> F.multiclass_hinge(np.array([[2.0, 1.5]]), np.array([0]))
    variable(0.5)
    """
    right = _at_labels("multiclass_hinge", x, t)
    distances = maximum(sub(x, np.expand_dims(right, 1)) + margin, 0)
    labels = t.data if isinstance(t, Variable) else t
    others = np.arange(distances.shape[1]) != labels[:, None]
    return sum_(distances * others.astype(distances.dtype)) / max(len(labels), 1)


def margin_ranking_loss(x0: Any, x1: Any, order: Any, margin: float = 0.0) -> Variable:
    r"""Return the mean of :math:`\max(0, m - s (x_0 - x_1))`.

    Parameters
    ----------
    x0, x1 : Variable or array of one shape
        Scores.
    order : array of that shape, or a number
        1 where ``x0`` should be larger, -1 where ``x1`` should; no gradient.
    margin : float, default 0
        By how much.

    Raises
    ------
    ValueError
        If the shapes differ.

    Examples
    --------
    >>> import numpy as np, dezero.functions as F
    >>> F.margin_ranking_loss(np.array([1.0, 3.0]), np.array([2.0, 2.0]), 1)
    variable(0.5)
    """
    check_same_shape("margin_ranking_loss", x0, x1)
    difference = sub(x0, x1)
    order = order.data if isinstance(order, Variable) else order
    if hasattr(order, "dtype"):
        order = order.astype(difference.dtype)  # whole numbers would widen float32
    return average(maximum(margin - order * difference, 0))


def _at_labels(name: str, x: Any, t: Any) -> Variable:
    """Return the element of each row at its label."""
    x, t = as_input(x), t.data if isinstance(t, Variable) else t
    check_class_labels(name, x, t)
    return get_item(x, (np.arange(len(t)), t))


def check_class_labels(name: str, x: Any, t: Any, ignored: int | None = None) -> None:
    """Raise unless ``x`` is (N, C) and ``t`` holds N classes, or the label that is ignored."""
    if x.ndim != 2 or t.ndim != 1 or len(x) != len(t):
        raise ValueError(
            f"{name}: got x of shape {x.shape} and t of shape {t.shape}; it wants scores (N, C) "
            "and labels (N,)"
        )
    check_labels(name, t if ignored is None else t[t != ignored], x.shape[1], "classes")


__all__ = [
    "BinaryCrossEntropy",
    "MeanSquaredError",
    "SigmoidCrossEntropy",
    "SoftmaxCrossEntropy",
    "accuracy",
    "binary_cross_entropy",
    "focal_loss",
    "margin_ranking_loss",
    "mean_squared_error",
    "mean_squared_error_simple",
    "multiclass_hinge",
    "negative_log_likelihood",
    "sigmoid_cross_entropy",
    "softmax_cross_entropy",
    "softmax_cross_entropy_simple",
]
