"""The tree of the flame graph, and its page as a file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

import dezero
import dezero.functions as F
from dezero import Variable, optimizers
from dezero.profiling.flame import tree


def _profile() -> dezero.profile:
    model = dezero.models.MLP((8, 2))
    optimizer = optimizers.SGD().setup(model)
    with dezero.profile() as p:
        for _ in range(2):
            model.cleargrads()
            (model(np.ones((3, 4), np.float32)) ** 2).sum().backward()
            optimizer.update()
    return p


def _total(node: Any) -> int:
    return node["self"] + sum(map(_total, node["children"]))


def _at(node: Any, *names: str) -> Any:
    for name in names:
        (node,) = [child for child in node["children"] if child["name"] == name]
    return node


def test_the_tree() -> None:
    p = _profile()
    root = tree(p._record)
    assert [child["name"] for child in root["children"]] == [
        "forward", "backward", "update", "outside",
    ]  # fmt: skip
    for phase in root["children"]:
        assert _total(phase) == round(p.phases[phase["name"]] * 1e9), phase["name"]
    linear = _at(root, "forward", "MLP", "l1", "Linear")
    assert (linear["kind"], linear["calls"]) == ("function", 2)
    assert linear["line"].startswith(__file__) and "model(np.ones" in linear["code"]
    gradient = _at(root, "backward", "MLP", "l1", "Linear")
    assert (gradient["kind"], gradient["calls"]) == ("gradient", 2)
    assert gradient["line"] == linear["line"]
    assert _at(root, "update", "SGD")["calls"] == 2


def test_a_walk_in_a_forward_pass_is_backward(clock: Any, slow: Any) -> None:
    class Penalty(dezero.Layer):
        def forward(self, x: Any) -> Any:
            y = slow()(x)
            y.backward()
            return y

    with dezero.profile() as p:
        Penalty()(Variable(np.ones(2)))
    root = tree(p._record)
    assert _total(_at(root, "forward")) == 10_000_000
    assert _total(_at(root, "backward", "Penalty", "Slow")) == 30_000_000


def test_a_checkpoint_is_nested_in_its_gradient() -> None:
    layer = dezero.layers.Linear(2, in_size=2)
    x = Variable(np.ones((1, 2), np.float32))
    with dezero.profile() as p:
        F.sum(dezero.checkpoint(layer)(x)).backward()
    root = tree(p._record)
    backward = _at(root, "backward")
    (outer,) = [child for child in backward["children"] if child["name"] != "Sum"]
    assert outer["kind"] == "gradient"
    again = _at(outer, "Linear")
    assert again["kind"] == "layer"
    assert {child["kind"] for child in again["children"]} == {"function", "gradient"}


def test_a_checkpoint_inside_a_layer() -> None:
    class Net(dezero.Layer):
        def __init__(self) -> None:
            self.out = dezero.layers.Linear(2, in_size=2)

        def forward(self, x: Any) -> Any:
            return dezero.checkpoint(self.out)(x)

    with dezero.profile() as p:
        F.sum(Net()(np.ones((1, 2), np.float32))).backward()
    backward = _at(tree(p._record), "backward", "Net")
    (outer,) = backward["children"]
    assert outer["kind"] == "gradient"
    assert [child["name"] for child in outer["children"]] == ["out"]


def test_the_page_needs_nothing_else(tmp_path: Path) -> None:
    p = _profile()
    p.flame(tmp_path / "flame.html")
    page = (tmp_path / "flame.html").read_text(encoding="utf-8")
    assert not re.search(r"(src|href)=|https?://|@import|url\(", page)
    for mark in ("/*STYLE*/", "/*PROGRAM*/", "/*DATA*/"):
        assert mark not in page


def test_names_cannot_end_the_script(tmp_path: Path) -> None:
    code = "y = F.sin(x)  # </script><b>oops</b>"
    source = compile(code, "<evil></script>", "exec")
    with dezero.profile() as p:
        exec(source, {"F": F, "x": np.ones(2)})
    p.flame(tmp_path / "flame.html")
    page = (tmp_path / "flame.html").read_text(encoding="utf-8")
    assert page.count("</script>") == 2
    assert "\\u003cevil>" in page
