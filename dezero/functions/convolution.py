"""Convolution, transposed convolution, and the windows of images as columns (steps 55 to 57).

A convolution is linear in its images and in its filters, and so are its gradients. Three kernels
carry each other's gradients: conv2d, conv2d_input_grad (a transposed convolution) and
conv2d_weight_grad; so derivatives of any order cost no more code.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dezero.core import Primitive, Variable, implements
from dezero.functions.image_checks import (
    check_filters,
    check_fits,
    check_images,
    check_number,
    check_pair,
    deconv_size,
)
from dezero.kernels import convolution as kernels

get_conv_outsize, get_deconv_outsize = kernels.get_conv_outsize, kernels.get_deconv_outsize


class Conv2d(Primitive):
    """Convolution of images (N, C, H, W) with filters (O, C/groups, KH, KW)."""

    kernel_size: tuple[int, int]

    def __init__(self, stride: Any = 1, pad: Any = 0, dilation: Any = 1, groups: int = 1) -> None:
        self.stride = check_pair("conv2d", "stride", stride, least=1)
        self.pad = check_pair("conv2d", "pad", pad, least=0)
        self.dilation = check_pair("conv2d", "dilation", dilation, least=1)
        self.groups = check_number("conv2d", "groups", groups, least=1)
        self.window = self.stride, self.pad, self.dilation, self.groups  # what kernels take last

    def __call__(self, x: Any, W: Any, b: Any = None) -> Any:
        """Convolve ``x`` with ``W`` and add ``b``."""
        return super().__call__(x, W, b)

    def forward(self, x: Any, W: Any, b: Any) -> Any:
        """Return the (N, O, OH, OW) responses of the filters."""
        check_images("conv2d", "x", x)
        check_filters("conv2d", x, W, b, self.groups)
        check_fits("conv2d", x.shape, W.shape[2:], self.stride, self.pad, self.dilation)
        self.x_size, self.kernel_size = x.shape[2:], W.shape[2:]
        return kernels.conv2d(x, W, b, *self.window)

    def gx(self, gy: Any, W: Any) -> Any:
        """Spread each response over the window that it came from."""
        return kernels.conv2d_input_grad(gy, W, self.x_size, *self.window)

    def gW(self, gy: Any, x: Any) -> Any:
        """Correlate the windows with the gradients of their responses."""
        return kernels.conv2d_weight_grad(x, gy, self.kernel_size, *self.window)

    def gb(self, gy: Any) -> Any:
        """Sum over images and places."""
        return kernels.channel_sum(gy)


class Deconv2d(Primitive):
    """Transposed convolution of (N, C, H, W) with filters (C, O/groups, KH, KW)."""

    kernel_size: tuple[int, int]

    def __init__(
        self,
        stride: Any = 1,
        pad: Any = 0,
        outsize: Any = None,
        dilation: Any = 1,
        groups: int = 1,
    ) -> None:
        self.stride = check_pair("deconv2d", "stride", stride, least=1)
        self.pad = check_pair("deconv2d", "pad", pad, least=0)
        self.outsize = None if outsize is None else check_pair("deconv2d", "outsize", outsize, 1)
        self.dilation = check_pair("deconv2d", "dilation", dilation, least=1)
        self.groups = check_number("deconv2d", "groups", groups, least=1)
        self.window = self.stride, self.pad, self.dilation, self.groups

    def __call__(self, x: Any, W: Any, b: Any = None) -> Any:
        """Spread ``x`` with the filters ``W`` and add ``b``."""
        return super().__call__(x, W, b)

    def forward(self, x: Any, W: Any, b: Any) -> Any:
        """Return the (N, O, OH, OW) images that a convolution would take to ``x``'s shape."""
        check_images("deconv2d", "x", x)
        check_filters("deconv2d", x, W, b, self.groups, transposed=True)
        self.kernel_size = W.shape[2:]
        size = deconv_size(
            "deconv2d", x.shape, W.shape, self.stride, self.pad, self.outsize, self.dilation
        )
        y = kernels.conv2d_input_grad(x, W, size, *self.window)
        return y if b is None else kernels.add_bias(y, b)

    def gx(self, gy: Any, W: Any) -> Any:
        """Convolve the gradient."""
        return kernels.conv2d(gy, W, None, *self.window)

    def gW(self, gy: Any, x: Any) -> Any:
        """Correlate the windows of the gradient with the inputs that were spread over them."""
        return kernels.conv2d_weight_grad(gy, x, self.kernel_size, *self.window)

    def gb(self, gy: Any) -> Any:
        """Sum over images and places."""
        return kernels.channel_sum(gy)


