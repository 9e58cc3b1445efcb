"""detect_anomaly: what it finds, what it says, and that it finds nothing in sound programs."""

from __future__ import annotations

import pickle
import threading
import warnings
from typing import Any

import numpy as np
import pytest

import dezero
import dezero.functions as F
import dezero.layers as L
from dezero import Function, Parameter, Variable, detect_anomaly
from dezero.core.watch import watchers, watching
from dezero.debug import AnomalyError, BroadcastWarning, OverwrittenError
from dezero.debug.checksums import checksum
from dezero.models import MLP
from dezero.optimizers import SGD, Adam, MomentumSGD

HERE = __file__


def line_of(text: str) -> int:
    """Return the number of the line of this file that ends in the comment ``text``."""
    with open(HERE, encoding="utf-8") as file:
        lines = file.read().splitlines()
    (number,) = [i for i, line in enumerate(lines, 1) if line.endswith(f"# {text}")]
    return number


def sample(*shape: int, dtype: Any = np.float32) -> Any:
    return np.linspace(0.5, 1.5, int(np.prod(shape)), dtype=dtype).reshape(shape)


class Net(L.Layer):
    def __init__(self) -> None:
        self.blocks = [L.Linear(3), L.Linear(3)]

    def forward(self, x: Any) -> Any:
        for block in self.blocks:
            x = F.relu(block(x))
        return x


# What it says.


def test_a_nan_made_in_forward() -> None:
    x = Variable(np.array([1.0, -1.0, 0.0]), name="heights")
    with pytest.raises(AnomalyError) as caught, detect_anomaly():
        np.log(x)  # a logarithm
    said = str(caught.value)
    assert said.startswith("Log gave 1 NaN, 1 -inf, made here of finite inputs\n")
    assert f"{HERE}:{line_of('a logarithm')} in test_a_nan_made_in_forward: np.log(x)" in said
    assert "x (variable 'heights'): float64 (3,), -1 to 1\n" in said
    assert said.endswith("result: float64 (3,), all 0, 1 NaN, 1 -inf")
    assert isinstance(caught.value, FloatingPointError)
    assert caught.value.function == "Log"
    assert caught.value.origin is not None
    assert caught.value.origin.place.line == line_of("a logarithm")
    twin = pickle.loads(pickle.dumps(caught.value))  # from another process, say
    assert (str(twin), twin.origin) == (said, caught.value.origin)


def test_the_layer_and_the_lines_that_led_there() -> None:
    net = Net()
    net(sample(2, 3))
    net.blocks[1].W.data[0, 1] = np.inf
    net.blocks[1].W.data[1, 1] = -np.inf
    with pytest.raises(AnomalyError) as caught, detect_anomaly():
        net(sample(2, 3))  # the call of the net
    said = str(caught.value)
    assert said.startswith("Linear gave 2 NaN, made here of infinities in W (parameter blocks/1/W")
    assert "x = F.relu(block(x))" in said
    assert f"from {HERE}:{line_of('the call of the net')}" in said
    assert "in layer Net > blocks/1 (Linear)\n" in said
    assert "W (parameter blocks/1/W of Net): float32 (3, 3)" in said
    assert "1 inf, 1 -inf" in said
    assert not getattr(caught.value, "__notes__", []), "the path is said once"


def test_a_nan_that_was_there_before() -> None:
    x = sample(2, 3)
    x[0, 0] = np.nan
    with pytest.raises(AnomalyError, match=r"Linear gave 3 NaN, because x already holds NaN"):
        with detect_anomaly():
            Net()(x)


def test_a_gradient_that_is_infinite() -> None:
    x = Variable(np.array([4.0, 0.0]), name="x")
    with pytest.raises(AnomalyError) as caught, detect_anomaly():
        y = np.sqrt(x)  # a root
        loss = F.sum(3 * y)
        loss.backward()
    said = str(caught.value)
    assert said.startswith("the gradient of Sqrt with respect to x (variable 'x') holds 1 inf, ma")
    assert f"called at {HERE}:{line_of('a root')}" in said
    assert "the gradient that arrived: float64 (2,), all 3\n" in said
    assert "result: float64 (2,), 0 to 2\n" in said
    assert x.grad is None, "an error changes nothing"


