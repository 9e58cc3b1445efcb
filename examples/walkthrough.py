"""Steps of the book as interactive pages: every function forward and backward, with numbers.

    python examples/walkthrough.py                  all of them, into out/
    python examples/walkthrough.py step16 --open    one, in the browser

Each is one HTML file that needs no network: project it, mail it, put it on a course page.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

import dezero
import dezero.functions as F
from dezero import Page, Variable
from dezero.models import MLP


def step07(x):
    """Step 7: a chain of functions, differentiated from its end."""
    a = F.square(x)
    b = F.exp(a)
    y = F.square(b)
    return y


def step14(x):
    """Step 14: a variable used twice gets two gradients, and they add up."""
    y = x + x
    return y


def step15(x):
    """Step 15: two paths join; whose turn it is, by generation."""
    a = F.square(x)
    b = F.square(a)
    c = F.square(a)
    y = b + c
    return y


def step16(x):
    """Step 16: paths of different length meet; the longer one is walked first."""
    a = F.square(x)
    b = F.exp(a)
    c = F.sin(b)
    y = a + c
    return y


def step26(x, y):
    """Step 26: the Goldstein-Price function."""
    z = (1 + (x + y + 1) ** 2 * (19 - 14 * x + 3 * x**2 - 14 * y + 6 * x * y + 3 * y**2)) * (
        30 + (2 * x - 3 * y) ** 2 * (18 - 32 * x + 12 * x**2 + 48 * y - 36 * x * y + 27 * y**2)
    )
    return z


def step44(x, t):
    """Step 44: a network of two layers and its loss; its layers fold."""
    np.random.seed(0)
    model = MLP((10, 1))
    y = model(x)
    loss = F.mean_squared_error(t, y)
    return loss


def _points() -> tuple[Variable, Variable]:
    x = np.linspace(0.0, 1.0, 20, dtype=np.float32).reshape(20, 1)
    t = np.sin(2 * np.pi * x)
    return Variable(x, requires_grad=False), Variable(t, requires_grad=False)


STEPS = {
    "step07": (step07, (0.5,), "7단계: 함수를 이은 사슬을 끝에서부터 미분합니다"),
    "step14": (step14, (3.0,), "14단계: 두 번 쓴 변수는 기울기를 두 번 받아 더합니다"),
    "step15": (step15, (2.0,), "15단계: 두 갈래가 만나면 세대로 차례를 정합니다"),
    "step16": (step16, (0.5,), "16단계: 길이가 다른 갈래는 긴 쪽을 먼저 거슬러 갑니다"),
    "step26": (step26, (1.0, 1.0), "26단계: 골드스타인-프라이스 함수"),
    "step44": (step44, _points(), "44단계: 2층 신경망과 손실, 계층은 접을 수 있습니다"),
}


def page(name: str) -> Page:
    """Return the page of one of the steps."""
    function, arguments, korean = STEPS[name]
    title = {"en": (function.__doc__ or "").strip().rstrip("."), "ko": korean}
    return dezero.show(function, *arguments, title=title, open_browser=False)


def main() -> None:
    """Write the pages that the command line names."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("steps", nargs="*", metavar="STEP", help=f"of {', '.join(STEPS)}")
    parser.add_argument("--out", type=Path, default=Path("out"), help="folder of the pages")
    parser.add_argument("--open", action="store_true", help="show them in the browser")
    options = parser.parse_args()
    unknown = [name for name in options.steps if name not in STEPS]
    if unknown:
        parser.error(f"no step {unknown[0]!r} here: choose from {', '.join(STEPS)}")
    options.out.mkdir(parents=True, exist_ok=True)
    for name in options.steps or STEPS:
        made = page(name)
        path = made.save(options.out / f"{name}.html")
        print(f"{path}: {made.functions} functions")
        if options.open:
            made.open()


if __name__ == "__main__":
    main()
