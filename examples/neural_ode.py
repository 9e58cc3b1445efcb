"""A neural ODE on a noisy spiral, and a ball that hits a target after two bounces.

After Chen et al., "Neural ordinary differential equations", 2018: a small network is the velocity
of a point in the plane, Runge and Kutta's method in plain NumPy moves it, and the gradient goes
back through all steps. `dezero.checkpoint` keeps the states at the observed times only and runs
the steps between them again: what it saves is printed.

The ball, with drag, bounces when its height is zero: the root of an equation, found by SciPy and
differentiated by `dezero.autodiff.implicit_root`. So Newton's method finds the angle to throw at.

    python examples/neural_ode.py [--steps 300] [--seed 0] [--at-most 0.3]
"""

from __future__ import annotations

import tracemalloc

import common
import numpy as np

import dezero
from dezero.autodiff import implicit_root

optimize = common.package("scipy.optimize", "scipy")
TIME, COUNT, WINDOW, NOISE = 6.0, 121, 10, 0.03
A = np.array([[-0.1, 2.0], [-2.0, -0.1]])
GRAVITY, DRAG, SPEED, TARGET = 9.81, 0.02, 12.0, 22.0  # m/s², 1/m, m/s, m


def runge_kutta(velocity, x, h):
    """Return where a point at `x` is after a time `h`, by one step of fourth order."""
    k1 = velocity(x)
    k2 = velocity(x + h / 2 * k1)
    k3 = velocity(x + h / 2 * k2)
    k4 = velocity(x + h * k3)
    return x + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)


def turn(x):
    """Return where a point is one observation later, on the true spiral of x' = A x**3."""
    for _ in range(10):
        x = runge_kutta(lambda x: x**3 @ A, x, TIME / (COUNT - 1) / 10)
    return x


def segment(p, x):
    """Return where points are one observation later, moved by the network: two steps."""
    W1, b1, W2 = p[:64].reshape(2, 32), p[64:96], p[96:].reshape(32, 2)
    for _ in range(2):
        x = runge_kutta(lambda x: np.tanh(x**3 @ W1 + b1) @ W2, x, TIME / (COUNT - 1) / 2)
    return x


def integrate(step, x, count: int):
    """Return the path through `count` observations, these along the first axis."""
    path = [x]
    for _ in range(count - 1):
        path.append(step(path[-1]))
    return np.stack(path)


def loss(p, windows, piece=segment):
    """Return the mean squared distance of paths from windows of the data they start in."""
    paths = integrate(lambda x: piece(p, x), windows[0], len(windows))
    return np.mean(np.sum((paths - windows) ** 2, axis=-1))


def loss_checkpointed(p, windows):
    """Return the same loss, whose gradient runs each segment again."""
    return loss(p, windows, dezero.checkpoint(segment))


def peak(f, *args) -> float:
    """Return the memory that a call takes at its height, in MB."""
    tracemalloc.start()
    f(*args)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most / 1e6


def fall(s):
    """Return the velocity of a ball in its state: x, height, and the speeds of these."""
    v = s[2:]
    drag = -DRAG * np.sqrt(np.sum(v**2)) * v
    return np.concatenate([v, drag - np.array([0, GRAVITY])])


def fly(s, time, steps: int = 12):
    """Return the state of the ball after a time in the air."""
    for _ in range(steps):
        s = runge_kutta(fall, s, time / steps)
    return s


def solve(s):
    """Return when the ball meets the ground; without drag it would after the time `vacuum`."""
    up, height = s[3], s[1]
    vacuum = (up + np.sqrt(up**2 + 2 * GRAVITY * height)) / GRAVITY
    return optimize.brentq(lambda t: fly(s, t)[1], 0.5 * up / GRAVITY, 2 * vacuum, xtol=1e-13)


landing_time = implicit_root(lambda time, s: fly(s, time)[1], solve)


