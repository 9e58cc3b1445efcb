"""Bad input: each error names the function, what it got and what it wants."""

from __future__ import annotations

import numpy as np
import pytest

import dezero.functions as F
from dezero.core import Parameter, Variable, add, no_grad


def ones(*shape: int) -> Variable:
    return Variable(np.ones(shape))


LABELS = np.array([0, 1])

BAD_SHAPES = [
    (lambda: ones(2) + ones(3), r"Add.*\(2,\).*\(3,\)"),
    (lambda: ones(2, 3) * np.ones((3, 2)), r"Mul.*\(2, 3\).*\(3, 2\)"),
    (lambda: F.maximum(ones(2), ones(3)), r"Maximum.*\(2,\).*\(3,\)"),
    (lambda: F.where(np.ones(2, bool), ones(3), 0.0), r"Where.*bool \(2,\).*\(3,\)"),
    (lambda: F.matmul(ones(2, 3), ones(4, 5)), r"matmul: .*\(2, 3\) and \(4, 5\).*last axis of x"),
    (lambda: ones(3) @ ones(4), r"matmul: .*\(3,\) and \(4,\)"),
    (lambda: F.matmul(ones(2, 2, 3), ones(4, 3, 1)), r"MatMul.*\(2, 2, 3\).*\(4, 3, 1\)"),
    (lambda: F.matmul(ones(), ones(2)), r"matmul: .*\(\).*x \* W"),
    (lambda: 2.0 @ ones(2), r"matmul: .*x \* W"),
    (lambda: F.dot(ones(2, 3), ones(2, 3, 4)), r"dot: .*\(2, 3\) and \(2, 3, 4\)"),
    (lambda: F.linear(ones(2, 3), ones(4, 5)), r"linear: .*\(2, 3\).*\(4, 5\).*W \(in, out\)"),
    (lambda: F.linear(ones(3), ones(3, 2)), r"linear: .*\(3,\).*two axes"),
    (lambda: F.linear(ones(2, 3), ones(3, 2), ones(3)), r"linear: got b of shape \(3,\).*\(2,\)"),
    (lambda: F.linear_simple(ones(2, 3), ones(4, 5)), r"matmul: "),
    (lambda: F.einsum("ij,jk", ones(2, 3)), r"einsum: .*2 operands, but got 1"),
    (lambda: F.einsum("ijk", ones(2, 3)), r"einsum: labels 'ijk'"),
    (lambda: F.einsum("ij,jk->ik", ones(2, 3), ones(4, 2)), r"Einsum.*\(2, 3\).*\(4, 2\)"),
    (lambda: F.reshape(ones(2, 3), (4, 2)), r"Reshape.*\(2, 3\).*\(4, ?2\)"),
    (lambda: ones(2, 3).reshape(5), r"Reshape.*\(2, 3\)"),
    (lambda: F.transpose(ones(2, 3), (0, 1, 2)), r"Transpose.*\(2, 3\)"),
    (lambda: F.broadcast_to(ones(2, 3), (2, 4)), r"broadcast_to: .*\(2, 3\).*\(2, 4\)"),
    (lambda: F.sum_to(ones(2, 3), (2, 2)), r"sum_to: .*\(2, 3\).*\(2, 2\)"),
    (lambda: F.sum_to(ones(3), (2, 3)), r"sum_to: .*\(3,\).*\(2, 3\)"),
    (lambda: F.squeeze(ones(2, 3), 0), r"squeeze"),
    (lambda: F.concatenate([ones(2, 3), ones(2, 2)]), r"Concatenate.*\(2, 3\).*\(2, 2\)"),
    (lambda: F.concatenate([]), r"concatenate: got an empty sequence"),
    (lambda: F.stack([ones(2), ones(3)]), r"stack: .*\(2,\).*\(3,\)"),
    (lambda: F.stack([]), r"stack: "),
    (lambda: F.split(ones(5), 2), r"Split.*\(5,\).*equal"),
    (
        lambda: F.mean_squared_error(ones(4, 1), ones(4)),
        r"mean_squared_error: .*\(4, 1\) and \(4,\)",
    ),
    (lambda: F.mean_squared_error_simple(ones(4, 1), ones(4)), r"mean_squared_error_simple: "),
    (lambda: F.softmax_cross_entropy(ones(2), LABELS), r"softmax_cross_entropy: .*\(2,\)"),
    (
        lambda: F.softmax_cross_entropy(ones(3, 4), LABELS),
        r"softmax_cross_entropy: .*\(3, 4\).*\(2,\)",
    ),
    (
        lambda: F.softmax_cross_entropy(ones(2, 4), LABELS[:, None]),
        r"softmax_cross_entropy: .*\(2, 1\).*\(N,\)",
    ),
    (lambda: F.softmax_cross_entropy(ones(2, 1), LABELS), r"labels from 0 to 1, but there are 1"),
    (lambda: F.softmax_cross_entropy(ones(2, 3), -LABELS), r"labels from -1 to 0"),
    (
        lambda: F.softmax_cross_entropy_simple(ones(2, 1), LABELS),
        r"softmax_cross_entropy_simple: ",
    ),
    (lambda: F.sigmoid_cross_entropy(ones(2, 1), LABELS), r"sigmoid_cross_entropy: .*\(2, 1\)"),
    (lambda: F.binary_cross_entropy(ones(2, 1), LABELS), r"binary_cross_entropy: .*\(2, 1\)"),
    (
        lambda: F.binary_cross_entropy(ones(2) * 1.5, LABELS),
        r"binary_cross_entropy: .*1\.5.*sigmoid",
    ),
    (lambda: F.accuracy(ones(2), LABELS), r"accuracy: .*\(2,\)"),
    (lambda: F.embed_id(np.array([5]), ones(3, 2)), r"embed_id: got labels from 5 to 5.*3"),
    (lambda: F.embed_id(np.array([-1]), ones(3, 2)), r"embed_id: got labels from -1"),
    (
        lambda: F.batch_norm(ones(4, 3), ones(2), ones(3), np.zeros(3), np.ones(3)),
        r"batch_norm: got gamma of shape \(2,\).*\(3,\)",
    ),
    (
        lambda: F.batch_norm(ones(3), ones(3), ones(3), np.zeros(3), np.ones(3)),
        r"batch_norm: got x of shape \(3,\)",
    ),
    (lambda: F.layer_norm(ones(2, 3), ones(2), ones(3)), r"layer_norm: got gamma of shape \(2,\)"),
    (
        lambda: F.scaled_dot_product_attention(ones(2, 3), ones(2, 4), ones(2, 3)),
        r"scaled_dot_product_attention: .*q \(2, 3\), k \(2, 4\)",
    ),
    (lambda: F.dropout(ones(2), 1.5), r"dropout: got dropout_ratio 1\.5"),
    (lambda: F.dropout(ones(2), -0.1), r"dropout: got dropout_ratio -0\.1"),
    (lambda: F.clip(ones(2), 2.0, 1.0), r"clip: got x_min 2\.0 > x_max 1\.0"),
    (lambda: F.gelu(ones(2), "tan"), r"gelu: got approximate='tan'"),
    (lambda: F.conv2d(3.0, ones(1, 1, 2, 2)), r"conv2d: x has shape \(\)"),
    (lambda: F.conv2d(ones(2, 3), ones(1, 1, 2, 2)), r"conv2d: x has shape \(2, 3\)"),
    (lambda: F.conv2d(ones(1, 2, 4, 4), ones(1, 3, 2, 2)), r"conv2d: .*2 channels.*wants 3"),
    (lambda: F.conv2d(ones(1, 1, 2, 2), ones(1, 1, 3, 3)), r"conv2d: .*larger than images"),
    (lambda: F.conv2d(ones(1, 1, 4, 4), ones(1, 1, 3, 3), stride=0), r"conv2d: stride is 0"),
    (lambda: F.conv2d(ones(1, 1, 4, 4), ones(1, 1, 3, 3), ones(2)), r"conv2d: b has shape \(2,\)"),
    (lambda: F.deconv2d(ones(1, 2, 4, 4), ones(1, 1, 3, 3)), r"deconv2d: .*channels"),
    (lambda: F.pooling(ones(4, 4), 2), r"pooling: x has shape \(4, 4\)"),
    (lambda: F.average_pooling(ones(1, 1, 4, 4), 2, pad=2), r"average_pooling: pad \(2, 2\)"),
    (lambda: F.max(ones(0)), r"Max.*\(0,\)"),
]


