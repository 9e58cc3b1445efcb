"""What is measured, how close the peers must agree, and the bars."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

PEERS = ("torch", "jax", "autograd", "mygrad")
TITLES = {
    "dezero": "DeZero",
    "torch": "PyTorch",
    "jax": "JAX",
    "autograd": "Autograd",
    "mygrad": "MyGrad",
}
IMPORT_TIME = "import_time"
SCALING = "scaling"


@dataclass(frozen=True)
class Row:
    """One workload that every peer may run."""

    name: str
    title: str
    rtol: float
    functions: int = 1  # functions called in one step, for the time per function


ROWS = (
    Row("goldstein_price", "Goldstein-Price, 0-d float64, forward + backward", 1e-12),
    Row("chain_10000", "10,000 multiplications, 0-d float64, forward + backward", 1e-9, 10_000),
    Row("mlp", "MLP 784-1000-1000-10, batch 100, SGD step", 1e-4),
    Row("lstm_cell", "LSTM cell by cell, 30 steps, batch 30, hidden 100, Adam step", 1e-4),
    Row("lstm_sequence", "LSTM over 100 steps, batch 32, 64 inputs, hidden 256, Adam step", 1e-4),
    Row("cnn", "CNN 3-32-32-P-64-64-P-10, 64 images 32x32, SGD step", 1e-3),
    Row("resnet18", "ResNet-18, 16 images 64x64, momentum SGD step", 1e-3),
    Row("vgg16", "VGG16, one image 224x224, inference", 1e-3),
    Row("resnet50", "ResNet-50, one image 224x224, inference", 1e-3),
    Row("gpt", "GPT, 4 layers, width 256, 8x128 tokens, AdamW step", 1e-3),
    Row("elementwise", "`sum(exp(tanh(x*y + x)))`, 4M elements, forward + backward", 1e-4),
    Row("hvp", "Hessian-vector product of the MLP", 1e-3),
    Row("grad_goldstein_price", "`grad` of Goldstein-Price, two numbers", 1e-12),
    Row("grad_perceptron", "`grad` of a tanh network, 256 examples, float64", 1e-9),
    Row("grad_chain", "`grad` of elementwise functions, 10,000 numbers, float64", 1e-9),
    Row("grad_logistic_regression", "`grad` of logistic regression, 500 x 20, float64", 1e-9),
    Row("grad_mixture", "`grad` of a Gaussian mixture, 10 components, 1,000 points", 1e-9),
    Row("grad_bundle_adjustment", "`grad` of bundle adjustment, 500 projections", 1e-9),
)
SCALING_ROWS = tuple(
    Row(f"chain_{n}", f"{n:,} multiplications", 1e-9, n)
    for n in (1_000, 10_000, 100_000, 1_000_000)
)
NAMES = (
    *(row.name for row in ROWS),
    SCALING,
    *(row.name for row in SCALING_ROWS if row.name != "chain_10000"),
    IMPORT_TIME,
)

# How far a parameter moved is a difference of nearly equal float32 numbers.
MOVED_RTOL = 1e-2

# DeZero's time divided by PyTorch's.
TIME_RATIOS = {
    "goldstein_price": 0.5,
    "chain_10000": 0.5,
    "mlp": 0.9,
    "lstm_cell": 0.45,
    "lstm_sequence": 0.9,
    "cnn": 0.6,
    "resnet18": 0.7,
    "vgg16": 0.8,
    "resnet50": 0.8,
    "gpt": 0.85,
    "elementwise": 0.7,
    "hvp": 0.9,
}
# DeZero's peak of memory divided by PyTorch's, the whole process.
PEAK_RATIO = 1.0
PEAK_NAMES = tuple(name for name in TIME_RATIOS if name not in ("goldstein_price", "chain_10000"))
# DeZero's time divided by Autograd's, for plain NumPy models: each, and their geometric mean.
AUTOGRAD_NAMES = tuple(row.name for row in ROWS if row.name.startswith("grad_"))
AUTOGRAD_RATIO = 0.8
AUTOGRAD_MEAN = 0.4
SCALING_RATIO = 1.25
IMPORT_RATIO = 1.3


def chain_length(length: int, small: bool) -> int:
    """The length of a chain in a measurement, or a hundredth of it in a test."""
    return length // 100 if small else length


@dataclass(frozen=True)
class Bar:
    """A figure the stage has to reach."""

    workload: str
    text: str
    limit: float
    figure: float | None  # None: not measured in this run
    quantity: str = ""  # "time" or "peak" where PyTorch is what DeZero is compared with

    @property
    def met(self) -> bool:
        """Whether it was measured and is within the limit."""
        return self.figure is not None and self.figure <= self.limit


def disagreement(
    name: str, a: dict[str, list[float]], b: dict[str, list[float]], rtol: float
) -> str | None:
    """What the checks ``a`` and ``b`` of the workload ``name`` differ in, or None."""
    if set(a) != set(b):
        return f"{name}: reports {sorted(a)}, then {sorted(b)}"
    for key, mine in a.items():
        allowed = MOVED_RTOL if key.startswith("moved ") else rtol
        if len(mine) != len(b[key]):
            return f"{name}: {key} has {len(mine)} numbers, then {len(b[key])}"
        for p, q in zip(mine, b[key], strict=True):
            if not abs(p - q) <= allowed * max(abs(p), abs(q)):
                return f"{name}: {key} is {mine}, then {b[key]}"
    return None


def memory_ratio(workload: dict[str, Any], entry: dict[str, Any], key: str) -> float | None:
    """DeZero's memory divided by that of the ``entry``; ``key`` is "peak" or "growth"."""
    ours = next((e for e in workload["entries"] if e["peer"] == "dezero"), None)
    if ours is None or entry["peer"] == "dezero" or not entry["memory"].get(key):
        return None
    return float(ours["memory"][key] / entry["memory"][key])


