"""What ``param.grad`` holds besides the gradient of a loss, and whether an optimizer uses it."""

from __future__ import annotations

from typing import Any

import numpy as np

from dezero.core import Variable, as_array
from dezero.debug.explain_cuts import Cut
from dezero.debug.paths import Size, size_of

_SAME = 1e-3  # of the norm: what computing in another order may change


def held_beside(param: Variable, gradient: Any, size: Size) -> Cut | str | None:
    """Return what is the matter with ``param.grad``, or a remark; ``None`` if nothing is."""
    held = param.grad.data if isinstance(param.grad, Variable) else as_array(param.grad)
    if held.shape != gradient.shape:
        return None
    whole, rest = size_of(held).norm, held - gradient
    if size_of(rest).norm <= _SAME * max(size.norm, whole):
        return None
    times = _times(held, gradient)
    if size_of(held - times * gradient).norm <= _SAME * whole:
        if round(times) >= 2 and abs(times - round(times)) < 1e-2:
            return _sum(f"param.grad holds {round(times)} times the gradient of this loss", True)
        return f"param.grad is {times:.3g} times the gradient of this loss: scaled, or clipped"
    decay = _times(rest, param.data)
    if size_of(rest - decay * param.data).norm < 0.2 * size_of(rest).norm:
        return f"param.grad holds {decay:.3g} times the parameter besides: weight decay"
    return _sum(
        f"param.grad (norm {whole:.3g}) is not the gradient of this loss (norm {size.norm:.3g}): "
        f"the rest, of norm {size_of(rest).norm:.3g}, is from other backward passes, or a hook",
        False,
    )


def _sum(why: str, certain: bool) -> Cut:
    advice = (
        "call model.cleargrads() before each backward(), unless sums over several losses are meant"
    )
    return Cut("cleargrad", why, advice, certain=certain)


def _times(a: Any, b: Any) -> float:
    """Return by what ``b`` has to be multiplied to come closest to ``a``."""
    norm = size_of(b).norm
    return float(np.real(np.vdot(b, a))) / norm**2 if norm else 0.0


def of_optimizer(param: Variable, optimizer: Any) -> list[str]:
    """Say so if ``optimizer`` does not update ``param``."""
    kind = type(optimizer).__name__
    if optimizer.target is None:
        return [f"{kind} has nothing to update: call setup(model)"]
    known = list(optimizer.target.params())
    if any(p is param for p in known):
        return []
    alike = [p for p in known if p._data is not None and p._data.shape == param.shape]
    other = ", though another of its shape: it was set up on another model, or a copy"
    return [
        f"{kind} does not update this parameter{other if alike else ''}; call "
        f"{kind.lower()}.setup(model)"
    ]
