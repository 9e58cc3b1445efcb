"""Step 58: VGG16, here with random weights and a small picture."""

import os

import numpy as np
from PIL import Image

import dezero
from dezero.models import VGG16

picture = Image.fromarray(np.arange(40 * 50 * 3, dtype=np.uint8).reshape(40, 50, 3))
x = VGG16.preprocess(picture)
print(type(x), x.shape)
assert x.shape == (3, 224, 224)
assert x.dtype == np.float32
red, green, blue = np.asarray(picture.resize((224, 224)), dtype=np.float64)[100, 100]
# Blue comes first and the mean colour of the training pictures is taken away.
assert np.allclose(x[:, 100, 100] + [103.939, 116.779, 123.68], [blue, green, red], atol=1.0)
x = VGG16.preprocess(picture, size=(32, 32))
assert x.shape == (3, 32, 32)
x = x[np.newaxis]

model = VGG16(pretrained=False)
with dezero.no_grad(), dezero.test_mode():
    y = model(x)
    again = model(x)
print(y.shape)
assert y.shape == (1, 1000)
assert y.dtype == np.float32
assert np.all(np.isfinite(y.data))
assert np.array_equal(y.data, again.data), "no dropout in test mode"

shapes = {
    name: p.shape
    for name, p in [
        ("conv1_1", model.conv1_1.W),
        ("conv5_3", model.conv5_3.W),
        ("fc6", model.fc6.W),
        ("fc8", model.fc8.W),
    ]
}
assert shapes == {
    "conv1_1": (64, 3, 3, 3),
    "conv5_3": (512, 512, 3, 3),
    "fc6": (512, 4096),
    "fc8": (4096, 1000),
}
assert len(list(model.params())) == 32

model.plot(x, to_file="vgg.png")
assert os.path.getsize("vgg.png") > 1000
