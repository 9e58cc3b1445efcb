"""How long the first use of each compiled kernel takes: CPU seconds, with nothing on the disk.

``python benchmarks/compile_times.py`` measures all of them, each in a process of its own with an
empty cache; ``--only lstm,conv2d`` those whose names begin so; ``--check`` fails if one is above
the bar. What is reported is the CPU time of the first call less that of the second, when Numba
itself is warm. A gradient is measured after its forward kernel, as in training.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import pkgutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

BAR = 1.0
"""CPU seconds that the first use of a kernel may take."""

Calls = Iterator[tuple[str, Callable[[], Any]]]


def array(*shape: int) -> Any:
    return np.random.default_rng(0).standard_normal(shape, np.float32)


def convolution(c: int, o: int, k: int, stride: int = 1, groups: int = 1, fast: bool = False):
    """Yield a convolution and its gradients: the second word of a row says which algorithm."""
    import dezero
    from dezero.kernels import convolution as kernels

    x, W, args = array(8, c, 16, 16), array(o, c // groups, k, k), (stride, k // 2, 1, groups)
    size = (16 - 1) // stride + 1
    gy = array(8, o, size, size)

    def configured(function: Callable[..., Any], *arrays: Any) -> Callable[[], Any]:
        def call() -> Any:
            with dezero.using_config("fast_winograd", fast):
                return function(*arrays, *args)

        return call

    yield "forward", configured(kernels.conv2d, x, W, None)
    yield "input gradient", configured(kernels.conv2d_input_grad, gy, W, (16, 16))
    yield "weight gradient", configured(kernels.conv2d_weight_grad, x, gy, (k, k))


def direct() -> Calls:
    yield from convolution(16, 32, 5)


def strided() -> Calls:
    yield from convolution(16, 48, 3, 2)


def winograd() -> Calls:
    yield from convolution(16, 32, 3)


def winograd_4() -> Calls:
    yield from convolution(16, 32, 3, fast=True)


def depthwise() -> Calls:
    yield from convolution(16, 16, 3, groups=16)


def winograd_few_tiles() -> Calls:
    """Many filters on few tiles: another kernel."""
    from dezero.kernels import convolution as kernels

    x, W = array(2, 128, 8, 8), array(128, 128, 3, 3)
    yield "forward", lambda: kernels.conv2d(x, W, None, 1, 1)


def channel_sum() -> Calls:
    from dezero.kernels import convolution as kernels

    x = array(8, 16, 16, 16)
    yield "forward", lambda: kernels.channel_sum(x)


def attention() -> Calls:
    from dezero.kernels import attention as kernels

    q, k, v, gy = (array(2, 2, 64, 64) for _ in range(4))
    y, lse = kernels.attention.reference(q, k, v, None, True)
    yield "forward", lambda: kernels.attention(q, k, v, None, True)
    yield "gradient", lambda: kernels.attention_grad(gy, q, k, v, None, True, y, lse)


def recurrent(name: str, gates: int, biases: int) -> Calls:
    from dezero.kernels import recurrent as kernels

    T, N, F, H = 4, 8, 32, 32
    W, x, h, state = array(F + H + biases, gates * H), array(T, N, F), array(N, H), array(N, H)
    states, wanted = ((h, state), 3) if name == "lstm" else ((h,), 2)

    def run() -> Any:
        return getattr(kernels, name)(W, x, *states, {}, False, True)

    yield "forward", run
    *_, pull = run()
    yield "gradient", lambda: pull(x, *states, (True,) * wanted)


def lstm() -> Calls:
    yield from recurrent("lstm", 4, 1)


def gru() -> Calls:
    yield from recurrent("gru", 3, 2)


def batch_norm(*shape: int) -> Calls:
    from dezero.kernels import normalization as kernels

    x, p = array(*shape), array(shape[1])
    yield "forward", lambda: kernels.batch_norm(x, p, p, 1e-5, None, None)
    yield "gradient", lambda: kernels.batch_norm_grad(x, x, p, p, p, False)


def batch_norm_planes() -> Calls:
    yield from batch_norm(8, 16, 16, 16)


def batch_norm_columns() -> Calls:
    yield from batch_norm(128, 256)


def normalization() -> Calls:
    from dezero.kernels import normalization as kernels

    x, p, s = array(64, 512), array(512), array(64, 1)
    yield "layer", lambda: kernels.layer_norm(x, p, p, 1e-5)
    yield "layer gradient", lambda: kernels.layer_norm_grad(x, x, p, s, s)
    images, p, s = array(8, 16, 16, 16), array(16), array(8, 4, 1)
    yield "group", lambda: kernels.group_norm(images, p, p, 4, 1e-5)
    yield "group gradient", lambda: kernels.group_norm_grad(images, images, p, s, s)


def softmax() -> Calls:
    from dezero.kernels import softmax as kernels

    x, labels = array(64, 512), np.arange(64)
    log_z = np.zeros(64)
    yield "softmax", lambda: kernels.softmax(x, 1)
    yield "softmax gradient", lambda: kernels.softmax_grad(x, x, 1)
    yield "log_softmax", lambda: kernels.log_softmax(x, 1)
    yield "log_softmax gradient", lambda: kernels.log_softmax_grad(x, x, 1)
    yield "cross_entropy", lambda: kernels.cross_entropy(x, labels, 0.1)
    yield "cross_entropy gradient", lambda: kernels.cross_entropy_grad(x, labels, log_z, 1.0, 0.1)
    yield "with sigmoid", lambda: kernels.sigmoid_cross_entropy(x, abs(x))
    yield "with sigmoid, gradient", lambda: kernels.sigmoid_cross_entropy_grad(x, abs(x), 1.0)


def elementwise() -> Calls:
    from dezero.kernels import activations, dropout, indexing, reductions
    from dezero.kernels import elementwise as kernels

    x = array(128, 1024)
    rows, mask = np.arange(128), x > 0
    for name in ("exp", "tanh", "sigmoid", "relu"):
        yield name, lambda name=name: getattr(kernels, name)(x)
    for name in ("tanh_grad", "sigmoid_grad", "relu_grad"):
        yield name, lambda name=name: getattr(kernels, name)(x, x)
    yield "silu", lambda: activations.silu(x)
    yield "silu_grad", lambda: activations.silu_grad(x, x)
    for kind in ("tanh", "none"):
        yield f"gelu {kind}", lambda kind=kind: activations.gelu(x, kind)
        yield f"gelu_grad {kind}", lambda kind=kind: activations.gelu_grad(x, x, kind)
    yield "dropped", lambda: dropout.dropped(x, mask, 2.0)
    yield "add_rows", lambda: indexing.add_rows(x, rows, (256, 1024))
    yield "sum_rows", lambda: reductions.sum_rows(x)


def products() -> Calls:
    """On two threads: NumPy serves one."""
    import dezero
    from dezero.core.threads import share
    from dezero.kernels import products as kernels

    dezero.set_num_threads(2)
    share(lambda t, n: None)  # the pool's own functions
    x, W = array(100, 784), array(784, 1000)
    yield "product", lambda: kernels.product(x, W)


def pooling() -> Calls:
    from dezero.kernels import pooling as kernels

    x = array(8, 16, 16, 16)
    y, w = kernels.max_pooling_with_winners.reference(x, 2, 2, 0)
    size, three = (16, 16), kernels.average_pooling.reference(x, 3, 1, 1)
    yield "maxima", lambda: kernels.max_pooling(x, 2, 2)
    yield "scatter pairs", lambda: kernels.pool_scatter(y, w, size, 2, 2, 0)
    yield "scatter", lambda: kernels.pool_scatter(y, w, (17, 17), 3, 2, 0)
    yield "gather", lambda: kernels.pool_gather(x, w, 2, 2, 0)
    yield "means", lambda: kernels.average_pooling(x, 2, 2)
    yield "means, gradient", lambda: kernels.average_pooling_grad(y, size, 2, 2)
    yield "means of overlaps, gradient", lambda: kernels.average_pooling_grad(three, size, 3, 1, 1)


def optimizers() -> Calls:
    from dezero.kernels.cpu import optimizers as kernels

    rates = (0.1, 0.1, 0.1, 0.1, 0.9)
    for rule, arrays in (("sgd", 2), ("momentum", 3), ("adagrad", 3), ("rmsprop", 3),
                         ("adadelta", 4), ("adam", 4)):  # fmt: skip
        line = tuple(abs(array(128, 1024)) for _ in range(arrays))
        yield rule, lambda rule=rule, line=line: kernels.update(rule, [line], rates)


CASES = (
    direct, strided, depthwise, winograd, winograd_4, winograd_few_tiles, channel_sum, attention,
    lstm, gru, batch_norm_planes, batch_norm_columns, normalization, softmax, elementwise,
    products, pooling, optimizers,
)  # fmt: skip


def measure(name: str) -> dict[str, float]:
    """Return CPU seconds for each kernel of a case; this process must have an empty cache."""
    import numba

    import dezero
    import dezero.kernels.cpu as package

    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")
    dezero.set_num_threads(1)
    numba.njit(lambda x: x[1:].sum() + x.size)(np.ones(3, np.float32))
    case = next(case for case in CASES if case.__name__ == name)
    result = {}
    for kernel, call in case():
        start = time.process_time()
        call()
        middle = time.process_time()
        call()
        result[kernel] = 2 * middle - start - time.process_time()
    return result


def main(arguments: list[str] | None = None) -> int:
    """Print the table; with ``--check`` 1 where a kernel is above the bar."""
    parser = argparse.ArgumentParser(description=__doc__, prog="benchmarks/compile_times.py")
    parser.add_argument("--only", default="", help="names, or how they begin, with commas")
    parser.add_argument("--check", action="store_true", help="fail where the bar is missed")
    parser.add_argument("--measure", metavar="CASE", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.measure:
        print(json.dumps(measure(options.measure)))
        return 0
    above = 0
    for case in CASES:
        if not case.__name__.startswith(tuple(options.only.split(","))):
            continue
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, __file__, "--measure", case.__name__]
            path = os.pathsep.join((str(Path(__file__).parents[1]), *sys.path[1:]))
            env = {**os.environ, "NUMBA_CACHE_DIR": folder, "PYTHONPATH": path}
            out = subprocess.run(command, env=env, stdout=subprocess.PIPE, check=True)
        for kernel, seconds in json.loads(out.stdout).items():
            note = f"  above {BAR:g} s" if seconds > BAR else ""
            above += seconds > BAR
            print(f"{case.__name__:20}{kernel:30}{seconds:6.2f}{note}", flush=True)
    return int(options.check and above > 0)


if __name__ == "__main__":
    sys.exit(main())
