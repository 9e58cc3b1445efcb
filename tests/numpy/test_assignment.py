"""``x[index] = v`` on Variables: gradients, what others see of it, memory, and lessons."""

from __future__ import annotations

import weakref

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import dezero.functions as F
from dezero.core import Function, Parameter, Variable, no_grad


def leaf(*values: float) -> Variable:
    return Variable(np.array(values))


def zeros(*shape: int) -> Variable:
    return Variable(np.zeros(shape), requires_grad=False)


def address(x: Variable) -> int:
    return x.data.__array_interface__["data"][0]


def test_a_computed_variable_is_assigned_to_and_stays_the_same_object():
    x = leaf(1.0, 2.0, 3.0)
    y = x * 2
    same = y
    y[1] = x[0] * x[2]
    assert y is same
    assert y.creator.__class__.__name__ == "SetItem"
    assert_array_equal(y.data, [2.0, 3.0, 6.0])
    (y * np.array([1.0, 10.0, 100.0])).sum().backward()
    assert_array_equal(x.grad.data, [2.0 + 30.0, 0.0, 200.0 + 10.0])


def test_what_was_computed_before_keeps_its_values_and_gradients():
    x = leaf(1.0, 2.0)
    y = x * x
    before = y * y  # keeps the array of y
    part = y[:1]
    y[0] = 100.0
    assert_array_equal(part.data, [1.0])
    assert_array_equal(before.data, [1.0, 16.0])
    before.sum().backward()
    assert_array_equal(x.grad.data, [4.0, 32.0])
    x.cleargrad()
    part.sum().backward()
    assert_array_equal(x.grad.data, [2.0, 0.0])
    x.cleargrad()
    y.sum().backward()
    assert_array_equal(x.grad.data, [0.0, 4.0])


def test_the_output_that_a_rule_keeps_is_not_overwritten():
    x = leaf(0.5, 1.0)
    y = F.exp(x)
    y[0] = 0.0
    y.sum().backward()
    assert_allclose(x.grad.data, [0.0, np.e])


def test_views_of_the_variable_and_variables_that_are_views():
    x = leaf(1.0, 2.0, 3.0, 4.0)
    y = x * 1
    z = y.reshape(2, 2)
    z[0, 0] = 9.0
    y[3] = 7.0
    assert_array_equal(y.data, [1.0, 2.0, 3.0, 7.0])
    assert_array_equal(z.data, [[9.0, 2.0], [3.0, 4.0]])
    assert_array_equal(x.data, [1.0, 2.0, 3.0, 4.0])


def test_parts_that_overlap_are_read_before_they_are_written():
    y = leaf(1.0, 2.0, 3.0) * 1
    y[1:] = y[:-1]
    assert_array_equal(y.data, [1.0, 1.0, 2.0])


@pytest.mark.parametrize("operator", ["+=", "-=", "*=", "/=", "**="])
def test_augmented_assignment_to_a_part(operator):
    a = np.array([1.5, 2.0, 3.0, 4.0])
    x, v = Variable(a.copy()), Variable(np.array([2.0, 3.0]))
    y, wanted = x * 1, a.copy()
    exec(f"y[1:3] {operator} v; wanted[1:3] {operator} v.data")
    assert_allclose(y.data, wanted)
    y.backward()
    got = x.grad.data, v.grad.data
    x, v = Variable(a.copy()), Variable(np.array([2.0, 3.0]))
    part = eval(f"x[1:3] {operator[:-1]} v")
    z = F.concatenate([x[:1], part, x[3:]])
    z.backward()
    assert_allclose(got[0], x.grad.data)
    assert_allclose(got[1], v.grad.data)


def test_a_row_and_an_element_of_it():
    x = leaf(1.0, 2.0)
    y = zeros(2, 2)
    y[0] = x
    y[0, 1] += 10 * x[0]
    y[1, :] = y[0] * y[0]
    assert_array_equal(y.data, [[1.0, 12.0], [1.0, 144.0]])
    y[1, 1].backward()
    assert_array_equal(x.grad.data, [240.0, 24.0])


