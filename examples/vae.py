"""A variational autoencoder on handwritten digits: learns to draw them by describing them.

An encoder describes an image in 16 numbers, with a doubt about each; a decoder draws from them.
Training raises a lower bound of log p(image), the ELBO: how well the drawing explains the
image, less how much the description tells (Kingma and Welling, "Auto-encoding variational
Bayes", 2013). Pixels are drawn black or white with the probability that their grey gives.

    python examples/vae.py --data FOLDER [--epochs 40] [--seed 0] [--at-least -110]
"""

from __future__ import annotations

import common
import numpy as np

import dezero
import dezero.functions as F
import dezero.layers as L
from dezero import DataLoader, Model, optimizers

CODE = 16


class VAE(Model):
    """Linear layers with SiLU: 784 - 400 - mean and log variance - 400 - 784 scores."""

    def __init__(self) -> None:
        super().__init__()
        self.see = L.Linear(400)
        self.mean = L.Linear(CODE)
        self.log_var = L.Linear(CODE)
        self.sketch = L.Linear(400)
        self.draw = L.Linear(784)

    def encode(self, x):
        """Return mean and log variance of the code, (N, 16) each, of images (N, 784)."""
        h = F.silu(self.see(x))
        return self.mean(h), self.log_var(h)

    def decode(self, z):
        """Return the scores of the pixels, (N, 784); their sigmoid is the picture."""
        return self.draw(F.silu(self.sketch(z)))

    def forward(self, x):
        """Return the negative ELBO in nats for an image, the mean over images (N, 784)."""
        mean, log_var = self.encode(x)
        # The draw is a function of mean and variance, so that gradients go through it.
        z = mean + F.exp(0.5 * log_var) * dezero.random.normal(mean.shape)
        unexplained = F.sigmoid_cross_entropy(self.decode(z), x)
        told = 0.5 * F.sum(F.exp(log_var) + mean**2 - 1 - log_var) / len(x)
        return unexplained + told


def black_and_white(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw each pixel 0 or 1 with its grey as the probability; rows of 784."""
    flat = images.reshape(len(images), -1)
    return (rng.random(flat.shape, np.float32) < flat).astype(np.float32)


def train(model: VAE, data: common.Digits, epochs: int, seed: int) -> None:
    """Adam on batches of 100, the learning rate falling to zero."""
    optimizer = optimizers.Adam().setup(model)
    loader = DataLoader(data, batch_size=100, seed=seed)
    rng = np.random.default_rng(seed)
    with common.progress(epochs * len(data), "images") as bar:
        for epoch in range(epochs):
            optimizer.alpha = 0.002 * common.schedule(epoch, epochs)
            losses = 0.0
            for x, _ in loader:
                loss = model(black_and_white(x, rng))
                model.cleargrads()
                loss.backward()
                optimizer.update()
                losses += float(loss) * len(x)
                bar.update(len(x))
            bar.set_postfix_str(f", ELBO {-losses / len(data):.1f}")


def main() -> None:
    """Train, measure on held-out digits, and draw: copies, inventions, ways between digits."""
    args = common.arguments(__doc__, epochs=40, goal="ELBO in nats")
    data, held_out = common.digits(args)
    model = VAE()
    train(model, data, args.epochs, args.seed)

    with dezero.no_grad(), dezero.test_mode():
        x = black_and_white(held_out.data, np.random.default_rng(0))
        elbo = -float(np.mean([model(x).data for _ in range(10)]))

        originals = x[:15]
        code = model.encode(x[:16])[0].data
        part = np.linspace(0, 1, 15, dtype=np.float32)[:, None]
        ways = [a + part * (b - a) for a, b in zip(code[0:16:4], code[1:16:4], strict=True)]
        codes = [code[:15], dezero.random.normal((60, CODE)), *ways]
        drawn = F.sigmoid(model.decode(np.concatenate(codes))).data
    path = args.out / "vae.png"
    title = "Row 1: held-out digits; 2: drawn from their codes; 3-6: invented; 7-10: in between"
    common.picture(path, np.concatenate([originals, drawn]).reshape(-1, 28, 28), 15, title)
    common.report(args, elbo, f"VAE: ELBO {elbo:.1f} nats for a held-out digit; see {path}")


if __name__ == "__main__":
    main()
