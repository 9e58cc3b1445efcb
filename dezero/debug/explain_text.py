"""The words of an explanation: at most some 25 lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dezero.core.places import Place
from dezero.debug.paths import Step, shown

if TYPE_CHECKING:
    from dezero.debug.explain import Explanation

HARMLESS = ("ok", "cancels", "frozen")  # nothing the matter with these

_HEADLINES = {
    "ok": "gets a gradient, of an ordinary size",
    "cut": "gets no gradient: the graph of the loss does not lead to it",
    "frozen": "gets no gradient: it is frozen",
    "unused": "gets no gradient: the loss does not use it",
    "no graph": "gets no gradient: there is no graph behind the loss",
    "zero": "gets a gradient of zeros",
    "tiny": "gets a tiny gradient",
    "exploding": "gets an exploding gradient",
    "cancels": "gets a gradient that is nothing but rounding",
    "nan": "gets a gradient with NaN or infinity in it",
    "accumulated": "holds more than the gradient of this loss",
    "changed": "cannot be explained any more",
    "integer": "cannot have a gradient",
}


def show(found: Explanation) -> str:
    """Return an explanation in words."""
    lines = [f"{found.param} {_HEADLINES[found.status]}"]
    cut = found.cut
    if cut is not None:
        lines += _where(cut)
        lines += _wrapped("known" if cut.certain else "likely", cut.why)
        lines += _wrapped("advice", cut.advice)
    if found.path:
        lines += _sizes(found)
        lines += ["path, from the loss on, with the norm of the gradient that arrives:"]
        lines += _rows(found)
    for note in found.notes:
        lines += _wrapped("note", note)
    return "\n".join(lines)


def _where(cut: Any) -> list[str]:
    if cut.place is None and not cut.layers:
        return []
    layers = f"in {' > '.join(cut.layers)}, " if cut.layers else ""
    line = _line(cut.place) if cut.place else ""
    return _wrapped("where", f"{layers}{line}".rstrip(", "))


def _line(place: Place) -> str:
    code = place.code if len(place.code) <= 100 else f"{place.code[:97]}..."
    return f"{shown(place)}: {code}" if code else shown(place)


def _sizes(found: Explanation) -> list[str]:
    size = found.size
    said = f"norm {size.norm:.3g}, largest {size.largest:.3g}, {100 * size.zeros:.3g} % zeros"
    if found.weight and size.finite:
        said += f"; {size.norm / found.weight:.3g} of the parameter's own norm"
    parts = found.contributions
    if len(parts) > 1:
        low, high = parts[-1].norm, parts[0].norm
        said += f"; the sum of {len(parts)} parts, of norms {low:.3g} to {high:.3g}"
    return _wrapped("size", said)


_HEAD, _TAIL, _AROUND = 3, 4, 2


def _rows(found: Explanation) -> list[str]:
    """Return a line for each function; of a long path the ends and what matters."""
    path = found.path
    at = _position(found)
    shown = {i for i in range(len(path)) if i < _HEAD or i >= len(path) - _TAIL}
    if at is not None:
        shown |= set(range(max(at - _AROUND, 0), min(at + _AROUND + 1, len(path))))
    if len(path) <= 12:
        shown = set(range(len(path)))
    lines = []
    last = -1
    width = max(len(_label(path[i])) for i in shown)
    for i in sorted(shown):
        if i > last + 1:
            lines.append(_skipped(path[last + 1 : i]))
        lines.append(_row(path[i], width, i == at))
        last = i
    lines.append(f"    {'the parameter':<{width}}  {found.size.norm:9.3g}")
    return lines


def _position(found: Explanation) -> int | None:
    """Return which function of the path the explanation is about."""
    cut = found.cut
    if cut is None:
        return None
    steps = [(s.factor, i) for i, s in enumerate(found.path) if s.name == cut.what]
    if not steps:
        return None
    if found.status in ("exploding", "tiny"):
        steps = steps[:-1] or steps  # the last leads into the parameter
    if found.status == "nan":
        return next(
            (i for i, s in enumerate(found.path) if s.arrived.finite and not s.passed.finite), None
        )
    return (max if found.status == "exploding" else min)(steps, key=_known)[1]


def _known(item: tuple[float, int]) -> tuple[bool, float, int]:
    factor, i = item
    return factor != factor, 0.0 if factor != factor else factor, i


def _label(step: Step) -> str:
    layers = " > ".join(step.layers[1:] or step.layers)
    return f"{step.name}  {layers}" if layers else step.name


def _row(step: Step, width: int, marked: bool) -> str:
    place = step.place
    line = f"  {place.file.rpartition('/')[2]}:{place.line}" if place else ""
    factor = f"x {step.factor:<8.3g}" if step.arrived.norm else " " * 10
    zeros = f"{100 * step.passed.zeros:3.0f} % zeros" if step.passed.zeros else " " * 11
    label = f"  {'>' if marked else ' '} {_label(step):<{width}}"
    return f"{label}  {step.arrived.norm:9.3g}  {factor}  {zeros}{line}".rstrip()


def _skipped(steps: tuple[Step, ...]) -> str:
    first, last = steps[0].arrived.norm, steps[-1].passed.norm
    mean = ""
    if first and last and first == first:
        mean = f", x {(last / first) ** (1 / len(steps)):.3g} each on average"
    return f"    ... {len(steps)} functions: {first:.3g} to {last:.3g}{mean}"


def _wrapped(label: str, text: str, width: int = 88) -> list[str]:
    """Return ``text`` in lines under a label."""
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + len(word) >= width:
            lines.append("")
        lines[-1] += f" {word}" if lines[-1] else word
    first = f"  {label:<8}{lines[0]}" if len(label) < 8 else f"  {label}  {lines[0]}"
    return [first, *(" " * 10 + line for line in lines[1:])]


def show_all(rows: dict[str, Explanation]) -> str:
    """Return a table of parameters: those with something the matter first."""
    if not rows:
        return "no parameters"
    bad = [(name, row) for name, row in rows.items() if row.status not in HARMLESS]
    good = [(name, row) for name, row in rows.items() if row.status in HARMLESS]
    shown = (bad + good)[:8]
    width = max(len("parameter"), *(len(name) for name, _ in shown))
    lines = [f"{'parameter':<{width + 2}}{'status':<13}{'norm':>10}{'largest':>11}{'zeros':>9}"]
    for name, row in shown:
        size = row.size
        numbers = f"{size.norm:>10.3g}{size.largest:>11.3g}{100 * size.zeros:>7.3g} %"
        lines.append(f"{name:<{width + 2}}{row.status:<13}" + (numbers if row.path else ""))
    left = len(rows) - len(shown)
    if left:
        lines.append(f"... and {left} more; {len(bad)} of {len(rows)} have something the matter")
    for names in list(_grouped(bad).values())[:3]:
        lines += _group(names, rows[names[0]])
    return "\n".join(lines)


def _grouped(bad: list[tuple[str, Explanation]]) -> dict[Any, list[str]]:
    """Return the names of the parameters by what is the matter with them."""
    groups: dict[Any, list[str]] = {}
    for name, row in bad:
        if row.cut is not None:
            groups.setdefault((row.status, row.cut.what, row.cut.place), []).append(name)
    return groups


def _group(names: list[str], row: Explanation) -> list[str]:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    cut = row.cut
    if cut is None:
        return []
    place = f" (at {shown(cut.place)})" if cut.place else ""
    said = f"{', '.join(names[:3])}{more}: {cut.why}{place}"
    return _wrapped(row.status, said) + _wrapped("advice", cut.advice)
