"""A laid out graph as a PNG picture, drawn with Pillow."""

from __future__ import annotations

import io
import math
import warnings
from itertools import pairwise
from typing import Any

from dezero.viz.layout import ARROW, DETAIL_SIZE, Box, Frame, Layout, Point, text_width
from dezero.viz.svg import LIGHT, corner, frame_class

_SHARPER = 2  # drawn this much larger, then shrunk: smooth edges
_SHARP_PIXELS = 5e6  # a larger picture is drawn as it is: quicker
_SCALE = 1.5  # pixels to a unit of the layout
_READABLE_SCALE = 0.4
_SMALLEST_SCALE = 0.02  # even boxes are dust below this
_MAX_PIXELS = 16e6
_MAX_SIDE = 60000
_SMALLEST_FONT = 2.0
_CURVE_STEPS = 20
_WIDE_FONTS = (
    "DejaVuSans.ttf",
    "NotoSansCJK-Regular.ttc",
    "msgothic.ttc",
    "Hiragino Sans GB.ttc",
    "Arial Unicode.ttf",
)


def to_png(layout: Layout) -> bytes:
    """Return ``layout`` as the bytes of a PNG file. A large graph gets fewer pixels to a node.

    Raises
    ------
    ModuleNotFoundError
        If Pillow is not installed.
    ValueError
        If the graph is so large that nothing could be seen.

    Warns
    -----
    RuntimeWarning
        If the graph is so large that its text cannot be read.
    """
    try:
        from PIL import Image, ImageDraw
    except ImportError:
        raise ModuleNotFoundError(
            "plot_dot_graph: a .png picture needs Pillow (pip install pillow) or Graphviz; "
            "to_file='graph.svg' needs neither"
        ) from None
    scale = _fit(layout)
    size = (max(1, round(layout.width * scale)), max(1, round(layout.height * scale)))
    sharper = _SHARPER if size[0] * size[1] < _SHARP_PIXELS else 1
    large = (size[0] * sharper, size[1] * sharper)
    image = Image.new("RGB", large, LIGHT["page"][0])
    _Painter(ImageDraw.Draw(image), scale * sharper).paint(layout)
    file = io.BytesIO()
    image.reduce(sharper).save(file, "PNG")
    return file.getvalue()


def _fit(layout: Layout) -> float:
    scale = min(
        _SCALE,
        math.sqrt(_MAX_PIXELS / (layout.width * layout.height)),
        _MAX_SIDE / max(layout.width, layout.height),
    )
    size = f"plot_dot_graph: a graph of {len(layout.boxes)} nodes is too large for a .png picture"
    if scale < _SMALLEST_SCALE:
        raise ValueError(f"{size}; use to_file='graph.svg' or 'graph.dot'")
    if scale < _READABLE_SCALE:
        message = f"{size} that can be read; use to_file='graph.svg'"
        warnings.warn(message, RuntimeWarning, stacklevel=5)
    return scale


class _Painter:
    def __init__(self, draw: Any, scale: float) -> None:
        self.draw = draw
        self.scale = scale
        self.fonts: dict[tuple[str, float], Any] = {}

    def paint(self, layout: Layout) -> None:
        for frame in layout.frames:
            self._rect(frame, 0.0, *LIGHT[frame_class(frame)], 1.0)
        for curve in layout.curves:
            self._curve(curve)
        for x, y in layout.arrows:
            tip = [(x, y), (x - ARROW / 2, y - ARROW - 1), (x + ARROW / 2, y - ARROW - 1)]
            self.draw.polygon([self._at(point) for point in tip], fill=LIGHT["edge"][0])
        for box in layout.boxes:
            self._box(box)
        for frame in layout.frames:
            self._title(frame)

    def _at(self, point: Point) -> Point:
        return point[0] * self.scale, point[1] * self.scale

    def _curve(self, points: list[Point]) -> None:
        path = [self._at(point) for point in sample(points)]
        width = max(1, round(1.3 * self.scale))
        self.draw.line(path, fill=LIGHT["edge"][0], width=width, joint="curve")

    def _title(self, frame: Frame) -> None:
        if DETAIL_SIZE * self.scale < _SMALLEST_FONT:
            return
        x, y = frame.corner()
        width = text_width(frame.title, DETAIL_SIZE)
        fill = LIGHT[frame_class(frame)][0]
        corners = [self._at((x - 2, y - 11)), self._at((x + 0.9 * width, y + 3))]
        self.draw.rectangle(corners, fill=fill)  # over the lines behind
        font = self._font(frame.title, DETAIL_SIZE)
        self.draw.text(
            self._at((x, y)), frame.title, fill=LIGHT["page"][1], font=font, anchor="ls"
        )

    def _box(self, box: Box) -> None:
        fill, line = LIGHT[box.node.role]
        if box.node.role == "layer":
            self._rect(box, 0.0, fill, line, 1.0, 3.0)
        self._rect(box, 0.0, fill, line, 2.6 if box.node.role == "output" else 1.0)
        if box.node.role == "parameter":
            self._rect(box, 3.0, None, line, 1.0)
        for text in box.texts():
            if text.size * self.scale < _SMALLEST_FONT:
                continue
            font = self._font(text.text, text.size)
            at = self._at((text.x, text.y))
            self.draw.text(at, text.text, fill=LIGHT["page"][1], font=font, anchor="ms")

    def _rect(
        self,
        box: Box | Frame,
        inset: float,
        fill: str | None,
        line: str,
        width: float,
        shift: float = 0.0,
    ) -> None:
        x, y = box.x + shift, box.y + shift
        half_w, half_h = box.width / 2 - inset, box.height / 2 - inset
        corners = [
            self._at((x - half_w, y - half_h)),
            self._at((x + half_w, y + half_h)),
        ]
        if min(half_w, half_h) * self.scale < 2.0:  # dust
            self.draw.rectangle(corners, fill=fill or line)
            return
        radius = max(0.0, corner(box) - inset) * self.scale
        self.draw.rounded_rectangle(
            corners, radius, fill=fill, outline=line, width=max(1, round(width * self.scale))
        )

    def _font(self, text: str, size: float) -> Any:
        """Return Pillow's own font, or one of the system's for letters that are not in it."""
        from PIL import ImageFont

        for name in ("", *(() if text.isascii() else _WIDE_FONTS)):
            if (name, size) not in self.fonts:
                try:
                    self.fonts[name, size] = (
                        ImageFont.truetype(name, size * self.scale)
                        if name
                        else ImageFont.load_default(size * self.scale)
                    )
                except OSError:
                    continue
            if text.isascii() or _covers(self.fonts[name, size], text):
                return self.fonts[name, size]
        return self.fonts["", size]


def _covers(font: Any, text: str) -> bool:
    missing = bytes(font.getmask("\uffff"))
    return all(letter.isspace() or bytes(font.getmask(letter)) != missing for letter in text)


def sample(points: list[Point]) -> list[Point]:
    """Return points along a curve of the layout, close enough together to be joined by lines."""
    path = [points[0]]
    for (x0, y0), (x1, y1) in pairwise(points):
        steps = 1 if x0 == x1 else _CURVE_STEPS
        for i in range(1, steps + 1):
            t = i / steps
            # Bezier with both control points at half the height
            y = y0 + (y1 - y0) * (1.5 * t * (1 - t) + t * t * t)
            path.append((x0 + (x1 - x0) * t * t * (3 - 2 * t), y))
    return path