def test_a_gradient_that_arrives_broken() -> None:
    x = Variable(np.array([4.0, 1.0]))
    with pytest.raises(AnomalyError, match="because the gradient that arrived already holds NaN"):
        with detect_anomaly():
            y = x * 2.0
            y.grad = Variable(np.array([1.0, np.nan]))
            y.backward()


def test_a_nan_from_the_gradient_of_a_users_function() -> None:
    class Bad(Function):
        def forward(self, x: Any) -> Any:
            return x * 2

        def backward(self, gy: Variable) -> Any:
            return gy * np.nan

    with pytest.raises(AnomalyError, match=r"gradient of Bad with respect to x .* holds 2 NaN"):
        with detect_anomaly():
            F.sum(Bad()(Variable(np.ones(2)) * 1)).backward()


def test_forward_calls_before_the_block_have_no_line() -> None:
    y = F.sum(np.sqrt(Variable(np.zeros(2))))
    with pytest.raises(AnomalyError, match="its forward call was before the block"):
        with detect_anomaly():
            y.backward()


def test_a_sum_of_gradients_that_is_too_large() -> None:
    x = Variable(np.full(1, 0.5, np.float16), name="x")
    c = np.full(1, 4e4, np.float16)
    with pytest.raises(AnomalyError, match=r"gradient of variable 'x' holds 1 inf.*all its uses"):
        with detect_anomaly():
            (x * c + x * c).backward()


def test_infinities_that_were_given_pass() -> None:
    scores = Variable(sample(2, 4, 4, dtype=np.float64))
    mask = np.where(np.tri(4, dtype=bool), 0.0, -np.inf)
    with detect_anomaly():
        for masked in (scores + mask, F.where(np.tri(4, dtype=bool), scores, -np.inf)):
            F.sum(F.softmax(masked, axis=-1)).backward()
        F.sum(F.scaled_dot_product_attention(scores, scores, scores, mask)).backward()
        assert float(F.sum(np.exp(Variable(np.array([-np.inf]))))) == 0.0
        padded = dezero.numpy.pad(scores, 1, constant_values=-np.inf)
        F.sum(F.max(padded[0, :, 1:5], axis=0)).backward()


def test_options() -> None:
    zero = Variable(np.zeros(2))
    with detect_anomaly(infinity=False):
        np.log(zero)
        F.sum(np.sqrt(zero)).backward()
        with pytest.raises(AnomalyError):
            np.log(zero - 1)
    with detect_anomaly(forward=False), pytest.raises(AnomalyError, match="the gradient of Log"):
        F.sum(np.log(zero)).backward()
    with detect_anomaly(backward=False):
        F.sum(np.sqrt(zero)).backward()
    with detect_anomaly(overwritten=False):
        y = F.sum(np.exp(zero) * zero)
        zero.data[0] = 5
        y.backward()
    with pytest.raises(ValueError, match='"warn", "raise" or None, got \'maybe\''):
        detect_anomaly(broadcast="maybe")


# Where it works.


def test_an_inner_block_counts_and_all_ends_with_the_block() -> None:
    zero = Variable(np.zeros(2))
    with detect_anomaly():
        with detect_anomaly(forward=False):
            np.log(zero)
        with pytest.raises(AnomalyError):
            np.log(zero)
    assert watchers() == ()
    assert watching.on == 0
    with np.errstate(divide="ignore"):
        np.log(zero)
    with pytest.raises(RuntimeWarning, match="divide by zero"):
        np.log(zero)  # NumPy warns again


def test_the_block_goes_on_after_an_error_in_it() -> None:
    net = Net()
    net(sample(2, 3))
    net.blocks[1].W.data[:] = np.nan
    with detect_anomaly() as anomalies:
        for _ in range(2):
            with pytest.raises(AnomalyError, match="in layer Net > blocks/1 "):
                net(sample(2, 3))
            assert anomalies.layers == []
        net.blocks[1].W.data[:] = 1
        F.sum(net(sample(2, 3))).backward()