@pytest.mark.parametrize(("call", "message"), BAD_SHAPES)
def test_bad_values_and_shapes(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: F.sum(ones(2, 3), axis=2), r"Sum.*\(2, 3\).*axis 2"),
        (lambda: F.mean(ones(2, 3), axis=2), r"Sum.*\(2, 3\).*axis 2"),
        (lambda: F.max(ones(2, 3), axis=-3), r"Max.*\(2, 3\).*axis -3"),
        (lambda: F.softmax(ones(3)), r"Softmax.*\(3,\).*axis 1"),
        (lambda: F.log_softmax(ones(3)), r"LogSoftmax.*\(3,\).*axis 1"),
        (lambda: F.logsumexp(ones(3), axis=1), r"LogSumExp.*\(3,\).*axis 1"),
        (lambda: F.expand_dims(ones(2), 3), r"axis 3"),
        (lambda: F.swapaxes(ones(2, 3), 0, 2), r"swapaxes: axis 2"),
        (lambda: F.moveaxis(ones(2, 3), 2, 0), r"moveaxis: axis 2"),
        (lambda: F.moveaxis(ones(2, 3), 0, -3), r"moveaxis: axis -3"),
        (lambda: F.concatenate([ones(2), ones(2)], axis=1), r"Concatenate.*axis 1"),
    ],
)
def test_bad_axes(call, message):
    with pytest.raises(np.exceptions.AxisError, match=message):
        call()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ones(3)[5], r"GetItem.*\(3,\).*index 5"),
        (lambda: ones(3)[0, 0], r"GetItem.*\(3,\)"),
        (lambda: ones(3)[np.array([0, 7])], r"GetItem.*index 7"),
        (lambda: ones(3)[1.5], r"GetItem.*\(3,\)"),
        (lambda: ones(3)[np.array([True, False])], r"GetItem.*\(3,\)"),
    ],
)
def test_bad_indices(call, message):
    with pytest.raises(IndexError, match=message):
        call()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Variable(1.0), r"Variable: got float.*np\.array\(1\.0\)"),
        (lambda: Variable([1.0]), r"Variable: got list"),
        (lambda: Variable("a"), r"Variable: got str"),
        (lambda: Parameter(1), r"Variable: got int"),
        (lambda: Variable(np.array(["a"])), r"Variable: got an array of <U1"),
        (lambda: Variable(np.array([{}], object)), r"Python objects"),
        (lambda: ones(2) + "1", r"Add got str"),
        (lambda: ones(2) + None, r"Add got None"),
        (lambda: {} * ones(2), r"Mul got dict"),
        (lambda: F.sin("1"), r"Sin got str"),
        (lambda: F.exp(None), r"Exp got None"),
        (lambda: F.sum("1"), r"Sum got str"),
        (lambda: F.sum(None), r"Sum got None"),
        (lambda: F.softmax(None), r"Softmax got None"),
        (
            lambda: F.softmax_cross_entropy(ones(2, 2), np.ones(2)),
            r"softmax_cross_entropy: .*float64",
        ),
        (lambda: F.softmax_cross_entropy(ones(2, 2), None), r"(?i)softmax_?cross_?entropy.*None"),
        (lambda: F.embed_id(np.array([0.5]), ones(3, 2)), r"embed_id: got labels of type float64"),
        (lambda: F.conv2d(ones(1, 1, 2, 2), np.ones((1, 1, 1, 1), int)), r"conv2d: W is int64"),
        (
            lambda: F.scaled_dot_product_attention(
                ones(2, 2), ones(2, 2), ones(2, 2), mask=np.ones((2, 2), int)
            ),
            r"scaled_dot_product_attention: got a mask of type int64",
        ),
        (lambda: iter(ones()), r"0-d"),
        (lambda: len(ones()), r"unsized|0-d"),
        (lambda: float(ones(2)), r"only"),
    ],
)
def test_bad_types(call, message):
    with pytest.raises(TypeError, match=message):
        call()


