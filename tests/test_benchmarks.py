"""The benchmark suite still runs and agrees with the answers worked out by hand.

Nothing is timed here in earnest: sizes are small, and DeZero runs alone.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
ALONE = ["--quick", "--peers", ""]


def _run(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "benchmarks" / script), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=ROOT)


@pytest.fixture
def suite(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks import suite

    return suite


def _results(**ratios: float) -> dict[str, Any]:
    """A run in which DeZero took this share of PyTorch's time."""
    return {
        "workloads": [
            {"name": name, "entries": [{"peer": "torch", "ratio": {"median": ratio}}]}
            for name, ratio in ratios.items()
        ],
        "scaling": [],
        "import_time": None,
    }


def test_every_workload_of_dezero_runs_and_agrees_with_the_answer_by_hand(tmp_path: Path) -> None:
    before = _latest()
    done = _run("run.py", *ALONE, "--json", str(tmp_path / "out.json"))
    assert done.returncode == 0, done.stdout + done.stderr
    results = json.loads((tmp_path / "out.json").read_text())
    names = [workload["name"] for workload in results["workloads"]]
    assert names == [
        "goldstein_price",
        "chain_10000",
        "mlp",
        "lstm_cell",
        "cnn",
        "gpt",
        "elementwise",
        "hvp",
    ]
    for workload in results["workloads"]:
        (entry,) = workload["entries"]
        assert len(entry["times"]) == 2, workload["name"]
        assert entry["seconds"] > 0, workload["name"]
        assert entry["memory"]["peak"] >= entry["memory"]["growth"] >= 0
        assert all(numbers for numbers in entry["check"].values())
    lengths = [(entry["length"], entry["collector"]) for entry in results["scaling"]]
    assert lengths == [(n, on) for on in (True, False) for n in (10, 100, 1_000, 10_000)]
    assert results["import_time"]["ratio"]["median"] > 0
    assert "time per function" in done.stdout
    assert "import numpy" in done.stdout
    assert _latest() == before, "a run that is not complete must leave the results alone"


def _latest() -> list[tuple[str, int]]:
    return sorted((p.name, p.stat().st_mtime_ns) for p in ROOT.glob("benchmarks/results/*"))


def test_a_peer_that_is_not_installed_is_left_out_with_one_line(tmp_path: Path) -> None:
    blocker = tmp_path / "blocked" / "mygrad.py"
    blocker.parent.mkdir()
    blocker.write_text("raise ImportError('no mygrad here')\n")
    code = (
        "import os, runpy, sys\n"
        f"os.environ['PYTHONPATH'] = {str(blocker.parent)!r}\n"
        f"sys.argv = ['run.py', '--quick', '--peers', 'mygrad', '--only', 'goldstein_price']\n"
        f"runpy.run_path({str(ROOT / 'benchmarks' / 'run.py')!r}, run_name='__main__')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "MyGrad is left out: no mygrad here" in done.stdout
    assert "DeZero" in done.stdout


def test_a_wrong_answer_fails_the_run_and_is_not_timed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks import measure, run

    honest = measure.Entry.start

    def wrong(entry: Any, settings: Any) -> None:
        honest(entry, settings)
        entry.check["gradient"][-1] *= 1 + 1e-8

    monkeypatch.setattr(measure.Entry, "start", wrong)
    assert run.main([*ALONE, "--only", "goldstein_price", "chain_1000"]) == 1
    printed = capsys.readouterr()
    assert "goldstein_price: not measured" in printed.out
    assert (
        "DISAGREEMENT: the answer by hand, then DeZero: goldstein_price: gradient" in printed.err
    )


def test_a_workload_that_raises_is_reported_with_its_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks import measure, run

    def broken(entry: Any, settings: Any) -> None:
        entry.worker = measure.Worker(entry.peer, settings)
        entry.worker.ask("prepare", workload="no_such", small=True, collect=True)

    monkeypatch.setattr(measure.Entry, "start", broken)
    assert run.main([*ALONE, "--only", "mlp"]) == 1
    assert "FAILED: mlp: dezero: AttributeError" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--only", "goldstine"], "invalid choice: 'goldstine'"),
        (["--peers", "torch,flax"], "['flax'] unknown; there are torch, jax, autograd, mygrad"),
        (["--rounds", "0"], "--rounds is 0; it takes at least 1"),
        (["--threads", "0"], "--threads is 0; it takes at least 1"),
        (["--quick", "--check"], "--check needs a measurement, and --quick is none"),
    ],
)
def test_a_wrong_option_is_named(arguments: list[str], message: str) -> None:
    done = _run("run.py", *arguments)
    assert done.returncode == 2
    assert message in done.stderr


