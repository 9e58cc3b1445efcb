"""What a hostile reader tried, and what must hold or be refused."""

import copy

import numpy as np
import pytest

import dezero.functions as F
import dezero.layers as L
from dezero import Function, Parameter, Variable
from dezero.core.protocols import table


@pytest.mark.parametrize(
    "view",
    [
        lambda x: x.reshape(2, 2),
        lambda x: x.reshape(4, 1).T,
        lambda x: x[1:],
        lambda x: x[None],
        lambda x: F.broadcast_to(x, (3, 4)),
        lambda x: F.split(x, 2)[0],
    ],
)
def test_a_write_is_noticed_through_a_view(view):
    x = Variable(np.arange(4.0))
    y = view(x)
    z = F.sum(y * y)
    x.data += 10
    with pytest.raises(RuntimeError, match=r"changed\s+in place"):
        z.backward()
    assert x.grad is None


def test_a_copy_by_index_may_be_followed_by_a_write():
    x = Variable(np.arange(4.0))
    y = x[np.array([0, 2])]
    z = F.sum(y * y)
    x.data += 10
    z.backward()
    assert np.array_equal(x.grad.data, [0, 0, 4, 0])


def test_unchain_makes_a_leaf_of_a_variable_in_the_middle():
    x = Variable(np.array(3.0))
    y = x * 1.0
    z = y * y
    y.unchain()
    z.backward()
    assert x.grad is None
    assert y.grad.data == 6.0


def test_unchain_of_one_output_leaves_the_other_connected():
    x = Variable(np.arange(4.0))
    a, b = F.split(x, 2)
    z = F.sum(a * a) + F.sum(b * b)
    a.unchain()
    z.backward()
    assert np.array_equal(a.grad.data, [0, 2])
    assert np.array_equal(x.grad.data, [0, 0, 4, 6])


def test_a_learned_mask_of_attention_has_a_gradient():
    rng = np.random.default_rng(0)
    q = rng.standard_normal((2, 3))
    mask = Variable(rng.standard_normal((2, 2)))
    F.sum(F.scaled_dot_product_attention(q, q, q, mask=mask)[0, 0]).backward()
    assert np.abs(mask.grad.data).max() > 1e-3


@pytest.mark.parametrize("mask", [np.ones((7, 2, 2), bool), np.ones((3, 5))])
def test_a_mask_that_does_not_fit_is_named(mask):
    x = np.ones((2, 3))
    with pytest.raises(ValueError, match="scaled_dot_product_attention: got a mask of shape"):
        F.scaled_dot_product_attention(x, x, x, mask=mask)


def test_the_gradient_of_a_complex_number_points_where_the_loss_grows():
    z = Variable(np.array([3 + 4j, 0, -2j]))
    F.sum(abs(z) ** 2).backward()
    assert np.allclose(z.grad.data, 2 * z.data)  # dL/dRe + i dL/dIm
    z.cleargrad()
    F.sum(abs(z)).backward()
    assert np.allclose(z.grad.data, [0.6 + 0.8j, 0, -1j])


def test_a_real_number_gets_the_real_part_of_a_complex_gradient():
    x = Variable(np.array([2.0, -3.0]))
    F.sum(abs(x * (3 + 4j))).backward()
    assert x.grad.dtype == np.float64
    assert np.allclose(x.grad.data, [5.0, -5.0])


def test_a_users_backward_sees_complex_gradients_as_everybody_does():
    class Times(Function):
        def forward(self, z):
            return z * (1 + 2j)

        def backward(self, gy):
            assert np.allclose(gy.data, self.output.data * 2)
            return gy * (1 - 2j)  # the conjugate of the derivative

    z = Variable(np.array([1 + 1j, 2 - 1j]))
    F.sum(abs(Times()(z)) ** 2).backward()
    assert np.allclose(z.grad.data, 10 * z.data)


def test_an_array_that_was_not_kept_is_shown_as_unknown():
    y = F.sum(Variable(np.ones(2)) * 5.0)
    assert np.isnan(y.creator.input.data).all()


def test_einsum_refuses_a_diagonal_of_a_rectangle():
    with pytest.raises(ValueError, match="einsum: label 'i' has 3 and 2"):
        F.einsum("ii", np.ones((3, 2)))


def test_a_preset_gradient_of_a_wrong_shape_changes_nothing():
    x, w = Variable(np.ones(3)), Variable(np.ones(3))
    x.grad = Variable(np.ones((2, 3)))
    with pytest.raises(ValueError, match=r"set to shape \(2, 3\)"):
        F.sum(w * x).backward()
    assert w.grad is None


