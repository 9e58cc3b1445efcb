"""Logistic regression fitted by SciPy's optimisers, derivatives by DeZero.

The model is three lines of NumPy. `dezero.value_and_grad` makes of its loss what
`scipy.optimize.minimize(..., jac=True)` wants; `dezero.hvp` gives Newton-CG the products with the
second derivatives, without the matrix of them. The data, of scikit-learn, are 30 measurements of
cell nuclei in 569 breast tumours (Wisconsin Diagnostic Breast Cancer); a quarter is held out.

    python examples/logistic_regression.py [--seed 0] [--at-least 95]
"""

from __future__ import annotations

import time

import common
import numpy as np

import dezero

optimize = common.package("scipy.optimize", "scipy")
datasets = common.package("sklearn.datasets", "scikit-learn")
PENALTY = 0.01


def tumours(seed: int) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Return measurements and whether malignant: three quarters to fit, a quarter held out."""
    data = datasets.load_breast_cancer()
    order = np.random.default_rng(seed).permutation(len(data.target))
    x, t = data.data[order], (data.target[order] == 0).astype(float)
    n = len(x) * 3 // 4
    x = (x - x[:n].mean(axis=0)) / x[:n].std(axis=0)
    return (x[:n], t[:n]), (x[n:], t[n:])


def scores(p, x):
    """Return the log odds of "malignant"; `p` holds the weights and, last, the bias."""
    return x @ p[:-1] + p[-1]


def loss(p, x, t):
    """Return the mean negative log likelihood, and a penalty that keeps the weights small."""
    s = scores(p, x)
    return np.mean(np.logaddexp(0, s) - t * s) + PENALTY / 2 * np.sum(p[:-1] ** 2)


def fit(x: np.ndarray, t: np.ndarray) -> dict:
    """Return SciPy's results by gradients alone, and by Hessian-vector products."""
    start, found = np.zeros(x.shape[1] + 1), {}
    value_and_grad = dezero.value_and_grad(loss)

    def hessp(p, v, x, t):
        return dezero.hvp(lambda p: loss(p, x, t), p, v)

    print("method      steps  gradients  products      loss  |gradient|    time")
    for method, more in (("BFGS", {}), ("Newton-CG", {"hessp": hessp, "options": {"xtol": 1e-9}})):
        clock = time.perf_counter()
        found[method] = r = optimize.minimize(
            value_and_grad, start, args=(x, t), jac=True, method=method, **more
        )
        clock, slope = time.perf_counter() - clock, np.linalg.norm(r.jac)
        print(
            f"{method:10}{r.nit:7d}{r.njev:11d}{r.get('nhev', 0):10d}"
            f"{r.fun:10.6f}{slope:12.1e}{clock:6.2f} s"
        )
    return found


def draw(path, p: np.ndarray, x: np.ndarray, t: np.ndarray) -> None:
    """Draw the log odds of the tumours held out, and the weights of the measurements."""
    names = datasets.load_breast_cancer().feature_names
    figure, (left, right) = common.subplots(11, 4.6, ncols=2)
    s = scores(p, x)
    bins = np.linspace(s.min(), s.max(), 40)
    for kind, colour, label in ((0, "C0", "benign"), (1, "C3", "malignant")):
        left.hist(s[t == kind], bins, color=colour, alpha=0.7, label=f"{label} in truth")
    left.axvline(0, color="black", linewidth=0.8)
    left.set(title="Tumours held out", xlabel="log odds of malignant", ylabel="tumours")
    left.legend()
    strongest = np.argsort(-np.abs(p[:-1]))[:12][::-1]
    colours = np.where(p[strongest] > 0, "C3", "C0")
    right.barh(names[strongest], p[strongest], color=colours)
    right.set(title="The strongest weights", xlabel="log odds per standard deviation")
    figure.tight_layout()
    common.save(figure, path)


def main() -> None:
    """Fit twice, compare, measure on the tumours held out."""
    args = common.options(__doc__, goal="accuracy in %")
    (x, t), (held_x, held_t) = tumours(args.seed)
    found = fit(x, t)
    p = found["Newton-CG"].x
    apart = np.abs(p - found["BFGS"].x).max()
    print(f"the two fits differ by at most {apart:.0e} in a weight")
    accuracy = 100 * np.mean((scores(p, held_x) > 0) == held_t)
    path = args.out / "logistic_regression.png"
    draw(path, p, held_x, held_t)
    line = f"logistic regression: {accuracy:.1f} % of {len(held_t)} held-out tumours right"
    common.report(args, accuracy, f"{line}; see {path}")


if __name__ == "__main__":
    main()