def test_checks_are_compared_number_by_number(suite: Any) -> None:
    a = {"loss": [1.0, 2.0], "moved W0": [0.1]}
    assert suite.disagreement("mlp", a, a, 1e-4) is None
    assert suite.disagreement("mlp", a, {**a, "moved W0": [0.1005]}, 1e-4) is None
    assert "moved W0" in suite.disagreement("mlp", a, {**a, "moved W0": [0.102]}, 1e-4)
    assert "loss" in suite.disagreement("mlp", a, {**a, "loss": [1.0, 2.001]}, 1e-4)
    assert "loss" in suite.disagreement("mlp", a, {**a, "loss": [1.0, float("nan")]}, 1e-4)
    assert "2 numbers, then 1" in suite.disagreement("mlp", a, {**a, "loss": [1.0]}, 1e-4)
    assert "reports" in suite.disagreement("mlp", a, {"loss": [1.0, 2.0]}, 1e-4)


def test_bars_are_met_missed_or_not_measured(suite: Any) -> None:
    results = _results(goldstein_price=0.4, chain_10000=0.6)
    results["import_time"] = {"ratio": {"median": 1.29}}
    results["scaling"] = [
        {"collector": on, "ratio": {"median": ratio}}
        for on, ratios in ((True, (1.0, 1.1, 0.9, 1.2)), (False, (1.0, 2.0, 2.0, 2.0)))
        for ratio in ratios
    ]
    goldstein, chain, scaling, imported = suite.bars(results)
    assert (goldstein.figure, goldstein.met) == (0.4, True)
    assert (chain.figure, chain.met) == (0.6, False)
    assert (scaling.figure, scaling.met) == (1.2, True), "without the collector is a diagnosis"
    assert imported.met
    results["scaling"][2]["ratio"]["median"] = 0.7
    assert not suite.bars(results)[2].met, "a quarter either way"
    assert [bar.met for bar in suite.bars(_results())] == [False] * 4
    assert [bar.figure for bar in suite.bars(_results())] == [None] * 4


def test_ratios_are_taken_round_by_round(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks.measure import ratio

    # The machine was three times slower in the second round, for both.
    assert ratio([1.0, 3.0, 2.0], [2.0, 6.0, 2.0]) == {"median": 0.5, "min": 0.5, "max": 1.0}


def test_the_table_goes_between_the_markers_of_the_readme(tmp_path: Path) -> None:
    readme, table = tmp_path / "README.md", tmp_path / "latest.md"
    begin, end = "<!-- benchmarks:begin -->", "<!-- benchmarks:end -->"
    readme.write_text(f"# Title\n\n{begin}\nold\n{end}\n\nrest\n")
    table.write_text("| new |\n")
    paths = ["--readme", str(readme), "--table", str(table)]
    assert _run("readme.py", "--check", *paths).returncode == 1
    assert "old" in readme.read_text()
    assert _run("readme.py", *paths).returncode == 0
    assert readme.read_text() == f"# Title\n\n{begin}\n| new |\n{end}\n\nrest\n"
    assert _run("readme.py", "--check", *paths).returncode == 0
    readme.write_text(f"{end} {begin}")
    done = _run("readme.py", *paths)
    assert done.returncode == 1
    assert "it wants one of each, in this order" in done.stderr
    assert readme.read_text() == f"{end} {begin}"
