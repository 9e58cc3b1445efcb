"""A Gaussian process on the CO2 of Mauna Loa, its hyperparameters by gradient.

The covariance is a sum of four parts, after Rasmussen and Williams, "Gaussian Processes for
Machine Learning", 2006, section 5.4.3: a smooth trend, a season that slowly changes, wiggles of
medium length, noise. Its ten hyperparameters maximise the marginal likelihood of the months before
1992, by SciPy's optimiser with the gradient through `np.linalg.cholesky` by DeZero. The years
from 1992 to 2001 are held out, and predicted with an error band.

    python examples/gaussian_process.py [--at-most 1.5]
"""

from __future__ import annotations

import common
import numpy as np

import dezero

optimize = common.package("scipy.optimize", "scipy")

NAMES = """trend (ppm)|trend, length (years)|season (ppm)|season, changes in (years)
season, roughness|wiggles (ppm)|wiggles, length (years)|wiggles, shape|noise (ppm)
noise, correlated (ppm)""".replace("\n", "|").split("|")
START = np.log([50.0, 50, 2, 100, 1, 0.5, 1, 1, 0.2, 0.2])


def covariance(p, d):
    """Return the covariance at distances `d` in years, noise left out; `p` are logarithms."""
    s = np.exp(p)
    trend = s[0] ** 2 * np.exp(-0.5 * (d / s[1]) ** 2)
    fading = np.exp(-0.5 * (d / s[3]) ** 2)
    season = s[2] ** 2 * fading * np.exp(-2 * (np.sin(np.pi * d) / s[4]) ** 2)
    wiggles = s[5] ** 2 * (1 + 0.5 * (d / s[6]) ** 2 / s[7]) ** -s[7]
    correlated = s[9] ** 2 * np.exp(-0.5 * (d / 0.13) ** 2)  # weather: it lasts some six weeks
    return trend + season + wiggles + correlated


def distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the times between all of `a` and all of `b`."""
    return np.abs(a[:, None] - b[None, :])


def factor(p, d):
    """Return the Cholesky factor of the covariance of data with noise."""
    return np.linalg.cholesky(covariance(p, d) + np.exp(p[8]) ** 2 * np.eye(len(d)))


def loss(p, d, y):
    """Return the negative log marginal likelihood."""
    L = factor(p, d)
    z = np.linalg.solve(L, y)
    return 0.5 * z @ z + np.sum(np.log(np.diag(L))) + 0.5 * len(y) * np.log(2 * np.pi)


def predict(p, t: np.ndarray, y: np.ndarray, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean and standard deviation of measurements at the times `at`."""
    L = factor(p, distances(t, t))
    A = np.linalg.solve(L, covariance(p, distances(t, at)))
    variance = covariance(p, 0.0) + np.exp(p[8]) ** 2 - np.sum(A**2, axis=0)
    return A.T @ np.linalg.solve(L, y), np.sqrt(variance)


def draw(path, t, y, first: float, at, mean, error) -> None:
    """Draw the record, and the prediction with two standard deviations either side."""
    figure, (left, right) = common.subplots(12, 4.6, ncols=2)
    for axes in (left, right):
        axes.fill_between(
            at, mean - 2 * error, mean + 2 * error, color="C3", alpha=0.25, linewidth=0
        )
        axes.plot(at, mean, color="C3", linewidth=1, label="predicted, ±2 standard deviations")
        old = t < first
        axes.plot(t[old], y[old], ".", color="0.4", markersize=3, label="fitted")
        axes.plot(t[~old], y[~old], ".", color="black", markersize=4, label="held out")
        axes.set(xlabel="year", ylabel="CO$_2$ (ppm)")
    left.set_title("CO$_2$ at Mauna Loa, monthly means")
    left.legend(loc="upper left")
    right.set(title="The years held out", xlim=(first - 2, at[-1]), ylim=(345, 395))
    figure.tight_layout()
    common.save(figure, path)


def main() -> None:
    """Fit the hyperparameters, predict the years held out, draw."""
    args = common.options(__doc__, goal="error in ppm", smaller=True)
    t, y = common.mauna_loa()
    first = 1992
    train, held_out = np.flatnonzero(t < first)[:: 6 if args.quick else 1], t >= first
    mean = y[train].mean()
    d, target = distances(t[train], t[train]), y[train] - mean
    with common.progress(0, "steps") as bar:
        fit = optimize.minimize(
            dezero.value_and_grad(loss), START, args=(d, target), jac=True, method="L-BFGS-B",
            bounds=[(p - 4, p + 4) for p in START], callback=lambda p: bar.update(),
            options={"maxiter": 5 if args.quick else 100},
        )  # fmt: skip
    print(f"{fit.nit} steps, {fit.nfev} values and gradients; log likelihood:")
    print(f"{-loss(START, d, target):.1f} at the start, {-fit.fun:.1f} at the end\n")
    for name, before, value in zip(NAMES, np.exp(START), np.exp(fit.x), strict=True):
        print(f"{name:28}{before:9.2f}  ->{value:9.2f}")

    guess, error = predict(fit.x, t[train], target, t[held_out])
    misses = y[held_out] - mean - guess
    rms, inside = np.sqrt(np.mean(misses**2)), 100 * np.mean(np.abs(misses) < 2 * error)
    at = np.arange(1958, 2010, 1 / 24)
    guess, error = predict(fit.x, t[train], target, at)
    path = args.out / "gaussian_process.png"
    draw(path, t, y, first, at, mean + guess, error)
    line = (
        f"Gaussian process: error {rms:.2f} ppm in the ten years held out, {inside:.0f} % within"
    )
    common.report(args, rms, f"{line} 2 standard deviations; see {path}")


if __name__ == "__main__":
    main()
