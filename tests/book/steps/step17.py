"""Step 17: a graph is freed at once, without the garbage collector."""

import gc
import tracemalloc
import weakref

import numpy as np

from dezero.core_simple import Function, Variable


class Square(Function):
    def forward(self, x):
        return x**2

    def backward(self, gy):
        return 2 * self.inputs[0].data * gy


def square(x):
    return Square()(x)


a = np.array([1, 2, 3])
b = weakref.ref(a)
assert b() is a
a = None
assert b() is None

was_enabled = gc.isenabled()
gc.collect()
gc.disable()
tracemalloc.start()
try:
    nbytes = 10000 * 8
    for _ in range(10):
        x = Variable(np.random.randn(10000))
        y = square(square(square(x)))
        creator = weakref.ref(y.creator)
        middle = weakref.ref(y.creator.inputs[0])
    now, peak = tracemalloc.get_traced_memory()
    y = None
    assert creator() is None, "a graph must go with its last variable"
    assert middle() is None
finally:
    tracemalloc.stop()
    if was_enabled:
        gc.enable()
print("peak", peak // 1024, "KiB for graphs of", 4 * nbytes // 1024, "KiB")
assert peak < 11 * nbytes, "ten graphs must not pile up"

x = Variable(np.array(2.0))
y = square(x)
assert y.creator.outputs[0]() is y, "outputs are held weakly"
