import numpy as np
import pytest

import dezero.functions as F
from dezero import Variable

from .check import check, check_float32, values

BINARY = [(F.add, np.add), (F.sub, np.subtract), (F.mul, np.multiply), (F.div, np.divide)]
SHAPES = [((), ()), ((3,), (3,)), ((2, 3), (2, 3)), ((3, 3), (1, 3)), ((3, 3), (3, 1)),
          ((2, 3), ()), ((3,), (2, 1)), ((2, 1, 3), (4, 1))]  # fmt: skip


@pytest.mark.parametrize("shapes", SHAPES, ids=str)
@pytest.mark.parametrize(("f", "plain"), BINARY, ids=["add", "sub", "mul", "div"])
def test_binary(f, plain, shapes):
    check(f, plain, *values(1, *shapes))
    check_float32(f, *values(1, *shapes))


@pytest.mark.parametrize(("f", "plain"), BINARY, ids=["add", "sub", "mul", "div"])
def test_binary_with_itself(f, plain):
    check(lambda x: f(x, x), lambda x: plain(x, x), values(2, (2, 3)))


def test_reflected():
    assert F.rsub(np.array(3.0), np.array(10.0)).data == 7.0
    from dezero.core import rdiv

    assert rdiv(np.array(2.0), np.array(10.0)).data == 5.0


def test_neg():
    check(F.neg, np.negative, values(3, (2, 3)))
    check(lambda x: -x, np.negative, values(3, ()))


@pytest.mark.parametrize("c", [0, 1, 2, 3, -1, 0.5, 2.5, -1.5])
def test_pow(c):
    x = np.abs(values(4, (3, 2)))
    check(lambda v: F.pow(v, c), lambda a: a**c, x)
    check_float32(lambda v: v**c, x)


def test_pow_of_a_negative_base():
    check(lambda v: v**3, lambda a: a**3, values(5, (4,)))


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x + 2.0, lambda x: 2.0 + x, lambda x: x - 2.0, lambda x: 2.0 - x,
        lambda x: x * 2.0, lambda x: 2.0 * x, lambda x: x / 2.0, lambda x: 2.0 / x,
    ],
)  # fmt: skip
def test_numbers_on_either_side(f):
    check(f, f, values(6, (2, 3)))
    check_float32(f, values(6, (2, 3)))


@pytest.mark.parametrize(
    "f",
    [
        lambda x, a: x + a, lambda x, a: a + x, lambda x, a: x - a, lambda x, a: a - x,
        lambda x, a: x * a, lambda x, a: a * x, lambda x, a: x / a, lambda x, a: a / x,
    ],
)  # fmt: skip
def test_arrays_on_either_side(f):
    x, a = values(7, (2, 3), (3,))
    check(lambda v: f(v, a), lambda v: f(v, a), x)
    assert type(f(Variable(x), a)) is Variable


@pytest.mark.parametrize(
    ("f", "plain"),
    [(F.sin, np.sin), (F.cos, np.cos), (F.tanh, np.tanh), (F.exp, np.exp)],
    ids=["sin", "cos", "tanh", "exp"],
)
def test_unary(f, plain):
    for shape in [(), (4,), (2, 3)]:
        check(f, plain, values(8, shape))
    check_float32(f, values(8, (2, 3)))


def test_log():
    check(F.log, np.log, np.abs(values(9, (2, 3))))
    check_float32(F.log, np.abs(values(9, (2, 3))))
