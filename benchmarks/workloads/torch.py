"""PyTorch, eager, as its documentation shows it: default layouts and default optimisers."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from benchmarks import inputs, networks, suite
from benchmarks.workloads import (
    Check,
    Workload,
    formulas,
    networks_torch,
    norm,
    scores_check,
    training_check,
)


def _set_up(threads: int) -> str:
    torch.set_num_threads(threads)
    return str(torch.__version__)


def _copy(a: Any) -> torch.Tensor:
    return torch.from_numpy(np.array(a, copy=True))


def _fill(module: Any, weight: Any, bias: Any = None) -> Any:
    """``module`` with these numbers; a matrix comes as (in, out) and PyTorch keeps (out, in)."""
    weight = weight.T if isinstance(module, nn.Linear) else weight
    with torch.no_grad():
        module.weight.copy_(_copy(weight))
        if bias is not None:
            module.bias.copy_(_copy(bias))
    return module


def _linear(weight: Any, bias: Any = None) -> nn.Linear:
    return _fill(nn.Linear(*weight.shape, bias=bias is not None), weight, bias)


def _arrays(parameters: dict[str, torch.Tensor]) -> dict[str, Any]:
    return {name: p.detach().numpy() for name, p in parameters.items()}


def goldstein_price(small: bool) -> Workload:
    x = torch.tensor(inputs.START, dtype=torch.float64, requires_grad=True)
    y = torch.tensor(inputs.START, dtype=torch.float64, requires_grad=True)

    def step() -> torch.Tensor:
        x.grad = y.grad = None
        z = formulas.goldstein_price(x, y)
        z.backward()
        return z.detach()

    def check() -> Check:
        value = float(step())
        assert x.grad is not None
        assert y.grad is not None
        return {"value": [value], "gradient": [float(x.grad), float(y.grad)]}

    return Workload(step, check, "eager, 0-d tensors of float64")


def chain_10000(small: bool) -> Workload:
    length = suite.chain_length(10_000, small)
    x = torch.tensor(inputs.START, dtype=torch.float64, requires_grad=True)

    def step() -> torch.Tensor:
        x.grad = None
        y = formulas.chain(x, inputs.CHAIN_FACTOR, length)
        y.backward()
        return y.detach()

    def check() -> Check:
        value = float(step())
        assert x.grad is not None
        return {"value": [value], "gradient": [float(x.grad)]}

    return Workload(step, check, "eager, 0-d tensor of float64")


def _mlp(case: inputs.MLP) -> nn.Sequential:
    layers: list[nn.Module] = []
    for weight, bias in zip(case.weights, case.biases, strict=True):
        layers += [_linear(weight, bias), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def mlp(small: bool) -> Workload:
    case = inputs.mlp(small)
    x, t = _copy(case.x), _copy(case.t)
    model = _mlp(case)
    optimizer = torch.optim.SGD(model.parameters(), lr=case.lr)

    def step() -> torch.Tensor:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), t)
        loss.backward()
        optimizer.step()
        return loss.detach()

    def parameters() -> dict[str, Any]:
        found = {f"W{i}": model[2 * i].weight for i in range(3)}
        return _arrays(found | {f"b{i}": model[2 * i].bias for i in range(3)})

    return Workload(step, lambda: training_check(step, parameters), "eager, torch.optim.SGD")


def hvp(small: bool) -> Workload:
    case = inputs.mlp(small)
    x, t = _copy(case.x), _copy(case.t)
    model = _mlp(case)
    parameters = [p for i in range(3) for p in (model[2 * i].weight, model[2 * i].bias)]
    directions = []
    for weight, bias in zip(case.weight_directions, case.bias_directions, strict=True):
        directions += [_copy(weight.T), _copy(bias)]

    def step() -> tuple[torch.Tensor, ...]:
        loss = F.cross_entropy(model(x), t)
        gradients = torch.autograd.grad(loss, parameters, create_graph=True)
        dot = sum((g * v).sum() for g, v in zip(gradients, directions, strict=True))
        return torch.autograd.grad(dot, parameters)

    def check() -> Check:
        return {"norms": [norm(h.numpy()) for h in step()]}

    return Workload(step, check, "eager, torch.autograd.grad twice")


class _LSTM(nn.Module):
    """An ``nn.LSTMCell`` or ``nn.LSTM``, whose parameters have this ending, and a read-out."""

    def __init__(self, case: inputs.LSTM, rnn: nn.Module, ending: str = "") -> None:
        super().__init__()
        self.rnn = rnn
        order = "ifuo"  # PyTorch's i, f, g, o
        self.names = [name + ending for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
        wx, wh, b, no_b = (getattr(rnn, name) for name in self.names)
        with torch.no_grad():
            wx.copy_(_copy(np.hstack([case.wx[g] for g in order]).T))
            wh.copy_(_copy(np.hstack([case.wh[g] for g in order]).T))
            b.copy_(_copy(np.hstack([case.b[g] for g in order])))
            no_b.zero_()
        # The book's cell has one bias: with two, Adam would move their sum twice as far.
        no_b.requires_grad_(False)
        self.out = _linear(case.w_out, case.b_out)

    def check(self, step: Any) -> Check:
        trained = {
            name: getattr(self.rnn, theirs)
            for name, theirs in zip(("wx", "wh", "b"), self.names, strict=False)
        } | {"w_out": self.out.weight, "b_out": self.out.bias}

        def gradients() -> dict[str, Any]:
            return _arrays({name: p.grad for name, p in trained.items()})

        return training_check(step, lambda: _arrays(trained), gradients)


def _adam(case: inputs.LSTM, model: nn.Module) -> torch.optim.Adam:
    trained = [p for p in model.parameters() if p.requires_grad]
    return torch.optim.Adam(trained, lr=case.lr, betas=case.betas, eps=case.eps)


def lstm_cell(small: bool) -> Workload:
    case = inputs.lstm(small)
    xs, ts = _copy(case.xs), _copy(case.ts)
    model = _LSTM(case, nn.LSTMCell(1, case.hidden))
    optimizer = _adam(case, model)
    zeros = torch.zeros(xs.shape[1], case.hidden)

    def step() -> torch.Tensor:
        optimizer.zero_grad()
        h, c = zeros, zeros
        loss = torch.zeros(())
        for x, t in zip(xs, ts, strict=True):
            h, c = model.rnn(x, (h, c))
            loss = loss + F.mse_loss(model.out(h), t)
        loss.backward()
        optimizer.step()
        return loss.detach()

    note = "eager, nn.LSTMCell, torch.optim.Adam"
    return Workload(step, lambda: model.check(step), note)


def lstm_sequence(small: bool) -> Workload:
    case = inputs.lstm_sequence(small)
    xs, ts = _copy(case.xs), _copy(case.ts)
    model = _LSTM(case, nn.LSTM(xs.shape[2], case.hidden), "_l0")
    optimizer = _adam(case, model)

    def step() -> torch.Tensor:
        optimizer.zero_grad()
        hs, _ = model.rnn(xs)
        loss = F.mse_loss(model.out(hs), ts)
        loss.backward()
        optimizer.step()
        return loss.detach()

    note = "eager, nn.LSTM, torch.optim.Adam"
    return Workload(step, lambda: model.check(step), note)


class _CNN(nn.Module):
    def __init__(self, case: inputs.CNN) -> None:
        super().__init__()
        self.convs = nn.ModuleList(
            _fill(nn.Conv2d(w.shape[1], w.shape[0], 3, padding=1), w, b)
            for w, b in zip(case.filters, case.filter_biases, strict=True)
        )
        self.out = _linear(case.w_out, case.b_out)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for i, conv in enumerate(self.convs):
            x = F.relu(conv(x))
            if i % 2:
                x = F.max_pool2d(x, 2)
        return self.out(x.flatten(1))


def cnn(small: bool) -> Workload:
    case = inputs.cnn(small)
    x, t = _copy(case.x), _copy(case.t)
    model = _CNN(case)
    optimizer = torch.optim.SGD(model.parameters(), lr=case.lr)

    def step() -> torch.Tensor:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), t)
        loss.backward()
        optimizer.step()
        return loss.detach()

    def parameters() -> dict[str, Any]:
        found = {f"W{i}": conv.weight for i, conv in enumerate(model.convs)}
        found |= {f"b{i}": conv.bias for i, conv in enumerate(model.convs)}
        return _arrays(found | {"w_out": model.out.weight, "b_out": model.out.bias})

    return Workload(step, lambda: training_check(step, parameters), "eager, torch.optim.SGD")


def resnet18(small: bool) -> Workload:
    case = networks.resnet18(small)
    x, t = _copy(case.x), _copy(case.t)
    model = networks_torch.resnet18(case)
    optimizer = torch.optim.SGD(model.parameters(), lr=case.lr, momentum=case.momentum)

    def step() -> torch.Tensor:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), t)
        loss.backward()
        optimizer.step()
        return loss.detach()

    def parameters() -> dict[str, Any]:
        return networks_torch.arrays(model, case.checked)

    note = "eager, torch.optim.SGD with momentum"
    return Workload(step, lambda: training_check(step, parameters), note)


def _inference(model: nn.Module, case: networks.Network) -> Workload:
    x = _copy(case.x)
    model.eval()

    def step() -> torch.Tensor:
        with torch.no_grad():
            return model(x)

    return Workload(step, lambda: scores_check(step()), "eager, eval, no_grad")


def vgg16(small: bool) -> Workload:
    case = networks.vgg16(small)
    return _inference(networks_torch.vgg16(case), case)


def resnet50(small: bool) -> Workload:
    case = networks.resnet50(small)
    return _inference(networks_torch.resnet50(case), case)


class _Block(nn.Module):
    def __init__(self, block: inputs.Block, heads: int, eps: float) -> None:
        super().__init__()
        width = block.w_proj.shape[0]
        self.heads = heads
        self.ln1 = _fill(nn.LayerNorm(width, eps), block.ln1_gamma, block.ln1_beta)
        self.qkv = _linear(block.w_qkv, block.b_qkv)
        self.proj = _linear(block.w_proj, block.b_proj)
        self.ln2 = _fill(nn.LayerNorm(width, eps), block.ln2_gamma, block.ln2_beta)
        self.up = _linear(block.w_up, block.b_up)
        self.down = _linear(block.w_down, block.b_down)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, length, width = x.shape
        q, k, v = (
            part.view(batch, length, self.heads, -1).transpose(1, 2)
            for part in self.qkv(self.ln1(x)).split(width, dim=2)
        )
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.proj(mixed.transpose(1, 2).reshape(batch, length, width))
        return x + self.down(F.gelu(self.up(self.ln2(x)), approximate="tanh"))


class _GPT(nn.Module):
    def __init__(self, case: inputs.GPT) -> None:
        super().__init__()
        width = case.w_head.shape[0]
        self.tokens = _fill(nn.Embedding(*case.token_table.shape), case.token_table)
        self.positions = _fill(nn.Embedding(*case.position_table.shape), case.position_table)
        self.blocks = nn.ModuleList(_Block(b, case.heads, case.ln_eps) for b in case.blocks)
        self.ln = _fill(nn.LayerNorm(width, case.ln_eps), case.final_gamma, case.final_beta)
        self.head = _linear(case.w_head)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        x = self.tokens(ids) + self.positions(torch.arange(ids.shape[1]))
        for block in self.blocks:
            x = block(x)
        return self.head(self.ln(x))


def gpt(small: bool) -> Workload:
    case = inputs.gpt(small)
    ids, targets = _copy(case.ids), _copy(case.targets).flatten()
    model = _GPT(case)
    optimizer = torch.optim.AdamW(
        model.parameters(),
        lr=case.lr,
        betas=case.betas,
        eps=case.eps,
        weight_decay=case.weight_decay,
    )

    def step() -> torch.Tensor:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(ids).flatten(0, 1), targets)
        loss.backward()
        optimizer.step()
        return loss.detach()

    def parameters() -> dict[str, Any]:
        block: Any = model.blocks[0]
        return _arrays(
            {
                "tokens": model.tokens.weight,
                "positions": model.positions.weight,
                "ln1": block.ln1.weight,
                "up": block.up.weight,
                "proj": block.proj.weight,
                "ln": model.ln.weight,
                "head": model.head.weight,
            }
        )

    return Workload(step, lambda: training_check(step, parameters), "eager, torch.optim.AdamW")


def elementwise(small: bool) -> Workload:
    x, y = (_copy(a).requires_grad_() for a in inputs.elementwise(small))

    def step() -> torch.Tensor:
        x.grad = y.grad = None
        loss = formulas.elementwise(x, y, torch)
        loss.backward()
        return loss.detach()

    def check() -> Check:
        value = float(step())
        return {"value": [value], "gradient norms": [norm(x.grad), norm(y.grad)]}

    return Workload(step, check, "eager")