@pytest.mark.parametrize(
    "call",
    [
        lambda p: p * 2.0,
        lambda p: 2.0 - p,
        lambda p: F.sin(p),
        lambda p: F.sum(p),
        lambda p: F.matmul(ones(2, 2), p),
        lambda p: F.linear(ones(2, 2), p),
        lambda p: F.reshape(p, (1,)),
        lambda p: p[0],
        lambda p: p.shape,
        lambda p: p.dtype,
        lambda p: len(p),
        lambda p: p.mean(),
    ],
)
def test_a_parameter_without_an_array_says_so(call):
    with pytest.raises(ValueError, match=r"'W' holds no array yet: .*first call"):
        call(Parameter(None, "W"))


def test_backward_says_what_is_missing():
    with pytest.raises(RuntimeError, match="this variable is a leaf"):
        ones(2).backward()
    with no_grad():
        y = ones(2) * 2.0
    for unrecorded in (
        y,
        add(1.0, 2.0),
        F.sum(np.ones(2)),
        Variable(np.ones(2), requires_grad=False),
    ):
        with pytest.raises(RuntimeError, match="no graph was recorded"):
            unrecorded.backward()


def test_an_integer_input_of_a_float_function_has_no_gradient():
    n, x = Variable(np.array([1, 2])), Variable(np.array([0.5, 1.5]))
    y = n * x
    with pytest.raises(TypeError, match=r"backward through Mul: .*int64 \(2,\).*astype"):
        y.backward()
    assert x.grad is None
    (n.data * x).backward()
    assert x.grad is not None


def test_labels_have_no_gradient_and_need_none():
    x, t = Variable(np.zeros((2, 3))), Variable(np.array([0, 1]))
    F.softmax_cross_entropy(x, t).backward()
    assert t.grad is None
    assert x.grad is not None


def test_an_error_in_a_rule_names_the_function():
    x = ones(2)
    y = F.sin(x)
    y.unchain_backward()
    with pytest.raises(RuntimeError, match=r"backward through Sin: its graph was freed"):
        y.backward()
