"""Step 52: the same program on a GPU, where there is one."""

import numpy as np

import dezero
import dezero.functions as F
from dezero import DataLoader, Variable, cuda, optimizers
from dezero.models import MLP

print("GPU:", dezero.cuda.gpu_enable)
assert isinstance(cuda.gpu_enable, bool)

a = np.array([1.0, 2.0, 3.0])
assert cuda.get_array_module(a) is np
assert cuda.get_array_module(Variable(a)) is np
assert isinstance(cuda.as_numpy(Variable(a)), np.ndarray)
assert np.array_equal(cuda.as_numpy(a), a)

x = Variable(np.ones((2, 3)))
x.to_cpu()
assert isinstance(x.data, np.ndarray)

train_set = dezero.datasets.MNIST(train=True)
train_loader = DataLoader(train_set, batch_size=100)
model = MLP((100, 10))
optimizer = optimizers.SGD(0.1).setup(model)

if dezero.cuda.gpu_enable:
    train_loader.to_gpu()
    model.to_gpu()
    xp = cuda.cupy
else:
    xp = np
    try:
        cuda.as_cupy(a)
    except Exception as error:
        message = str(error)
    else:
        message = "nothing was refused"
    print(message)
    assert "cupy" in message.lower(), "without CuPy, as_cupy must say what is missing"

history = []
for epoch in range(5):
    sum_loss = 0
    for x, t in train_loader:
        assert isinstance(x, xp.ndarray)
        y = model(x)
        loss = F.softmax_cross_entropy(y, t)
        model.cleargrads()
        loss.backward()
        optimizer.update()
        sum_loss += float(loss.data) * len(t)
    history.append(sum_loss / len(train_set))
    print(f"epoch {epoch + 1}: {history[-1]:.4f}")
assert history == sorted(history, reverse=True)

model.to_cpu()
train_loader.to_cpu()
assert all(isinstance(p.data, np.ndarray) for p in model.params())
