"""A box model of the carbon in the air, fitted to 34 years at Mauna Loa.

What mankind burns goes into the air; the excess over what was there before industry leaves into
oceans and plants with a time constant; and forests breathe through the year:

    dC/dt = E(t) / 2.124 + land - (C - 280) / tau + season(t)

with C in ppm, 2.124 GtC per ppm, and the emissions E of fossil fuels rounded after CDIAC (Marland
et al.), lines between. It is integrated in plain NumPy by Heun's method, month by month. SciPy's
least squares take its Jacobian from `dezero.jacobian`, forwards through time, and the errors of
the parameters from the same matrix. The years from 1992 to 2001 are held out.

    python examples/physics_fit.py [--at-most 2]
"""

from __future__ import annotations

import common
import numpy as np

import dezero

optimize = common.package("scipy.optimize", "scipy")

YEARS = np.array([1958, 1960, 1965, 1970, 1975, 1980, 1985, 1990, 1995, 2000, 2002])
BURNT = np.array([2.33, 2.57, 3.13, 4.05, 4.60, 5.32, 5.44, 6.13, 6.40, 6.77, 7.0])  # GtC per year
PPM = 2.124  # GtC in the air for each ppm
BEFORE = 280.0  # ppm before industry
FIRST = 1992
NAMES = {
    "start": "CO2 in March 1958 (ppm)",
    "tau": "time constant of the sinks (years)",
    "land": "constant source, forests felled less grown (GtC per year)",
    "year": "breath of the year, amplitude (GtC per year)",
    "half": "second harmonic, amplitude (GtC per year)",
    "growth": "growth of the breath (% per year)",
}


def season(p, t):
    """Return what plants and soils breathe out, in ppm per year; their breath may grow."""
    _, _, _, a, b, c, d, growth = p
    phase = 2 * np.pi * t
    year = a * np.sin(phase) + b * np.cos(phase)
    half = c * np.sin(2 * phase) + d * np.cos(2 * phase)
    return (1 + growth * (t - 1975)) * (year + half)


def model(p, months):
    """Return CO2 in ppm in each of the months since March 1958, one step of Heun's method each."""

    def rate(C, t):
        burnt = np.interp(t, YEARS, BURNT) / PPM
        return burnt + p[2] - (C - BEFORE) / p[1] + season(p, t)

    C, h, series = p[0], 1 / 12, []
    for month in range(months[-1] + 1):
        series.append(C)
        t = 1958 + (month + 2.5) / 12
        k = rate(C, t)
        C = C + h / 2 * (k + rate(C + h * k, t + h))
    return np.stack(series)[months]


def physical(p):
    """Return the parameters in the units of NAMES."""
    year, half = np.hypot(p[3], p[4]), np.hypot(p[5], p[6])
    return np.stack([p[0], p[1], PPM * p[2], PPM * year, PPM * half, 100 * p[7]])


def errors(J: np.ndarray, residuals: np.ndarray) -> np.ndarray:
    """Return the covariance of the parameters, of the Gauss-Newton matrix.

    Residuals of neighbouring months are alike, so there are fewer independent ones than months:
    their correlation r leaves a share (1 - r) / (1 + r).
    """
    variance = residuals @ residuals / (len(residuals) - J.shape[1])
    r = np.corrcoef(residuals[1:], residuals[:-1])[0, 1]
    return np.linalg.inv(J.T @ J) * variance * (1 + r) / (1 - r)


def draw(path, t, y, fitted, p) -> None:
    """Draw the record and the model, the residuals, and the breath of one year."""
    figure, axes = common.subplots(12, 6, nrows=2, ncols=2, width_ratios=(2, 1), sharex="col")
    (above, year), (below, last) = axes
    above.plot(t, y, ".", color="black", markersize=3, label="measured")
    above.plot(t, fitted, color="C3", linewidth=1, label="box model")
    below.axhline(0, color="0.6", linewidth=0.8)
    below.plot(t, y - fitted, ".-", color="C0", markersize=3, linewidth=0.5)
    for panel in (above, below):
        panel.axvspan(FIRST, t[-1], color="0.92", label="held out", zorder=0)
    above.legend(loc="upper left")
    above.set(title="CO$_2$ at Mauna Loa", ylabel="ppm")
    below.set(xlabel="year", ylabel="measured - model (ppm)")
    month = np.linspace(0, 1, 100)
    for when, colour in ((1960, "C0"), (2000, "C3")):
        year.plot(12 * month, PPM * season(p, when + month), color=colour, label=str(when))
    year.axhline(0, color="0.6", linewidth=0.8)
    year.set(title="Plants and soils breathe out", ylabel="GtC per year")
    year.legend(loc="lower left")
    late = t > 1998
    last.plot(12 * (t[late] % 1), (y - fitted)[late], ".", color="C0")
    last.axhline(0, color="0.6", linewidth=0.8)
    last.set(title="Residuals, 1998-2001", xlabel="months since January 1", ylabel="ppm")
    figure.tight_layout()
    common.save(figure, path)


def main() -> None:
    """Fit, print the parameters with errors, measure on the years held out, draw."""
    args = common.options(__doc__, goal="error in ppm", smaller=True)
    t, y = common.mauna_loa()
    months = np.rint((t - t[0]) * 12).astype(int)
    fitted = t < (1961 if args.quick else FIRST)
    few, target = months[fitted], y[fitted]
    jacobian = dezero.jacobian(model, mode="forward")
    fit = optimize.least_squares(
        lambda p: model(p, few) - target,
        np.array([315.0, 50, 0, 1, 1, 1, 1, 0]),
        jac=lambda p: jacobian(p, few),
        x_scale="jac",
    )
    C = errors(jacobian(fit.x, few), fit.fun)
    D = dezero.jacobian(physical)(fit.x)
    sigma = np.sqrt(np.diag(D @ C @ D.T))
    for name, value, error in zip(NAMES.values(), physical(fit.x), sigma, strict=True):
        print(f"{name:62}{value:9.2f} ± {error:.2f}")

    curve = model(fit.x, months)
    rms = [np.sqrt(np.mean((y - curve)[part] ** 2)) for part in (fitted, t >= FIRST)]
    path = args.out / "physics_fit.png"
    draw(path, t, y, curve, fit.x)
    line = (
        f"box model: {fit.njev} Jacobians; error {rms[0]:.2f} ppm where fitted, {rms[1]:.2f} ppm"
    )
    common.report(args, rms[1], f"{line} in the ten years held out; see {path}")


if __name__ == "__main__":
    main()
