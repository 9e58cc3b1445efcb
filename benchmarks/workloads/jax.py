"""JAX: every step is one compiled function, as its documentation advises."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from benchmarks import inputs
from benchmarks.workloads import Check, Workload, formulas, norm, training_check

Tree = Any


def _set_up(threads: int) -> str:
    # XLA takes its number of threads from the CPUs that the process may run on.
    return str(jax.__version__)


def _cross_entropy(logits: jax.Array, t: jax.Array) -> jax.Array:
    log_p = jax.nn.log_softmax(logits)
    return -jnp.mean(jnp.take_along_axis(log_p, t[..., None], axis=-1))


def _goldstein_price(compiled: bool) -> Workload:
    jax.config.update("jax_enable_x64", True)
    x = jnp.asarray(inputs.START, dtype=jnp.float64)
    y = jnp.asarray(inputs.START, dtype=jnp.float64)
    gradient = jax.value_and_grad(formulas.goldstein_price, argnums=(0, 1))
    run = jax.jit(gradient) if compiled else gradient

    def step() -> Tree:
        return jax.block_until_ready(run(x, y))

    def check() -> Check:
        value, (gx, gy) = step()
        return {"value": [float(value)], "gradient": [float(gx), float(gy)]}

    return Workload(step, check, "one compiled function" if compiled else "without jit")


def goldstein_price(small: bool) -> Workload:
    return _goldstein_price(compiled=True)


def goldstein_price__eager(small: bool) -> Workload:
    return _goldstein_price(compiled=False)


def _sgd(lr: float, loss_of: Any) -> Any:
    def update(parameters: Tree, *data: jax.Array) -> tuple[Tree, jax.Array]:
        loss, gradients = jax.value_and_grad(loss_of)(parameters, *data)
        return jax.tree.map(lambda p, g: p - lr * g, parameters, gradients), loss

    return jax.jit(update, donate_argnums=0)


def _adam(
    lr: float, betas: tuple[float, float], eps: float, weight_decay: float, loss_of: Any
) -> Any:
    b1, b2 = betas

    def update(state: Tree, *data: jax.Array) -> tuple[Tree, jax.Array]:
        parameters, means, squares, count = state
        loss, gradients = jax.value_and_grad(loss_of)(parameters, *data)
        count = count + 1
        means = jax.tree.map(lambda m, g: b1 * m + (1 - b1) * g, means, gradients)
        squares = jax.tree.map(lambda v, g: b2 * v + (1 - b2) * g * g, squares, gradients)
        scale1 = 1 / (1 - b1**count)
        scale2 = 1 / (1 - b2**count)

        def moved(p: jax.Array, m: jax.Array, v: jax.Array) -> jax.Array:
            direction = m * scale1 / (jnp.sqrt(v * scale2) + eps)
            return p - lr * (direction + weight_decay * p)

        parameters = jax.tree.map(moved, parameters, means, squares)
        return (parameters, means, squares, count), loss

    return jax.jit(update, donate_argnums=0)


def _adam_state(parameters: Tree) -> Tree:
    means = jax.tree.map(jnp.zeros_like, parameters)
    squares = jax.tree.map(jnp.zeros_like, parameters)
    return parameters, means, squares, jnp.zeros((), jnp.float32)


def _training(
    update: Any,
    state: Tree,
    data: tuple[Any, ...],
    note: str,
    pick: Any,
    pick_gradients: Any = None,
) -> Workload:
    held = [jax.tree.map(jnp.array, state)]
    arrays = tuple(jnp.asarray(a) for a in data)

    def step() -> jax.Array:
        held[0], loss = update(held[0], *arrays)
        jax.block_until_ready(held[0])
        return jax.block_until_ready(loss)

    def check() -> Check:
        gradients = (lambda: pick_gradients(held[0])) if pick_gradients else None
        return training_check(step, lambda: pick(held[0]), gradients)

    return Workload(step, check, note)


def _mlp_parameters(case: inputs.MLP) -> Tree:
    return [
        (jnp.asarray(w), jnp.asarray(b)) for w, b in zip(case.weights, case.biases, strict=True)
    ]


def _mlp_loss(parameters: Tree, x: jax.Array, t: jax.Array) -> jax.Array:
    for w, b in parameters[:-1]:
        x = jax.nn.relu(x @ w + b)
    w, b = parameters[-1]
    return _cross_entropy(x @ w + b, t)


def mlp(small: bool) -> Workload:
    case = inputs.mlp(small)

    def pick(parameters: Tree) -> dict[str, Any]:
        return {f"W{i}": w for i, (w, _) in enumerate(parameters)} | {
            f"b{i}": b for i, (_, b) in enumerate(parameters)
        }

    update = _sgd(case.lr, _mlp_loss)
    return _training(update, _mlp_parameters(case), (case.x, case.t), "jit", pick)


def hvp(small: bool) -> Workload:
    case = inputs.mlp(small)
    parameters = _mlp_parameters(case)
    directions = [
        (jnp.asarray(w), jnp.asarray(b))
        for w, b in zip(case.weight_directions, case.bias_directions, strict=True)
    ]
    x, t = jnp.asarray(case.x), jnp.asarray(case.t)

    @jax.jit
    def product(parameters: Tree, directions: Tree, x: jax.Array, t: jax.Array) -> Tree:
        def dot(parameters: Tree) -> jax.Array:
            gradients = jax.grad(_mlp_loss)(parameters, x, t)
            products = jax.tree.map(jnp.vdot, gradients, directions)
            return sum(jax.tree.leaves(products), start=jnp.zeros(()))

        return jax.grad(dot)(parameters)

    def step() -> Tree:
        return jax.block_until_ready(product(parameters, directions, x, t))

    def check() -> Check:
        return {"norms": [norm(h) for h in jax.tree.leaves(step())]}

    return Workload(step, check, "jit, jax.grad twice")


def _lstm_loss(parameters: Tree, xs: jax.Array, ts: jax.Array) -> jax.Array:
    """The sum over the steps of the mean squared error."""
    p = parameters

    def cell(carry: Tree, pair: Tree) -> tuple[Tree, jax.Array]:
        (h, c), (x, t) = carry, pair
        gates = x @ p["wx"] + h @ p["wh"] + p["b"]
        forget, enter, leave, update = jnp.split(gates, 4, axis=1)
        c = jax.nn.sigmoid(forget) * c + jax.nn.sigmoid(enter) * jnp.tanh(update)
        h = jax.nn.sigmoid(leave) * jnp.tanh(c)
        return (h, c), jnp.mean((h @ p["w_out"] + p["b_out"] - t) ** 2)

    zeros = jnp.zeros((xs.shape[1], p["w_out"].shape[0]), xs.dtype)
    # Unrolling every step takes XLA a minute to compile and runs no faster.
    return jnp.sum(jax.lax.scan(cell, (zeros, zeros), (xs, ts), unroll=5)[1])


def _lstm_sequence_loss(parameters: Tree, xs: jax.Array, ts: jax.Array) -> jax.Array:
    return _lstm_loss(parameters, xs, ts) / len(xs)


def lstm_cell(small: bool) -> Workload:
    return _lstm(inputs.lstm(small), _lstm_loss)


def lstm_sequence(small: bool) -> Workload:
    return _lstm(inputs.lstm_sequence(small), _lstm_sequence_loss)


def _lstm(case: inputs.LSTM, loss_of: Any) -> Workload:
    parameters = {
        "wx": jnp.hstack([case.wx[g] for g in "fiou"]),
        "wh": jnp.hstack([case.wh[g] for g in "fiou"]),
        "b": jnp.hstack([case.b[g] for g in "fiou"]),
        "w_out": jnp.asarray(case.w_out),
        "b_out": jnp.asarray(case.b_out),
    }
    update = _adam(case.lr, case.betas, case.eps, 0.0, loss_of)
    state = _adam_state(parameters)

    def gradients(state: Tree) -> Tree:  # after the first step, from Adam's means of them
        return {name: mean / (1 - case.betas[0]) for name, mean in state[1].items()}

    note = "jit, lax.scan over the cell"
    return _training(update, state, (case.xs, case.ts), note, lambda state: state[0], gradients)


def _cnn_loss(parameters: Tree, x: jax.Array, t: jax.Array) -> jax.Array:
    for i, (w, b) in enumerate(parameters["convs"]):
        x = jax.nn.relu(jax.lax.conv(x, w, (1, 1), "SAME") + b[:, None, None])
        if i % 2:
            window = (1, 1, 2, 2)
            x = jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, window, window, "VALID")
    x = x.reshape(x.shape[0], -1)
    return _cross_entropy(x @ parameters["w_out"] + parameters["b_out"], t)


def cnn(small: bool) -> Workload:
    case = inputs.cnn(small)
    parameters = {
        "convs": [
            (jnp.asarray(w), jnp.asarray(b))
            for w, b in zip(case.filters, case.filter_biases, strict=True)
        ],
        "w_out": jnp.asarray(case.w_out),
        "b_out": jnp.asarray(case.b_out),
    }

    def pick(parameters: Tree) -> dict[str, Any]:
        found = {f"W{i}": w for i, (w, _) in enumerate(parameters["convs"])}
        found |= {f"b{i}": b for i, (_, b) in enumerate(parameters["convs"])}
        return found | {name: parameters[name] for name in ("w_out", "b_out")}

    return _training(_sgd(case.lr, _cnn_loss), parameters, (case.x, case.t), "jit", pick)


def _layer_norm(x: jax.Array, gamma: jax.Array, beta: jax.Array, eps: float) -> jax.Array:
    mean = x.mean(-1, keepdims=True)
    variance = jnp.square(x - mean).mean(-1, keepdims=True)
    return (x - mean) * jax.lax.rsqrt(variance + eps) * gamma + beta


def _gpt_block(p: Tree, x: jax.Array, heads: int, eps: float) -> jax.Array:
    batch, length, width = x.shape
    inner = _layer_norm(x, p["ln1_gamma"], p["ln1_beta"], eps)
    q, k, v = (
        part.reshape(batch, length, heads, -1)
        for part in jnp.split(inner @ p["w_qkv"] + p["b_qkv"], 3, axis=-1)
    )
    mixed = jax.nn.dot_product_attention(q, k, v, is_causal=True)
    x = x + mixed.reshape(batch, length, width) @ p["w_proj"] + p["b_proj"]
    inner = _layer_norm(x, p["ln2_gamma"], p["ln2_beta"], eps)
    inner = jax.nn.gelu(inner @ p["w_up"] + p["b_up"], approximate=True)
    return x + inner @ p["w_down"] + p["b_down"]


def gpt(small: bool) -> Workload:
    case = inputs.gpt(small)
    tables = ("token_table", "position_table", "final_gamma", "final_beta", "w_head")
    parameters: dict[str, Any] = {name: jnp.asarray(getattr(case, name)) for name in tables}
    parameters["blocks"] = [
        {name: jnp.asarray(a) for name, a in vars(block).items()} for block in case.blocks
    ]

    def loss_of(p: Tree, ids: jax.Array, targets: jax.Array) -> jax.Array:
        x = p["token_table"][ids] + p["position_table"][: ids.shape[1]]
        for block in p["blocks"]:
            x = _gpt_block(block, x, case.heads, case.ln_eps)
        x = _layer_norm(x, p["final_gamma"], p["final_beta"], case.ln_eps)
        return _cross_entropy(x @ p["w_head"], targets)

    def pick(state: Tree) -> dict[str, Any]:
        p, block = state[0], state[0]["blocks"][0]
        return {
            "tokens": p["token_table"], "positions": p["position_table"],
            "ln1": block["ln1_gamma"], "up": block["w_up"], "proj": block["w_proj"],
            "ln": p["final_gamma"], "head": p["w_head"],
        }  # fmt: skip

    update = _adam(case.lr, case.betas, case.eps, case.weight_decay, loss_of)
    return _training(update, _adam_state(parameters), (case.ids, case.targets), "jit", pick)


def elementwise(small: bool) -> Workload:
    x, y = (jnp.asarray(a) for a in inputs.elementwise(small))

    def loss_of(x: jax.Array, y: jax.Array) -> jax.Array:
        return formulas.elementwise(x, y, jnp)

    run = jax.jit(jax.value_and_grad(loss_of, argnums=(0, 1)))

    def step() -> Tree:
        return jax.block_until_ready(run(x, y))

    def check() -> Check:
        value, (gx, gy) = step()
        return {"value": [float(value)], "gradient norms": [norm(gx), norm(gy)]}

    return Workload(step, check, "jit")
