import numpy as np
import pytest

import dezero
from dezero import DataLoader, Dataset, SeqDataLoader


class Numbers(Dataset):
    def prepare(self):
        self.data = np.arange(10, dtype=np.float32).reshape(10, 1)
        self.label = np.arange(10) * 10


def test_in_order():
    loader = DataLoader(Numbers(), 4, shuffle=False)
    for _ in range(2):
        batches = list(loader)
        assert [x.shape for x, t in batches] == [(4, 1), (4, 1), (2, 1)]
        assert np.array_equal(np.concatenate([t for x, t in batches]), np.arange(10) * 10)
        assert batches[0][0].dtype == np.float32


def test_shuffled():
    loader = DataLoader(Numbers(), 3)
    rounds = []
    for _ in range(5):
        x, t = (np.concatenate(part) for part in zip(*loader, strict=True))
        assert np.array_equal(x[:, 0] * 10, t), "examples and labels stay together"
        assert sorted(t) == list(range(0, 100, 10))
        rounds.append(tuple(t))
    assert len(set(rounds)) > 1


def test_by_hand():
    loader = DataLoader(Numbers(), 5, shuffle=False)
    _, t = next(loader)
    assert np.array_equal(t, [0, 10, 20, 30, 40])
    _, t = loader.next()
    assert np.array_equal(t, [50, 60, 70, 80, 90])
    with pytest.raises(StopIteration):
        next(loader)


def test_a_sequence_read_in_several_places():
    loader = SeqDataLoader(Numbers(), batch_size=2)
    batches = [t for x, t in loader]
    assert [t.tolist() for t in batches] == [[0, 50], [10, 60], [20, 70], [30, 80], [40, 90]]


def test_dataset():
    data = Numbers(transform=lambda x: x + 1, target_transform=lambda t: -t)
    x, t = data[3]
    assert np.array_equal(x, [4.0])
    assert t == -30
    assert len(data) == 10
    assert Numbers(train=False).train is False


def test_spiral():
    train, test = dezero.datasets.Spiral(train=True), dezero.datasets.Spiral(train=False)
    assert len(train) == len(test) == 300
    assert train[0][0].shape == (2,)
    assert not np.array_equal(train.data, test.data)
