"""``python -m dezero info`` says what a bug report needs, and never fails."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import dezero
from dezero import info
from dezero.__main__ import main

TOPICS = [
    "dezero", "python", "packages", "system", "cpu", "memory", "blas", "threads", "kernels",
    "kernel cache", "data cache", "gpu", "environment",
]  # fmt: skip


def _run(*arguments: str, **env: str) -> str:
    root = str(Path(dezero.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-m", "dezero", *arguments],
        env=os.environ | {"PYTHONPATH": root} | env,
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def test_the_command_fits_on_a_screen() -> None:
    lines = _run("info").splitlines()
    assert [line[:14].strip() for line in lines if line[0] != " "] == TOPICS
    assert len(lines) <= 30
    assert max(map(len, lines)) <= 100
    assert lines[0].split() == ["dezero", dezero.__version__]
    assert f"numpy {np.__version__}" in "\n".join(lines)


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found) == TOPICS
    assert found["packages"]["numpy"] == np.__version__
    assert found["threads"] == dezero.get_num_threads()


def test_without_a_command_there_is_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    out = capsys.readouterr().out
    assert out.startswith("usage: python -m dezero")
    assert "info" in out
    with pytest.raises(SystemExit, match="2"):
        main(["unknown"])


def test_only_variables_that_matter_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "hunter2")
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.setenv("DEZERO_CACHE", "/somewhere")
    found = info.collect()
    assert {"OMP_NUM_THREADS=3", "DEZERO_CACHE=/somewhere"} <= set(found["environment"])
    assert "hunter2" not in info.as_json(found) and "SECRET" not in info.as_text(found)
    assert found["data cache"] == "/somewhere, not there yet"


def test_why_no_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dezero.kernels.table.has_numba", lambda: True)
    with dezero.using_config("compiled", False):
        assert '"compiled" is False' in info.collect()["kernels"]
    monkeypatch.setattr("dezero.kernels.table.has_numba", lambda: False)
    monkeypatch.delenv("DEZERO_COMPILED", raising=False)
    assert info.collect()["kernels"] == "NumPy's alone: Numba is not installed"
    assert info.collect()["kernel cache"].startswith("none")
    monkeypatch.setenv("DEZERO_COMPILED", "0")
    assert info.collect()["kernels"] == "NumPy's alone: DEZERO_COMPILED=0"


def test_which_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("numba")
    monkeypatch.setattr("dezero.kernels.table.has_numba", lambda: True)
    monkeypatch.delenv("DEZERO_COMPILED", raising=False)
    found = info.collect()
    assert "compiled by Numba" in found["kernels"] and "softmax" in found["kernels"]
    assert "cannot be loaded" not in found["kernels"]
    assert "MB" in found["kernel cache"]
    monkeypatch.setitem(sys.modules, "dezero.kernels.cpu.softmax", None)
    assert "these cannot be loaded: softmax (ModuleNotFoundError" in info.collect()["kernels"]


def test_no_line_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any, **kwargs: Any) -> Any:
        raise OSError("broken machine")

    monkeypatch.setattr("platform.platform", broken)
    monkeypatch.setattr("platform.python_version", broken)
    monkeypatch.setattr("os.sysconf", broken)
    monkeypatch.setattr("importlib.metadata.version", broken)
    monkeypatch.setattr("threadpoolctl.threadpool_info", broken)
    monkeypatch.setitem(sys.modules, "llvmlite", None)
    found = info.collect()
    assert list(found) == TOPICS
    for topic in ("system", "python", "memory", "blas"):
        assert found[topic] == "unknown (OSError: broken machine)"
    assert found["packages"]["numpy"] == "unknown (OSError: broken machine)"
    assert "unknown (ModuleNotFoundError" in found["cpu"]["kernels are made for"]
    assert "broken machine" in info.as_text(found)


def _cupy(count: Any) -> ModuleType:
    class Device:
        def __init__(self, index: int) -> None:
            pass

        def __enter__(self) -> None:
            pass

        def __exit__(self, *error: object) -> None:
            pass

    class runtime:
        getDeviceCount = staticmethod(count)
        getDeviceProperties = staticmethod(lambda i: {"name": f"GPU {i}".encode()})
        memGetInfo = staticmethod(lambda: (2**30, 2**31))
        driverGetVersion = staticmethod(lambda: 13000)
        runtimeGetVersion = staticmethod(lambda: 12090)

    cupy: Any = ModuleType("cupy")
    cupy.cuda = type("cuda", (), {"runtime": runtime, "Device": Device})
    return cupy


def test_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cupy", _cupy(lambda: 2))
    assert info.collect()["gpu"] == {
        "devices": ["GPU 0 (1.0 of 2.0 GiB free)", "GPU 1 (1.0 of 2.0 GiB free)"],
        "driver": "CUDA 13.0",
        "runtime": "CUDA 12.9",
    }


def test_why_there_is_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> int:
        raise RuntimeError("no CUDA-capable device is detected")

    monkeypatch.setitem(sys.modules, "cupy", _cupy(none))
    assert "finds no device (no CUDA-capable" in info.collect()["gpu"]
    monkeypatch.setitem(sys.modules, "cupy", None)
    assert info.collect()["gpu"] == "none: CuPy is not installed"


def test_the_users_name_is_not_in_paths(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("DEZERO_CACHE", raising=False)
    folder = tmp_path / ".dezero"
    folder.mkdir()
    (folder / "file").write_bytes(bytes(2_000_000))
    assert info.collect()["data cache"] == "~/.dezero, 1 files, 2.0 MB"
