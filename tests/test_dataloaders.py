"""`dezero.dataloaders`: every item once an epoch, in the book's order, as arrays."""

from __future__ import annotations

import sys
import types
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import dezero
from dezero import random
from dezero.dataloaders import DataLoader, SeqDataLoader
from dezero.datasets import Dataset, Spiral
from dezero.transforms import AsType, Compose, Flatten, Normalize, ToFloat


class Numbers(Dataset):
    """Item i is the number i with the label 10 * i."""

    def __init__(self, n: int = 10, labelled: bool = True, **options: Any) -> None:
        self.n, self.labelled = n, labelled
        super().__init__(**options)

    def prepare(self) -> None:
        self.data = np.arange(self.n)
        self.label = 10 * self.data if self.labelled else None


def inputs(loader: DataLoader) -> list[list[int]]:
    return [x.tolist() for x, _ in loader]


def test_every_item_comes_once_an_epoch_and_the_last_batch_is_smaller() -> None:
    loader = DataLoader(Numbers(10), 3)
    for _ in range(3):
        batches = [(x, t) for x, t in loader]
        assert [len(x) for x, _ in batches] == [3, 3, 3, 1]
        x = np.concatenate([x for x, _ in batches])
        t = np.concatenate([t for _, t in batches])
        assert sorted(x.tolist()) == list(range(10))
        np.testing.assert_array_equal(t, 10 * x)


def test_the_number_of_batches_is_len_and_max_iter() -> None:
    assert len(DataLoader(Numbers(10), 3)) == DataLoader(Numbers(10), 3).max_iter == 4
    assert len(DataLoader(Numbers(9), 3)) == 3
    assert len(DataLoader(Numbers(0), 3)) == 0
    assert list(DataLoader(Numbers(0), 3)) == []


def test_drop_last_leaves_the_smaller_batch_out() -> None:
    loader = DataLoader(Numbers(10), 3, shuffle=False, drop_last=True)
    assert len(loader) == 3
    assert inputs(loader) == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]


def test_without_shuffle_the_order_is_the_datasets() -> None:
    loader = DataLoader(Numbers(5), 2, shuffle=False)
    assert inputs(loader) == inputs(loader) == [[0, 1], [2, 3], [4]]


def test_break_and_loop_again_starts_a_new_epoch() -> None:
    loader = DataLoader(Numbers(6), 2, shuffle=False)
    for x, _ in loader:
        assert x.tolist() == [0, 1]
        break
    assert inputs(loader) == [[0, 1], [2, 3], [4, 5]]


def test_break_and_loop_again_sees_every_item_in_a_new_order() -> None:
    loader = DataLoader(Numbers(100), 10, seed=0)
    first = next(iter(loader))[0].tolist()
    second = inputs(loader)
    assert sorted(np.ravel(second)) == list(range(100))
    assert second[0] != first


def test_loops_over_one_loader_can_be_nested() -> None:
    loader = DataLoader(Numbers(4), 2, shuffle=False)
    pairs = [(a.tolist(), b.tolist()) for a, _ in loader for b, _ in loader]
    assert pairs == [(a, b) for a in ([0, 1], [2, 3]) for b in ([0, 1], [2, 3])]


def test_next_goes_on_with_an_epoch_and_begins_another_after_its_end() -> None:
    loader = DataLoader(Numbers(4), 2, shuffle=False)
    for _ in range(2):
        assert loader.next()[0].tolist() == [0, 1]
        assert loader.iteration == 1
        assert next(loader)[0].tolist() == [2, 3]
        with pytest.raises(StopIteration):
            next(loader)
        assert loader.iteration == 0


def test_reset_goes_back_to_the_start() -> None:
    loader = DataLoader(Numbers(4), 2, shuffle=False)
    next(loader)
    loader.reset()
    assert next(loader)[0].tolist() == [0, 1]


class BookLoader:
    """When the book's loader draws from NumPy's global generator: made, and epoch done."""

    def __init__(self, n: int, batch_size: int) -> None:
        self.n, self.batch_size = n, batch_size
        self.order = np.random.permutation(n)

    def epoch(self) -> list[list[int]]:
        order, size = self.order, self.batch_size
        self.order = np.random.permutation(self.n)
        return [order[i : i + size].tolist() for i in range(0, self.n, size)]


