"""A laid out graph as a self-contained SVG picture."""

from __future__ import annotations

from xml.sax.saxutils import escape

from dezero.viz.graph import clean, describe
from dezero.viz.layout import ARROW, Box, Layout, Point

LIGHT = {
    "page": ("#ffffff", "#1f2328"),
    "edge": ("#8a929c", "#8a929c"),
    "function": ("#d3e8f8", "#4a86b8"),
    "intermediate": ("#fff0d9", "#e0a550"),
    "input": ("#ffcf87", "#c77a0a"),
    "output": ("#ffcf87", "#9a4d00"),
    "parameter": ("#d9f0d5", "#4c9446"),
    "constant": ("#e6e8eb", "#e6e8eb"),
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
}

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"


def to_svg(layout: Layout, title: str = "Computational graph") -> str:
    """Return ``layout`` as SVG text.

    No script, no outside file, light and dark by the reader's setting, a tooltip on each node.
    """
    width, height = _number(layout.width), _number(layout.height)
    functions = sum(box.node.kind == "function" for box in layout.boxes)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="dezero-graph" role="img" '
        f'width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'aria-label="{escape(clean(title), {chr(34): "&quot;"})}">',
        f"<title>{escape(clean(title))}</title>",
        f"<desc>{functions} functions, {len(layout.boxes) - functions} variables</desc>",
        f"<style>{_style()}</style>",
        f'<rect class="page" width="{width}" height="{height}"/>',
        *(f'<path class="edge" d="{_path(curve)}"/>' for curve in layout.curves),
        f'<path class="arrow" d="{"".join(map(_arrow, layout.arrows))}"/>',
        *map(_node, layout.boxes),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _style() -> str:
    rules = [
        f".dezero-graph text{{font-family:{FONT};text-anchor:middle}}",
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
    return rules


def _node(box: Box) -> str:
    role = box.node.role
    shapes = [_rect("box", box, 0.0)]
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


def _rect(name: str, box: Box, inset: float) -> str:
    width, height = box.width - 2 * inset, box.height - 2 * inset
    return (
        f'<rect class="{name}" x="{_number(box.x - width / 2)}" y="{_number(box.y - height / 2)}" '
        f'width="{_number(width)}" height="{_number(height)}" '
        f'rx="{_number(corner(box) - inset if name == "ring" else corner(box))}"/>'
    )


def corner(box: Box) -> float:
    """Return the radius of the corners: variables are round, functions nearly square."""
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
