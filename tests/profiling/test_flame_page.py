"""The page of the flame graph in a real browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dezero
from dezero import optimizers


@pytest.fixture(scope="module")
def profiled() -> dezero.profile:
    model = dezero.models.MLP((300, 300, 10))
    optimizer = optimizers.SGD().setup(model)
    with dezero.profile() as p:
        for _ in range(3):
            model.cleargrads()
            (model(np.ones((200, 300), np.float32)) ** 2).sum().backward()
            optimizer.update()
    return p


@pytest.fixture
def page(opened: Any, profiled: dezero.profile, tmp_path: Path) -> Any:
    profiled.flame(tmp_path / "flame.html")
    return opened((tmp_path / "flame.html").read_text(), width=1100, height=600)


def _box(page: Any, kind: str, text: str) -> Any:
    return page.locator(f".box.{kind}", has_text=text).first


def _width(box: Any) -> float:
    return box.bounding_box()["width"]


def test_boxes_are_as_wide_as_their_time(page: Any, profiled: dezero.profile) -> None:
    root = page.locator(".box.root")
    phases = profiled.phases
    whole = sum(phases[name] for name in ("forward", "backward", "update", "outside"))
    for name in ("forward", "backward"):
        share = _width(_box(page, "phase", name)) / _width(root)
        assert share == pytest.approx(phases[name] / whole, abs=0.002)
    below = _box(page, "layer", "MLP").bounding_box()
    above = _box(page, "phase", "forward").bounding_box()
    assert below["x"] >= above["x"] - 1 and below["y"] > above["y"]


def test_a_click_zooms_and_the_button_shows_all(page: Any) -> None:
    forward = _box(page, "phase", "forward")
    narrow = _width(forward)
    forward.click()
    root = _width(page.locator(".box.root"))
    assert _width(_box(page, "phase", "forward")) == pytest.approx(root)
    assert page.locator(".box.gradient").count() == 0
    page.click("#reset")
    assert _width(_box(page, "phase", "forward")) == pytest.approx(narrow)
    assert page.locator(".box.gradient").count() > 0


def test_keys(page: Any) -> None:
    def focused() -> str:
        return page.evaluate("document.activeElement.textContent")

    page.locator(".box.root").focus()
    page.keyboard.press("ArrowDown")
    assert focused().startswith("forward")
    page.keyboard.press("ArrowRight")
    assert focused().startswith("backward")
    page.keyboard.press("ArrowDown")
    assert focused().startswith("MLP")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    root = _width(page.locator(".box.root"))
    assert _width(_box(page, "phase", "backward")) == pytest.approx(root)
    assert focused().startswith("backward")
    page.keyboard.press("Escape")
    assert _width(_box(page, "phase", "backward")) < root
    page.keyboard.press("ArrowLeft")
    assert focused().startswith("all"), "there is nothing beside the root"


def test_search(page: Any) -> None:
    page.keyboard.press("/")
    page.keyboard.type("LINEAR")
    boxes, found = page.locator(".box.match"), page.locator("#found")
    assert boxes.count() >= 2
    assert all("Linear" in text or text == "" for text in boxes.all_text_contents())
    assert found.text_content().startswith("6 found, ")
    page.keyboard.press("Enter")
    assert "match" in page.evaluate("document.activeElement.className")
    page.fill("#search", Path(__file__).name)
    assert boxes.count() > 4, "lines are searched too"
    page.fill("#search", "nothing of the kind")
    assert found.text_content() == "0 found, 0.00 ms, 0.0 %"
    page.keyboard.press("Escape")
    assert page.locator(".searching").count() == 0
    assert found.text_content() == ""


def test_the_tooltip(page: Any) -> None:
    tip = page.locator("#tip")
    assert not tip.is_visible()
    _box(page, "gradient", "Linear").hover()
    text = tip.text_content()
    for part in ("gradient of Linear", "3 calls", "% of all", "moved", __file__, "model(np.ones"):
        assert part in text
    page.mouse.move(1, 590)
    assert not tip.is_visible()
    page.locator(".box.update").first.focus()
    assert "optimizer.update()" in tip.text_content()


def test_light_and_dark(page: Any) -> None:
    def back() -> str:
        return page.evaluate("getComputedStyle(document.body).backgroundColor")

    light = back()
    page.click("#theme")
    assert back() != light
    assert page.locator("#theme").text_content() == "Light"
    page.click("#theme")
    assert back() == light


def test_a_narrow_window(page: Any) -> None:
    page.set_viewport_size({"width": 360, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert _width(page.locator(".box.root")) <= 360