class Conv2DGradW(Primitive):
    """The gradient of a convolution for its filters, itself a function of images and gradient.

    ``conv2d`` is the Conv2d or Deconv2d whose kernel size, stride, padding, dilation and groups
    apply.
    """

    def __init__(self, conv2d: Conv2d | Deconv2d) -> None:
        self.kernel_size = conv2d.kernel_size
        self.window = conv2d.window

    def forward(self, x: Any, gy: Any) -> Any:
        """Return the gradient (O, C/groups, KH, KW)."""
        self.x_size = x.shape[2:]
        return kernels.conv2d_weight_grad(x, gy, self.kernel_size, *self.window)

    def gx(self, gW: Any, gy: Any) -> Any:
        """Spread ``gy`` with the filters ``gW``."""
        return kernels.conv2d_input_grad(gy, gW, self.x_size, *self.window)

    def ggy(self, gW: Any, x: Any) -> Any:
        """Convolve ``x`` with the filters ``gW``."""
        return kernels.conv2d(x, gW, None, *self.window)


class Im2col(Primitive):
    """The windows of images, side by side."""

    def __init__(self, kernel_size: Any, stride: Any, pad: Any, to_matrix: bool) -> None:
        self.kernel_size = check_pair("im2col", "kernel_size", kernel_size, least=1)
        self.stride = check_pair("im2col", "stride", stride, least=1)
        self.pad = check_pair("im2col", "pad", pad, least=0)
        self.to_matrix = to_matrix

    def forward(self, x: Any) -> Any:
        """Copy every window."""
        check_images("im2col", "x", x)
        check_fits("im2col", x.shape, self.kernel_size, self.stride, self.pad)
        self.x_shape = x.shape
        return kernels.im2col_array(x, self.kernel_size, self.stride, self.pad, self.to_matrix)

    def gx(self, gy: Any) -> Any:
        """Add the windows' gradients back into the images."""
        return kernels.col2im_array(
            gy, self.x_shape, self.kernel_size, self.stride, self.pad, self.to_matrix
        )


class Col2im(Primitive):
    """The adjoint of Im2col: windows added back into images."""

    def __init__(
        self, input_shape: Any, kernel_size: Any, stride: Any, pad: Any, to_matrix: bool
    ) -> None:
        self.input_shape = tuple(input_shape)
        self.kernel_size = check_pair("col2im", "kernel_size", kernel_size, least=1)
        self.stride = check_pair("col2im", "stride", stride, least=1)
        self.pad = check_pair("col2im", "pad", pad, least=0)
        self.to_matrix = to_matrix

    def forward(self, x: Any) -> Any:
        """Add every window into the images."""
        _check_columns(x, self)
        return kernels.col2im_array(
            x, self.input_shape, self.kernel_size, self.stride, self.pad, self.to_matrix
        )

    def gx(self, gy: Any) -> Any:
        """Read every window."""
        return kernels.im2col_array(gy, self.kernel_size, self.stride, self.pad, self.to_matrix)