def test_other_watchers_hear_the_end_of_what_raises() -> None:
    with dezero.trace() as tracing:
        with pytest.raises(AnomalyError), detect_anomaly():
            MLP((2, 1))(np.full((1, 2), np.nan, np.float32))
        assert tracing.layers == []


def test_it_belongs_to_its_thread() -> None:
    found: list[Any] = []

    def run() -> None:
        with np.errstate(divide="ignore"):
            found.append(np.log(Variable(np.zeros(1))).data)

    with detect_anomaly():
        other = threading.Thread(target=run)
        other.start()
        other.join()
    assert np.isneginf(found[0]).all()


def test_kinds_of_arrays() -> None:
    with detect_anomaly():
        for x in (
            np.arange(4),
            np.array(2.5),
            np.zeros((0, 3)),
            np.ones(3, np.float16),
            np.array([True, False]),
        ):
            v = Variable(x)
            y = F.sum(v + v)
            y.backward()
        z = Variable(np.array([1 + 2j, 3j]))
        F.sum(np.abs(np.exp(z))).backward()
        with pytest.raises(AnomalyError, match=r"complex128 \(2,\), absolute values all 0"):
            1 / (z * 0)
        with pytest.raises(AnomalyError, match="x0: the number 1"):
            1 / Variable(np.array(0.0))
        with pytest.raises(AnomalyError, match="result: float16 inf"):
            np.exp(Variable(np.array(20, np.float16)))


def test_without_recording() -> None:
    with detect_anomaly(), dezero.no_grad(), pytest.raises(AnomalyError, match="Log gave"):
        np.log(Variable(np.zeros(2)))


def loss_of(w: Any, x: Any) -> Any:
    return np.sum(np.tanh(x @ w) ** 2)


def test_transformations_raise_where_they_should_and_only_there() -> None:
    w, x = sample(3, 2, dtype=np.float64) / 9, sample(4, 3, dtype=np.float64)
    with detect_anomaly():
        dezero.grad(loss_of)(w, x)
        dezero.grad(lambda w: np.sum(dezero.grad(loss_of)(w, x) ** 2))(w)
        dezero.jvp(loss_of, (w, x), (w, x))
        dezero.vmap(lambda x: loss_of(w, x))(x)
        dezero.vmap(dezero.grad(lambda x: np.sum(np.log(x))))(x)
        dezero.hessian(lambda x: np.sum(np.sin(x) * x))(x[0])
        v = Variable(w)
        dezero.checkpoint(loss_of)(v, x).backward()
        y = loss_of(v, x)
        y.backward(create_graph=True)
        gradient = v.grad
        v.cleargrad()
        F.sum(gradient**2).backward()
        for broken in (
            lambda: dezero.grad(lambda w: np.sum(np.sqrt(w - w)))(w),
            lambda: dezero.jvp(lambda w: np.log(w - w), (w,), (w,)),
            lambda: dezero.vmap(dezero.grad(lambda x: np.sum(np.sqrt(x - x))))(x),
            lambda: dezero.checkpoint(lambda w: np.sum(np.sqrt(w - w)))(v).backward(),
        ):
            with pytest.raises(AnomalyError, match=r"(Sqrt|Log).*test_anomaly\.py"):
                raise_with_line(broken)


def raise_with_line(run: Any) -> None:
    try:
        run()
    except AnomalyError as error:
        raise type(error)(" ".join(str(error).split()), error.function, error.origin) from None


# Arrays that change between forward and backward.


def by_data(x: Variable) -> None:
    x.data[0] = 9


def by_view(x: Variable) -> None:
    x.data.T[0, 0] += 1


def by_ufunc(x: Variable) -> None:
    np.multiply(x.data, 2, out=x.data)


def by_sorting(x: Variable) -> None:
    x.data[:] = x.data[::-1].copy()  # the same numbers in other places


@pytest.mark.parametrize("write", [by_data, by_view, by_ufunc, by_sorting])
def test_a_write_past_the_variable(write: Any) -> None:
    x = Variable(sample(3, 3), name="x")
    with pytest.raises(OverwrittenError) as caught, detect_anomaly():
        y = F.sum(x * x)  # the product
        write(x)
        y.backward()
    said = str(caught.value)
    assert said.startswith("backward through Mul: an array was changed before its gradient\n")
    assert "x0 (variable 'x') of Mul, float32 (3, 3), was read at" in said
    assert f"{HERE}:{line_of('the product')}: y = F.sum(x * x)" in said
    assert "a write into the array or into a view of it" in said
    assert isinstance(caught.value, RuntimeError)