def test_a_program_seeded_with_numpy_sees_the_books_order_and_draws() -> None:
    np.random.seed(0)
    book = BookLoader(20, 6)
    drawn_between = np.random.rand()
    want = [book.epoch(), book.epoch()]
    drawn_after = np.random.rand()

    np.random.seed(0)
    loader = DataLoader(Numbers(20), 6)
    assert np.random.rand() == drawn_between
    assert [inputs(loader), inputs(loader)] == want
    assert np.random.rand() == drawn_after


def test_the_seed_of_the_package_makes_the_order_repeatable() -> None:
    state = random.get_state()
    try:
        epochs = []
        for _ in range(2):
            random.seed(5)
            epochs.append(inputs(DataLoader(Numbers(20), 6)))
        assert epochs[0] == epochs[1]
    finally:
        random.set_state(state)


def test_a_seeded_loader_can_be_repeated_and_leaves_numpys_generator_alone() -> None:
    np.random.seed(1)
    untouched = np.random.rand()
    np.random.seed(1)
    first, second = (DataLoader(Numbers(20), 6, seed=3) for _ in range(2))
    epochs = [inputs(first), inputs(first)]
    assert [inputs(second), inputs(second)] == epochs
    assert epochs[0] != epochs[1]
    assert inputs(DataLoader(Numbers(20), 6, seed=4)) != epochs[0]
    assert np.random.rand() == untouched


def test_a_dataset_without_labels_gives_none_not_an_array_of_objects() -> None:
    for x, t in DataLoader(Numbers(4, labelled=False), 2):
        assert x.shape == (2,)
        assert t is None
    for _, t in DataLoader(Numbers(4, labelled=False, transform=lambda x: x), 2):
        assert t is None


class Images(Dataset):
    def prepare(self) -> None:
        rng = np.random.default_rng(0)
        self.data = rng.integers(0, 256, (10, 3, 4, 4), dtype=np.uint8)
        self.label = np.arange(10)


BOOK = Compose([Flatten(), ToFloat(), Normalize(0.0, 255.0)])


def test_an_array_under_batched_transforms_is_read_a_batch_at_a_time() -> None:
    calls: list[tuple[int, ...]] = []

    class Counted(AsType):
        def __call__(self, x: Any) -> Any:
            raise AssertionError("called for one item")

        def batch(self, xs: npt.NDArray[Any]) -> npt.NDArray[Any]:
            calls.append(xs.shape)
            return super().batch(xs)

    for x, _ in DataLoader(Images(transform=Counted()), 4):
        assert x.dtype == np.float32
    assert calls == [(4, 3, 4, 4), (4, 3, 4, 4), (2, 3, 4, 4)]


@pytest.mark.parametrize("transform", [None, BOOK, Normalize([1, 2, 3], 2)])
@pytest.mark.parametrize("target_transform", [None, ToFloat()])
def test_reading_a_batch_at_a_time_gives_what_item_by_item_gives(
    transform: Any, target_transform: Any
) -> None:
    fast = Images(transform=transform, target_transform=target_transform)
    slow = [fast[i] for i in range(len(fast))]
    for (x0, t0), (x1, t1) in zip(
        DataLoader(fast, 4, seed=0), DataLoader(slow, 4, seed=0), strict=True
    ):
        assert (x0.dtype, t0.dtype) == (x1.dtype, t1.dtype)
        np.testing.assert_array_equal(x0, x1)
        np.testing.assert_array_equal(t0, t1)


def test_writing_into_a_batch_does_not_change_the_dataset() -> None:
    images = Images()
    before = images.data.copy()
    for shuffle in (True, False):
        for x, t in DataLoader(images, 4, shuffle=shuffle):
            x[...] = 0
            t[...] = 0
    np.testing.assert_array_equal(images.data, before)
    np.testing.assert_array_equal(images.label, np.arange(10))


def test_a_dataset_with_its_own_way_to_an_item_is_asked_for_each_number() -> None:
    class Files(Dataset):
        def __getitem__(self, index: Any) -> tuple[Any, Any]:
            assert type(index) is int
            return np.full(2, index), index

        def __len__(self) -> int:
            return 5

    batches = list(DataLoader(Files(), 2, shuffle=False))
    assert batches[1][0].tolist() == [[2, 2], [3, 3]]
    assert batches[1][1].tolist() == [2, 3]


def test_a_list_of_pairs_is_a_dataset() -> None:
    x, t = next(DataLoader([(np.zeros(3, np.float32), 1)] * 4, 4))
    assert (x.shape, x.dtype, t.shape) == ((4, 3), np.float32, (4,))


