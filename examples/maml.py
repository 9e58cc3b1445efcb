"""Learning to learn: a network that fits a new sine wave from ten points, in one step.

Model-agnostic meta-learning after Finn, Abbeel and Levine, ICML 2017, section 5.1. A task is a
sine wave of its own amplitude and phase. The weights are trained so that ONE gradient step on ten
points of a task fits all of its wave: the gradient of a loss after a gradient step, `dezero.grad`
within `dezero.value_and_grad`, for all tasks of a batch at once by `dezero.vmap`. Next to it a
network trained in the common way on the same tasks, which can learn no more than their mean.

    python examples/maml.py [--steps 2000] [--seed 0] [--at-most 0.5]
"""

from __future__ import annotations

import common
import numpy as np

import dezero

POINTS, TASKS, RATE, WIDTH = 10, 25, 0.03, 40


def network(p, x):
    """Return the curve of the network with parameters `p` at the places `x`."""
    h = np.tanh(x[:, None] @ p["W1"] + p["b1"])
    h = np.tanh(h @ p["W2"] + p["b2"])
    return (h @ p["W3"] + p["b3"])[:, 0]


def loss(p, x, y):
    """Return the mean squared error."""
    return np.mean((network(p, x) - y) ** 2)


def adapted(p, x, y, steps: int = 1, rate: float = RATE):
    """Return the parameters after gradient steps on the points of one task."""
    for _ in range(steps):
        g = dezero.grad(loss)(p, x, y)
        p = {name: p[name] - rate * g[name] for name in p}
    return p


def loss_after(p, x, y, new_x, new_y):
    """Return the error of one task on new points, after a step on the first ones."""
    return loss(adapted(p, x, y), new_x, new_y)


def meta(p, *tasks):
    """Return the value and gradient of the mean of `loss_after` over the tasks of a batch."""
    each = dezero.vmap(dezero.value_and_grad(loss_after), in_axes=(None, 0, 0, 0, 0))
    values, gradients = each(p, *tasks)
    return values.mean(), {name: g.mean(axis=0) for name, g in gradients.items()}


def common_loss(p, x, y, new_x, new_y):
    """Return the error without adaptation: one network for all tasks of a batch."""
    return loss(p, np.ravel(new_x), np.ravel(new_y))


def waves(rng: np.random.Generator, n: int, points: int) -> tuple[np.ndarray, ...]:
    """Draw tasks: places and values of `points` to adapt to, and of as many new ones."""
    amplitude, phase = rng.uniform(0.1, 5, (n, 1)), rng.uniform(0, np.pi, (n, 1))
    x, new_x = rng.uniform(-5, 5, (2, n, points))
    return x, amplitude * np.sin(x - phase), new_x, amplitude * np.sin(new_x - phase)


def measure(p: dict, tasks: tuple[np.ndarray, ...], steps: int, rate: float) -> float:
    """Return the error on new points of unseen tasks, after that many steps on ten points."""

    def error(x, y, new_x, new_y):
        return loss(adapted(p, x, y, steps, rate), new_x, new_y)

    return float(np.mean(dezero.vmap(error)(*tasks)))


def draw(path, networks: dict[str, dict]) -> None:
    """Draw a wave, its ten points, and each network before and after steps on them."""
    figure, axes = common.subplots(12, 4.2, ncols=2, sharey=True)
    rng, t = np.random.default_rng(5), np.linspace(-5, 5, 200)
    x = rng.uniform(-5, 5, POINTS)
    for panel, (name, p) in zip(axes, networks.items(), strict=True):
        panel.plot(t, 3.5 * np.sin(t - 1), color="0.5", linewidth=4, alpha=0.5, label="the task")
        for steps, style in ((0, ":"), (1, "--"), (10, "-")):
            curve = network(adapted(p, x, 3.5 * np.sin(x - 1), steps), t)
            panel.plot(t, curve, style, color="C3", label=f"gradient steps: {steps}")
        panel.plot(x, 3.5 * np.sin(x - 1), "^", color="black", label="its ten points")
        panel.set_title(name)
    axes[1].legend(loc="center left", bbox_to_anchor=(1, 0.5))
    figure.tight_layout()
    common.save(figure, path)


def main() -> None:
    """Train both networks, measure them on unseen tasks, draw one."""
    steps = {"type": int, "default": 2000, "help": "batches of tasks (2000)"}
    args = common.options(__doc__, goal="error after one step", smaller=True, steps=steps)
    n = 30 if args.quick else args.steps
    rng = np.random.default_rng(args.seed)
    sizes = {"1": (1, WIDTH), "2": (WIDTH, WIDTH), "3": (WIDTH, 1)}
    start = {f"W{i}": rng.normal(0, 1 / np.sqrt(s[0]), s) for i, s in sizes.items()}
    start |= {f"b{i}": np.zeros(s[1]) for i, s in sizes.items()}

    def batch():
        return waves(rng, TASKS, POINTS)

    networks = {
        "MAML": common.adam(meta, start, n, 0.01, batch),
        "pre-trained": common.adam(dezero.value_and_grad(common_loss), start, n, 0.01, batch),
    }
    tasks = waves(np.random.default_rng(1000), 20 if args.quick else 200, POINTS)
    print("mean squared error on unseen tasks\nsteps on ten points     0       1      10")
    error = {}
    for name, p in networks.items():
        # The pre-trained network was not made for RATE: of all rates it gets the best.
        rates = (RATE,) if name == "MAML" else (RATE, 0.01, 0.003)
        error[name] = [min(measure(p, tasks, k, rate) for rate in rates) for k in (0, 1, 10)]
        print(f"{name:18}" + "".join(f"{e:7.2f} " for e in error[name]))
    path = args.out / "maml.png"
    draw(path, networks)
    one, other = error["MAML"][1], error["pre-trained"][1]
    line = f"MAML: error {one:.2f} after one step, pre-trained {other:.2f}; see {path}"
    common.report(args, one, line)


if __name__ == "__main__":
    main()