def test_a_write_that_the_variable_saw_has_its_line() -> None:
    x = Variable(sample(3))
    with pytest.raises(OverwrittenError, match=rf"changed at .*:{line_of('written here')};"):
        with detect_anomaly():
            y = F.sum(np.exp(x) * x)
            x.data += 1  # written here
            y.backward()


def test_a_parameter_is_known_by_its_path() -> None:
    model = MLP((3, 1))
    with pytest.raises(OverwrittenError) as caught, detect_anomaly():
        y = F.sum(model(sample(2, 4)))
        model.l1.W.data[...] = 0
        y.backward()
    assert "W (parameter l1/W of MLP) of Linear, float32 (3, 1), was read at" in str(caught.value)
    assert "in layer MLP > l1 (Linear)" in str(caught.value)


def test_data_and_results_are_compared_too() -> None:
    x = sample(2, 4)
    model = MLP((3, 1))
    with detect_anomaly():
        y = F.sum(model(x))
        x[0] = 0
        with pytest.raises(OverwrittenError, match=r"x of Linear, float32 \(2, 4\), was read"):
            y.backward()
        v = Variable(sample(3))
        y = np.exp(v)
        y.data[1] = 0
        with pytest.raises(OverwrittenError, match=r"the result of Exp, float32 \(3,\), was comp"):
            F.sum(y).backward()
        y = np.exp(v)
        z = F.sum(F.reshape(y, (3, 1)) * 2)
        y.data[1] = 0
        with pytest.raises(OverwrittenError, match="the result of Exp"):
            z.backward()
        z = F.einsum("i,i->", v, np.ones(3))
        v.data[1] = 0
        z.backward()  # the gradient of v needs only the ones
        z = F.einsum("i,i->", v, v)
        v.data[1] = 1
        with pytest.raises(OverwrittenError, match="of Einsum"):
            z.backward()


@pytest.mark.parametrize("shape", [(4, 6), (4, 6, 3, 3)])
def test_a_shift_reads_nothing_and_a_scale_does(shape: tuple[int, ...]) -> None:
    layers: list[Any] = [L.BatchNorm(), L.GroupNorm(2), L.LayerNorm()]
    for layer in layers[: 2 if len(shape) == 4 else 3]:
        x = sample(*shape)
        layer(x)
        layer.gamma.requires_grad = False
        with detect_anomaly():
            y = F.sum(layer(x))
            x[...] = 0
            y.backward()
            layer.gamma.requires_grad = True
            y = F.sum(layer(x))
            x[...] = 1
            with pytest.raises(OverwrittenError, match="Norm"):
                y.backward()


def test_a_solution_is_read_for_the_matrix_alone() -> None:
    matrix, b = Variable(2 * np.eye(3)), Variable(np.ones(3))
    for function in (np.linalg.solve, dezero.scipy.linalg.solve_triangular):
        with detect_anomaly():
            y = function(matrix.data, b)
            y.data[...] = 7
            F.sum(y).backward()
            np.testing.assert_allclose(b.grad.data, 0.5)
            b.cleargrad()
            y = function(matrix, b)
            y.data[...] = 7
            with pytest.raises(OverwrittenError, match="Solve"):
                F.sum(y).backward()


def test_a_users_function_names_what_it_reads() -> None:
    class Cube(Function):
        def forward(self, x: Any, scratch: Any) -> Any:
            return x**3

        def backward(self, gy: Variable) -> Any:
            return 3 * self.inputs[0] ** 2 * gy, None

    class Sign(Function):
        def forward(self, x: Any) -> Any:
            self.sign = np.sign(x)
            return x * self.sign

        def backward(self, gy: Variable) -> Any:
            return gy * self.sign

    x = Variable(sample(3), name="x")
    with detect_anomaly():
        y = Cube()(x, np.ones(1))
        x.data[0] = 7
        with pytest.raises(OverwrittenError, match=r"x \(variable 'x'\) of Cube") as caught:
            y.backward()
        assert "would be wrong if Cube.backward reads its numbers: write" in str(caught.value)
        y = Sign()(x)
        x.data[0] = 8  # its backward reads what it kept itself
        y.backward()


