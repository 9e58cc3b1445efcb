"""What the examples share: arguments, data, a progress bar, a schedule, pictures."""

from __future__ import annotations

import argparse
import importlib
import math
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

import dezero
from dezero import Dataset, datasets
from dezero.datasets.formats import read_idx
from dezero.download import DownloadError, get_cache_dir

IMAGES, LABELS = "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"
TEXT = "shakespear.txt"  # the name that dezero.datasets.Shakespear gives it in the cache folder


def options(doc: str, goal: str, smaller: bool = False, **more: dict) -> Any:
    """Read the command line and seed every draw.

    ``goal`` is what the example measures; ``--at-least`` (where smaller is better
    ``--at-most``) makes it fail on a worse result. ``more`` are options of the example's own.
    """
    parser = argparse.ArgumentParser(description=doc.split("\n")[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("out"), help="folder for pictures (out)")
    parser.add_argument("--quick", action="store_true", help="seconds: see it run, not learn")
    limit = "--at-most" if smaller else "--at-least"
    parser.add_argument(
        limit, dest="limit", type=float, help=f"fail on a worse {goal}".replace("%", "%%")
    )
    for name, option in more.items():
        parser.add_argument(f"--{name}", **option)
    args = parser.parse_args()
    args.goal, args.sign = goal, -1 if smaller else 1
    dezero.seed(args.seed)
    args.start = time.perf_counter()
    return args


def arguments(doc: str, epochs: int, goal: str, smaller: bool = False, **more: dict) -> Any:
    """Read the command line of a network that is trained on data: `options` and these."""
    data = {
        "data": {"type": Path, "help": "folder of the IDX files, or the text file"},
        "download": {"action": "store_true", "help": "fetch the data if need be"},
        "epochs": {"type": int, "help": f"times through the data ({epochs})"},
    }
    args = options(doc, goal, smaller, **data, **more)
    if args.epochs is None:
        args.epochs = 1 if args.quick else epochs
    return args


def report(args: Any, value: float, line: str) -> None:
    """Print the result in one line; leave with status 1 where it is worse than was asked for."""
    print(f"{line} ({time.perf_counter() - args.start:.0f} s, seed {args.seed})")
    if args.limit is not None and not args.sign * value >= args.sign * args.limit:
        raise SystemExit(f"{args.goal}: {value:.4g} does not reach {args.limit:g}")


def package(module: str, name: str) -> Any:
    """Import a module, or say in one line which package has to be installed for it, and leave."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        script = Path(sys.argv[0]).name
        raise SystemExit(f"{script} needs {name}: pip install {name} ({error})") from None


def mauna_loa() -> tuple[np.ndarray, np.ndarray]:
    """Return times in years and the CO2 in the air at Mauna Loa in ppm, monthly means 1958-2001.

    They are made of the weekly flask samples that statsmodels carries (C. Keeling, T. Whorf,
    Scripps Institution of Oceanography); months without any are left out.
    """
    weekly = package("statsmodels.datasets.co2", "statsmodels").load_pandas().data["co2"]
    monthly = weekly.resample("MS").mean().dropna()
    date = monthly.index
    return (date.year + (date.month - 0.5) / 12).to_numpy(), monthly.to_numpy()


class Digits(Dataset):
    """Images of shape (N, 1, 28, 28), float32 from 0 to 1, and which digits they are."""

    def __init__(self, images: np.ndarray, label: np.ndarray) -> None:
        self._given = images, label
        super().__init__()

    def prepare(self) -> None:
        """Take what was given."""
        self.data, self.label = self._given


def digits(args: Any) -> tuple[Digits, Digits]:
    """Return four fifths of MNIST's 10,000 test images to train on, and a fifth held out.

    The two parts are the same for every ``--seed``, so that results can be compared.
    """
    what = f"{IMAGES} and {LABELS}"
    if args.download and args.data is None:
        fetch(datasets.MNIST.files["test images"], datasets.MNIST.files["test labels"])
    folder = args.data or Path(get_cache_dir())
    if not all((folder / name).is_file() for name in (IMAGES, LABELS)):
        missing(what, folder, "their folder")
    try:
        images, label = read_idx(str(folder / IMAGES), 3), read_idx(str(folder / LABELS), 1)
    except (ValueError, OSError) as error:
        raise SystemExit(str(error)) from None
    order = np.random.default_rng(0).permutation(len(images))[: 500 if args.quick else None]
    x, t = images[order, None].astype(np.float32) / 255, label[order].astype(int)
    n = len(x) * 4 // 5
    return Digits(x[:n], t[:n]), Digits(x[n:], t[n:])


class Text:
    """A text as numbers of characters: the first nine tenths to train on, the rest held out."""

    def __init__(self, text: str) -> None:
        self.characters = sorted(set(text))
        numbers = {character: i for i, character in enumerate(self.characters)}
        ids = np.array([numbers[character] for character in text], dtype=int)
        n = len(ids) * 9 // 10
        self.train, self.held_out = ids[:n], ids[n:]

    def __str__(self) -> str:
        sizes = f"{len(self.train):,} characters, {len(self.held_out):,} held out"
        return f"{sizes}, {len(self.characters)} different ones"

    def read(self, ids: Any) -> str:
        """Return the characters with these numbers."""
        return "".join(self.characters[i] for i in ids)


def text(args: Any) -> Text:
    """Read a text file, by default the Shakespeare of `dezero.datasets.Shakespear`."""
    if args.download and args.data is None:
        fetch(datasets.Shakespear.file)
    path = args.data or Path(get_cache_dir()) / TEXT
    if not path.is_file():
        missing("a text, a megabyte or so", path, "the file")
    try:
        content = path.read_text(encoding="utf-8")
    except (UnicodeDecodeError, OSError) as error:
        raise SystemExit(f"{path} is not a text in UTF-8: {error}") from None
    if len(content) < 10_000:
        raise SystemExit(f"{path} has {len(content)} characters: too few, 10,000 are the least")
    return Text(content[: 20_000 if args.quick else None])


def fetch(*files: Any) -> None:
    """Download files into DeZero's cache folder unless they are there."""
    try:
        for file in files:
            file.fetch()
    except DownloadError as error:
        raise SystemExit(str(error)) from None


def missing(what: str, place: Path, thing: str) -> None:
    """Say in one line which data are missing and where they belong, and leave."""
    raise SystemExit(
        f"{Path(sys.argv[0]).name} needs {what}, not found at {place}: put it there, "
        f"or name {thing} with --data, or let --download fetch it."
    )


class _NoBar:
    """What stands for the progress bar where tqdm is not installed."""

    def __enter__(self) -> _NoBar:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def update(self, n: int = 1) -> None:
        """Count, silently."""

    def set_postfix_str(self, words: str) -> None:
        """Say nothing."""


def progress(total: int, unit: str) -> Any:
    """Return a tqdm bar; it shows on a terminal only, so that logs stay short."""
    try:
        from tqdm import tqdm
    except ImportError:
        return _NoBar()
    form = "{percentage:3.0f}% {bar:20} {rate_fmt}, {remaining} left{postfix}"
    return tqdm(total=total, unit=f" {unit}", bar_format=form, disable=None)


def schedule(step: int, steps: int, warmup: int = 0) -> float:
    """Return the share of the learning rate at a step: up a line, then down half a cosine."""
    if step < warmup:
        return (step + 1) / warmup
    part = (step - warmup) / max(steps - warmup, 1)
    return 0.5 * (1 + math.cos(math.pi * min(part, 1)))


def adam(objective: Any, p: dict, steps: int, rate: float, draw: Any = tuple) -> dict:
    """Minimise ``objective(p, *draw())`` over a dict of arrays; the rate falls to zero.

    ``objective`` returns the value and the gradient, as `dezero.value_and_grad` makes it.
    """
    m = {name: np.zeros_like(w) for name, w in p.items()}
    v = {name: np.zeros_like(w) for name, w in p.items()}
    with progress(steps, "steps") as bar:
        for step in range(1, steps + 1):
            value, g = objective(p, *draw())
            now = rate * schedule(step - 1, steps) / (1 - 0.9**step)
            for name in p:
                m[name] = 0.9 * m[name] + 0.1 * g[name]
                v[name] = 0.999 * v[name] + 0.001 * g[name] ** 2
                spread = np.sqrt(v[name] / (1 - 0.999**step)) + 1e-8
                p = p | {name: p[name] - now * m[name] / spread}
            bar.update()
            bar.set_postfix_str(f", loss {float(value):.3g}")
    return p


def predict(model: Any, images: np.ndarray) -> np.ndarray:
    """Return the model's probabilities of the classes, in test mode, batch by batch."""
    with dezero.no_grad(), dezero.test_mode():
        parts = [model(images[i : i + 500]) for i in range(0, len(images), 500)]
        return np.concatenate([dezero.functions.softmax(y).data for y in parts])


def accuracy(model: Any, data: Digits) -> float:
    """Return the share of images that the model takes for the right class, in percent."""
    return 100 * float((predict(model, data.data).argmax(axis=1) == data.label).mean())


def subplots(width: float, height: float, **more: Any) -> tuple[Any, Any]:
    """Return a figure of this size in inches, and its axes."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=(width, height), **more)


def save(figure: Any, path: Path) -> None:
    """Write a figure into a PNG."""
    import matplotlib.pyplot as plt

    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150, bbox_inches="tight")
    plt.close(figure)


def picture(
    path: Path, images: np.ndarray, columns: int, title: str, names: list[str] | None = None
) -> None:
    """Draw images, of shape (N, 1, H, W) or (N, H, W), row by row into a PNG."""
    h, w = images.shape[-2:]
    rows, gap = -(-max(len(images), 1) // columns), 10 if names else 2
    sheet = np.full((rows * (h + gap), columns * (w + gap)), np.nan)
    figure, axes = subplots(columns * (w + gap) / 42, rows * (h + gap) / 42 + 0.6)
    for i, image in enumerate(images.reshape(-1, h, w)):
        top, left = i // columns * (h + gap) + gap, i % columns * (w + gap) + gap // 2
        sheet[top : top + h, left : left + w] = image
        if names:
            axes.text(left, top - 1, names[i], fontsize=7)
    axes.imshow(sheet, cmap="gray_r")
    axes.set_title(title, fontsize=10)
    axes.axis("off")
    save(figure, path)
