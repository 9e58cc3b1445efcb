"""A generative adversarial network that writes the digit it is asked for.

A generator draws from noise and the digit wanted; a discriminator learns to tell its drawings
from real images of that digit; each learns from the other's mistakes (Goodfellow et al., 2014;
conditional: Mirza and Osindero, 2014; convolutional: Radford et al., 2015, "DCGAN").

How good are the drawings? A judge, the network of mnist_cnn.py, says which digit it sees. And do
they differ? The variance of the pixels among drawings of one digit is compared with real ones.

    python examples/gan.py --data FOLDER [--epochs 12] [--seed 0] [--at-least 90]
"""

from __future__ import annotations

import common
import mnist_cnn
import numpy as np

import dezero
import dezero.functions as F
import dezero.layers as L
from dezero import DataLoader, Model, optimizers

NOISE = 64


class Generator(Model):
    """From noise and a digit to 7 x 7, 14 x 14 and 28 x 28 pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.start = L.Linear(64 * 7 * 7, nobias=True)
        self.norm1 = L.BatchNorm()
        self.grow1 = L.Deconv2d(32, kernel_size=4, stride=2, pad=1, nobias=True)
        self.norm2 = L.BatchNorm()
        self.grow2 = L.Deconv2d(1, kernel_size=4, stride=2, pad=1)

    def forward(self, digit):
        """Return an image of each digit, (N, 1, 28, 28) from 0 to 1."""
        noise = dezero.random.normal((len(digit), NOISE))
        wanted = 3 * np.eye(10, dtype=np.float32)[digit]
        x = self.start(np.concatenate([noise, wanted], axis=1))
        x = self.grow1(F.relu(self.norm1(F.reshape(x, (-1, 64, 7, 7)))))
        return F.sigmoid(self.grow2(F.relu(self.norm2(x))))


class Discriminator(Model):
    """From 28 x 28 pixels to 14 x 14, 7 x 7 and ten scores, how real as each digit."""

    def __init__(self) -> None:
        super().__init__()
        self.shrink1 = L.Conv2d(32, kernel_size=4, stride=2, pad=1)
        self.shrink2 = L.Conv2d(64, kernel_size=4, stride=2, pad=1, nobias=True)
        self.norm2 = L.BatchNorm()
        self.scores = L.Linear(10)

    def forward(self, x, digit):
        """Return the score (N,) of images (N, 1, 28, 28) as images of the digits given."""
        x = F.leaky_relu(self.shrink1(x))
        x = F.leaky_relu(self.norm2(self.shrink2(x)))
        return self.scores(F.dropout(F.flatten(x), 0.3))[np.arange(len(digit)), digit]


def verdict(scores, real: float):
    """Return the loss of scores that ought to say ``real`` (1, or a cautious 0.9) or 0."""
    return F.sigmoid_cross_entropy(scores, np.full(scores.shape, real, np.float32))


def train(g: Generator, d: Discriminator, data: common.Digits, epochs: int, seed: int) -> None:
    """Take turns: one step of the discriminator, one of the generator."""
    g_optimizer = optimizers.Adam(beta1=0.5).setup(g)
    d_optimizer = optimizers.Adam(beta1=0.5).setup(d)
    loader = DataLoader(data, batch_size=64, seed=seed, drop_last=True)
    step, steps = 0, epochs * len(loader)
    with common.progress(epochs * len(data), "images") as bar:
        for _ in range(epochs):
            for x, digit in loader:
                g_optimizer.alpha = d_optimizer.alpha = 0.001 * common.schedule(step, steps)
                fake = g(digit)
                # The discriminator gets the drawings as data: its gradient ends there.
                d_loss = verdict(d(x, digit), 0.9) + verdict(d(fake.data, digit), 0.0)
                d.cleargrads()
                d_loss.backward()
                d_optimizer.update()

                g_loss = verdict(d(fake, digit), 1.0)  # the generator wants to be held for real
                g.cleargrads()
                g_loss.backward()
                g_optimizer.update()
                step += 1
                bar.update(len(x))
            bar.set_postfix_str(f", losses {float(d_loss):.2f} and {float(g_loss):.2f}")


def spread(images: np.ndarray, digit: np.ndarray) -> float:
    """Return the variance of the pixels among images of one digit, the mean over digits."""
    return float(np.mean([images[digit == i].var(axis=0).sum() for i in np.unique(digit)]))


def main() -> None:
    """Train a judge and the two opponents, measure, and draw samples."""
    args = common.arguments(__doc__, epochs=12, goal="share of digits read as asked, in %")
    data, held_out = common.digits(args)
    judge = mnist_cnn.DigitCNN()
    mnist_cnn.train(judge, data, min(args.epochs, 4), args.seed)
    generator, discriminator = Generator(), Discriminator()
    train(generator, discriminator, data, args.epochs, args.seed)

    digit = np.arange(20 if args.quick else 2000) % 10
    with dezero.no_grad(), dezero.test_mode():
        drawn = generator(digit).data
    right = common.accuracy(judge, common.Digits(drawn, digit))
    real = common.accuracy(judge, held_out)
    variety = spread(drawn, digit) / spread(held_out.data, held_out.label)
    path = args.out / "gan.png"
    common.picture(path, drawn[:100], 10, "Digits that nobody wrote")
    common.report(
        args, right,
        f"GAN: the judge reads {right:.1f} % of drawings as the digit asked for (of real digits "
        f"{real:.1f} %); they vary {variety:.0%} as much as real ones; see {path}",
    )  # fmt: skip


if __name__ == "__main__":
    main()