def test_a_constant_becomes_recorded():
    x = leaf(2.0)
    y = zeros(3)
    assert not y.requires_grad
    y[0] = 5.0
    assert y.creator is None
    y[1:] = x * x
    assert y.requires_grad
    y.sum().backward()
    assert_array_equal(x.grad.data, [8.0])


def test_a_constant_that_a_graph_has_kept_is_copied():
    x, c = leaf(1.0, 2.0), zeros(2) + 3.0
    y = x * c
    kept = c.data
    c[0] = 100.0
    assert_array_equal(kept, [3.0, 3.0])
    y.sum().backward()
    assert_array_equal(x.grad.data, [3.0, 3.0])


@pytest.mark.parametrize("recorded", [True, False])
def test_a_function_in_the_books_form_sees_its_inputs_as_they_were(recorded):
    class Square(Function):
        def forward(self, x):
            return x**2

        def backward(self, gy):
            return 2 * self.input * gy

    x = leaf(3.0, 4.0)
    h = x * 1 if recorded else Variable(np.array([3.0, 4.0]), requires_grad=False)
    product = Square()(h) * x
    h[0] = 100.0 * x[1]
    product.sum().backward(create_graph=True)
    assert_array_equal(x.grad.data, [27.0, 48.0] if recorded else [9.0, 16.0])


@pytest.mark.parametrize("outputs", [1, 2])
def test_an_output_of_a_function_of_several(outputs):
    x = leaf(1.0, 2.0, 3.0, 4.0)
    a, b = F.split(x * x, 2)
    a[0] = b[1] * 10
    assert_array_equal(a.data, [160.0, 4.0])
    total = a.sum() if outputs == 1 else a.sum() + b.sum()
    total.backward()
    assert_array_equal(x.grad.data, [0.0, 4.0, 6.0 * (outputs - 1), 80.0 + 8.0 * (outputs - 1)])


def test_the_last_of_repeated_indices_stays_and_has_the_gradient():
    x, v = leaf(1.0, 2.0, 3.0), leaf(10.0, 20.0, 30.0)
    y = x * 1
    y[[0, 2, 0]] = v
    assert_array_equal(y.data, [30.0, 2.0, 20.0])
    y.sum().backward()
    assert_array_equal(x.grad.data, [0.0, 1.0, 0.0])
    assert_array_equal(v.grad.data, [0.0, 1.0, 1.0])


def test_the_gradient_of_the_gradient():
    x = leaf(2.0, 3.0)
    y = x * x * x
    y[1] *= x[0]
    y.sum().backward(create_graph=True)
    gx = x.grad
    assert_array_equal(gx.data, [12.0 + 27.0, 54.0])
    x.cleargrad()
    gx.sum().backward()
    assert_array_equal(x.grad.data, [12.0 + 27.0, 27.0 + 36.0])


def test_complex_values():
    z = Variable(np.array([1 + 2j, 3 - 1j]))
    y = z * 2
    y[0] = z[1] * 1j
    y.grad = Variable(np.array([1 + 0j, 1 + 0j]))
    y.backward()
    assert_allclose(z.grad.data, [0, 2 - 1j])


def test_lists_of_variables_and_labels_as_variables():
    x = leaf(1.0, 2.0)
    y = zeros(3)
    y[:2] = [x[1], 3.0]
    y[Variable(np.array(2))] = x[0]
    assert_array_equal(y.data, [2.0, 3.0, 1.0])
    y.sum().backward()
    assert_array_equal(x.grad.data, [1.0, 1.0])


def test_numbers_without_axes():
    x = leaf(3.0)[0]
    y = x * x
    y[...] = y * 2
    y[()] = y + x
    assert_array_equal(y.data, 21.0)
    y.backward()


