"""Step 25: a graph in the DOT language, and a picture of it."""

import os

import numpy as np

from dezero import Variable
from dezero.utils import get_dot_graph, plot_dot_graph

x0 = Variable(np.array(1.0), name="x0")
x1 = Variable(np.array(1.0), name="x1")
y = x0 + x1
y.name = "y"

text = get_dot_graph(y, verbose=False)
print(text)
assert text.lstrip().startswith("digraph")
assert text.rstrip().endswith("}")
for label in ("x0", "x1", "y", "Add"):
    assert f'label="{label}"' in text, label
assert text.count("->") == 3, "x0 -> Add, x1 -> Add, Add -> y"

plot_dot_graph(y, verbose=False, to_file="sample.png")
with open("sample.png", "rb") as file:
    assert file.read(8) == b"\x89PNG\r\n\x1a\n", "a .png must be a PNG image"
assert os.path.getsize("sample.png") > 100