def test_what_no_gradient_needs_may_be_written() -> None:
    x, w = Variable(sample(3)), Variable(sample(3))
    data = sample(2, 3)
    with detect_anomaly():
        y = x + w
        x.data[0] = 9
        y = F.sum(y * 2)
        y.backward()
        frozen = Variable(sample(3, 2), requires_grad=False)
        y = F.sum(Variable(data) @ frozen)
        data[0] = 0  # only the gradient of `frozen` would need it
        y.backward()


def test_assignments_are_no_writes() -> None:
    x = Variable(sample(4))
    with detect_anomaly():
        for make in (lambda: x * 1, lambda: np.exp(x), lambda: x.copy().reshape(2, 2)):
            y = make()
            z = y * y
            y[0] = 0.0
            y[1] *= 3.0
            F.sum(y + z).backward()


@pytest.mark.parametrize("optimizer", [SGD(0.1), MomentumSGD(0.1), Adam()])
def test_training_is_no_anomaly(optimizer: Any) -> None:
    model = MLP((8, 3))
    optimizer.setup(model)
    rng = np.random.default_rng(0)
    with detect_anomaly():
        for _ in range(3):
            x, t = rng.standard_normal((6, 4), np.float32), rng.integers(0, 3, 6)
            model.cleargrads()
            losses = [F.softmax_cross_entropy(model(x), t) for _ in range(2)]
            for loss in losses:
                loss.backward()
            optimizer.update()


def test_a_graph_that_was_updated_since_raises_at_the_second_backward() -> None:
    model = MLP((3, 1))
    optimizer = SGD().setup(model)
    with detect_anomaly():
        loss = F.sum(model(sample(2, 4)))
        loss.backward()
        loss.backward()
        optimizer.update()
        with pytest.raises(OverwrittenError, match=r"l1/W of MLP.*\n.*changed at .*test_anomaly"):
            loss.backward()


# Broadcasts.


def test_a_column_with_a_row_warns_once_for_a_line() -> None:
    y, t = Variable(sample(5, 1)), sample(5)
    with warnings.catch_warnings(record=True) as caught, detect_anomaly():
        warnings.simplefilter("always")
        for _ in range(3):
            loss = F.sum((y - t) ** 2)  # a difference
        F.sum(y * t)
    assert [warning.category for warning in caught] == [BroadcastWarning] * 2
    assert caught[0].filename == HERE
    assert caught[0].lineno == line_of("a difference")
    said = str(caught[0].message)
    assert said.startswith("Sub of arrays of shapes (5, 1) and (5,) gives (5, 5)")
    assert "t.reshape(x.shape)" in said
    loss.backward()


def test_it_can_raise() -> None:
    y, t = Variable(sample(5, 1)), sample(5)
    with detect_anomaly(broadcast="raise"), pytest.raises(ValueError, match=r"\(5, 1\) and \(5,"):
        y - t
    with detect_anomaly(broadcast="raise"), pytest.raises(ValueError, match="Where of arrays"):
        F.where(sample(5, 1) > 1, y[:, 0], 0.0)
    with detect_anomaly(broadcast=None):
        y - t


def test_broadcasts_that_are_meant() -> None:
    x = Variable(sample(5))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with detect_anomaly():
            x[:, None] - x[None, :]
            sample(4, 1) * x
            Variable(sample(5, 3)) + sample(3)
            Variable(sample(3, 3)) + sample(3)
            Variable(sample(1, 3)) + sample(3)
            x * 2 + np.array([1.0])
            F.where(np.ones((4, 1), bool), x, 0.0)
            Variable(sample(4, 1, 3)) - sample(1, 6, 3)
            F.batch_norm(Variable(sample(4, 3)), *(sample(3) for _ in range(4)))


# No false alarms; every function of the table: tests/table/test_anomaly.py.