def test_a_leaf_that_wants_a_gradient_is_not_assigned_to():
    for x in (leaf(1.0, 2.0), Parameter(np.array([1.0, 2.0]))):
        with pytest.raises(RuntimeError, match=r"assignment to a part of a leaf.*y = x\.copy\(\)"):
            x[0] = 5.0
        with pytest.raises(RuntimeError, match="assignment to a part of a leaf"):
            x[0] += 5.0
        assert_array_equal(x.data, [1.0, 2.0])
        y = x.copy()
        y[0] = 5.0
        y.sum().backward()
        assert_array_equal(x.grad.data, [0.0, 1.0])


def test_under_no_grad_the_array_of_a_leaf_is_written():
    a = np.array([1.0, 2.0])
    x = Variable(a)
    with no_grad():
        x[0] = 5.0
        x[1] += x[0]
    assert_array_equal(a, [5.0, 7.0])
    (x * x).sum().backward()
    assert_array_equal(x.grad.data, [10.0, 14.0])


def test_a_leaf_written_under_no_grad_after_a_graph_read_it():
    x = leaf(1.0, 2.0)
    y = (x * x).sum()
    with no_grad():
        x[0] = 5.0
    with pytest.raises(RuntimeError, match="was changed in place"):
        y.backward()


def test_a_result_written_under_no_grad_does_not_change_the_graph():
    x = leaf(1.0, 2.0)
    y = F.exp(x)
    with no_grad():
        y[0] = 0.0
    y.sum().backward()
    assert_allclose(x.grad.data, np.exp([1.0, 2.0]))


def test_values_that_would_lose_their_gradient_by_rounding():
    counts = Variable(np.zeros(3, int), requires_grad=False)
    with pytest.raises(TypeError, match=r"set_item: got values of type float64.*astype\(float"):
        counts[0] = leaf(1.5)[0]
    z = Variable(np.array([1 + 1j]))
    with pytest.raises(TypeError, match=r"set_item: got values of type complex128.*complex"):
        zeros(1)[0] = z[0]
    counts[0] = 2.7
    assert_array_equal(counts.data, [2, 0, 0])


def test_errors_of_numpy_change_nothing():
    x = leaf(1.0, 2.0, 3.0)
    y = x * 2
    node = y.creator
    with pytest.raises(ValueError, match=r"SetItem got float64 \(3,\), float64 \(2,\)"):
        y[:] = leaf(1.0, 2.0)
    with pytest.raises(IndexError, match=r"SetItem got float64 \(3,\)"):
        y[5] = x[0]
    assert y.creator is node
    assert_array_equal(y.data, [2.0, 4.0, 6.0])
    y.sum().backward()
    assert_array_equal(x.grad.data, [2.0, 2.0, 2.0])


def test_a_loop_of_assignments_writes_one_array():
    x = leaf(*np.arange(5.0))
    y = zeros(100, 5)
    y[0] = x
    where = address(y)
    for i in range(1, 100):
        y[i] = y[i - 1] + x
        assert address(y) == where
    y[-1].sum().backward()
    assert_array_equal(x.grad.data, np.full(5, 100.0))


def test_an_array_that_somebody_holds_is_not_written():
    x = leaf(1.0)
    y = zeros(3) + 0.0
    held = y.data
    y[0] = x[0]
    assert_array_equal(held, np.zeros(3))
    where = address(y)
    y[1] = x[0]
    assert address(y) == where
    view = y.data[1:]
    y[2] = x[0]
    assert address(y) != where
    assert_array_equal(view, [1.0, 0.0])
    a = np.zeros(2)
    Variable(a, requires_grad=False)[0] = 1.0
    assert_array_equal(a, [0.0, 0.0])


def test_broadcast_arrays_are_copied():
    x = leaf(1.0)
    y = F.broadcast_to(x, (3,))
    y[0] = 5.0
    assert_array_equal(y.data, [5.0, 1.0, 1.0])
    y.sum().backward()
    assert_array_equal(x.grad.data, [2.0])


