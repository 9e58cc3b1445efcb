"""The trace opens in Chrome and Perfetto: valid events, properly nested."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dezero

WANTED = {
    "X": {"name", "cat", "ts", "dur", "pid", "tid", "args"},
    "M": {"name", "ts", "pid", "tid", "args"},
    "C": {"name", "ts", "pid", "tid", "args"},
    "s": {"name", "cat", "ts", "pid", "tid", "id"},
    "f": {"name", "cat", "ts", "pid", "tid", "id", "bp"},
    "i": {"name", "ts", "pid", "tid", "s"},
}


@pytest.fixture
def events(tmp_path: Path) -> Any:
    model = dezero.models.MLP((8, 2))
    with dezero.profile() as p:
        for _ in range(2):
            (model(np.ones((3, 4), np.float32)) ** 2).sum().backward()
            p.step()
    p.chrome(tmp_path / "trace.json")
    found = json.loads((tmp_path / "trace.json").read_text())
    assert found["displayTimeUnit"] == "ms"
    return found["traceEvents"]


def test_events_have_what_the_format_wants(events: Any) -> None:
    for event in events:
        assert set(event) == WANTED[event["ph"]] | {"ph"}, event
        assert isinstance(event["pid"], int) and isinstance(event["tid"], int)
        assert event["ts"] >= 0 and event.get("dur", 0) >= 0
    assert {event["ph"] for event in events} == set(WANTED)


def test_calls_are_nested(events: Any) -> None:
    calls = [e for e in events if e["ph"] == "X"]
    assert [e["name"] for e in calls][:4] == ["profile", "MLP", "l0", "Linear"]
    stack: list[float] = []
    for call in calls:
        while stack and stack[-1] <= call["ts"]:
            stack.pop()
        assert not stack or call["ts"] + call["dur"] <= stack[-1] + 1e-6, call
        stack.append(call["ts"] + call["dur"])
    assert sum(e["name"] == "Linear" for e in calls) == 4
    gradient = next(e for e in calls if e["name"] == "Linear gradient")
    assert gradient["cat"] == "backward,gradient"
    assert gradient["args"]["layer"] == "MLP > l1"
    assert gradient["args"]["line"].startswith(__file__)


def test_arrows_lead_from_a_function_to_its_gradient(events: Any) -> None:
    calls = {e["ts"]: e for e in events if e["ph"] == "X"}
    begins = {e["id"]: calls[e["ts"]]["name"] for e in events if e["ph"] == "s"}
    ends = {e["id"]: calls[e["ts"]]["name"] for e in events if e["ph"] == "f"}
    assert {i: f"{name} gradient" for i, name in begins.items()} == ends
    assert sorted(begins.values()).count("Linear") == 4


def test_the_counter_shows_memory(events: Any) -> None:
    alive = [e["args"]["bytes"] for e in events if e["ph"] == "C"]
    assert min(alive) >= 0
    assert max(alive) > 0
