"""Exploding gradients: a recurrent network whose weights of the state are a little too large.

At each step back in time the gradient is multiplied by the same matrix: by 1.5 in sixty steps is
a factor of 10^10. `dezero.explain` shows the norm on its way, and which function makes it grow.

    python examples/debugging/exploding.py
"""

from __future__ import annotations

import numpy as np

import dezero
import dezero.functions as F
from dezero import Parameter

LENGTH, WIDTH = 60, 32
rng = np.random.default_rng(0)
x = rng.normal(size=(LENGTH, 16, WIDTH)) * 0.01
t = rng.normal(size=(16, WIDTH))
start = rng.normal(size=(WIDTH, WIDTH)) / np.sqrt(WIDTH)  # a spectral radius of about 1


def loss_of(W: Parameter) -> dezero.Variable:
    """Run over the sequence; the last state is to be t."""
    h = np.ones((16, WIDTH))
    for step in x:
        h = F.relu(np.matmul(h, W) + step)
    return F.mean_squared_error(h, t)


def main() -> None:
    """Show the symptom, then what the tool says."""
    good = Parameter(1.2 * start, name="W")
    bad = Parameter(2.2 * start, name="W")
    for W in (good, bad):
        loss = loss_of(W)
        loss.backward()
        norm = float(np.linalg.norm(W.grad.data))
        print(f"loss {float(loss):9.3g}   norm of the gradient {norm:9.3g}")
        W.cleargrad()
    print()
    found = dezero.explain(lambda: loss_of(bad), bad)
    print(found)
    print("\nthe norm that arrives at every tenth step back in time:")
    steps = [step for step in found.path if step.name == "ReLU"]
    for i, step in enumerate(steps[::10]):
        print(f"  {LENGTH - 10 * i:3}  {step.arrived.norm:9.3g}")
    if found.status != "exploding" or found.cut.what != "MatMul" or len(steps) < LENGTH // 2:
        raise SystemExit("explain did not find what explodes")
    if dezero.explain(lambda: loss_of(good), good).status != "ok":
        raise SystemExit("explain accused the network that learns")


if __name__ == "__main__":
    main()
