"""DeZero, as the book writes it: layers, ``cleargrads``, ``backward``, ``update``."""

from __future__ import annotations

import gc
import sys
from typing import Any

import numpy as np

import dezero
import dezero.functions as F
import dezero.layers as L
from benchmarks import inputs, networks, plain_models, suite
from benchmarks.workloads import (
    Check,
    Workload,
    formulas,
    gradient_check,
    networks_dezero,
    norm,
    scores_check,
    training_check,
)
from dezero import Model, Variable, models, optimizers


def _set_up(threads: int) -> str:
    dezero.set_num_threads(threads)
    return dezero.__version__


def _kernels() -> tuple[int, int]:
    """How many versions of compiled kernels are ready, and how many were not on disk yet.

    Looks at what is there and imports nothing: Numba's own memory is the workload's.
    """
    numba = sys.modules.get("numba.core.dispatcher")
    if numba is None:
        return 0, 0
    found = [o for o in gc.get_objects() if issubclass(type(o), numba.Dispatcher)]
    ready = sum(len(kernel.signatures) for kernel in found)
    return ready, sum(sum(kernel.stats.cache_misses.values()) for kernel in found)


def _fill(layer: Any, **arrays: Any) -> Any:
    """``layer`` with copies of these arrays as its parameters."""
    for name, a in arrays.items():
        parameter = getattr(layer, name)
        if parameter.data is not None and parameter.shape != a.shape:
            raise ValueError(f"{type(layer).__name__}.{name}: {parameter.shape}, not {a.shape}")
        parameter.data = a.copy()
    return layer


def _linear(weight: Any, bias: Any = None) -> L.Linear:
    layer = L.Linear(weight.shape[1], nobias=bias is None, in_size=weight.shape[0])
    return _fill(layer, W=weight) if bias is None else _fill(layer, W=weight, b=bias)


def goldstein_price(small: bool) -> Workload:
    x, y = Variable(np.array(inputs.START)), Variable(np.array(inputs.START))

    def step() -> Any:
        x.cleargrad()
        y.cleargrad()
        z = formulas.goldstein_price(x, y)
        z.backward()
        return z.data

    def check() -> Check:
        value = float(step())
        return {"value": [value], "gradient": [float(x.grad.data), float(y.grad.data)]}

    return Workload(step, check, "0-d arrays of float64")


def _chain(full_length: int, small: bool) -> Workload:
    length = suite.chain_length(full_length, small)
    x = Variable(np.array(inputs.START))

    def step() -> Any:
        x.cleargrad()
        y = formulas.chain(x, inputs.CHAIN_FACTOR, length)
        y.backward()
        return y.data

    def check() -> Check:
        return {"value": [float(step())], "gradient": [float(x.grad.data)]}

    return Workload(step, check, f"{length:,} multiplications of a 0-d array of float64")


def chain_1000(small: bool) -> Workload:
    return _chain(1_000, small)


def chain_10000(small: bool) -> Workload:
    return _chain(10_000, small)


def chain_100000(small: bool) -> Workload:
    return _chain(100_000, small)


def chain_1000000(small: bool) -> Workload:
    return _chain(1_000_000, small)


class _MLP(Model):
    def __init__(self, case: inputs.MLP) -> None:
        super().__init__()
        self.l0, self.l1, self.l2 = (
            _linear(w, b) for w, b in zip(case.weights, case.biases, strict=True)
        )

    def forward(self, x: Any) -> Any:
        return self.l2(F.relu(self.l1(F.relu(self.l0(x)))))


def mlp(small: bool) -> Workload:
    case = inputs.mlp(small)
    model = _MLP(case)
    optimizer = optimizers.SGD(lr=case.lr).setup(model)

    def step() -> Any:
        loss = F.softmax_cross_entropy(model(case.x), case.t)
        model.cleargrads()
        loss.backward()
        optimizer.update()
        return loss.data

    def parameters() -> dict[str, Any]:
        layers = (model.l0, model.l1, model.l2)
        return {f"W{i}": layer.W.data for i, layer in enumerate(layers)} | {
            f"b{i}": layer.b.data for i, layer in enumerate(layers)
        }

    return Workload(step, lambda: training_check(step, parameters), "optimizers.SGD")


def hvp(small: bool) -> Workload:
    case = inputs.mlp(small)
    model = _MLP(case)
    parameters = [p for layer in (model.l0, model.l1, model.l2) for p in (layer.W, layer.b)]
    directions = []
    for weight, bias in zip(case.weight_directions, case.bias_directions, strict=True):
        directions += [weight, bias]

    def step() -> list[Any]:
        model.cleargrads()
        F.softmax_cross_entropy(model(case.x), case.t).backward(create_graph=True)
        gradients = [p.grad for p in parameters]
        model.cleargrads()
        dot: Any = 0.0
        for g, v in zip(gradients, directions, strict=True):
            dot = dot + F.sum(g * v)
        dot.backward()
        return [p.grad.data for p in parameters]

    def check() -> Check:
        return {"norms": [norm(h) for h in step()]}

    return Workload(step, check, "backward twice")


