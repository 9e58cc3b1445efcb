"""Files and file names that could run code."""

from __future__ import annotations

import ast
import pickle
from pathlib import Path

import numpy as np
import pytest

import dezero
from dezero.utils import plot_dot_graph

from .common import leaf, saved_mlp

PACKAGE = Path(dezero.__file__).parent


def calls_in(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node
        elif isinstance(node, ast.Import):
            for alias in node.names:
                yield "import " + alias.name, node
        elif isinstance(node, ast.ImportFrom):
            yield "import " + (node.module or ""), node


def test_the_package_never_runs_what_it_read():
    files = list(PACKAGE.rglob("*.py"))
    assert len(files) > 5
    found = []
    for path in files:
        for name, node in calls_in(ast.parse(path.read_text())):
            where = f"{path.relative_to(PACKAGE)}:{node.lineno} {name}"
            if name in ("eval", "os.system", "os.popen", "import pickle", "import dill"):
                found.append(where)
            for keyword in getattr(node, "keywords", []):
                if ast.unparse(keyword) in ("shell=True", "allow_pickle=True"):
                    found.append(where)
    assert found == []


@pytest.mark.parametrize("name", ["a; touch pwned #.png", "$(touch pwned).png", "a' b\"c.png"])
def test_a_file_name_is_never_a_command(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    plot_dot_graph(leaf(2) * 2.0, to_file=name)
    assert [path.name for path in tmp_path.iterdir()] == [name]


class Trap:
    def __reduce__(self):
        return (open, ("pwned", "w"))


def test_a_weight_file_cannot_run_code(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model, path = saved_mlp(tmp_path)
    with np.load(path) as saved:
        arrays = dict(saved)
    evil = np.empty((4, 3), object)
    evil.fill(Trap())
    arrays["l0/W"] = evil
    np.savez(path, **arrays)
    with pytest.raises(ValueError, match=r"l0/W|pickle|object"):
        model.load_weights(path)
    assert not Path("pwned").exists()


def test_a_pickle_called_npz_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model, _ = saved_mlp(tmp_path)
    Path("evil.npz").write_bytes(pickle.dumps(Trap()))
    with pytest.raises((ValueError, OSError), match=r"evil|pickle|zip|npz"):
        model.load_weights("evil.npz")
    assert not Path("pwned").exists()
