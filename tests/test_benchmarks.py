"""The benchmark suite still runs and agrees with the answers worked out by hand.

Nothing is timed here in earnest: sizes are small, and DeZero runs alone.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parent.parent
ALONE = ["--quick", "--peers", ""]


def _run(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "benchmarks" / script), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=ROOT)


@pytest.fixture
def suite(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks import suite

    return suite


def _results(**ratios: float) -> dict[str, Any]:
    """A run in which DeZero took this share of PyTorch's time, and half of its memory."""

    def entry(peer: str, label: str, ratio: float | None, mebibytes: int) -> dict[str, Any]:
        return {
            "peer": peer,
            "label": label,
            "seconds": ratio or 1.0,
            "ratio": ratio and {"median": ratio, "min": ratio / 2, "max": ratio * 2},
            "memory": {"peak": mebibytes << 20, "growth": mebibytes << 18},
        }

    return {
        "machine": {
            "cpu": "a CPU", "vector": "", "cores": 2, "memory_gib": 1.0, "system": "Linux",
            "python": "3", "versions": {}, "date": "today",
        },
        "settings": {"threads": 2},
        "workloads": [
            {
                "name": name,
                "title": name,
                "entries": [
                    entry("dezero", "DeZero", None, 100),
                    entry("torch", "PyTorch", ratio, 200),
                ],
            }
            for name, ratio in ratios.items()
        ],
        "scaling": [],
        "import_time": None,
    }  # fmt: skip


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
        "lstm_sequence",
        "cnn",
        "resnet18",
        "vgg16",
        "resnet50",
        "gpt",
        "elementwise",
        "hvp",
        "grad_goldstein_price",
        "grad_perceptron",
        "grad_chain",
        "grad_logistic_regression",
        "grad_mixture",
        "grad_bundle_adjustment",
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
        (["--only", "mlp,goldstine"], "--only: ['goldstine'] unknown; there are goldstein_price,"),
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
    goldstein, chain = suite.bars(results)[:2]
    scaling, imported = suite.bars(results)[-2:]
    assert (goldstein.figure, goldstein.met) == (0.4, True)
    assert (chain.figure, chain.met) == (0.6, False)
    assert (scaling.figure, scaling.met) == (1.2, True), "without the collector is a diagnosis"
    assert imported.met
    results["scaling"][2]["ratio"]["median"] = 0.7
    assert not suite.bars(results)[-2].met, "a quarter either way"
    assert not any(bar.met for bar in suite.bars(_results()))
    assert {bar.figure for bar in suite.bars(_results())} == {None}


def test_time_and_peak_of_memory_have_bars_of_their_own(suite: Any) -> None:
    def found(results: dict[str, Any]) -> dict[str, tuple[float | None, bool]]:
        bars = [bar for bar in suite.bars(results) if bar.workload == "mlp"]
        return {bar.quantity: (bar.figure, bar.met) for bar in bars}

    results = _results(mlp=0.89)
    assert found(results) == {"time": (0.89, True), "peak": (0.5, True)}
    results["workloads"][0]["entries"][0]["memory"]["peak"] *= 3
    assert found(results) == {"time": (0.89, True), "peak": (1.5, False)}
    assert found(_results(mlp=0.91))["time"] == (0.91, False)
    assert suite.peer_ratio(results, "mlp", "growth") == 0.5
    results["workloads"][0]["entries"][1]["memory"] = {"peak": 0, "growth": 0}
    assert found(results)["peak"] == (None, False)


def test_every_bar_of_the_suite_belongs_to_a_workload(suite: Any) -> None:
    rows = {row.name for row in suite.ROWS}
    assert {*suite.TIME_RATIOS, *suite.AUTOGRAD_NAMES} == rows
    assert set(suite.PEAK_NAMES) < rows
    assert {bar.workload for bar in suite.bars(_results())} <= set(suite.NAMES)


def test_plain_models_have_a_bar_each_and_one_for_their_mean(suite: Any) -> None:
    ratios = dict(zip(suite.AUTOGRAD_NAMES, (0.2, 0.4, 0.8, 0.4, 0.4, 0.4), strict=True))
    workloads = [
        {
            "name": name,
            "entries": [
                {"peer": "dezero", "ratio": None},
                {"peer": "autograd", "ratio": {"median": ratio}},
            ],
        }
        for name, ratio in ratios.items()
    ]
    bars = suite.bars({"workloads": workloads, "scaling": [], "import_time": None})
    found = [bar for bar in bars if bar.workload in ratios]
    assert [bar.figure for bar in found[:-1]] == list(ratios.values())
    assert found[-1].figure == pytest.approx(0.4)
    assert [bar.met for bar in found[:-1]] == [True] * 6