class _LSTM(Model):
    def __init__(self, case: inputs.LSTM) -> None:
        super().__init__()
        self.rnn = L.LSTM(case.hidden, in_size=case.xs.shape[2])
        for gate in "fiou":
            _fill(getattr(self.rnn, f"x2{gate}"), W=case.wx[gate], b=case.b[gate])
            _fill(getattr(self.rnn, f"h2{gate}"), W=case.wh[gate])
        self.out = _linear(case.w_out, case.b_out)

    def forward(self, x: Any) -> Any:
        return self.out(self.rnn(x))

    def trained(self) -> dict[str, list[Any]]:
        x2, h2 = ([getattr(self.rnn, f"{part}2{gate}") for gate in "fiou"] for part in "xh")
        return {
            "wx": [layer.W for layer in x2], "wh": [layer.W for layer in h2],
            "b": [layer.b for layer in x2], "w_out": [self.out.W], "b_out": [self.out.b],
        }  # fmt: skip

    def check(self, step: Any) -> Check:
        def parameters() -> dict[str, Any]:
            found = self.trained().items()
            return {name: np.concatenate([p.data for p in ps]) for name, ps in found}

        def gradients() -> dict[str, Any]:
            found = self.trained().items()
            return {name: np.concatenate([p.grad.data for p in ps]) for name, ps in found}

        return training_check(step, parameters, gradients)


def _adam(case: inputs.LSTM, model: Model) -> Any:
    beta1, beta2 = case.betas
    optimizer = optimizers.Adam(alpha=case.lr, beta1=beta1, beta2=beta2, eps=case.eps)
    return optimizer.setup(model)


def lstm_cell(small: bool) -> Workload:
    case = inputs.lstm(small)
    model = _LSTM(case)
    optimizer = _adam(case, model)

    def step() -> Any:
        model.rnn.reset_state()
        loss: Any = 0
        for x, t in zip(case.xs, case.ts, strict=True):
            loss = loss + F.mean_squared_error(model(x), t)
        model.cleargrads()
        loss.backward()
        loss.unchain_backward()
        optimizer.update()
        return loss.data

    return Workload(step, lambda: model.check(step), "L.LSTM, optimizers.Adam")


def lstm_sequence(small: bool) -> Workload:
    case = inputs.lstm_sequence(small)
    xs, ts = case.xs, case.ts.reshape(-1, 1)
    model = _LSTM(case)
    optimizer = _adam(case, model)

    def step() -> Any:
        model.rnn.reset_state()
        loss = F.mean_squared_error(model(xs).reshape(-1, 1), ts)
        model.cleargrads()
        loss.backward()
        optimizer.update()
        return loss.data

    return Workload(step, lambda: model.check(step), "L.LSTM in one call, optimizers.Adam")


class _CNN(Model):
    def __init__(self, case: inputs.CNN) -> None:
        super().__init__()
        self.c0, self.c1, self.c2, self.c3 = (
            _fill(L.Conv2d(w.shape[0], 3, pad=1, in_channels=w.shape[1]), W=w, b=b)
            for w, b in zip(case.filters, case.filter_biases, strict=True)
        )
        self.out = _linear(case.w_out, case.b_out)

    def forward(self, x: Any) -> Any:
        x = F.pooling(F.relu(self.c1(F.relu(self.c0(x)))), 2, 2)
        x = F.pooling(F.relu(self.c3(F.relu(self.c2(x)))), 2, 2)
        return self.out(F.reshape(x, (x.shape[0], -1)))


def cnn(small: bool) -> Workload:
    case = inputs.cnn(small)
    model = _CNN(case)
    optimizer = optimizers.SGD(lr=case.lr).setup(model)

    def step() -> Any:
        loss = F.softmax_cross_entropy(model(case.x), case.t)
        model.cleargrads()
        loss.backward()
        optimizer.update()
        return loss.data

    def parameters() -> dict[str, Any]:
        convs = (model.c0, model.c1, model.c2, model.c3)
        found = {f"W{i}": c.W.data for i, c in enumerate(convs)}
        found |= {f"b{i}": c.b.data for i, c in enumerate(convs)}
        return found | {"w_out": model.out.W.data, "b_out": model.out.b.data}

    return Workload(step, lambda: training_check(step, parameters), "optimizers.SGD")


def resnet18(small: bool) -> Workload:
    case = networks.resnet18(small)
    model = networks_dezero.resnet18(case)
    optimizer = optimizers.MomentumSGD(lr=case.lr, momentum=case.momentum).setup(model)

    def step() -> Any:
        loss = F.softmax_cross_entropy(model(case.x), case.t)
        model.cleargrads()
        loss.backward()
        optimizer.update()
        return loss.data

    def parameters() -> dict[str, Any]:
        found = dict(model.named_params())
        return {name: found[name].data for name in case.checked}

    return Workload(step, lambda: training_check(step, parameters), "optimizers.MomentumSGD")


