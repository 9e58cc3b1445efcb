"""Step 26: the graph of a long formula drawn, with names and with shapes."""

import os

import numpy as np

from dezero import Variable
from dezero.utils import get_dot_graph, plot_dot_graph


def goldstein(x, y):
    return (1 + (x + y + 1) ** 2 * (19 - 14 * x + 3 * x**2 - 14 * y + 6 * x * y + 3 * y**2)) * (
        30 + (2 * x - 3 * y) ** 2 * (18 - 32 * x + 12 * x**2 + 48 * y - 36 * x * y + 27 * y**2)
    )


x = Variable(np.array(1.0))
y = Variable(np.array(1.0))
z = goldstein(x, y)
z.backward()
x.name = "x"
y.name = "y"
z.name = "z"

plot_dot_graph(z, verbose=False, to_file="goldstein.png")
with open("goldstein.png", "rb") as file:
    assert file.read(8) == b"\x89PNG\r\n\x1a\n"
assert os.path.getsize("goldstein.png") > 1000

short = get_dot_graph(z, verbose=False)
for label in ("x", "y", "z", "Add", "Sub", "Mul", "Pow"):
    assert f'label="{label}"' in short, label
long = get_dot_graph(z, verbose=True)
assert "float64" in long
assert "float64" not in short
assert long.count("->") == short.count("->") > 60
