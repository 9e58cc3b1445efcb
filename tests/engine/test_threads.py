"""Threads: how many, who does the work, and what happens when something fails."""

import os
import subprocess
import sys
import threading

import numpy as np
import pytest

import dezero
from dezero.core import threads


@pytest.fixture(autouse=True)
def two_threads(monkeypatch):
    monkeypatch.setattr(threads, "_count", 2)


def test_set_num_threads_is_obeyed_by_blas_and_by_the_pool():
    code = (
        "import numpy, dezero, threadpoolctl as t\n"
        "dezero.set_num_threads(1)\n"
        "print([b['num_threads'] for b in t.threadpool_info() if b['user_api'] == 'blas'])\n"
        "parts = []\n"
        "from dezero.core.threads import share\n"
        "share(lambda t, n: parts.append((t, n)))\n"
        "print(parts)\n"
    )
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    blas, parts = out.stdout.splitlines()
    assert set(eval(blas)) <= {1}
    assert parts == "[(0, 1)]"


@pytest.mark.parametrize("count", [0, -1, 1.5, True, "2", None])
def test_set_num_threads_teaches(count):
    with pytest.raises(ValueError, match="set_num_threads: got .*integer, 1 or more"):
        dezero.set_num_threads(count)


def test_environment_sets_the_default():
    code = "import dezero; print(dezero.get_num_threads())"
    env = {**os.environ, "DEZERO_NUM_THREADS": "1"}
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=env, timeout=60
    )
    assert out.stdout.strip() == "1"


def test_every_part_is_done_once():
    for _ in range(200):
        done = []
        threads.share(lambda t, n: done.append((t, n)))  # noqa: B023
        assert sorted(done) == [(0, 2), (1, 2)]


@pytest.mark.parametrize("failing", [0, 1])
def test_an_error_in_any_thread_is_raised_after_all_have_ended(failing):
    ended = []

    def work(t, n):
        if t == failing:
            raise KeyError("broken")
        ended.append(t)

    with pytest.raises(KeyError, match="broken"):
        threads.share(work)
    assert ended == [1 - failing]
    threads.share(lambda t, n: ended.append(t))
    assert sorted(ended[1:]) == [0, 1]


def test_work_inside_work_is_not_shared_again_by_a_worker():
    inner = []

    def work(t, n):
        threads.share(lambda u, m: inner.append((t, u, m)))

    threads.share(work)
    assert {(t, u) for t, u, m in inner if m == 2} <= {(0, 0), (0, 1), (1, 0), (1, 1)}
    assert len({(t, u) for t, u, m in inner}) == len(inner)


def test_several_python_threads_share_at_once():
    x = np.random.default_rng(0).standard_normal(1 << 19).astype(np.float32)
    want = np.tanh(x)
    wrong = []

    def compute():
        for _ in range(10):
            y = dezero.functions.tanh(x).data
            if not np.allclose(y, want, rtol=1e-5):
                wrong.append(y)

    workers = [threading.Thread(target=compute) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not wrong


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_process_computes():
    code = (
        "import os, warnings, numpy as np, dezero, dezero.functions as F\n"
        "warnings.simplefilter('ignore')\n"
        "x = np.ones(1 << 19, np.float32)\n"
        "F.exp(x)\n"
        "pid = os.fork()\n"
        "if pid == 0:\n"
        "    y = F.exp(x).data\n"
        "    os._exit(0 if abs(y - np.e).max() < 1e-5 else 1)\n"
        "print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))\n"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert out.stdout.strip() == "0", out.stderr