@pytest.mark.parametrize("kind", [np.uint8, np.int8])
def test_small_integers_index_a_long_table(kind):
    W = Variable(np.ones((300, 2), np.float32))
    F.sum(F.embed_id(np.array([1, 100, 1], kind), W)).backward()
    assert W.grad.data[1, 0] == 2
    assert W.grad.data.sum() == 6


@pytest.mark.parametrize(
    ("layer", "wrong", "right"),
    [
        (L.Conv2d(3, 5), np.ones((1, 2, 3, 3)), np.ones((1, 1, 8, 8))),
        (L.Linear(3), np.ones(7), np.ones((2, 4))),
    ],
)
def test_a_first_call_that_fails_leaves_the_layer_as_it_was(layer, wrong, right):
    with pytest.raises(ValueError, match=r"shape|window"):
        layer(wrong)
    assert layer.W.data is None
    layer(right)


def test_gradients_by_hand_have_the_shapes_of_the_inputs():
    y = Variable(np.ones((2, 3))) + Variable(np.ones(3))
    gx0, gx1 = y.creator.backward(np.ones((2, 3)))
    assert (gx0.shape, gx1.shape) == ((2, 3), (3,))
    with pytest.raises(RuntimeError, match="call the function on variables first"):
        F.MatMul().backward(np.ones(2))


@pytest.mark.parametrize(
    "compute",
    [
        lambda x: 2.0**x,
        lambda x: F.leaky_relu(x, np.float64(0.2)),
        lambda x: F.clip(x, np.float64(-1), np.float64(1)),
        lambda x: F.dropout(x, np.float64(0.5)),
        lambda x: F.var(x, ddof=np.int64(1)),
        lambda x: F.sigmoid_cross_entropy(x, np.array([0, 1, 1])),
        lambda x: F.binary_cross_entropy(F.sigmoid(x), np.array([0, 1, 1])),
        lambda x: F.layer_norm(x, np.ones(3, "f"), np.zeros(3, "f"), eps=np.float64(1e-5)),
    ],
)
def test_float32_stays_through_rules_and_numpy_numbers(compute):
    x = Variable(np.array([0.1, 0.2, 0.3], np.float32))
    y = compute(x)
    assert y.dtype == np.float32
    F.sum(y).backward(create_graph=True)
    assert x.grad.dtype == np.float32
    if x.grad.creator is not None:
        assert all(v.dtype != np.float64 for v in x.grad.creator.inputs if v.ndim)


def test_the_mean_of_many_half_floats_is_finite():
    y = F.mean(Variable(np.ones(70_000, np.float16)))
    assert y.dtype == np.float16
    assert y.data == 1


def test_a_subclass_of_parameter_is_copied_with_its_attributes():
    class Named(Parameter):
        def __init__(self, size):
            super().__init__(np.zeros(size))
            self.tags = ["a"]

    twin = copy.deepcopy(Named(3))
    assert twin.tags == ["a"]
    assert twin.shape == (3,)


def test_numbers_and_lists_are_inputs_too():
    assert F.mean([1.0, 3.0]).data == 2
    assert F.broadcast_to(2.0, (2,)).shape == (2,)
    assert F.flatten([[1.0], [2.0]]).shape == (2, 1)


def test_a_function_that_returns_no_array_is_named():
    class Nothing(Function):
        def forward(self, x):
            return "a"

    with pytest.raises(TypeError, match=r"Nothing\.forward returned str"):
        Nothing()(Variable(np.ones(1)))


def test_an_argument_of_numpys_that_is_not_covered_is_named_after_numpy(monkeypatch):
    def diagonal_sum(a):
        return a

    monkeypatch.setitem(table, np.trace, diagonal_sum)
    with pytest.raises(TypeError, match=r"np\.trace on a Variable: takes"):
        np.trace(Variable(np.ones((2, 2))), 1)


def test_a_write_into_a_0_d_leaf_leaves_the_gradient_of_the_old_value():
    x = Variable(np.array(3.0))
    y = x * x
    x.data += 1
    y.backward(create_graph=True)
    assert x.grad.data == 6
    gx = x.grad
    x.cleargrad()
    gx.backward()
    assert x.grad.data == 2


def test_an_output_that_died_and_was_revived_keeps_both_of_its_gradients():
    class Powers(Function):
        def forward(self, x):
            return x**2, x**3

        def backward(self, g2, g3):
            square, cube = (y() for y in self.outputs)
            x = self.inputs[0]
            return g2 * 2 * x + g3 * 3 * square + 0 * cube

    x = Variable(np.array([2.0]))
    square, cube = Powers()(x)
    z = square * 5 + cube  # both outputs die here: only the graph remembers them
    del square, cube
    z.backward(create_graph=True)
    total = z + x.grad  # 5 x^2 + x^3 + 10 x + 3 x^2
    x.cleargrad()
    total.backward()
    assert x.grad.data[0] == 16 * 2 + 3 * 4 + 10