def test_items_of_different_shapes_are_explained() -> None:
    pairs = [(np.zeros(2), 0), (np.zeros(3), 1)]
    with pytest.raises(ValueError, match=r"every input must have one shape; got \(2,\), \(3,\)"):
        next(DataLoader(pairs, 2))


def test_items_that_are_no_pairs_or_no_numbers_are_explained() -> None:
    with pytest.raises(TypeError, match=r"an item of the dataset is a pair \(x, t\); got int"):
        next(DataLoader([1, 2], 2))
    with pytest.raises(TypeError, match="an input of type object does not fit in an array"):
        next(DataLoader([(object(), 1)], 1))
    with pytest.raises(TypeError, match="1 of 2 labels are None, the others are not"):
        next(DataLoader([(1, None), (2, 3)], 2))


@pytest.mark.parametrize("batch_size", [0, -1])
def test_a_batch_size_below_one_is_explained(batch_size: int) -> None:
    with pytest.raises(
        ValueError, match=f"DataLoader: batch_size is at least 1; got {batch_size}"
    ):
        DataLoader(Numbers(), batch_size)
    with pytest.raises(ValueError, match="SeqDataLoader: batch_size is at least 1"):
        SeqDataLoader(Numbers(), batch_size)


def test_a_batch_size_that_is_no_whole_number_is_explained() -> None:
    with pytest.raises(TypeError, match=r"batch_size is a whole number; got 32\.0"):
        DataLoader(Numbers(), 32.0)  # type: ignore[arg-type]
    assert len(DataLoader(Numbers(), np.int64(5))) == 2  # type: ignore[arg-type]


def test_what_is_no_dataset_is_explained() -> None:
    with pytest.raises(TypeError, match=r"dataset is a dezero\.Dataset or a sequence.*got int"):
        DataLoader(3, 1)  # type: ignore[arg-type]


def test_drop_last_that_leaves_nothing_is_explained() -> None:
    with pytest.raises(ValueError, match="no batch: batch_size is 11, the dataset has 10 items"):
        DataLoader(Numbers(10), 11, drop_last=True)


def test_float32_data_stay_float32() -> None:
    x, t = next(DataLoader(Spiral(), 30))
    assert (x.shape, x.dtype, t.shape, t.dtype) == ((30, 2), np.float32, (30,), np.dtype(int))


def test_the_sequence_loader_continues_every_row_in_the_next_batch() -> None:
    loader = SeqDataLoader(Numbers(12), 3)
    batches = np.array(inputs(loader))
    np.testing.assert_array_equal(
        batches, np.array([[0, 4, 8], [1, 5, 9], [2, 6, 10], [3, 7, 11]])
    )
    assert [t.tolist() for _, t in loader] == (10 * batches).tolist()


def test_the_last_batch_steps_into_the_next_strand_as_in_the_book_when_they_do_not_divide() -> (
    None
):
    assert inputs(SeqDataLoader(Numbers(5), 2)) == [[0, 2], [1, 3], [2, 4]]
    assert inputs(SeqDataLoader(Numbers(7), 3)) == [[0, 2, 4], [1, 3, 5], [2, 4, 6]]


def test_break_and_loop_again_starts_the_sequence_anew() -> None:
    loader = SeqDataLoader(Numbers(6), 2)
    next(iter(loader))
    assert inputs(loader) == [[0, 3], [1, 4], [2, 5]]
    assert next(loader)[0].tolist() == [0, 3]


def test_more_strands_than_items_is_explained() -> None:
    with pytest.raises(ValueError, match="3 items do not make 4 strands"):
        SeqDataLoader(Numbers(3), 4)


def test_on_the_gpu_batches_are_converted_and_missing_labels_are_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cuda = types.ModuleType("dezero.cuda")
    cuda.as_cupy = lambda x: ("gpu", x.tolist())  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "dezero.cuda", cuda)
    monkeypatch.setattr(dezero, "cuda", cuda, raising=False)

    loader = DataLoader(Numbers(2), 2, shuffle=False, gpu=True)
    assert next(loader) == (("gpu", [0, 1]), ("gpu", [0, 10]))
    loader.to_cpu()
    loader.reset()
    assert next(loader)[0].tolist() == [0, 1]
    loader.to_gpu()
    loader.reset()
    assert next(loader)[0] == ("gpu", [0, 1])
    assert next(SeqDataLoader(Numbers(2, labelled=False), 2, gpu=True)) == (("gpu", [0, 1]), None)
