"""Newton's method by exact Hessians: a curve with two valleys, and Rosenbrock's banana.

The curve is that of the book's step 33, y = x**4 - 2 x**2; the banana that of step 28, where
gradient descent needs tens of thousands of steps. Newton's method asks for the second derivatives
too, `dezero.hessian`, and goes straight to where the parabola that fits best has its bottom.

    python examples/newton.py [--out out] [--at-most 20]
"""

from __future__ import annotations

import common
import numpy as np

import dezero


def valleys(x):
    """Return the curve of step 33; its minima are at -1 and 1."""
    return x**4 - 2 * x**2


def rosenbrock(p):
    """Return Rosenbrock's function of a point (x, y); its minimum is at (1, 1)."""
    x, y = p
    return 100 * (y - x**2) ** 2 + (1 - x) ** 2


def newton(f, x, steps: int, tolerance: float = 1e-10) -> np.ndarray:
    """Return the path of Newton's method to where the gradient is zero."""
    gradient, hessian = dezero.grad(f), dezero.hessian(f)
    path = [np.asarray(x, float)]
    for _ in range(steps):
        g = gradient(path[-1])
        if np.linalg.norm(g) < tolerance:
            break
        H = hessian(path[-1])
        path.append(path[-1] - (np.linalg.solve(H, g) if g.ndim else g / H))
    return np.array(path)


def descend(f, x, rate: float, steps: int, tolerance: float = 1e-3) -> np.ndarray:
    """Return the path of gradient descent to within `tolerance` of the minimum (1, 1)."""
    gradient = dezero.grad(f)
    path = [np.asarray(x, float)]
    while len(path) <= steps and np.linalg.norm(path[-1] - 1) > tolerance:
        path.append(path[-1] - rate * gradient(path[-1]))
    return np.array(path)


def draw(path, curve: np.ndarray, descent: np.ndarray, banana: np.ndarray) -> None:
    """Draw the steps on the curve and both paths on the contours of the banana."""
    figure, (left, right) = common.subplots(11, 4.6, ncols=2, width_ratios=(2, 3))
    x = np.linspace(-0.2, 2.1, 200)
    left.plot(x, valleys(x), color="0.6")
    left.plot(curve, valleys(curve), "o-", color="C3", markersize=4, linewidth=1)
    for i, xi in enumerate(curve[:3]):
        left.annotate(str(i), (xi, valleys(xi)), (7, 0), textcoords="offset points", fontsize=9)
    left.set(title=f"$x^4 - 2x^2$ from $x = 2$: {len(curve) - 1} steps", xlabel="$x$")

    x, y = np.meshgrid(np.linspace(-0.6, 1.6, 200), np.linspace(-0.6, 2.2, 200))
    levels = 10.0 ** np.arange(-1, 3.5, 0.5)
    right.contour(x, y, rosenbrock((x, y)), levels=levels, colors="0.8", linewidths=0.8)
    label = f"gradient descent, {len(descent) - 1:,} steps"
    right.plot(*descent.T, color="C0", linewidth=2, label=label)
    label = f"Newton, {len(banana) - 1} steps"
    right.plot(*banana.T, "o-", color="C3", markersize=4, linewidth=1, label=label)
    right.plot(1, 1, "*", color="black", markersize=12)
    right.set(title="Rosenbrock's function from (0, 2)", xlabel="$x$", ylabel="$y$")
    right.legend(loc="lower right")
    common.save(figure, path)


def main() -> None:
    """Minimise both functions and print the way."""
    args = common.options(__doc__, goal="number of Newton steps", smaller=True)
    curve = newton(valleys, 2.0, 20)
    print("step         x            y   |dy/dx|")
    for i, x in enumerate(curve):
        slope = abs(dezero.grad(valleys)(x))
        print(f"{i:4d}  {x:.12f}  {valleys(x):9.6f}   {slope:.1e}")

    start = np.array([0.0, 2.0])
    banana = newton(rosenbrock, start, 20)
    descent = descend(rosenbrock, start, 0.001, 500 if args.quick else 50_000)
    print("\nRosenbrock       steps   distance from (1, 1)")
    for name, steps in (("Newton", banana), ("gradient descent", descent)):
        print(f"{name:16}{len(steps) - 1:6d}   {np.linalg.norm(steps[-1] - 1):.1e}")
    path = args.out / "newton.png"
    draw(path, curve, descent, banana)
    most = max(len(curve), len(banana)) - 1
    common.report(args, most, f"Newton: at most {most} steps to a gradient of zero; see {path}")


if __name__ == "__main__":
    main()
