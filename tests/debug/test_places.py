"""Which line of the program is named, when libraries call its functions."""

import os
import threading

import numpy as np
import pytest
import scipy.optimize

import dezero
import dezero.debug
from dezero import Variable, vmap
from dezero.core.places import Place, in_program, places
from dezero.tracing import origin


def lines(limit=100):
    return places(limit)  # of its caller


def functions_of(node):
    return [place.function for place in origin(node).places]


def test_an_operator_on_an_example_of_vmap_is_the_line_of_the_program():
    with dezero.trace():
        y = vmap(lambda row: row * 2)(Variable(np.eye(3)))
    (place,) = origin(y.creator).places
    assert place.file == __file__
    assert place.code == "y = vmap(lambda row: row * 2)(Variable(np.eye(3)))"


def through_numpy(x):
    return np.fromfunction(lambda i, j: x * 2, (2, 2))


def through_scipy(x):
    found = []

    def distance(w):
        found.append(np.sum((x - w) ** 2))
        return float(found[-1])

    scipy.optimize.minimize(distance, np.zeros(3), options={"maxiter": 1})
    return found[-1]


@pytest.mark.parametrize("function", [through_numpy, through_scipy])
def test_lines_of_libraries_in_between_are_left_out(function):
    with dezero.trace(3):
        y = function(Variable(np.ones(3)))
    inner, outer, test = functions_of(y.creator)
    assert inner in ("<lambda>", "distance")
    assert (outer, test) == (
        function.__name__,
        test_lines_of_libraries_in_between_are_left_out.__name__,
    )


def test_what_starts_a_program_is_not_part_of_it():
    found = []
    thread = threading.Thread(target=lambda: found.extend(lines()))
    thread.start()
    thread.join()
    assert [place.function for place in found] == ["<lambda>"]
    assert not [place.file for place in lines() if "_pytest" in place.file]


def test_where_no_line_of_the_program_runs_there_is_a_place_all_the_same():
    found = []
    code = compile("from dezero.core.places import place\nfound.append(place())", np.__file__,
                   "exec")  # fmt: skip
    thread = threading.Thread(target=exec, args=(code, {"found": found}))
    thread.start()
    thread.join()
    (place,) = found
    assert place.file == threading.__file__


def test_a_line_whose_text_is_unknown_is_named_without_it():
    code = compile("np.log(x)", "<stdin>", "exec")
    with pytest.raises(dezero.debug.AnomalyError) as caught, dezero.detect_anomaly(depth=1):
        exec(code, {"np": np, "x": Variable(np.zeros(1))})
    assert "\n  called at <stdin>:1 in <module>\n" in str(caught.value)
    assert Place("<stdin>", 1, "f").quoted == "<stdin>:1"
    assert Place(__file__, 1, "f").quoted == f'{__file__}:1: """{__doc__}"""'


@pytest.mark.parametrize(
    ("file", "inside"),
    [
        (__file__, True),
        ("<stdin>", True),
        ("/home/me/train.py", True),
        ("/usr/lib/python3/dist-packages/mynet/layers.py", True),
        ("C:/Python/Lib/site-packages/mynet/numpy/layers.py", True),
        ("/usr/lib/python3/dist-packages/IPython/core/interactiveshell.py", False),
        (np.__file__, False),
        (dezero.__file__, False),
        (os.__file__, False),
        ("<frozen runpy>", False),
    ],
)
def test_what_a_program_is(file, inside):
    assert in_program(file) is inside
