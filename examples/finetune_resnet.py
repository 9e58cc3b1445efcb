"""Fine-tuning: what a ResNet learned on some digits helps it with others that it hardly saw.

A small ResNet learns the digits 0 to 4 from some 4,000 images. Then it has to learn 5 to 9 from
5 images each: from scratch; with its trunk frozen, only a new last layer learning; and after
that with all of it learning, at a smaller rate.

    python examples/finetune_resnet.py --data FOLDER [--epochs 6] [--labels 5] [--at-least 84]

With ``--weights imagenet`` the trunk is the ResNet-50 whose weights were published for the book,
trained on photographs (100 MB, downloaded once; hours on a CPU).
"""

from __future__ import annotations

import common
import mnist_cnn
import numpy as np

import dezero
import dezero.functions as F
import dezero.layers as L
from dezero import DataLoader, Layer, Model, optimizers
from dezero.download import DownloadError
from dezero.models import ResNet50


class Block(Layer):
    """Two convolutions whose result is added to the input: a basic block (He et al., 2015)."""

    def __init__(self, channels: int, stride: int) -> None:
        self.conv1 = L.Conv2d(channels, 3, stride, 1, nobias=True)
        self.norm1 = L.BatchNorm()
        self.conv2 = L.Conv2d(channels, 3, 1, 1, nobias=True)
        self.norm2 = L.BatchNorm()
        self.shortcut = L.Conv2d(channels, 1, stride, 0, nobias=True) if stride > 1 else None

    def forward(self, x):
        """Return (N, channels, H / stride, W / stride)."""
        h = F.relu(self.norm1(self.conv1(x)))
        h = self.norm2(self.conv2(h))
        return F.relu(h + (x if self.shortcut is None else self.shortcut(x)))


class SmallResNet(Model):
    """A convolution, three blocks of 16, 32 and 64 channels, the mean over each channel, scores.

    The last layer has the name that it has in `dezero.models.ResNet`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = L.Conv2d(16, 3, 1, 1, nobias=True)
        self.norm1 = L.BatchNorm()
        self.blocks = [Block(16, 1), Block(32, 2), Block(64, 2)]
        self.fc6 = L.Linear(5)

    def forward(self, x):
        """Return the scores of five digits for images of shape (N, 1, 28, 28)."""
        x = F.relu(self.norm1(self.conv1(x)))
        for block in self.blocks:
            x = block(x)
        return self.fc6(F.average(x, axis=(2, 3)))


def of_classes(data: common.Digits, first: int, most: int | None = None) -> common.Digits:
    """Return the five digits from ``first`` on, numbered from 0; of each the ``most`` first."""
    rows = [np.flatnonzero(data.label == digit)[:most] for digit in range(first, first + 5)]
    rows = np.sort(np.concatenate(rows))
    return common.Digits(data.data[rows], data.label[rows] - first)


def like_photographs(data: common.Digits) -> common.Digits:
    """Return the images in three colours, 0 to 255 less the mean, and 112 x 112 pixels."""
    large = data.data.repeat(4, axis=2).repeat(4, axis=3).repeat(3, axis=1)
    mean = np.array([103.939, 116.779, 123.68], np.float32)[:, None, None]  # blue, green, red
    return common.Digits(255 * large - mean, data.label)


def train(model, data, steps: int, alpha: float, seed: int, frozen=(), what: str = "") -> None:
    """Adam on batches of 50. What is frozen keeps its weights and its running statistics."""
    optimizer = optimizers.Adam(alpha).setup(model)
    optimizer.add_hook(optimizers.FreezeParam(*frozen))
    loader = DataLoader(data, batch_size=min(50, len(data)), seed=seed, drop_last=True)
    rng = np.random.default_rng(seed)
    step = 0
    with common.progress(steps, "steps") as bar, dezero.using_config("train", not frozen):
        while step < steps:
            for x, t in loader:
                optimizer.alpha = alpha * common.schedule(step, steps)
                x = mnist_cnn.moved(x, rng) if x.shape[1] == 1 else x
                loss = F.softmax_cross_entropy(model(x), t)
                model.cleargrads()
                loss.backward()
                optimizer.update()
                step += 1
                bar.update()
            bar.set_postfix_str(f", {what}, loss {float(loss):.3f}")


def main() -> None:
    """Pretrain, then learn the other digits in three ways and compare."""
    labels = {"type": int, "default": 5, "help": "images of each new digit (5)"}
    weights = {"choices": ["digits", "imagenet"], "default": "digits", "help": "of the trunk"}
    args = common.arguments(__doc__, 6, "accuracy in %", labels=labels, weights=weights)
    data, held_out = common.digits(args)
    few, test = of_classes(data, 5, args.labels), of_classes(held_out, 5)
    steps = 4 if args.quick else 100

    if args.weights == "imagenet":
        few, test = like_photographs(few), like_photographs(test)
        try:
            scratch, model = ResNet50(), ResNet50(pretrained=True)
        except DownloadError as error:
            raise SystemExit(str(error)) from None
        scratch.fc6, knows = L.Linear(5), "photographs"
    else:
        scratch, model = SmallResNet(), SmallResNet()
        first = of_classes(data, 0)
        train(model, first, args.epochs * (len(first) // 50), 0.003, args.seed, (), "digits 0-4")
        own = common.accuracy(model, of_classes(held_out, 0))
        knows = f"digits 0-4 ({own:.1f} %)"

    train(scratch, few, 2 * steps, 0.003, args.seed, (), "from scratch")
    nothing = common.accuracy(scratch, test)

    model.fc6 = L.Linear(5)
    trunk = [param for name, param in model.named_params() if not name.startswith("fc6")]
    train(model, few, steps, 0.03, args.seed, trunk, "trunk frozen")
    frozen = common.accuracy(model, test)
    train(model, few, steps, 0.001, args.seed, (), "all of it")
    tuned = common.accuracy(model, test)
    common.report(
        args, tuned,
        f"ResNet: digits 5-9 from {args.labels} labels each: {nothing:.1f} % from scratch; "
        f"knowing {knows} {frozen:.1f} % with the trunk frozen, {tuned:.1f} % fine-tuned",
    )  # fmt: skip


if __name__ == "__main__":
    main()