def throw(angle):
    """Return the states just after each of three landings, of a throw from 1.5 m."""
    s, states = np.stack([0.0, 1.5, SPEED * np.cos(angle), SPEED * np.sin(angle)]), []
    for _ in range(3):
        s = fly(s, landing_time(s)) * np.array([1, 0, 0.9, -0.8])  # a bounce loses speed
        states.append(s)
    return states


def aim(angle: float) -> tuple[float, int]:
    """Return the angle whose third landing is at the target, and the steps Newton needs."""
    for step in range(20):  # noqa: B007
        x, slope = dezero.value_and_grad(lambda a: throw(a)[-1][0])(angle)
        if abs(x - TARGET) < 1e-9:
            break
        angle = angle - (x - TARGET) / slope
    return float(angle), step


def draw(path, data, truth, learned, angle: float) -> None:
    """Draw the spiral with what was learned, and the flight of the ball."""
    figure, (left, right) = common.subplots(12, 4.6, ncols=2)
    left.plot(*truth.T, color="0.6", linewidth=4, alpha=0.6, label="truth")
    left.plot(*data.T, ".", color="black", markersize=4, label="data")
    left.plot(*learned.T, color="C3", linewidth=1.2, label="neural ODE")
    left.set(title="Spiral: the whole path from its start", aspect="equal")
    left.legend(loc="lower right", fontsize=8)
    start = np.array([0.0, 1.5, SPEED * np.cos(angle), SPEED * np.sin(angle)])
    for s in (start, *throw(angle)[:2]):
        arc = np.stack([fly(s, t) for t in np.linspace(0, solve(s), 50)])
        right.plot(arc[:, 0], arc[:, 1], color="C0")
    right.plot(TARGET, 0, "v", color="C3", markersize=10, label="target")
    right.axhline(0, color="0.6")
    title = f"Thrown at {np.degrees(angle):.2f}° with {SPEED:.0f} m/s"
    right.set(title=title, xlabel="m", ylabel="height (m)", aspect="equal")
    right.legend()
    figure.tight_layout()
    common.save(figure, path)


def main() -> None:
    """Fit the spiral, throw the ball."""
    steps = {"type": int, "default": 300, "help": "steps of L-BFGS (300)"}
    args = common.options(__doc__, goal="distance", smaller=True, steps=steps)
    rng = np.random.default_rng(args.seed)
    start = np.array([2.0, 0.0])
    truth = integrate(turn, start, COUNT)
    data = truth + rng.normal(0, NOISE, truth.shape)
    windows = np.stack([data[i : COUNT - WINDOW + i + 1] for i in range(WINDOW)])
    p = rng.normal(0, 0.3, 160)
    gradient, saving = dezero.value_and_grad(loss), dezero.value_and_grad(loss_checkpointed)
    most, less = peak(gradient, p, windows), peak(saving, p, windows)
    print(f"memory of a gradient: {most:.1f} MB, with checkpoints {less:.1f} MB")
    with common.progress(args.steps, "steps") as bar:
        fit = optimize.minimize(
            gradient, p, args=(windows,), jac=True, method="L-BFGS-B",
            callback=lambda p: bar.update(), options={"maxiter": 3 if args.quick else args.steps},
        )  # fmt: skip
    print(f"{fit.nit} steps: mean squared distance in the windows {fit.fun:.5f}")
    p = fit.x
    learned = integrate(lambda x: segment(p, x), start, COUNT)
    distance = np.sqrt(np.mean(np.sum((learned - truth) ** 2, axis=1)))
    angle, newton = aim(np.radians(60.0))
    missed = abs(throw(angle)[-1][0] - TARGET)
    print(f"ball: {np.degrees(angle):.4f}° after {newton} Newton steps, {missed:.0e} m off target")
    path = args.out / "neural_ode.png"
    draw(path, data, truth, learned, angle)
    line = f"neural ODE: {distance:.3f} off the true path, noise {NOISE}"
    common.report(args, distance, f"{line}; see {path}")


if __name__ == "__main__":
    main()