def _inference(model: Any, case: networks.Network) -> Workload:
    networks_dezero.filled(model, case)

    def step() -> Any:
        with dezero.no_grad(), dezero.test_mode():
            return model(case.x).data

    return Workload(step, lambda: scores_check(step()), "no_grad, test_mode")


def vgg16(small: bool) -> Workload:
    return _inference(models.VGG16(), networks.vgg16(small))


def resnet50(small: bool) -> Workload:
    return _inference(models.ResNet50(), networks.resnet50(small))


class _Block(Model):
    def __init__(self, block: inputs.Block, heads: int, eps: float) -> None:
        super().__init__()
        self.heads = heads
        self.ln1 = _layer_norm(block.ln1_gamma, block.ln1_beta, eps)
        self.qkv = _linear(block.w_qkv, block.b_qkv)
        self.proj = _linear(block.w_proj, block.b_proj)
        self.ln2 = _layer_norm(block.ln2_gamma, block.ln2_beta, eps)
        self.up = _linear(block.w_up, block.b_up)
        self.down = _linear(block.w_down, block.b_down)

    def forward(self, x: Any) -> Any:
        batch, length, width = x.shape
        q, k, v = (
            part.reshape(batch, length, self.heads, -1).transpose(0, 2, 1, 3)
            for part in F.split(self.qkv(self.ln1(x)), 3, axis=2)
        )
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.proj(mixed.transpose(0, 2, 1, 3).reshape(batch, length, width))
        return x + self.down(F.gelu(self.up(self.ln2(x)), approximate="tanh"))


def _layer_norm(gamma: Any, beta: Any, eps: float) -> L.LayerNorm:
    return _fill(L.LayerNorm(gamma.size, eps=eps), gamma=gamma, beta=beta)


class _GPT(Model):
    def __init__(self, case: inputs.GPT) -> None:
        super().__init__()
        self.tokens = _fill(L.EmbedID(*case.token_table.shape), W=case.token_table)
        self.positions = _fill(L.EmbedID(*case.position_table.shape), W=case.position_table)
        self.depth = len(case.blocks)
        for i, block in enumerate(case.blocks):
            setattr(self, f"block{i}", _Block(block, case.heads, case.ln_eps))
        self.ln = _layer_norm(case.final_gamma, case.final_beta, case.ln_eps)
        self.head = _linear(case.w_head)

    def forward(self, ids: Any) -> Any:
        x = self.tokens(ids) + self.positions(np.arange(ids.shape[1]))
        for i in range(self.depth):
            x = getattr(self, f"block{i}")(x)
        return self.head(self.ln(x))


def gpt(small: bool) -> Workload:
    case = inputs.gpt(small)
    model = _GPT(case)
    beta1, beta2 = case.betas
    optimizer = optimizers.AdamW(
        alpha=case.lr, beta1=beta1, beta2=beta2, eps=case.eps, weight_decay=case.weight_decay
    ).setup(model)
    targets = case.targets.reshape(-1)

    def step() -> Any:
        logits = model(case.ids)
        loss = F.softmax_cross_entropy(logits.reshape(-1, logits.shape[2]), targets)
        model.cleargrads()
        loss.backward()
        optimizer.update()
        return loss.data

    def parameters() -> dict[str, Any]:
        block: Any = getattr(model, "block0")  # noqa: B009
        return {
            "tokens": model.tokens.W.data, "positions": model.positions.W.data,
            "ln1": block.ln1.gamma.data, "up": block.up.W.data, "proj": block.proj.W.data,
            "ln": model.ln.gamma.data, "head": model.head.W.data,
        }  # fmt: skip

    return Workload(step, lambda: training_check(step, parameters), "optimizers.AdamW")


def elementwise(small: bool) -> Workload:
    x, y = (Variable(a) for a in inputs.elementwise(small))

    def step() -> Any:
        x.cleargrad()
        y.cleargrad()
        loss = formulas.elementwise(x, y, F)
        loss.backward()
        return loss.data

    def check() -> Check:
        value = float(step())
        return {"value": [value], "gradient norms": [norm(x.grad.data), norm(y.grad.data)]}

    return Workload(step, check, "NumPy functions one by one")


def _gradient_of(make: Any) -> Any:
    def workload(small: bool) -> Workload:
        model, args = make(small)
        gradient = dezero.grad(model(np))
        return Workload(
            lambda: gradient(*args), lambda: gradient_check(gradient(*args)), "dezero.grad"
        )

    return workload


grad_goldstein_price = _gradient_of(plain_models.goldstein_price)
grad_perceptron = _gradient_of(plain_models.perceptron)
grad_chain = _gradient_of(plain_models.chain)
grad_logistic_regression = _gradient_of(plain_models.logistic_regression)
grad_mixture = _gradient_of(plain_models.mixture)
grad_bundle_adjustment = _gradient_of(plain_models.bundle_adjustment)
