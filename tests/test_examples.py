"""Each example runs to its end with tiny settings, and says in one line which data it lacks.

The data here are made up: the first pixels of an image say which digit it is, and the text
repeats one sentence. What the examples reach on real data is in examples/README.md.
"""

from __future__ import annotations

import gzip
import os
import re
import runpy
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dezero

pytest.importorskip("matplotlib")

FOLDER = Path(__file__).resolve().parent.parent / "examples"
OF_DIGITS = ["mnist_mlp", "mnist_cnn", "vae", "gan", "finetune_resnet"]
OF_TEXT = ["char_lstm", "char_gpt"]
OF_SCIENCE = {  # the package each needs, and the beginning of its last line
    "newton": ("matplotlib", "Newton: at most 6 steps"),
    "logistic_regression": ("sklearn", r"logistic regression: 9\d\.\d % of 143"),
    "gaussian_process": ("statsmodels", r"Gaussian process: error [12]\.\d+ ppm"),
    "physics_fit": ("statsmodels", r"box model: \d+ Jacobians; error \d\.\d+ ppm"),
    "neural_ode": ("scipy", r"neural ODE: \d\.\d+ off the true path"),
    "maml": ("matplotlib", r"MAML: error \d+\.\d+ after one step"),
}
PICTURES = {
    "mnist_mlp": "mlp_weights.png",
    "mnist_cnn": "cnn_mistakes.png",
    "vae": "vae.png",
    "gan": "gan.png",
}


def _idx(path: Path, array: np.ndarray) -> None:
    head = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    with gzip.open(path, "wb") as file:
        file.write(head + array.tobytes())


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("digits")
    label = np.arange(300, dtype=np.uint8) % 10
    images = np.random.default_rng(0).integers(0, 60, (300, 28, 28), np.uint8)
    for i, digit in enumerate(label):
        images[i, 2 * digit + 4 : 2 * digit + 8, 4:24] = 255
    _idx(folder / "t10k-images-idx3-ubyte.gz", images)
    _idx(folder / "t10k-labels-idx1-ubyte.gz", label)
    return folder


