"""SqueezeNet: a small network for pictures, 1.2 million parameters."""

from __future__ import annotations

from typing import Any

import dezero.functions as F
import dezero.layers as L
from dezero.core import Variable
from dezero.layers import Layer
from dezero.models.base import Model


class SqueezeNet(Model):
    """Classify pictures into 1000 classes with the accuracy of AlexNet and a fiftieth of its size.

    Parameters
    ----------
    pretrained : bool, default False
        Must be ``False``: no weights were published for the book.

    Attributes
    ----------
    conv1 : Conv2d
        64 filters of 3 x 3, stride 2.
    fire2 ... fire9 : Fire
        A max pooling of 3 x 3, stride 2, stands before ``fire2``, ``fire4`` and ``fire6``.
    conv10 : Conv2d
        1 x 1, to the 1000 classes; their mean over the picture is the score.

    Raises
    ------
    ValueError
        If ``pretrained`` is true.

    Notes
    -----
    Source: F. Iandola et al., "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and
    <0.5MB model size", 2016, in version 1.1 of its authors.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero.models import SqueezeNet
    >>> SqueezeNet()(np.ones((1, 3, 64, 64), np.float32)).shape
    (1, 1000)
    """

    def __init__(self, pretrained: bool = False) -> None:
        if pretrained:
            raise ValueError(
                "SqueezeNet: no weights were published for it; write SqueezeNet() and train it, "
                "or load your own with load_weights"
            )
        self.conv1 = L.Conv2d(64, 3, stride=2)
        self.fire2 = Fire(16, 64)
        self.fire3 = Fire(16, 64)
        self.fire4 = Fire(32, 128)
        self.fire5 = Fire(32, 128)
        self.fire6 = Fire(48, 192)
        self.fire7 = Fire(48, 192)
        self.fire8 = Fire(64, 256)
        self.fire9 = Fire(64, 256)
        self.conv10 = L.Conv2d(1000, 1)

    def forward(self, x: Any) -> Variable:
        """Return scores, shape (N, 1000), for pictures of shape (N, 3, H, W), 32 x 32 at least."""
        x = F.pooling(F.relu(self.conv1(x)), 3, stride=2)
        x = F.pooling(self.fire3(self.fire2(x)), 3, stride=2)
        x = F.pooling(self.fire5(self.fire4(x)), 3, stride=2)
        x = self.fire9(self.fire8(self.fire7(self.fire6(x))))
        x = F.relu(self.conv10(F.dropout(x)))
        return F.average(x, axis=(2, 3))


class Fire(Layer):
    """Squeeze to few channels, then expand by filters of 1 x 1 and 3 x 3 side by side.

    Parameters
    ----------
    squeeze_channels : int
        Channels in between.
    expand_channels : int
        Filters of each of the two sizes; the result has twice as many channels.

    Attributes
    ----------
    squeeze, expand1x1, expand3x3 : Conv2d

    Examples
    --------
    >>> import numpy as np
    >>> from dezero.models.squeezenet import Fire
    >>> Fire(2, 5)(np.ones((1, 4, 6, 6), np.float32)).shape
    (1, 10, 6, 6)
    """

    def __init__(self, squeeze_channels: int, expand_channels: int) -> None:
        self.squeeze = L.Conv2d(squeeze_channels, 1)
        self.expand1x1 = L.Conv2d(expand_channels, 1)
        self.expand3x3 = L.Conv2d(expand_channels, 3, pad=1)

    def forward(self, x: Any) -> Variable:
        """Return (N, 2 expand_channels, H, W) for (N, C, H, W)."""
        x = F.relu(self.squeeze(x))
        return F.concatenate([F.relu(self.expand1x1(x)), F.relu(self.expand3x3(x))], axis=1)