def peer_ratio(
    results: dict[str, Any], name: str, quantity: str, peer: str = "torch"
) -> float | None:
    """DeZero's "time", "peak" or "growth" divided by a peer's; None where not measured."""
    for workload in results["workloads"]:
        for entry in workload["entries"]:
            if workload["name"] == name and entry["peer"] == peer and entry["ratio"]:
                if quantity == "time":
                    return float(entry["ratio"]["median"])
                return memory_ratio(workload, entry, quantity)
    return None


def _scaling_ratio(results: dict[str, Any]) -> float | None:
    measured = [entry for entry in results["scaling"] if entry["collector"]]
    if len(measured) < len(SCALING_ROWS):
        return None
    return float(max(max(e["ratio"]["median"], 1 / e["ratio"]["median"]) for e in measured))


def _autograd_ratios(results: dict[str, Any]) -> dict[str, float | None]:
    return {name: peer_ratio(results, name, "time", "autograd") for name in AUTOGRAD_NAMES}


def _geometric_mean(ratios: list[float | None]) -> float | None:
    known = [math.log(ratio) for ratio in ratios if ratio is not None]
    return math.exp(sum(known) / len(known)) if len(known) == len(ratios) else None


def bars(results: dict[str, Any]) -> list[Bar]:
    """The bars of this stage with the figures of a run."""
    imported = results["import_time"]
    return [
        *(
            Bar(name, f"{name}: time", limit, peer_ratio(results, name, "time"), "time")
            for name, limit in TIME_RATIOS.items()
        ),
        *(
            Bar(name, f"{name}: peak memory", PEAK_RATIO, peak, "peak")
            for name in PEAK_NAMES
            for peak in [peer_ratio(results, name, "peak")]
        ),
        *(
            Bar(name, f"{name}: time / Autograd", AUTOGRAD_RATIO, ratio)
            for name, ratio in _autograd_ratios(results).items()
        ),
        Bar(
            AUTOGRAD_NAMES[-1],
            "plain NumPy models: geometric mean of time / Autograd",
            AUTOGRAD_MEAN,
            _geometric_mean(list(_autograd_ratios(results).values())),
        ),
        Bar(
            SCALING,
            "time per function, 1,000 to 1,000,000: largest change from 1,000",
            SCALING_RATIO,
            _scaling_ratio(results),
        ),
        Bar(
            IMPORT_TIME,
            "import dezero / import numpy",
            IMPORT_RATIO,
            imported["ratio"]["median"] if imported else None,
        ),
    ]