@pytest.mark.parametrize(("factor", "code"), [(0.999, 0), (1.001, 1)])
def test_check_fails_where_a_bar_is_missed(
    factor: float, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks import run, suite

    def everything(self: Any) -> None:
        self.results = _results(**{n: limit * factor for n, limit in suite.TIME_RATIOS.items()})

    monkeypatch.setattr(run.Run, "everything", everything)
    only = ["--only", ",".join(suite.TIME_RATIOS)]
    assert run.main([*only, "--peers", "torch"]) == 0
    assert run.main([*only, "--peers", "torch", "--check"]) == code
    printed = capsys.readouterr()
    assert printed.err.count("BAR: ") == code * len(suite.TIME_RATIOS)
    assert ("vgg16: time / PyTorch" in printed.out) and ("MISSED" in printed.out) == bool(code)


def test_the_table_shows_each_bar_with_its_figure_and_whether_it_is_met(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks import report

    lines = report.markdown(_results(mlp=0.5, gpt=0.95)).splitlines()
    assert "| mlp | 100 (25) | 200 (50)<br>0.50 (0.50) |  |  |  |" in lines
    assert "| mlp | 0.500 | <= 0.9 | met | 0.500 | <= 1.0 | met | 0.50 |" in lines
    assert "| gpt | 0.950 | <= 0.85 | missed | 0.500 | <= 1.0 | met | 0.50 |" in lines
    assert "| hvp |  | <= 0.9 | not measured |  | <= 1.0 | not measured |  |" in lines


def test_the_picture_shows_every_workload(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks import report, suite

    assert not report.plot(_results(), tmp_path / "none.png")
    names = dict.fromkeys(suite.TIME_RATIOS, 0.8)
    assert report.plot(_results(**names), tmp_path / "all.png")
    assert report.plot(_results(mlp=30.0), tmp_path / "one.png")
    sizes = {path.name: path.stat().st_size for path in tmp_path.iterdir()}
    assert sizes.keys() == {"all.png", "one.png"}
    assert min(sizes.values()) > 5_000


def test_networks_are_the_same_however_a_peer_lays_them_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks import networks

    case = networks.vgg16(small=True)
    rows, columns = case.parameters["fc8/W"].shape
    ours = np.empty((rows, columns), np.float32)
    theirs = np.empty((columns, rows), np.float32)
    case.fill("fc8/W", ours)
    case.fill("fc8/W", theirs.T)
    assert np.array_equal(ours, theirs.T)
    assert abs(ours.std() * rows**0.5 - 1) < 0.01
    assert np.unique(ours).size > 0.9 * ours.size, "each block of rows has numbers of its own"
    with pytest.raises(ValueError, match="has the shape"):
        case.fill("fc8/W", theirs)


class _FakePeer:
    """A module of which the first ``compilations`` steps compile a kernel."""

    def __init__(self, compilations: int) -> None:
        self.compilations = compilations
        self.steps = 0

    def _kernels(self) -> tuple[int, int]:
        ready = min(self.steps, self.compilations)
        return ready, ready

    def work(self, small: bool) -> Any:
        from benchmarks.workloads import Workload

        def step() -> None:
            self.steps += 1

        return Workload(step, lambda: {"value": [1.0]}, "fake")


def test_no_kernel_is_compiled_in_a_timed_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks.worker import Session

    session = Session("fake")
    peer: Any = _FakePeer(4)
    session.module = peer
    assert session.prepare("work", small=True, collect=True)["compiled"] == 4
    assert peer.steps == 5, "until one of them compiles nothing"

    peer.compilations = peer.steps + 1  # one more, in a turn: it is taken again
    assert session.turn(1)["seconds"] > 0
    assert peer.steps == 7
    peer.compilations = 1_000
    with pytest.raises(RuntimeError, match="compiled or loaded in each of 3 turns"):
        session.turn(10)


def test_a_process_that_compiled_is_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks import measure

    started: list[Any] = []

    class Worker:
        def __init__(self, peer: str, settings: Any, root: Path) -> None:
            started.append(self)
            self.hello = {"version": "1"}
            self.closed = False

        def ask(self, command: str, **arguments: Any) -> dict[str, Any]:
            return {"description": "", "check": {}, "compiled": 3 if len(started) == 1 else 0}

        def close(self) -> None:
            self.closed = True

    monkeypatch.setattr(measure, "Worker", Worker)
    settings = measure.Settings(2, [], 1, 0.1, 0.0, small=False)
    measure.Entry("dezero", "mlp").start(settings)
    assert [worker.closed for worker in started] == [True, False]


def test_dezero_counts_its_kernels_and_uses_the_threads_it_is_given() -> None:
    code = (
        "import sys\n"
        "import numpy as np\n"
        "import dezero\n"
        "import dezero.functions as F\n"
        "from benchmarks.workloads import dezero as peer\n"
        "peer._set_up(1)\n"
        "assert dezero.get_num_threads() == 1\n"
        "assert peer._kernels() == (0, 0) and 'numba' not in sys.modules\n"
        "F.gelu(np.ones(100_000, np.float32), approximate='tanh')\n"
        "assert 'numba' not in sys.modules or peer._kernels()[0] > 0\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr


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


def test_against_an_earlier_revision():
    done = _run(
        "against.py", "HEAD", "--only", "goldstein_price", "--rounds", "2", "--seconds", "0.002"
    )
    assert done.returncode == 0, done.stderr
    assert "this checkout / HEAD" in done.stdout
    assert "goldstein_price" in done.stdout.splitlines()[1]
    left = subprocess.run(["git", "worktree", "list"], capture_output=True, text=True, cwd=ROOT)
    assert "earlier" not in left.stdout


def test_against_fails_where_the_bar_is_missed():
    done = _run(
        "against.py", "HEAD", "--only", "goldstein_price", "--rounds", "2", "--seconds", "0.002",
        "--at-most", "0.001",
    )  # fmt: skip
    assert done.returncode == 1
    assert "above 0.001: goldstein_price" in done.stderr


def test_handing_over_a_job():
    pytest.importorskip("numba")
    done = _run("handover.py", "--rounds", "1")
    assert done.returncode == 0, done.stderr
    head, *rows = done.stdout.splitlines()
    assert "two threads" in head
    assert len(rows) == 12