SEQUENCE = (5, 2, 3)
LAYERS = {
    "Linear": (lambda: L.Linear(4), (2, 3)),
    "Conv2d": (lambda: L.Conv2d(2, 3), (2, 3, 5, 5)),
    "Deconv2d": (lambda: L.Deconv2d(2, 3), (2, 3, 5, 5)),
    "BatchNorm": (L.BatchNorm, (4, 3)),
    "LayerNorm": (lambda: L.LayerNorm(), (4, 3)),
    "RMSNorm": (lambda: L.RMSNorm(), (4, 3)),
    "GroupNorm": (lambda: L.GroupNorm(3), (4, 6, 2)),
    "RNN": (lambda: L.RNN(4), (2, 3)),
    "LSTM": (lambda: L.LSTM(4), (2, 3)),
    "GRU": (lambda: L.GRU(4), (2, 3)),
    "LSTM of 3": (lambda: L.LSTM(4, num_layers=3, bidirectional=True, dropout=0.5), SEQUENCE),
    "GRU of 2": (lambda: L.GRU(4, num_layers=2), SEQUENCE),
    "MultiHeadAttention": (lambda: L.MultiHeadAttention(4, 2), (2, 5, 4)),
}


@pytest.mark.parametrize("name", LAYERS)
def test_layers_in_training(name: str) -> None:
    make, shape = LAYERS[name]
    layer = make()
    optimizer = Adam().setup(layer)
    rng = np.random.default_rng(0)
    sequence = len(shape) == 3 and hasattr(layer, "sequence")
    with detect_anomaly(broadcast="raise"):
        for _ in range(3):
            layer.cleargrads()
            loss: Any = 0.0
            if hasattr(layer, "reset_state"):
                layer.reset_state()
            for _ in range(2):
                x = Variable(rng.standard_normal(shape, np.float32))
                y = layer.sequence(x) if sequence else layer(x)
                loss = loss + F.sum(F.dropout(y[0] if isinstance(y, tuple) else y) ** 2)
            loss.backward()
            optimizer.update()


def test_embedding_and_a_convolutional_network() -> None:
    with detect_anomaly(broadcast="raise"):
        table = L.EmbedID(5, 3)
        F.sum(F.tanh(table(np.array([1, 4, 1])))).backward()
        net = dezero.models.Sequential(L.Conv2d(4, 3), L.BatchNorm(), F.relu, L.Conv2d(2, 3))
        y = F.pooling(F.average_pooling(net(sample(2, 3, 10, 10)), 3), 4)
        F.softmax_cross_entropy(y.reshape(2, 2), np.array([1, 0])).backward()


def test_truncated_backpropagation() -> None:
    layer, head = L.LSTM(4), L.Linear(1)
    optimizer = Adam().setup(layer)
    with detect_anomaly():
        loss: Any = 0.0
        for i in range(8):
            loss = loss + F.sum(head(layer(sample(2, 3))))
            if i % 3 == 2:
                layer.cleargrads()
                loss.backward()
                loss.unchain_backward()
                optimizer.update()
                loss = 0.0


# Checksums.


def test_checksums_of_all_layouts() -> None:
    x = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    layouts = [
        x,
        x.T,
        x[:, ::2],
        x[::-1],
        np.asfortranarray(x),
        np.broadcast_to(x[0], (5, 3, 4)),
        x[0, 0, :0],
        np.array(3.0),
        x.astype(np.float16),
        x > 3,
        x + 1j,
        x.transpose(1, 0, 2),
    ]
    for array in layouts:
        assert checksum(array) == checksum(array)
        changed = array.copy()
        if changed.size:
            changed.flat[-1] = changed.flat[-1] == 0
            same_layout = np.empty_like(array)
            same_layout[...] = array
            same_layout.flat[-1] = changed.flat[-1]
            assert checksum(same_layout) != checksum(array)


def test_parameters_outside_of_layers_are_known_by_their_names() -> None:
    w = Parameter(np.array([1.0, -1.0]), "w")
    with pytest.raises(AnomalyError, match=r"x \(variable 'w'\)"), detect_anomaly():
        np.log(w)