@pytest.fixture(scope="session")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("text") / "fox.txt"
    path.write_text("The quick brown fox jumps over the lazy dog.\n" * 400, encoding="utf-8")
    return path


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run an example in this process, which spares it the imports; return what it printed."""
    monkeypatch.syspath_prepend(str(FOLDER))
    # So little work is not worth the seconds that compiling the kernels takes.
    monkeypatch.setattr(dezero.Config, "compiled", False)

    def run(name: str, *options: str) -> str:
        path = FOLDER / f"{name}.py"
        monkeypatch.setattr(sys, "argv", [str(path), *options])
        runpy.run_path(str(path), run_name="__main__")
        out, err = capsys.readouterr()
        assert err == "", "no progress bar where nobody watches"
        return out

    yield run
    for name in ("common", "mnist_cnn"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize("name", OF_DIGITS)
def test_an_example_of_digits_runs(name: str, run: Any, digits: Path, tmp_path: Path) -> None:
    out = run(name, "--quick", "--data", str(digits), "--out", str(tmp_path / "out"))
    assert re.fullmatch(r".*\d.* \(\d+ s, seed 0\)\n", out), out
    if name in PICTURES:
        assert (tmp_path / "out" / PICTURES[name]).stat().st_size > 1000


@pytest.mark.parametrize("name", OF_TEXT)
def test_an_example_of_text_runs(name: str, run: Any, text: Path, tmp_path: Path) -> None:
    out = run(name, "--quick", "--data", str(text), "--out", str(tmp_path))
    last = out.splitlines()[-1]
    assert re.fullmatch(r"\w+: \d\.\d+ bits per character .* \(\d+ s, seed 0\)", last), out


@pytest.mark.parametrize("name", OF_SCIENCE)
def test_an_example_of_science_runs(name: str, run: Any, tmp_path: Path) -> None:
    package, line = OF_SCIENCE[name]
    pytest.importorskip(package)
    last = run(name, "--quick", "--out", str(tmp_path)).splitlines()[-1]
    assert re.fullmatch(rf"{line}.*; see .*{name}\.png \(\d+ s, seed 0\)", last), last
    assert (tmp_path / f"{name}.png").stat().st_size > 10_000


def test_fits_by_two_methods_agree(run: Any, tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    out = run("logistic_regression", "--out", str(tmp_path), "--at-least", "95")
    (apart,) = re.findall(r"the two fits differ by at most (\S+) in a weight", out)
    assert float(apart) < 0.01


def test_the_throw_hits_its_target(run: Any, tmp_path: Path) -> None:
    pytest.importorskip("scipy")
    out = run("neural_ode", "--quick", "--out", str(tmp_path))
    missed, plain, saved = (
        float(re.search(pattern, out)[1])
        for pattern in (r"(\S+) m off target", r"gradient: (\S+) MB", r"checkpoints (\S+) MB")
    )
    assert missed < 1e-8
    assert saved < plain / 3


def test_more_newton_steps_than_asked_for(run: Any, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="number of Newton steps: 6 does not reach 5"):
        run("newton", "--quick", "--out", str(tmp_path), "--at-most", "5")


@pytest.mark.parametrize(
    ("name", "module", "package"),
    [
        ("logistic_regression", "sklearn.datasets", "scikit-learn"),
        ("gaussian_process", "statsmodels.datasets.co2", "statsmodels"),
        ("physics_fit", "statsmodels.datasets.co2", "statsmodels"),
        ("neural_ode", "scipy.optimize", "scipy"),
    ],
)
def test_a_missing_package_is_named_in_one_line(
    name: str, module: str, package: str, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("scipy")
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(SystemExit) as caught:
        run(name)
    said = str(caught.value.code)
    assert re.fullmatch(rf"{name}\.py needs {package}: pip install {package} \(.*\)", said), said


def test_a_second_run_with_the_same_seed_is_the_same(
    run: Any, digits: Path, tmp_path: Path
) -> None:
    options = ("--quick", "--data", str(digits), "--out", str(tmp_path), "--seed")
    first, again, other = (run("vae", *options, seed).split("(")[0] for seed in "778")
    assert first == again != other


def test_an_example_learns(run: Any, digits: Path, tmp_path: Path) -> None:
    options = ("--quick", "--data", str(digits), "--out", str(tmp_path))
    run("mnist_mlp", *options, "--epochs", "5", "--at-least", "90")
    with pytest.raises(SystemExit, match=r"accuracy in %: .* does not reach 101"):
        run("mnist_mlp", *options, "--at-least", "101")


def test_fewer_bits_than_a_guess(run: Any, text: Path, tmp_path: Path) -> None:
    options = ("--quick", "--data", str(text), "--out", str(tmp_path))
    run("char_gpt", *options, "--epochs", "4", "--at-most", "4.0")
    with pytest.raises(SystemExit, match=r"bits per character: .* does not reach 0"):
        run("char_gpt", *options, "--at-most", "0")


@pytest.mark.parametrize("name", OF_DIGITS + OF_TEXT)
def test_without_data_it_says_so_in_one_line(
    name: str, run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEZERO_CACHE", str(tmp_path / "cache"))
    with pytest.raises(SystemExit) as caught:
        run(name, "--out", str(tmp_path))
    said = str(caught.value.code)
    assert re.fullmatch(rf"{name}\.py needs .*{re.escape(str(tmp_path))}.* --data.*", said), said


@pytest.mark.parametrize("name", OF_DIGITS + OF_TEXT)
def test_help_names_the_options(name: str, run: Any, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        run(name, "--help")
    assert "--data" in capsys.readouterr().out


def test_the_line_goes_to_standard_error_with_a_status(tmp_path: Path) -> None:
    command = [sys.executable, str(FOLDER / "mnist_mlp.py"), "--data", str(tmp_path / "none")]
    done = subprocess.run(
        [*command, "--out", str(tmp_path)],
        env=os.environ | {"PYTHONPATH": str(FOLDER.parent)},
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("mnist_mlp.py needs t10k-images-idx3-ubyte.gz and ")
    assert done.stderr.count("\n") == 1


def test_data_in_the_cache_folder_are_found(
    run: Any, digits: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEZERO_CACHE", str(digits))
    assert run("mnist_mlp", "--quick", "--out", str(tmp_path)).startswith("MLP: ")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("mnist_mlp", b"no gzip", "not a whole gzip file"),
        ("char_gpt", b"\xff\xfe\x00" * 9, "not a text in UTF-8"),
        ("char_lstm", b"short", "too few"),
    ],
)
def test_wrong_data_are_refused_in_one_line(
    name: str, content: bytes, message: str, run: Any, tmp_path: Path
) -> None:
    for file in ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"):
        (tmp_path / file).write_bytes(content)
    data = tmp_path if name == "mnist_mlp" else tmp_path / file
    with pytest.raises(SystemExit, match=message) as caught:
        run(name, "--data", str(data), "--out", str(tmp_path))
    assert "\n" not in str(caught.value.code)
