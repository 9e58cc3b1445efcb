"""Measure DeZero against its peers.

``python benchmarks/run.py [--only NAME ...] [--peers torch,jax] [--quick] [--check]``

``--only mlp,cnn --peers torch --rounds 7`` is a quick comparison of two workloads.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import machine, measure, report, suite

Json = dict[str, Any]
RESULTS = machine.ROOT / "benchmarks" / "results"
ROUNDS = 15
IMPORT_ROUNDS = 41
SCALING_ROUNDS = 7
DISAGREE = "DISAGREEMENT"


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, prog="benchmarks/run.py")
    add = parser.add_argument
    add("--only", nargs="+", metavar="NAME", help=f"also NAME,NAME: {', '.join(suite.NAMES)}")
    add(
        "--peers", default=",".join(suite.PEERS), help="'' for DeZero alone (default: %(default)s)"
    )
    add("--rounds", type=int, help=f"turns of each peer (default: {ROUNDS})")
    add("--threads", type=int, help="for everyone (default: the physical cores)")
    add("--quick", action="store_true", help="small sizes, two short rounds: only that it runs")
    add("--json", type=Path, metavar="FILE", help="also write the results here")
    add("--check", action="store_true", help="fail where a bar is missed")
    options = parser.parse_args(arguments)
    options.peers = [name for name in options.peers.split(",") if name]
    if options.only is not None:
        options.only = [name for part in options.only for name in part.split(",") if name]
    for option, known in (("peers", suite.PEERS), ("only", suite.NAMES)):
        unknown = [name for name in getattr(options, option) or () if name not in known]
        if unknown:
            parser.error(f"--{option}: {unknown} unknown; there are {', '.join(known)}")
    if options.rounds is not None and options.rounds < 1:
        parser.error(f"--rounds is {options.rounds}; it takes at least 1")
    if options.threads is not None and options.threads < 1:
        parser.error(f"--threads is {options.threads}; it takes at least 1")
    if options.quick and options.check:
        parser.error("--check needs a measurement, and --quick is none; leave one of them out")
    return options


def settings_of(options: argparse.Namespace) -> measure.Settings:
    """How much to measure."""
    cpus = machine.physical_cpus()
    threads = options.threads or len(cpus)
    return measure.Settings(
        threads=threads,
        cpus=cpus[:threads],
        rounds=options.rounds or (2 if options.quick else ROUNDS),
        turn_seconds=0.002 if options.quick else 0.3,
        pause=0.0 if options.quick else 0.05,
        small=options.quick,
    )


class Run:
    """One run of the suite."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.settings = settings_of(options)
        self.only = set(options.only or suite.NAMES)
        self.functions: dict[str, list[str]] = {}
        self.missing: dict[str, str] = {}
        self.failures: list[str] = []
        self.reference: measure.Worker | None = None
        self.results: Json = {
            "machine": {}, "settings": {}, "missing": self.missing,
            "workloads": [], "scaling": [], "import_time": None,
        }  # fmt: skip

    def probe(self) -> None:
        """Ask each peer for its version and its workloads."""
        versions = {}
        for peer in ("dezero", *self.options.peers):
            try:
                worker = measure.Worker(peer, self.settings)
            except measure.WorkerError as error:
                self.missing[peer] = str(error)
                continue
            worker.close()
            if "missing" in worker.hello:
                self.missing[peer] = worker.hello["missing"]
            else:
                versions[peer] = worker.hello["version"]
                self.functions[peer] = worker.hello["workloads"]
        for peer, reason in self.missing.items():
            print(f"{suite.TITLES[peer]} is left out: {reason}")
        if "dezero" in self.missing:
            self.failures.append(f"dezero: {self.missing['dezero']}")
        self.results["machine"] = machine.describe(versions)
        self.results["settings"] = {
            "threads": self.settings.threads,
            "rounds": self.settings.rounds,
            "turn_seconds": self.settings.turn_seconds,
            "small": self.settings.small,
        }
        print(report.machine_line(self.results))
        load = self.results["machine"]["load_average"]
        if load > 0.5 and not self.options.quick:
            print(
                f"The load average is {load:.1f}: something else runs here. Ratios are wrong too "
                "then: threads that wait for each other (OpenMP's) lose more than others."
            )
        print(flush=True)

    def compare(self, row: suite.Row) -> None:
        """Measure one workload in every peer that has it."""
        entries = [
            measure.Entry(peer, function)
            for peer, functions in self.functions.items()
            for function in functions
            if function.partition("__")[0] == row.name
        ]
        running, failures = measure.start(entries, self.settings)
        failures += self._disagreements(row, running)
        self.failures += failures
        if not running or any(f.startswith(DISAGREE) for f in failures):
            for entry in running:
                entry.finish()
            print(f"{row.name}: not measured\n", flush=True)
            return
        self.failures += measure.take_turns(running, self.settings)
        complete = [e for e in running if len(e.times) == self.settings.rounds]
        workload: Json = {
            "name": row.name,
            "title": row.title,
            "entries": [entry.results() for entry in complete],
        }
        ours = next((e.times for e in complete if e.peer == "dezero"), None)
        for entry, found in zip(complete, workload["entries"], strict=True):
            if ours and entry.peer != "dezero":
                found["ratio"] = measure.ratio(ours, entry.times)
        self.results["workloads"].append(workload)
        print(report.workload_text(workload), flush=True)

    def _disagreements(self, row: suite.Row, running: list[measure.Entry]) -> list[str]:
        """Each peer against the answer by hand where there is one, and against the first peer."""
        sides = [(entry.label, entry.check) for entry in running]
        bases = [*self._by_hand(row.name), *sides[:1]]
        found = []
        for base_label, base in bases:
            for label, check in sides:
                text = suite.disagreement(row.name, base, check, row.rtol)
                if text and label != base_label:
                    found.append(f"{DISAGREE}: {base_label}, then {label}: {text}")
        return found

    def _by_hand(self, function: str) -> list[tuple[str, dict[str, list[float]]]]:
        """The check of the module `reference`, if it knows this workload."""
        if self.reference is None:
            self.reference = measure.Worker("reference", self.settings)
        if function not in self.reference.hello["workloads"]:
            return []
        asked = {"workload": function, "small": self.settings.small, "collect": True}
        return [("the answer by hand", self.reference.ask("prepare", **asked)["check"])]

    def _wrong_chains(self, running: list[measure.Entry]) -> list[str]:
        ((_, powers),) = self._by_hand(suite.SCALING)
        found = []
        for entry in running:
            right = {"value": powers[entry.function], "gradient": powers[entry.function]}
            text = suite.disagreement(entry.function, right, entry.check, 1e-9)
            if text:
                found.append(f"{DISAGREE}: the answer by hand, then DeZero: {text}")
        return found

    def scaling(self, rows: list[suite.Row]) -> None:
        """Measure the time per function in chains of growing length."""
        if "dezero" not in self.functions:
            return
        entries = [
            measure.Entry("dezero", row.name, collector=collector)
            for collector in (True, False)
            for row in rows
        ]
        settings = replace(self.settings, rounds=min(self.settings.rounds, SCALING_ROUNDS))
        running, failures = measure.start(entries, settings)
        failures += self._wrong_chains(running)
        if not failures:
            failures += measure.take_turns(running, settings)
        self.failures += failures
        if failures:
            for entry in running:
                entry.finish()
            print("scaling: not measured\n", flush=True)
            return
        lengths = [suite.chain_length(row.functions, self.settings.small) for row in rows] * 2
        per_function = [
            [t / n for t in entry.times] for entry, n in zip(running, lengths, strict=True)
        ]
        found = [entry.results() for entry in running]
        for i, (result, length) in enumerate(zip(found, lengths, strict=True)):
            base = per_function[i // len(rows) * len(rows)]
            result["length"] = length
            result["ratio"] = measure.ratio(per_function[i], base)
        self.results["scaling"] = found
        print(report.scaling_text(found), flush=True)

    def scaling_rows(self) -> list[suite.Row]:
        """The lengths asked for; 1,000 always, since the others are compared with it."""
        if suite.SCALING in self.only:
            return list(suite.SCALING_ROWS)
        first, *others = suite.SCALING_ROWS
        rest = [r for r in others if r.name in self.only and r.name != "chain_10000"]
        return [first, *rest] if rest or first.name in self.only else []

    def import_time(self) -> None:
        """Measure ``import dezero`` against ``import numpy``."""
        if "dezero" not in self.functions:
            return
        rounds = 2 if self.options.quick else max(self.settings.rounds, IMPORT_ROUNDS)
        try:
            found = measure.import_times(rounds, self.settings)
        except measure.WorkerError as error:
            self.failures.append(str(error))
            return
        self.results["import_time"] = found
        print(report.import_text(found), flush=True)

    def everything(self) -> None:
        """Run what was asked for."""
        self.probe()
        try:
            for row in suite.ROWS:
                if row.name in self.only:
                    self.compare(row)
            rows = self.scaling_rows()
            if rows:
                self.scaling(rows)
        finally:
            if self.reference is not None:
                self.reference.close()
        if suite.IMPORT_TIME in self.only:
            self.import_time()

    def complete(self) -> bool:
        """Whether the results stand for the whole suite."""
        everyone = self.options.peers == list(suite.PEERS) and not self.missing
        enough = self.settings.rounds >= ROUNDS and not self.options.quick
        return everyone and enough and not (self.options.only or self.failures)

    def unmet(self) -> list[suite.Bar]:
        """The bars that were missed, or asked for and not measured."""

        def expected(bar: suite.Bar) -> bool:
            peers = {suite.SCALING: None, suite.IMPORT_TIME: None}
            peers |= dict.fromkeys(suite.AUTOGRAD_NAMES, "autograd")
            needed = peers.get(bar.workload, "torch")
            return bar.workload in self.only and (needed is None or needed in self.options.peers)

        return [
            bar
            for bar in suite.bars(self.results)
            if not bar.met and (bar.figure is not None or expected(bar))
        ]


def write(run: Run) -> None:
    """Write the files that the options and the completeness of the run call for."""
    text = json.dumps(run.results, indent=1) + "\n"
    if run.options.json:
        run.options.json.write_text(text)
    if not run.complete():
        print("benchmarks/results/ is left as it was: only a complete run is written there.")
        return
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "latest.json").write_text(text)
    (RESULTS / "latest.md").write_text(report.markdown(run.results))
    drawn = report.plot(run.results, RESULTS / "ratios.png")
    print(f"Written: latest.json, latest.md{', ratios.png' if drawn else ''} in {RESULTS}")


def main(arguments: list[str] | None = None) -> int:
    """Measure, report, write; 0 where everything agreed (and, with --check, met its bar)."""
    run = Run(parse(arguments))
    run.everything()
    if not run.options.quick:
        print(report.bars_text(run.results))
    write(run)
    for failure in run.failures:
        print(f"FAILED: {failure}", file=sys.stderr)
    unmet = run.unmet() if run.options.check else []
    for bar in unmet:
        print(f"BAR: {bar.text} is {bar.figure}, limit {bar.limit}", file=sys.stderr)
    return 1 if run.failures or unmet else 0


if __name__ == "__main__":
    sys.exit(main())
