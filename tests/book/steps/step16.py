"""Step 16: generations put the functions of a graph in order."""

import numpy as np

from dezero.core_simple import Function, Variable


class Square(Function):
    def forward(self, x):
        return x**2

    def backward(self, gy):
        return 2 * self.inputs[0].data * gy


class Add(Function):
    def forward(self, x0, x1):
        return x0 + x1

    def backward(self, gy):
        return gy, gy


def square(x):
    return Square()(x)


def add(x0, x1):
    return Add()(x0, x1)


funcs = []
for generation in [2, 0, 1, 4, 2]:
    f = Function()
    f.generation = generation
    funcs.append(f)
funcs.sort(key=lambda f: f.generation)
assert [f.generation for f in funcs] == [0, 1, 2, 2, 4]
assert funcs.pop().generation == 4

x = Variable(np.array(2.0))
a = square(x)
y = add(square(a), square(a))
assert (x.generation, a.generation, y.generation) == (0, 1, 3)
assert a.creator.generation == 0
assert y.creator.generation == 2
y.backward()
print(y.data, x.grad)
assert y.data == 32.0
assert x.grad == 64.0
