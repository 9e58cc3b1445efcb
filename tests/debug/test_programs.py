"""The programs of examples/debugging with a planted bug: the tool finds it, or they exit."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

import dezero

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "debugging"


@pytest.mark.parametrize(
    ("name", "package", "found"),
    [
        ("nan_in_lstm", "numpy", "one number of lstms/2/h2u/W is NaN"),
        ("overwritten", "sklearn", "the batch that the first layer read was filled with the next"),
        ("kept_alive", "sklearn", "total += loss"),
    ],
)
def test_a_planted_bug_is_found(
    name: str,
    package: str,
    found: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    pytest.importorskip(package)
    monkeypatch.setattr(dezero.Config, "compiled", False)  # compiling would take longer
    runpy.run_path(str(FOLDER / f"{name}.py"), run_name="__main__")
    out = capsys.readouterr().out
    assert out.splitlines()[-1].startswith(f"found: {found}")
