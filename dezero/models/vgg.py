"""VGG16: thirteen convolutions of 3 x 3 and three linear layers."""

from __future__ import annotations

from typing import Any

import numpy as np

import dezero.functions as F
import dezero.layers as L
from dezero.core import Variable
from dezero.models.base import Model

_MEAN_BGR = (103.939, 116.779, 123.68)
_BLOCKS = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))


class VGG16(Model):
    """Classify pictures into the 1000 classes of ImageNet (step 58 of the book).

    Parameters
    ----------
    pretrained : bool, default False
        Download the weights published for the book (about 490 MB) and load them.

    Attributes
    ----------
    conv1_1, conv1_2, conv2_1 ... conv5_3 : Conv2d
        3 x 3 filters; each of the five groups ends in a max pooling of 2 x 2.
    fc6, fc7, fc8 : Linear
        With 4096, 4096 and 1000 results.

    Notes
    -----
    Source: K. Simonyan, A. Zisserman, "Very deep convolutional networks for large-scale image
    recognition", 2014, configuration D.

    Examples
    --------
    >>> from dezero.models import VGG16
    >>> model = VGG16()
    >>> model.conv3_3.out_channels, model.fc8.out_size
    (256, 1000)
    """

    WEIGHTS_PATH = "https://github.com/koki0702/dezero-models/releases/download/v0.1/vgg16.npz"

    def __init__(self, pretrained: bool = False) -> None:
        for group, (channels, count) in enumerate(_BLOCKS, start=1):
            for i in range(1, count + 1):
                setattr(self, f"conv{group}_{i}", L.Conv2d(channels, kernel_size=3, pad=1))
        self.fc6 = L.Linear(4096)
        self.fc7 = L.Linear(4096)
        self.fc8 = L.Linear(1000)
        if pretrained:
            self._load_pretrained(self.WEIGHTS_PATH)

    def forward(self, x: Any) -> Variable:
        """Return scores, shape (N, 1000), for pictures of shape (N, 3, H, W).

        ``H`` and ``W`` are 224 with the published weights.
        """
        for group, (_, count) in enumerate(_BLOCKS, start=1):
            for i in range(1, count + 1):
                x = F.relu(getattr(self, f"conv{group}_{i}")(x))
            x = F.pooling(x, 2, 2)
        x = F.reshape(x, (x.shape[0], -1))
        x = F.dropout(F.relu(self.fc6(x)))
        x = F.dropout(F.relu(self.fc7(x)))
        return self.fc8(x)

    @staticmethod
    def preprocess(
        image: Any, size: tuple[int, int] | None = (224, 224), dtype: Any = np.float32
    ) -> Any:
        """Turn a Pillow picture into what the published weights expect.

        Parameters
        ----------
        image : PIL.Image.Image
            Of any mode.
        size : (int, int), default (224, 224)
            Width and height it is resized to; ``None`` leaves it as it is.
        dtype : dtype, default float32
            Of the result.

        Returns
        -------
        ndarray, shape (3, height, width)
            Blue, green, red, less the mean colour of the training pictures.

        Raises
        ------
        TypeError
            If ``image`` is not a Pillow picture.

        Examples
        --------
        >>> from PIL import Image
        >>> from dezero.models import VGG16
        >>> VGG16.preprocess(Image.new("L", (50, 40))).shape
        (3, 224, 224)
        """
        if not hasattr(image, "convert") or not hasattr(image, "resize"):
            raise TypeError(
                f"VGG16.preprocess: got {type(image).__name__}; it wants a Pillow picture: "
                "Image.open(path), or Image.fromarray(array)"
            )
        image = image.convert("RGB")
        if size is not None:
            image = image.resize(size)
        channels_first = np.asarray(image)[:, :, ::-1].transpose(2, 0, 1)
        mean = np.array(_MEAN_BGR, dtype).reshape(3, 1, 1)
        return channels_first.astype(dtype, order="C") - mean
