"""Batching rules of the kernels: a batch of batches of images is one longer batch."""

from __future__ import annotations

from typing import Any

import numpy as np

from dezero.autodiff.batched import Batch
from dezero.autodiff.batching_rules import Rule, rule
from dezero.kernels import attention, convolution, pooling, softmax


def _merged(function: Any, count: int) -> Rule:
    """Return the rule of a kernel whose first arguments are along the same first axis."""

    def merge(batch: Batch, *args: Any, **kwargs: Any) -> Any:
        if any(batch.holds(x) for x in (*args[count:], *kwargs.values())):
            return NotImplemented
        joined = [_joined(batch.whole(x)) for x in args[:count]]
        return _parted(batch, function(*joined, *args[count:], **kwargs))

    return merge


def _joined(x: Any) -> Any:
    return np.reshape(x, (x.shape[0] * x.shape[1], *x.shape[2:]))


def _parted(batch: Batch, y: Any) -> Any:
    if isinstance(y, tuple):
        return tuple([_parted(batch, part) for part in y])
    return batch.of(np.reshape(y, (batch.size, len(y) // batch.size, *y.shape[1:])))


for _kernel, _count in (
    (convolution.im2col_array, 1),
    (pooling.average_pooling, 1),
    (pooling.average_pooling_grad, 1),
    (pooling.max_pooling, 1),
    (pooling.max_pooling_with_winners, 1),
    (pooling.pool_gather, 2),
    (pooling.pool_scatter, 2),
    (softmax.cross_entropy, 2),
):
    rule(_kernel)(_merged(_kernel, _count))


@rule(softmax.cross_entropy_grad)
def _cross_entropy_grad(
    batch: Batch, x: Any, t: Any, log_z: Any, scale: Any, smoothing: float
) -> Any:
    x, t, log_z = (_joined(batch.whole(a)) for a in (x, t, log_z))
    gx = softmax.cross_entropy_grad(x, t, log_z, np.ones((), x.dtype), smoothing)
    return _parted(batch, gx) * scale


@rule(convolution.col2im_array)
def _col2im(batch: Batch, col: Any, img_shape: Any, *args: Any, **kwargs: Any) -> Any:
    shape = (batch.size * img_shape[0], *img_shape[1:])
    return _parted(batch, convolution.col2im_array(_joined(col.value), shape, *args, **kwargs))


@rule(convolution.conv2d)
def _conv2d(
    batch: Batch,
    x: Any,
    W: Any,
    b: Any = None,
    stride: Any = 1,
    pad: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    options = (stride, pad, dilation)
    if not batch.holds(W) and not batch.holds(b):
        y = convolution.conv2d(_joined(x.value), W, b, *options, groups)
        return _parted(batch, y)
    b = None if b is None else _joined(batch.whole(b))
    groups *= batch.size
    y = convolution.conv2d(_side_by_side(batch, x), _joined(batch.whole(W)), b, *options, groups)
    return _apart(batch, y)


@rule(convolution.conv2d_input_grad)
def _conv2d_input_grad(
    batch: Batch,
    gy: Any,
    W: Any,
    x_size: Any,
    stride: Any = 1,
    pad: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    options = (x_size, stride, pad, dilation)
    if not batch.holds(W):
        gx = convolution.conv2d_input_grad(_joined(gy.value), W, *options, groups)
        return _parted(batch, gx)
    W, groups = _joined(W.value), groups * batch.size
    gx = convolution.conv2d_input_grad(_side_by_side(batch, gy), W, *options, groups)
    return _apart(batch, gx)


@rule(convolution.conv2d_weight_grad)
def _conv2d_weight_grad(
    batch: Batch,
    x: Any,
    gy: Any,
    kernel_size: Any,
    stride: Any = 1,
    pad: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    x, gy = _side_by_side(batch, x), _side_by_side(batch, gy)
    options = (kernel_size, stride, pad, dilation)
    return _parted(batch, convolution.conv2d_weight_grad(x, gy, *options, groups * batch.size))


def _side_by_side(batch: Batch, x: Any) -> Any:
    """Return the channels of all examples as those of one: each is a group of its own."""
    x = np.moveaxis(batch.whole(x), 0, 1)
    return np.reshape(x, (x.shape[0], x.shape[1] * x.shape[2], *x.shape[3:]))


def _apart(batch: Batch, y: Any) -> Any:
    channels = y.shape[1] // batch.size
    y = np.reshape(y, (y.shape[0], batch.size, channels, *y.shape[2:]))
    return batch.of(np.moveaxis(y, 1, 0))


@rule(attention.attention)
def _attention(batch: Batch, q: Any, k: Any, v: Any, mask: Any, is_causal: bool) -> Any:
    if batch.holds(mask):
        return NotImplemented
    y, lse = attention.attention(*batch.aligned((q, k, v)), mask, is_causal)
    return batch.of(y), batch.of(lse)


@rule(attention.attention_grad)
def _attention_grad(
    batch: Batch, gy: Any, q: Any, k: Any, v: Any, mask: Any, is_causal: bool, y: Any, lse: Any
) -> Any:
    if batch.holds(mask):
        return NotImplemented
    gy, y, lse = (batch.whole(x) for x in (gy, y, lse))
    gxs = attention.attention_grad(
        gy, *(_with_batch(batch, x, gy.ndim) for x in (q, k, v)), mask, is_causal, y, lse
    )
    return tuple([batch.of(gx) for gx in gxs])


def _with_batch(batch: Batch, x: Any, ndim: int) -> Any:
    x = batch.whole(x)
    return np.reshape(x, (x.shape[0], *(1,) * (ndim - x.ndim), *x.shape[1:]))
