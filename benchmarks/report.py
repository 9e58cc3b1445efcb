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


def _memory_ratio(workload: Json, entry: Json, key: str) -> str:
    found = suite.memory_ratio(workload, entry, key)
    return "" if found is None else f"{found:.2f}"


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
    ratio = "DeZero / it"
    rows = [["", "", "a step", f"{ratio} (min-max)", "peak MiB", ratio, "growth MiB", ratio]]
    for entry in workload["entries"]:
        row = ["", entry["label"], duration(entry["seconds"]), spread(entry["ratio"])]
        for key in ("peak", "growth"):
            row += [mebibytes(entry["memory"].get(key)), _memory_ratio(workload, entry, key)]
        rows.append(row)
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
    """One line a bar; those that were not measured in one line together."""
    bars = suite.bars(results)
    rows = [
        [bar.text + " / PyTorch" * bool(bar.quantity), _verdict(bar), *_figures(bar)]
        for bar in bars
        if bar.figure is not None
    ]
    names = dict.fromkeys(bar.workload for bar in bars if bar.figure is None)
    others = [f"bars not measured: {', '.join(names)}"] if names else []
    return "\n".join([*([_columns(rows)] if rows else []), *others])


def _verdict(bar: suite.Bar) -> str:
    return "not measured" if bar.figure is None else "met" if bar.met else "MISSED"


def _figures(bar: suite.Bar) -> list[str]:
    return ["" if bar.figure is None else f"{bar.figure:.3f}", f"<= {bar.limit}"]


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
        found = {entry["label"]: entry for entry in workload["entries"]}
        row = [workload["name"]]
        for label in labels:
            entry = found.get(label)
            if entry is None or not entry["memory"]:
                row.append("")
                continue
            sizes = [mebibytes(entry["memory"][key]) for key in ("peak", "growth")]
            ratios = [_memory_ratio(workload, entry, key) or "-" for key in ("peak", "growth")]
            cell = f"{sizes[0]} ({sizes[1]})"
            row.append(cell if label == "DeZero" else f"{cell}<br>{ratios[0]} ({ratios[1]})")
        rows.append(row)
    return _markdown(rows)


def _bars_tables(results: Json) -> list[str]:
    """The bars against PyTorch, one workload a row, and the others."""
    bars = suite.bars(results)
    head = ["DeZero / PyTorch", "time", "limit", "", "peak memory", "limit", "", "memory growth"]
    rows = [head]
    for name in suite.TIME_RATIOS:
        found = {bar.quantity: bar for bar in bars if bar.workload == name}
        row = [name]
        for quantity in ("time", "peak"):
            bar = found.get(quantity)
            row += [*_figures(bar), _verdict(bar).lower()] if bar else [""] * 3
        growth = suite.peer_ratio(results, name, "growth")
        rows.append([*row, "" if growth is None else f"{growth:.2f}"])
    rest = [bar for bar in bars if not bar.quantity]
    others = [[bar.text, *_figures(bar), _verdict(bar).lower()] for bar in rest]
    return [_markdown(rows), _markdown([["Bar", "figure", "limit", ""], *others])]


def markdown(results: Json) -> str:
    """The part of the README that the suite writes."""
    parts = [machine_line(results)]
    if results["workloads"]:
        parts += [
            "Median time of a step; below a peer's time, DeZero's time divided by it: the median "
            "of the rounds (least-greatest). Less than 1 means that DeZero is faster.",
            _main_table(results),
            "Below a peer's memory, DeZero's divided by it.",
            _memory_table(results),
        ]
    if results["scaling"]:
        parts += [
            "DeZero's time per function in a chain, with Python's garbage collector on and off:",
            _markdown(_scaling_rows(results["scaling"])),
        ]
    if results["import_time"]:
        parts.append(_markdown(_import_rows(results["import_time"])))
    parts += ["The bars of this stage:", *_bars_tables(results)]
    return "\n\n".join(parts) + "\n"


def plot(results: Json, path: Path) -> bool:
    """Draw the ratios to PyTorch; False where there are none, or no Matplotlib."""
    found = [
        (workload, entry)
        for workload in reversed(results["workloads"])
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

    names = [workload["name"] for workload, _ in found]
    times = [entry["ratio"] for _, entry in found]
    figure, (left, right) = plt.subplots(
        1, 2, figsize=(11, 1.6 + 0.42 * len(names)), layout="constrained", sharey=True,
        width_ratios=(3, 2),
    )  # fmt: skip
    limits = [suite.TIME_RATIOS.get(name) for name in names]
    _bars(left, names, [r["median"] for r in times], limits, [(r["min"], r["max"]) for r in times])
    left.set_xlabel("time (whiskers: least and greatest round)")
    peaks = [suite.memory_ratio(workload, entry, "peak") or 0.0 for workload, entry in found]
    limits = [suite.PEAK_RATIO if name in suite.PEAK_NAMES else None for name in names]
    _bars(right, names, peaks, limits, None)
    right.set_xlabel("peak memory of the process")
    handles, labels = left.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False)
    figure.suptitle("DeZero / PyTorch: left of 1 DeZero needs less", fontsize="medium")
    figure.savefig(path, dpi=120)
    plt.close(figure)
    return True


def _bars(
    axes: Any,
    names: list[str],
    ratios: list[float],
    limits: list[float | None],
    ranges: list[tuple[float, float]] | None,
) -> None:
    """One bar a workload, blue within its limit, on a logarithmic axis."""
    within = [ratio <= (limit or 1) for ratio, limit in zip(ratios, limits, strict=True)]
    colours = ["#2b6cb0" if ok else "#c05621" for ok in within]
    # On a logarithmic axis a bar has to start somewhere: at 1, where both are the same.
    axes.barh(names, [r - 1 for r in ratios], left=1, color=colours, height=0.7)
    if ranges:
        whiskers = zip(ratios, ranges, strict=True)
        errors = list(zip(*((r - low, high - r) for r, (low, high) in whiskers), strict=True))
        axes.errorbar(
            ratios, names, xerr=errors, fmt="none", ecolor="0.35", elinewidth=1, capsize=2.5
        )
    marked = [(limit, y) for y, limit in enumerate(limits) if limit is not None]
    if marked:
        at, ys = zip(*marked, strict=True)
        axes.scatter(
            at, ys, marker="|", s=260, color="black", linewidths=2.2, zorder=3,
            label="bar of this stage",
        )  # fmt: skip
    for y, ratio in enumerate(ratios):
        axes.annotate(f"{ratio:.2f}", (1.01, y), xycoords=("axes fraction", "data"), va="center")
    axes.set_xscale("log")
    lows, highs = zip(*(ranges or [(r, r) for r in ratios]), strict=True)
    least, greatest = min(0.25, *lows) / 1.2, max(2.0, *highs) * 1.2
    axes.set_xlim(least, greatest)
    marks = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5, 10, 20, 50, 100)
    ticks = [mark for mark in marks if least <= mark <= greatest]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.axvline(1, color="black", linewidth=1, label="PyTorch")
    axes.grid(axis="x", color="0.9")
    axes.set_axisbelow(True)
