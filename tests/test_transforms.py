"""`dezero.transforms`: right for one item, and identical for a batch at once."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from dezero import random, transforms
from dezero.transforms import (
    AsType,
    CenterCrop,
    Compose,
    Convert,
    Flatten,
    Normalize,
    RandomHorizontalFlip,
    Resize,
    ToArray,
    ToFloat,
    ToInt,
    ToPIL,
    Transform,
)


@pytest.fixture
def package_generator() -> Iterator[None]:
    state = random.get_state()
    yield
    random.set_state(state)


PIXELS = np.arange(3 * 4 * 5, dtype=np.uint8).reshape(3, 4, 5)


def picture(mode: str = "RGB") -> Image.Image:
    return Image.fromarray(PIXELS.transpose(1, 2, 0).copy()).convert(mode)


def test_importing_the_transforms_does_not_import_pillow() -> None:
    code = "import sys, dezero.transforms; assert 'PIL' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


BATCHED: list[tuple[Any, Any]] = [
    (lambda: Flatten(), np.uint8),
    (lambda: ToFloat(), np.uint8),
    (lambda: AsType(np.float16), np.float64),
    (lambda: ToInt(), np.float32),
    (lambda: ToArray(), np.uint8),
    (lambda: Normalize(0.0, 255.0), np.float32),
    (lambda: Normalize(3, 7), np.uint8),
    (lambda: Normalize([1, 2, 3], [0.5, 0.25, 4]), np.float32),
    (lambda: Normalize(np.array([0.1, 0.2, 0.3]), 2), np.float64),
    (lambda: RandomHorizontalFlip(0.5, seed=3), np.float32),
    (lambda: Compose([]), np.uint8),
    (lambda: Compose([Flatten(), ToFloat(), Normalize(0.0, 255.0)]), np.uint8),
    (lambda: Compose([RandomHorizontalFlip(seed=1), ToFloat(), Normalize(0.5, 0.5)]), np.uint8),
]


@pytest.mark.parametrize(("make", "dtype"), BATCHED)
@pytest.mark.parametrize("n", [1, 17])
def test_a_batch_at_once_is_what_item_by_item_gives(
    make: Any, dtype: npt.DTypeLike, n: int
) -> None:
    xs = np.random.default_rng(0).uniform(0, 255, (n, 3, 4, 5)).astype(dtype)
    before = xs.copy()
    one_by_one, at_once = make(), make()
    assert transforms.is_batched(at_once)
    want = np.stack([one_by_one(x) for x in xs])
    got = at_once.batch(xs)
    assert got.dtype == want.dtype
    np.testing.assert_array_equal(got, want)
    np.testing.assert_array_equal(xs, before)


@pytest.mark.parametrize("make", [make for make, _ in BATCHED])
def test_a_batch_of_no_items_stays_empty(make: Any) -> None:
    assert len(make().batch(np.zeros((0, 3, 4, 5), np.float32))) == 0


def test_compose_applies_in_order_and_nothing_leaves_the_item() -> None:
    assert Compose([lambda x: x + 1, lambda x: x * 10])(1) == 20
    item = object()
    assert Compose()(item) is item
    assert Compose([])(item) is item


def test_compose_with_a_plain_function_is_called_item_by_item() -> None:
    assert not Compose([Flatten(), lambda x: x]).batched
    assert Compose([Flatten(), ToFloat()]).batched


def test_compose_says_what_is_no_transform() -> None:
    with pytest.raises(TypeError, match="Compose: a transform is a callable of one item; got 3"):
        Compose([Flatten(), 3])  # type: ignore[list-item]


def test_a_transform_of_ones_own_must_say_what_it_does() -> None:
    class Mine(Transform):
        pass

    with pytest.raises(NotImplementedError, match="Mine must define __call__"):
        Mine()(1)
    with pytest.raises(NotImplementedError, match="Mine works on one item at a time"):
        Mine().batch(PIXELS)


def test_the_default_transform_of_a_dataset_can_be_read_in_help() -> None:
    text = repr(Compose([Flatten(), ToFloat(), Normalize(0.0, 255.0)]))
    assert text == "Compose([Flatten(), AsType(float32), Normalize(0.0, 255.0)])"
    others = [Convert(), Resize(2), CenterCrop((2, 3)), ToArray(), RandomHorizontalFlip()]
    assert repr(others) == (
        "[Convert('RGB'), Resize((2, 2)), CenterCrop((2, 3)), ToArray(float32), "
        "RandomHorizontalFlip(0.5)]"
    )


def test_convert_gives_the_mode_and_bgr_reverses_the_channels() -> None:
    assert Convert("L")(picture()).mode == "L"
    assert Convert()(picture("L")).mode == "RGB"
    np.testing.assert_array_equal(ToArray()(Convert("BGR")(picture())), PIXELS[::-1])


def test_resize_gives_width_by_height_bilinear_as_the_book() -> None:
    small = Resize((4, 2))(picture())
    assert small.size == (4, 2)
    want = picture().resize((4, 2), Image.Resampling.BILINEAR)
    np.testing.assert_array_equal(np.asarray(small), np.asarray(want))
    nearest = Resize(3, mode=Image.Resampling.NEAREST)(picture())
    want = picture().resize((3, 3), Image.Resampling.NEAREST)
    np.testing.assert_array_equal(np.asarray(nearest), np.asarray(want))


def test_center_crop_keeps_the_middle() -> None:
    np.testing.assert_array_equal(ToArray()(CenterCrop((3, 2))(picture())), PIXELS[:, 1:3, 1:4])
    np.testing.assert_array_equal(ToArray()(CenterCrop((2, 3))(picture())), PIXELS[:, :3, 1:3])


def test_center_crop_says_that_the_image_is_too_small() -> None:
    with pytest.raises(ValueError, match="cannot cut 6x4 out of an image of 5x4"):
        CenterCrop((6, 4))(picture())


@pytest.mark.parametrize("size", [0, -1, (1, 0), (1, 2, 3), 2.5, (2.5, 1)])
@pytest.mark.parametrize("make", [Resize, CenterCrop])
def test_a_wrong_size_is_said_when_the_transform_is_made(make: Any, size: Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        make(size)


def test_to_array_puts_channels_first_and_takes_grey_images() -> None:
    x = ToArray()(picture())
    assert x.dtype == np.float32 and x.flags.c_contiguous
    np.testing.assert_array_equal(x, PIXELS)
    assert ToArray(np.uint8)(picture("L")).shape == (1, 4, 5)
    assert ToArray(np.uint8)(picture()).dtype == np.uint8
    assert ToArray()(PIXELS) is PIXELS


def test_to_pil_undoes_to_array() -> None:
    for mode in ("RGB", "L", "RGBA"):
        image = ToPIL()(ToArray(np.uint8)(picture(mode)))
        assert image.mode == mode
        np.testing.assert_array_equal(np.asarray(image), np.asarray(picture(mode)))
    assert ToPIL()(PIXELS[0]).mode == "L"


def test_to_pil_says_what_it_cannot_take() -> None:
    with pytest.raises(TypeError, match=r"wants an array of uint8.*got an array of float32"):
        ToPIL()(PIXELS.astype(np.float32))
    with pytest.raises(ValueError, match=r"C of 1, 3 or 4, or \(H, W\); got \(2, 4, 5\)"):
        ToPIL()(PIXELS[:2])


@pytest.mark.parametrize(
    "transform", [Convert(), Resize(2), CenterCrop(2), RandomHorizontalFlip(), ToArray()]
)
def test_a_transform_of_images_says_what_it_got_instead(transform: Transform) -> None:
    name = type(transform).__name__
    with pytest.raises(TypeError, match=f"{name}: wants a Pillow image; got str"):
        transform("cat.png")


def test_an_array_where_an_image_belongs_gets_the_hint_to_convert_it() -> None:
    with pytest.raises(TypeError, match=r"an array of uint8, shape \(3, 4, 5\): put ToPIL\(\)"):
        Resize(2)(PIXELS)


def test_flip_mirrors_images_and_arrays_left_to_right() -> None:
    always, never = RandomHorizontalFlip(1.0), RandomHorizontalFlip(0.0)
    np.testing.assert_array_equal(always(PIXELS), PIXELS[:, :, ::-1])
    np.testing.assert_array_equal(never(PIXELS), PIXELS)
    np.testing.assert_array_equal(ToArray()(always(picture())), PIXELS[:, :, ::-1])
    np.testing.assert_array_equal(ToArray()(never(picture())), PIXELS)
    assert always(PIXELS).flags.c_contiguous


def test_flip_happens_with_its_probability() -> None:
    xs = np.tile(np.array([[0, 1]]), (4000, 1, 1))
    flipped = RandomHorizontalFlip(0.25, seed=0).batch(xs)[:, 0, 0]
    assert 0.22 < flipped.mean() < 0.28


def test_flip_can_be_repeated_with_a_seed_of_its_own_or_numpys() -> None:
    xs = np.tile(np.array([[0, 1]]), (50, 1, 1))
    np.random.seed(5)
    untouched = np.random.rand()
    np.random.seed(5)
    first = RandomHorizontalFlip(seed=7).batch(xs)
    np.testing.assert_array_equal(first, RandomHorizontalFlip(seed=7).batch(xs))
    assert np.random.rand() == untouched
    drawn = []
    for _ in range(2):
        np.random.seed(5)
        drawn.append(RandomHorizontalFlip().batch(xs))
    np.testing.assert_array_equal(drawn[0], drawn[1])
    np.random.seed(5)
    np.testing.assert_array_equal(np.stack([RandomHorizontalFlip()(x) for x in xs]), drawn[0])


def test_flip_follows_the_seed_of_the_package(package_generator: None) -> None:
    xs = np.tile(np.array([[0, 1]]), (50, 1, 1))
    drawn = []
    for _ in range(2):
        random.seed(5)
        drawn.append(RandomHorizontalFlip().batch(xs))
    np.testing.assert_array_equal(drawn[0], drawn[1])


def test_flip_says_what_is_no_probability_and_what_is_no_image() -> None:
    with pytest.raises(ValueError, match=r"p is a probability, 0 to 1; got 1\.5"):
        RandomHorizontalFlip(1.5)
    with pytest.raises(ValueError, match=r"got \(60,\): put it before Flatten"):
        RandomHorizontalFlip()(PIXELS.ravel())
    with pytest.raises(ValueError, match=r"got \(60,\): put it before Flatten"):
        RandomHorizontalFlip().batch(PIXELS.reshape(1, 60))


@pytest.mark.parametrize("mean", [0.5, np.float64(0.5), np.array(0.5), [0.5], [0.5] * 3])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_normalize_keeps_float32_whatever_the_statistics_are(mean: Any, dtype: Any) -> None:
    x = PIXELS.astype(dtype)
    y = Normalize(mean, mean)(x)
    assert y.dtype == dtype
    np.testing.assert_array_equal(y, (x - dtype(0.5)) / dtype(0.5))


def test_normalize_does_not_cut_fractions_off_for_integer_pixels() -> None:
    y = Normalize([0.5, 1.5, 2.5], [0.5, 0.5, 0.5])(PIXELS)
    assert y.dtype == np.float32
    np.testing.assert_allclose(y[2], (PIXELS[2] - 2.5) / 0.5)


def test_normalize_works_a_channel_at_a_time() -> None:
    x = PIXELS.astype(np.float32)
    y = Normalize([1, 2, 3], [4, 5, 6])(x)
    for c in range(3):
        np.testing.assert_array_equal(y[c], (x[c] - np.float32(1 + c)) / np.float32(4 + c))


def test_normalize_says_that_channels_do_not_match_or_that_std_is_zero() -> None:
    with pytest.raises(ValueError, match=r"mean has 2 values.*item's shape is \(3, 4, 5\)"):
        Normalize([1, 2])(PIXELS)
    with pytest.raises(ValueError, match=r"std has 2 values.*item's shape is \(3, 4, 5\)"):
        Normalize(0, [1, 2]).batch(PIXELS[np.newaxis])
    with pytest.raises(ValueError, match=r"std is divided by, so it cannot be 0; got \[1, 0\]"):
        Normalize(0, [1, 0])
    with pytest.raises(ValueError, match=r"one number or one for each channel; got shape \(2, 1"):
        Normalize([[1], [2]])  # type: ignore[list-item]


def test_the_cast_transforms_have_the_books_names_and_defaults() -> None:
    assert ToFloat is AsType
    assert ToFloat()(PIXELS).dtype == np.float32
    assert ToInt()(np.array([1.5])).dtype == np.dtype(int)
    assert AsType(np.float64)(3).dtype == np.float64
    assert Flatten()(PIXELS).shape == (60,)
