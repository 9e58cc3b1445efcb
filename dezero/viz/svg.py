"""A laid out graph as a self-contained SVG picture."""

from __future__ import annotations

from collections import Counter
from xml.sax.saxutils import escape

from dezero.viz.graph import clean, describe
from dezero.viz.layout import ARROW, DETAIL_SIZE, Box, Frame, Layout, Point

LIGHT = {
    "page": ("#ffffff", "#1f2328"),
    "edge": ("#8a929c", "#8a929c"),
    "function": ("#d3e8f8", "#4a86b8"),
    "intermediate": ("#fff0d9", "#e0a550"),
    "input": ("#ffcf87", "#c77a0a"),
    "output": ("#ffcf87", "#9a4d00"),
    "parameter": ("#d9f0d5", "#4c9446"),
    "constant": ("#e6e8eb", "#e6e8eb"),
    "layer": ("#e4dff5", "#7c6bb8"),
    "frame0": ("#f7f8fa", "#c5ccd6"),
    "frame1": ("#eff1f5", "#b9c1cd"),
    "frame2": ("#e6eaf0", "#adb6c3"),
}
"""Fill and outline of what a picture tells apart (of the page: background and text)."""

DARK = {
    "page": ("#15181d", "#e8eaed"),
    "edge": ("#7d8590", "#7d8590"),
    "function": ("#16344d", "#5b9bd0"),
    "intermediate": ("#3d2e14", "#a9772c"),
    "input": ("#704600", "#eda63a"),
    "output": ("#704600", "#ffc56e"),
    "parameter": ("#1c3d1b", "#66b55f"),
    "constant": ("#32363d", "#32363d"),
    "layer": ("#2e2748", "#9d8ddb"),
    "frame0": ("#1b1f25", "#3a424d"),
    "frame1": ("#21262d", "#434c58"),
    "frame2": ("#282e36", "#4d5764"),
}

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"


def to_svg(layout: Layout, title: str = "Computational graph") -> str:
    """Return ``layout`` as SVG text.

    No script, no outside file, light and dark by the reader's setting, a tooltip on each node.
    """
    width, height = _number(layout.width), _number(layout.height)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="dezero-graph" role="img" '
        f'width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'aria-label="{escape(clean(title), {chr(34): "&quot;"})}">',
        f"<title>{escape(clean(title))}</title>",
        f"<desc>{_contents(layout)}</desc>",
        f"<style>{_style()}</style>",
        f'<rect class="page" width="{width}" height="{height}"/>',
        *map(_frame, layout.frames),
        *(f'<path class="edge" d="{_path(curve)}"/>' for curve in layout.curves),
        f'<path class="arrow" d="{"".join(map(_arrow, layout.arrows))}"/>',
        *map(_node, layout.boxes),
        *map(_frame_title, layout.frames),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _contents(layout: Layout) -> str:
    count = Counter(box.node.kind for box in layout.boxes)
    layers = count["layer"] + len(layout.frames)
    said = f"{count['function']} functions, {count['variable'] + count['constant']} variables"
    return said + (f", {layers} layers" if layers else "")


def _style() -> str:
    rules = [
        f".dezero-graph text{{font-family:{FONT};text-anchor:middle}}",
        ".dezero-graph .title{text-anchor:start;font-weight:600;paint-order:stroke;"
        "stroke-width:5;stroke-linejoin:round}",
        ".dezero-graph .edge{fill:none;stroke-width:1.3}",
        ".dezero-graph .output .box{stroke-width:2.6}",
        *_colours(LIGHT),
        "@media (prefers-color-scheme:dark){",
        *_colours(DARK),
        "}",
    ]
    return "\n".join(rules)


def _colours(palette: dict[str, tuple[str, str]]) -> list[str]:
    page, text = palette["page"]
    edge, _ = palette["edge"]
    rules = [
        f".dezero-graph .page{{fill:{page}}}",
        f".dezero-graph text{{fill:{text}}}",
        f".dezero-graph .edge{{stroke:{edge}}}",
        f".dezero-graph .arrow{{fill:{edge}}}",
    ]
    for role in list(palette)[2:]:
        fill, line = palette[role]
        rules.append(f".dezero-graph .{role} .box{{fill:{fill};stroke:{line}}}")
        if role == "parameter":
            rules.append(f".dezero-graph .{role} .ring{{fill:none;stroke:{line}}}")
        if role.startswith("frame"):
            rules.append(f".dezero-graph .{role} .title{{stroke:{fill}}}")
    return rules


def _node(box: Box) -> str:
    role = box.node.role
    shapes = [_rect("box", box, 0.0)]
    if role == "layer":
        shapes.insert(0, _rect("box", box, 0.0, 3.0))
    if role == "parameter":
        shapes.append(_rect("ring", box, 3.0))
    texts = [
        f'<text x="{_number(text.x)}" y="{_number(text.y)}" font-size="{text.size:g}">'
        f"{escape(text.text)}</text>"
        for text in box.texts()
    ]
    tip = "\n".join(map(clean, describe(box.node).split("\n")))
    return (
        f'<g class="{role}" data-id="{box.node.id}"><title>{escape(tip)}</title>'
        + "".join(shapes + texts)
        + "</g>"
    )


def frame_class(frame: Frame) -> str:
    """Return which colours a layer's box has: the deeper, the darker."""
    return f"frame{min(len(frame.path) - 1, 2)}"


def _frame(frame: Frame) -> str:
    return f'<g class="{frame_class(frame)}">{_rect("box", frame, 0.0)}</g>'


def _frame_title(frame: Frame) -> str:
    x, y = map(_number, frame.corner())
    path = escape(" > ".join(clean(scope.name) for scope in frame.path))
    return (
        f'<g class="{frame_class(frame)}"><title>{path}</title><text class="title" x="{x}" '
        f'y="{y}" font-size="{DETAIL_SIZE:g}">{escape(frame.title)}</text></g>'
    )


def _rect(name: str, box: Box | Frame, inset: float, shift: float = 0.0) -> str:
    width, height = box.width - 2 * inset, box.height - 2 * inset
    x, y = box.x - width / 2 + shift, box.y - height / 2 + shift
    return (
        f'<rect class="{name}" x="{_number(x)}" y="{_number(y)}" '
        f'width="{_number(width)}" height="{_number(height)}" '
        f'rx="{_number(corner(box) - inset if name == "ring" else corner(box))}"/>'
    )


def corner(box: Box | Frame) -> float:
    """Return the radius of the corners: variables are round, functions nearly square."""
    if isinstance(box, Frame) or box.node.kind == "layer":
        return 8.0
    return 4.0 if box.node.kind == "function" else min(box.width, box.height) / 2


def _path(points: list[Point]) -> str:
    x, y = points[0]
    parts = [f"M{_number(x)} {_number(y)}"]
    for next_x, next_y in points[1:]:
        if x == next_x:
            parts.append(f"V{_number(next_y)}")
        else:
            half = _number((y + next_y) / 2)
            parts.append(
                f"C{_number(x)} {half} {_number(next_x)} {half} "
                f"{_number(next_x)} {_number(next_y)}"
            )
        x, y = next_x, next_y
    return "".join(parts)


def _arrow(tip: Point) -> str:
    x, y = tip
    return f"M{_number(x)} {_number(y)}l{-ARROW / 2:g} {-ARROW - 1:g}h{ARROW:g}z"


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