def test_the_graph_is_freed_by_reference_counting(no_gc):
    x = leaf(1.0, 2.0)
    y = x * 1
    y[0] = x[1]
    y[1] *= y[0]
    node = y._node

    alive = weakref.ref(node)
    del y, node
    assert alive() is None


def test_an_index_array_may_change_after_the_call():
    x = leaf(1.0, 2.0, 3.0)
    index = np.array([0])
    y = x[index]
    z = x * 1
    z[index] = 0.0
    index[0] = 2
    (y + 0).sum().backward()
    assert_array_equal(x.grad.data, [1.0, 0.0, 0.0])
    x.cleargrad()
    z.sum().backward()
    assert_array_equal(x.grad.data, [0.0, 1.0, 1.0])


def test_in_place_operators_make_a_new_variable():
    x = leaf(1.0, 2.0)
    y = x
    for _ in range(2):
        y *= x
    y -= 1.0
    assert_array_equal(x.data, [1.0, 2.0])
    y.sum().backward()
    assert_array_equal(x.grad.data, [3.0, 12.0])


@pytest.mark.parametrize(
    ("write", "args"),
    [
        (np.put, ([0, 2], [5.0, 6.0])),
        (np.place, (np.array([True, False, True]), [5.0])),
        (np.putmask, (np.array([True, False, True]), [5.0, 6.0])),
        (np.put_along_axis, (np.array([0, 2]), 5.0, 0)),
        (np.copyto, ([5.0, 6.0, 7.0],)),
    ],
)
def test_numpys_functions_that_write(write, args):
    a, x = np.array([1.0, 2.0, 3.0]), leaf(1.0, 2.0, 3.0)
    y = x * 1
    assert write(a, *args) is None
    assert write(y, *args) is None
    assert_array_equal(y.data, a)
    y.sum().backward()
    assert_array_equal(x.grad.data, (a == [1.0, 2.0, 3.0]).astype(float))


def test_numpys_functions_that_write_variables_into_plain_arrays():
    x, constant = leaf(5.0), Variable(np.array([5.0]), requires_grad=False)
    calls = [
        (np.put, ([0], x)),
        (np.place, (np.array([True, False]), x)),
        (np.putmask, (np.array([True, False]), x)),
        (np.put_along_axis, (np.array([0]), x, 0)),
        (np.copyto, (x,)),
    ]
    for write, args in calls:
        a = np.zeros(2)
        with pytest.raises(TypeError, match=rf"np\.{write.__name__}: writing a Variable that"):
            write(a, *args)
        write(a, *(constant if arg is x else arg for arg in args))
        assert a[0] == 5.0
    matrix = np.zeros((2, 2))
    with pytest.raises(TypeError, match="would lose its gradient"):
        np.fill_diagonal(matrix, x)
    np.fill_diagonal(matrix, constant)
    assert_array_equal(matrix, [[5.0, 0.0], [0.0, 5.0]])


def test_assignment_inside_transformed_functions():
    from dezero import grad, jvp, vmap

    def f(v):
        y = v * v
        y[1] = v[0] * y[2]
        y[0] += y[1]
        return np.sum(y[:2] * np.stack([v[0], v[2]]))

    x = np.arange(1.0, 7.0).reshape(2, 3)

    def by_hand(a, _, c):  # f = (a^2 + a c^2) a + a c^3
        return [3 * a**2 + 2 * a * c**2 + c**3, 0.0, 2 * a**2 * c + 3 * a * c**2]

    assert_allclose(grad(f)(x[0]), by_hand(*x[0]))
    assert_allclose(vmap(grad(f))(x), [by_hand(*row) for row in x])
    _, tangent = jvp(f, (x[0],), (np.array([1.0, 5.0, 2.0]),))
    assert_allclose(tangent, np.dot(by_hand(*x[0]), [1.0, 5.0, 2.0]))
    a, _, c = x[0]
    assert_allclose(
        grad(lambda v: grad(f)(v)[0])(x[0]), [6 * a + 2 * c**2, 0.0, 4 * a * c + 3 * c**2]
    )
