"""The results as a table for the terminal, as Markdown, and as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks import suite

Json = dict[str, Any]


def duration(seconds: float) -> str:
    """Three significant digits and a unit: ``4.13 ms``."""
    size, unit = (1.0, "s") if seconds >= 1 else (1e-3, "ms") if seconds >= 1e-3 else (1e-6, "µs")
    value = seconds / size
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:.{digits}f} {unit}"


def spread(ratio: Json | None) -> str:
    """``0.42 (0.40-0.47)``."""
    if ratio is None:
        return ""
    return f"{ratio['median']:.2f} ({ratio['min']:.2f}-{ratio['max']:.2f})"


def mebibytes(count: int | None) -> str:
    """``312``; nothing where it is unknown."""
    return "" if count is None else f"{count / 2**20:.0f}"


def _columns(rows: list[list[str]], words: int = 2) -> str:
    """Columns in line: the first ``words`` to the left, figures to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [
            cell.ljust(width) if i < words else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def _markdown(rows: list[list[str]]) -> str:
    head, *body = ("| " + " | ".join(row) + " |" for row in rows)
    rule = "|" + "|".join("---" if i == 0 else "---:" for i in range(len(rows[0]))) + "|"
    return "\n".join([head, rule, *body])


def workload_text(workload: Json) -> str:
    """The block of one workload."""
    rows = [["", "", "a step", "DeZero / it (min-max)", "peak MiB", "growth MiB"]]
    for entry in workload["entries"]:
        rows.append(
            [
                "",
                entry["label"],
                duration(entry["seconds"]),
                spread(entry["ratio"]),
                mebibytes(entry["memory"].get("peak")),
                mebibytes(entry["memory"].get("growth")),
            ]
        )
    return f"{workload['name']}: {workload['title']}\n{_columns(rows)}\n"


def _scaling_rows(scaling: list[Json]) -> list[list[str]]:
    first = f"{scaling[0]['length']:,}"
    rows = [["functions", "collector", "a function", f"ratio to {first} (min-max)", "growth MiB"]]
    for entry in scaling:
        rows.append(
            [
                f"{entry['length']:,}",
                "on" if entry["collector"] else "off",
                duration(entry["seconds"] / entry["length"]),
                spread(entry["ratio"]),
                mebibytes(entry["memory"].get("growth")),
            ]
        )
    return rows


def scaling_text(scaling: list[Json]) -> str:
    """The block of the time per function."""
    return f"scaling: DeZero's time per function in a chain\n{_columns(_scaling_rows(scaling))}\n"


def _import_rows(imported: Json) -> list[list[str]]:
    rows = [["process", "wall", "dezero / it (min-max)", "peak MiB"]]
    for module, seconds in imported["seconds"].items():
        ratio = spread(imported["ratio"]) if module == "numpy" else ""
        peak = mebibytes(imported["peak"][module])
        rows.append([f"import {module}", duration(seconds), ratio, peak])
    return rows


def import_text(imported: Json) -> str:
    """The block of the import time."""
    return f"import_time: a whole process\n{_columns(_import_rows(imported), words=1)}\n"


def bars_text(results: Json) -> str:
    """One line a bar."""
    rows = []
    for bar in suite.bars(results):
        figure = "-" if bar.figure is None else f"{bar.figure:.3f}"
        verdict = "not measured" if bar.figure is None else "met" if bar.met else "MISSED"
        rows.append([bar.text, verdict, figure, f"<= {bar.limit}"])
    return _columns(rows)


def machine_line(results: Json) -> str:
    """The machine in a sentence."""
    m, s = results["machine"], results["settings"]
    versions = ", ".join(f"{name} {version}" for name, version in m["versions"].items())
    return (
        f"{m['cpu']} ({m['vector'] or 'vector instructions unknown'}), {m['cores']} cores, "
        f"{m['memory_gib']} GiB, {m['system']}, Python {m['python']}; {s['threads']} threads for "
        f"everyone; {versions}; {m['date']}."
    )


def _main_table(results: Json) -> str:
    labels = []
    for workload in results["workloads"]:
        labels += [e["label"] for e in workload["entries"] if e["label"] not in labels]
    labels = [label for label in labels if label != "DeZero"]
    rows = [["One step", "DeZero", *labels]]
    for workload in results["workloads"]:
        found = {entry["label"]: entry for entry in workload["entries"]}
        row = [workload["title"]]
        for label in ["DeZero", *labels]:
            entry = found.get(label)
            cell = duration(entry["seconds"]) if entry else ""
            if entry and entry["ratio"]:
                cell += f"<br>{spread(entry['ratio'])}"
            row.append(cell)
        rows.append(row)
    return _markdown(rows)


def _memory_table(results: Json) -> str:
    labels = ["DeZero"] + [suite.TITLES[peer] for peer in suite.PEERS]
    rows = [["Memory, MiB: peak of the process (growth during the workload)", *labels]]
    for workload in results["workloads"]:
        found = {entry["label"]: entry["memory"] for entry in workload["entries"]}
        cells = [
            f"{mebibytes(m['peak'])} ({mebibytes(m['growth'])})" if (m := found.get(label)) else ""
            for label in labels
        ]
        rows.append([workload["name"], *cells])
    return _markdown(rows)


def markdown(results: Json) -> str:
    """The part of the README that the suite writes."""
    parts = [machine_line(results)]
    if results["workloads"]:
        parts += [
            "Median time of a step; below a peer's time, DeZero's time divided by it: the median "
            "of the rounds (least-greatest). Less than 1 means that DeZero is faster.",
            _main_table(results),
            _memory_table(results),
        ]
    if results["scaling"]:
        parts += [
            "DeZero's time per function in a chain, with Python's garbage collector on and off:",
            _markdown(_scaling_rows(results["scaling"])),
        ]
    if results["import_time"]:
        parts.append(_markdown(_import_rows(results["import_time"])))
    rows = [["Bar", "limit", "figure", ""]]
    for bar in suite.bars(results):
        figure = "" if bar.figure is None else f"{bar.figure:.3f}"
        verdict = "not measured" if bar.figure is None else "met" if bar.met else "missed"
        rows.append([bar.text, f"{bar.limit}", figure, verdict])
    parts.append(_markdown(rows))
    return "\n\n".join(parts) + "\n"


def plot(results: Json, path: Path) -> bool:
    """Draw the ratios to PyTorch; False where there are none, or no Matplotlib."""
    found = [
        (workload["name"], entry["ratio"])
        for workload in results["workloads"]
        for entry in workload["entries"]
        if entry["peer"] == "torch" and entry["ratio"]
    ]
    if not found:
        return False
    try:
        import matplotlib
    except ImportError:
        return False
    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    names = [name for name, _ in reversed(found)]
    ratios = [ratio for _, ratio in reversed(found)]
    medians = [r["median"] for r in ratios]
    errors = [
        [r["median"] - r["min"] for r in ratios],
        [r["max"] - r["median"] for r in ratios],
    ]
    figure, axes = plt.subplots(figsize=(8, 1 + 0.45 * len(names)), layout="constrained")
    colours = ["#2b6cb0" if m <= 1 else "#c05621" for m in medians]
    # On a logarithmic axis a bar has to start somewhere: at 1, where both are as fast.
    axes.barh(names, [m - 1 for m in medians], left=1, color=colours, xerr=errors, capsize=3)
    for y, median in enumerate(medians):
        axes.annotate(f"{median:.2f}", (1.01, y), xycoords=("axes fraction", "data"), va="center")
    axes.set_xscale("log")
    least = min([0.25, *(r["min"] for r in ratios)])
    greatest = max([4.0, *(r["max"] for r in ratios)])
    axes.set_xlim(least / 1.2, greatest * 1.2)
    ticks = [t for t in (0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2, 4, 10, 20, 50, 100)
             if least / 1.2 <= t <= greatest * 1.2]  # fmt: skip
    axes.set_xticks(ticks, [f"{t:g}" for t in ticks])
    axes.minorticks_off()
    axes.axvline(1, color="black", linewidth=1)
    axes.set_xlabel("DeZero's time / PyTorch's time (left of 1: DeZero is faster)")
    figure.savefig(path, dpi=120)
    plt.close(figure)
    return True
