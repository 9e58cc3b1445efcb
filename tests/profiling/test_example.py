"""The slow line of the example is found."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest

import dezero

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "debugging" / "slow_step.py"


def test_the_slow_line_is_found(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(dezero.Config, "compiled", False)
    monkeypatch.setattr(sys, "argv", [str(EXAMPLE), "--out", str(tmp_path)])
    runpy.run_path(str(EXAMPLE), run_name="__main__")
    out, err = capsys.readouterr()
    assert err == ""
    assert "vectors = [self.W[word] for word in text]" in out
    assert out.splitlines()[-1].startswith("slow step: line ")
    assert (tmp_path / "slow_step.html").stat().st_size > 5000
    assert (tmp_path / "slow_step.json").stat().st_size > 5000
