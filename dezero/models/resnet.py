"""ResNet 50, 101 and 152: blocks that add to what they got."""

from __future__ import annotations

from typing import Any

import dezero.functions as F
import dezero.layers as L
from dezero.core import Variable
from dezero.layers import Layer
from dezero.models.base import Model

_DEPTHS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}


class ResNet(Model):
    """Classify pictures into the 1000 classes of ImageNet.

    Names of parameters are those of the weight files published for the book: ``conv1/W``,
    ``bn1/gamma``, ``res2/a/conv1/W``, ``res2/b1/bn3/avg_mean``, ..., ``fc6/b``.

    Parameters
    ----------
    n_layers : {50, 101, 152}, default 152
        The depth.
    pretrained : bool, default False
        Download the weights published for the book and load them.

    Attributes
    ----------
    conv1 : Conv2d
        7 x 7 filters, stride 2, followed by ``bn1`` and a max pooling of 3 x 3, stride 2.
    res2, res3, res4, res5 : BuildingBlock
        With 256, 512, 1024 and 2048 channels.
    fc6 : Linear
        From the mean over each channel to 1000 scores.

    Raises
    ------
    ValueError
        If ``n_layers`` is another number.

    Notes
    -----
    Source: K. He et al., "Deep residual learning for image recognition", 2015.

    Examples
    --------
    >>> from dezero.models import ResNet
    >>> ResNet(50).fc6.out_size
    1000
    """

    WEIGHTS_PATH = "https://github.com/koki0702/dezero-models/releases/download/v0.1/resnet{}.npz"

    def __init__(self, n_layers: int = 152, pretrained: bool = False) -> None:
        if n_layers not in _DEPTHS:
            raise ValueError(f"ResNet: n_layers is 50, 101 or 152, got {n_layers!r}")
        depths = _DEPTHS[n_layers]
        self.conv1 = L.Conv2d(64, 7, 2, 3)
        self.bn1 = L.BatchNorm()
        self.res2 = BuildingBlock(depths[0], 64, 64, 256, 1)
        self.res3 = BuildingBlock(depths[1], 256, 128, 512, 2)
        self.res4 = BuildingBlock(depths[2], 512, 256, 1024, 2)
        self.res5 = BuildingBlock(depths[3], 1024, 512, 2048, 2)
        self.fc6 = L.Linear(1000)
        if pretrained:
            self._load_pretrained(self.WEIGHTS_PATH.format(n_layers))

    def forward(self, x: Any) -> Variable:
        """Return scores, shape (N, 1000), for pictures of shape (N, 3, H, W)."""
        x = self.bn1(self.conv1(x), relu=True)
        x = F.pooling(x, kernel_size=3, stride=2)
        x = self.res5(self.res4(self.res3(self.res2(x))))
        return self.fc6(F.average(x, axis=(2, 3)))


class ResNet152(ResNet):
    """:class:`ResNet` of 152 layers; ``pretrained`` as there."""

    def __init__(self, pretrained: bool = False) -> None:
        super().__init__(152, pretrained)


class ResNet101(ResNet):
    """:class:`ResNet` of 101 layers; ``pretrained`` as there."""

    def __init__(self, pretrained: bool = False) -> None:
        super().__init__(101, pretrained)


class ResNet50(ResNet):
    """:class:`ResNet` of 50 layers; ``pretrained`` as there."""

    def __init__(self, pretrained: bool = False) -> None:
        super().__init__(50, pretrained)


