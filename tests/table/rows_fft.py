"""Rows: Fourier transforms."""

from __future__ import annotations

import numpy as np

from dezero.numpy import fft_rules as R

from .cases import Row
from .prepared import Prepared, complex_case, draw, pair, parts


def one_axis(real_in: bool):
    def cases(rng: np.random.Generator):
        def case(*shape, **kwargs):
            if real_in:
                return Prepared(draw(rng, *shape), after=parts, **kwargs)
            return complex_case(pair(rng, *shape), **kwargs)

        yield case(2, 4)
        yield case(2, 5)
        yield Prepared(draw(rng, 2, 5), after=parts)
        for n in (3, 4, 7, 8):
            yield case(2, 5, n=n)
        for norm in ("backward", "ortho", "forward"):
            yield case(4, 2, axis=0, norm=norm)
            yield case(3, n=5, norm=norm)
        yield case(2, n=1)

    return cases


def several_axes(real_in: bool, two: bool = False):
    def cases(rng: np.random.Generator):
        def case(*shape, **kwargs):
            if real_in:
                return Prepared(draw(rng, *shape), after=parts, **kwargs)
            return complex_case(pair(rng, *shape), **kwargs)

        yield case(3, 4)
        yield case(2, 3, 3)
        yield case(3, 4, norm="ortho")
        yield case(3, 4, norm="forward")
        yield case(3, 4, s=(2, 5), axes=(0, 1))
        yield case(3, 4, s=(4, 3), axes=(1, 0))
        yield case(3, 4, axes=(1, 0))
        if not two:
            yield case(2, 3, 4, axes=(0, 2))
            yield case(3, 4, axes=(1,))

    return cases


def shifts(rng: np.random.Generator):
    from .cases import Case

    yield Case(draw(rng, 5))
    yield Case(draw(rng, 4, 3))
    yield Case(draw(rng, 4, 3), axes=0)
    yield Case(draw(rng, 2, 4, 3), axes=(0, 2))
    yield complex_case(pair(rng, 4))


def row(name: str, cases) -> Row:
    return Row(
        name, getattr(np.fft, name), cases, call=getattr(R, name), numpy=(getattr(np.fft, name),)
    )


ROWS = [
    row("fft", one_axis(False)),
    row("ifft", one_axis(False)),
    row("rfft", one_axis(True)),
    row("irfft", one_axis(False)),
    row("hfft", one_axis(False)),
    row("ihfft", one_axis(True)),
    row("fftn", several_axes(False)),
    row("ifftn", several_axes(False)),
    row("fft2", several_axes(False, two=True)),
    row("ifft2", several_axes(False, two=True)),
    row("rfftn", several_axes(True)),
    row("irfftn", several_axes(False)),
    row("rfft2", several_axes(True, two=True)),
    row("irfft2", several_axes(False, two=True)),
    row("fftshift", shifts),
    row("ifftshift", shifts),
]