def conv2d(
    x: Any,
    W: Any,
    b: Any = None,
    stride: Any = 1,
    pad: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Variable:
    """Convolve images with filters (cross-correlation, as in every deep learning framework).

    ``y[n, o, i, j] = b[o] + sum(W[o, c, u, v] * x[n, c, i*sh + u*dh - ph, j*sw + v*dw - pw])``
    over ``c, u, v``, where ``x`` is 0 outside; with groups, over the channels ``c`` of the group
    that ``o`` is in. Gradients of any order exist for ``x``, ``W`` and ``b``.

    Parameters
    ----------
    x : Variable or ndarray of shape (N, C, H, W)
        The images. Integers are taken in the dtype of ``W``.
    W : Variable or ndarray of shape (O, C/groups, KH, KW)
        The filters, of a floating dtype.
    b : Variable or ndarray of shape (O,), optional
        Added to each output channel.
    stride : int or pair of int, default 1
        The step of the window down and along.
    pad : int or pair of int, default 0
        How many zeros stand around the images: above and below, left and right.
    dilation : int or pair of int, default 1
        The step between the pixels of one window, down and along.
    groups : int, default 1
        Into how many groups the channels and the filters are cut: each filter sees the channels
        of its own group. With ``groups=C`` the convolution is called depthwise.

    Returns
    -------
    Variable of shape (N, O, OH, OW)
        With ``OH = (H + 2 pad - dilation (KH - 1) - 1) // stride + 1``, ``OW`` likewise.

    Raises
    ------
    ValueError
        If the shapes do not fit each other, ``groups`` does not divide the channels of images
        and filters, or ``stride``, ``pad`` or ``dilation`` is out of range.
    TypeError
        If the filters are not of a floating dtype.

    Notes
    -----
    Source: steps 55 to 57 of the book; gradients after Dumoulin and Visin, "A guide to
    convolution arithmetic for deep learning" (2016). Dilation: Yu and Koltun, "Multi-scale context
    aggregation by dilated convolutions" (2016); groups: Krizhevsky et al., "ImageNet
    classification with deep convolutional neural networks" (2012).

    Examples
    --------
    >>> import numpy as np
    >>> import dezero.functions as F
    >>> x = np.arange(9.0).reshape(1, 1, 3, 3)
    >>> W = np.ones((1, 1, 2, 2))
    >>> F.conv2d(x, W)
    variable([[[[ 8. 12.]
                [20. 24.]]]])
    >>> F.conv2d(x, W, stride=2, pad=1).shape
    (1, 1, 2, 2)
    >>> F.conv2d(x, W, dilation=2)
    variable([[[[16.]]]])
    >>> F.conv2d(np.ones((1, 4, 3, 3)), np.ones((4, 1, 3, 3)), groups=4).data.ravel()
    array([9., 9., 9., 9.])
    """
    return Conv2d(stride, pad, dilation, groups)(x, W, b)


def deconv2d(
    x: Any,
    W: Any,
    b: Any = None,
    stride: Any = 1,
    pad: Any = 0,
    outsize: Any = None,
    dilation: Any = 1,
    groups: int = 1,
) -> Variable:
    """Transposed convolution: spread each input, times the filters, over a window of the output.

    The adjoint of :func:`conv2d` with the same ``W``, stride, pad ..., plus ``b``: where a
    convolution takes (N, O, OH, OW) to (N, C, H, W), this takes (N, C, H, W) to (N, O, OH, OW).

    Parameters
    ----------
    x : Variable or ndarray of shape (N, C, H, W)
        The inputs.
    W : Variable or ndarray of shape (C, O/groups, KH, KW)
        The filters, of a floating dtype.
    b : Variable or ndarray of shape (O,), optional
        Added to each output channel.
    stride : int or pair of int, default 1
        The step of the window over the output.
    pad : int or pair of int, default 0
        How much is cut off on each side of the output.
    outsize : int or pair of int, optional
        The height and width of the output, where several have a convolution of size (H, W).
        The smallest, ``stride (H - 1) + dilation (KH - 1) + 1 - 2 pad``, is taken otherwise.
    dilation : int or pair of int, default 1
        The step between the pixels of one window, down and along.
    groups : int, default 1
        Into how many groups inputs and output channels are cut; each has filters of its own.

    Returns
    -------
    Variable of shape (N, O, OH, OW)
        The spread images.

    Raises
    ------
    ValueError
        If the shapes do not fit each other, no convolution takes ``outsize`` to (H, W), or
        ``groups`` does not divide the channels.
    TypeError
        If the filters are not of a floating dtype.

    Notes
    -----
    Source: the companion of step 57 of the book; Zeiler et al., "Deconvolutional networks" (2010).

    Examples
    --------
    >>> import numpy as np
    >>> import dezero.functions as F
    >>> x = np.array([[[[1.0, 2.0]]]])
    >>> F.deconv2d(x, np.ones((1, 1, 1, 3)), stride=2)
    variable([[[[1. 1. 3. 2. 2.]]]])
    """
    return Deconv2d(stride, pad, outsize, dilation, groups)(x, W, b)


def conv2d_simple(x: Any, W: Any, b: Any = None, stride: Any = 1, pad: Any = 0) -> Variable:
    """Compute :func:`conv2d` from smaller functions: im2col, a matrix product, a transposition.

    The same arguments and result; slower, and for reading. Source: step 57 of the book.

    Examples
    --------
    >>> import numpy as np
    >>> import dezero.functions as F
    >>> x, W = np.ones((2, 3, 8, 8)), np.ones((4, 3, 3, 3))
    >>> F.conv2d_simple(x, W, pad=1).shape
    (2, 4, 8, 8)
    """
    check_images("conv2d_simple", "x", x)
    check_filters("conv2d_simple", x, W, b)
    columns = im2col(x, W.shape[2:], stride, pad, to_matrix=True)
    size = kernels.geometry(x.shape[2:], W.shape[2:], stride, pad).out
    y = np.matmul(columns, np.transpose(np.reshape(W, (W.shape[0], -1))))
    y = y if b is None else y + b
    y = y.reshape(x.shape[0], *size, W.shape[0])
    return y.transpose(0, 3, 1, 2)


def im2col(
    x: Any, kernel_size: Any, stride: Any = 1, pad: Any = 0, to_matrix: bool = True
) -> Variable:
    """Lay out the windows of images side by side, so that a convolution is a matrix product.

    Parameters
    ----------
    x : Variable or ndarray of shape (N, C, H, W)
        The images.
    kernel_size : int or pair of int
        The height and width KH, KW of the window.
    stride, pad : int or pair of int
        The step of the window, and the zeros around the images.
    to_matrix : bool, default True
        Whether to return a matrix with a row for each window.

    Returns
    -------
    Variable of shape (N*OH*OW, C*KH*KW), or (N, C, KH, KW, OH, OW) without ``to_matrix``
        The windows, of the dtype of ``x``.

    Raises
    ------
    ValueError
        If ``x`` has not four axes, or the window is larger than the padded images.

    Notes
    -----
    Source: step 57 of the book.

    Examples
    --------
    >>> import numpy as np
    >>> import dezero.functions as F
    >>> F.im2col(np.arange(6.0).reshape(1, 1, 2, 3), kernel_size=2)
    variable([[0. 1. 3. 4.]
              [1. 2. 4. 5.]])
    """
    return Im2col(kernel_size, stride, pad, to_matrix)(x)


def col2im(
    x: Any,
    input_shape: Any,
    kernel_size: Any,
    stride: Any = 1,
    pad: Any = 0,
    to_matrix: bool = True,
) -> Variable:
    """Add windows back into images: the adjoint (not the inverse) of :func:`im2col`.

    Parameters
    ----------
    x : Variable or ndarray
        Windows, in the layout that :func:`im2col` returns.
    input_shape : tuple of int
        The shape (N, C, H, W) of the images.
    kernel_size, stride, pad, to_matrix
        As for :func:`im2col`.

    Returns
    -------
    Variable of shape ``input_shape``
        At each place the sum of what all windows hold for it.

    Raises
    ------
    ValueError
        If the shape of ``x`` is not the one that im2col gives for ``input_shape``.

    Notes
    -----
    Source: step 57 of the book.

    Examples
    --------
    >>> import numpy as np
    >>> import dezero.functions as F
    >>> F.col2im(np.ones((2, 4)), (1, 1, 2, 3), kernel_size=2)
    variable([[[[1. 2. 1.]
                [1. 2. 1.]]]])
    """
    return Col2im(input_shape, kernel_size, stride, pad, to_matrix)(x)


@implements(kernels.conv2d_input_grad)
def _input_grad(
    gy: Any,
    W: Any,
    x_size: Any,
    stride: Any = 1,
    pad: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    return Deconv2d(stride, pad, x_size, dilation, groups)(gy, W)


@implements(kernels.conv2d_weight_grad)
def _weight_grad(
    x: Any,
    gy: Any,
    kernel_size: Any,
    stride: Any = 1,
    pad: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    conv = Conv2d(stride, pad, dilation, groups)
    conv.kernel_size = kernels.pair(kernel_size)
    return Conv2DGradW(conv)(x, gy)


implements(kernels.conv2d)(conv2d)
implements(kernels.im2col_array)(im2col)
implements(kernels.col2im_array)(col2im)


def _check_columns(col: Any, function: Col2im) -> None:
    """Raise unless ``col`` has the shape that im2col gives."""
    shape = function.input_shape
    if len(shape) != 4 or min(shape[2:]) < 1:
        raise ValueError(f"col2im: input_shape is {shape}; it wants (N, C, H, W)")
    check_fits("col2im", shape, function.kernel_size, function.stride, function.pad)
    g = kernels.geometry(shape[2:], function.kernel_size, function.stride, function.pad)
    (n, c), (kh, kw), (oh, ow) = shape[:2], g.kernel, g.out
    want = (n * oh * ow, c * kh * kw) if function.to_matrix else (n, c, kh, kw, oh, ow)
    if np.shape(col) != want:
        raise ValueError(
            f"col2im: x has shape {np.shape(col)}; for images of {shape} with a window of "
            f"{g.kernel}, stride {g.stride}, pad {g.pad} and to_matrix={function.to_matrix} it "
            f"wants {want}"
        )