class BuildingBlock(Layer):
    """One bottleneck that changes the size, ``a``, then ``n_layers - 1`` that keep it.

    Parameters
    ----------
    n_layers : int
        Number of bottlenecks.
    in_channels, mid_channels, out_channels : int
        Channels of the input, inside the bottlenecks, and of the result.
    stride : int
        Of ``a``.
    downsample_fb : bool, optional
        As for :class:`BottleneckA`.

    Attributes
    ----------
    a : BottleneckA
    b1, b2, ... : BottleneckB

    Raises
    ------
    ValueError
        If one of the first five is missing.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero.models import BuildingBlock
    >>> block = BuildingBlock(2, 3, 4, 8, 2)
    >>> block(np.ones((2, 3, 6, 6), np.float32)).shape
    (2, 8, 3, 3)
    """

    def __init__(
        self,
        n_layers: int | None = None,
        in_channels: int | None = None,
        mid_channels: int | None = None,
        out_channels: int | None = None,
        stride: int | None = None,
        downsample_fb: bool | None = None,
    ) -> None:
        if (
            n_layers is None
            or in_channels is None
            or mid_channels is None
            or out_channels is None
            or stride is None
        ):
            raise ValueError(
                "BuildingBlock: give n_layers, in_channels, mid_channels, out_channels and stride"
            )
        self.a = BottleneckA(in_channels, mid_channels, out_channels, stride, bool(downsample_fb))
        self._forward = ["a"]
        for i in range(1, n_layers):
            setattr(self, f"b{i}", BottleneckB(out_channels, mid_channels))
            self._forward.append(f"b{i}")

    def forward(self, x: Any) -> Variable:
        """Return (N, out_channels, H / stride, W / stride) for (N, in_channels, H, W)."""
        for name in self._forward:
            x = getattr(self, name)(x)
        return x


class BottleneckA(Layer):
    """Three convolutions, and a fourth that brings the input to the size of their result.

    Parameters
    ----------
    in_channels, mid_channels, out_channels : int
        Channels of the input, in between, and of the result.
    stride : int, default 2
        Of the whole.
    downsample_fb : bool, default False
        Whether the 3 x 3 convolution makes the stride, as in Facebook's ResNet, instead of the
        first one of 1 x 1.

    Attributes
    ----------
    conv1, conv2, conv3, conv4 : Conv2d
        1 x 1, 3 x 3, 1 x 1, and 1 x 1 beside them; without bias.
    bn1, bn2, bn3, bn4 : BatchNorm
        Each after the convolution of its number.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero.models import BottleneckA
    >>> BottleneckA(3, 4, 8)(np.ones((2, 3, 6, 6), np.float32)).shape
    (2, 8, 3, 3)
    """

    def __init__(
        self,
        in_channels: int,
        mid_channels: int,
        out_channels: int,
        stride: int = 2,
        downsample_fb: bool = False,
    ) -> None:
        first, second = (1, stride) if downsample_fb else (stride, 1)
        self.conv1 = L.Conv2d(mid_channels, 1, first, 0, nobias=True)
        self.bn1 = L.BatchNorm()
        self.conv2 = L.Conv2d(mid_channels, 3, second, 1, nobias=True)
        self.bn2 = L.BatchNorm()
        self.conv3 = L.Conv2d(out_channels, 1, 1, 0, nobias=True)
        self.bn3 = L.BatchNorm()
        self.conv4 = L.Conv2d(out_channels, 1, stride, 0, nobias=True)
        self.bn4 = L.BatchNorm()

    def forward(self, x: Any) -> Variable:
        """Return (N, out_channels, H / stride, W / stride) for (N, in_channels, H, W)."""
        h = self.bn1(self.conv1(x), relu=True)
        h = self.bn2(self.conv2(h), relu=True)
        return self.bn3(self.conv3(h), relu=True, residual=self.bn4(self.conv4(x)))


class BottleneckB(Layer):
    """Three convolutions whose result is added to the input.

    Parameters
    ----------
    in_channels, mid_channels : int
        Channels of the input and the result, and in between.

    Attributes
    ----------
    conv1, conv2, conv3 : Conv2d
        1 x 1, 3 x 3, 1 x 1; without bias.
    bn1, bn2, bn3 : BatchNorm
        Each after the convolution of its number.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero.models import BottleneckB
    >>> BottleneckB(8, 4)(np.ones((2, 8, 3, 3), np.float32)).shape
    (2, 8, 3, 3)
    """

    def __init__(self, in_channels: int, mid_channels: int) -> None:
        self.conv1 = L.Conv2d(mid_channels, 1, 1, 0, nobias=True)
        self.bn1 = L.BatchNorm()
        self.conv2 = L.Conv2d(mid_channels, 3, 1, 1, nobias=True)
        self.bn2 = L.BatchNorm()
        self.conv3 = L.Conv2d(in_channels, 1, 1, 0, nobias=True)
        self.bn3 = L.BatchNorm()

    def forward(self, x: Any) -> Variable:
        """Return what has the shape of ``x``, (N, in_channels, H, W)."""
        h = self.bn1(self.conv1(x), relu=True)
        h = self.bn2(self.conv2(h), relu=True)
        return self.bn3(self.conv3(h), relu=True, residual=x)
