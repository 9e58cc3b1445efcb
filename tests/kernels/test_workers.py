"""The pool's workers wait without the interpreter, and run OpenBLAS's jobs.

Each program runs in a process of its own: what goes wrong here ends in one that hangs or crashes.
"""

import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from dezero.core.process import blas_function

pytest.importorskip("numba")

served = pytest.mark.skipif(
    blas_function("openblas_set_threads_callback_function") is None,
    reason="NumPy has no OpenBLAS that runs its jobs elsewhere",
)

SETUP = """
import os, sys, threading, time
import numpy as np, dezero, dezero.functions as F
from dezero.core import threads
from dezero.core.threads import board, share
from dezero.kernels.cpu import workers
from dezero.core.process import blas_function

rng = np.random.default_rng(0)
x = rng.standard_normal(1 << 20).astype("f")
a, b = (rng.standard_normal(s).astype("f") for s in ((300, 400), (400, 500)))
pairs = [(a, b), (a.T, np.ones((300, 64), "f")), (b.T, b), (a[:, :7], a[:7]), (a @ b, b.T[:, 0])]
pairs += [(p.astype("d"), q.astype("d")) for p, q in pairs]
dezero.set_num_threads(1)
alone = [p @ q for p, q in pairs]
dezero.set_num_threads({threads})

def ready(count={threads} - 1):
    F.exp(x)
    for _ in range(2000):
        if board[0, 1] == count and all(board[2 : 2 + count, 0] != workers.AWAY):
            return
        time.sleep(0.001)
    raise SystemExit("the workers do not wait")

def check():
    for (p, q), want in zip(pairs, alone):
        np.testing.assert_allclose(p @ q, want, rtol=2e-4, atol=2e-3)
"""


def run(program: str, threads: int = 2, **env: str) -> str:
    code = SETUP.replace("{threads}", str(threads)) + textwrap.dedent(program)
    out = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, **env},
    )
    assert out.returncode == 0, (out.returncode, out.stdout, out.stderr)
    return out.stdout


@served
@pytest.mark.parametrize("threads", [2, 3, 5])
def test_workers_do_products(threads):
    run(
        """
        ready()
        for _ in range(1000):  # on a busy machine a worker may come late
            before = [p @ q for p, q in pairs]
            if (board[2 : 1 + {threads}, workers.CALL // 8] != 0).all():
                break
        else:
            raise SystemExit(f"a worker did nothing: {board[:6]}")
        blas_function("openblas_set_threads_callback_function")(None)
        for (p, q), want in zip(pairs, before):  # the same bits as on OpenBLAS's own threads
            np.testing.assert_array_equal(p @ q, want)
        check()
        """.replace("{threads}", str(threads)),
        threads,
    )


@served
def test_a_worker_that_sleeps_is_woken():
    run(
        """
        ready()
        for _ in range(20):
            while board[2, 0] != workers.ASLEEP:
                time.sleep(0.001)
            check()
            F.exp(x)
        """
    )


@served
def test_more_jobs_than_workers():
    run(
        """
        ready()
        blas_function("openblas_set_num_threads")(7)
        check()
        """
    )


@served
def test_products_before_there_are_workers_and_without_them():
    run(
        """
        workers._begin()
        assert board[0, 1] == 0
        check()
        ready()
        check()
        """
    )


@served
def test_dezero_tune_leaves_openblas_alone():
    run("ready(); check(); assert not board[0, workers.BEGIN // 8]", DEZERO_TUNE="0")


@pytest.mark.parametrize("threads", [2, 4])
def test_products_kernels_and_factorizations_of_several_python_threads(threads):
    run(
        """
        ready()
        s = a @ a.T + 300 * np.eye(300, dtype="f")
        inverse, e = np.linalg.inv(s), np.exp(x)
        wrong = []

        def compute(kind):
            for _ in range(8):
                try:
                    if kind == 0:
                        check()
                    elif kind == 1:
                        np.testing.assert_allclose(F.exp(x).data, e, rtol=1e-5)
                    else:
                        np.testing.assert_allclose(np.linalg.inv(s), inverse, rtol=1e-3, atol=1e-5)
                except AssertionError as error:
                    wrong.append(error)

        users = [threading.Thread(target=compute, args=(i % 3,)) for i in range(6)]
        for user in users: user.start()
        for user in users: user.join()
        assert not wrong, wrong[0]
        """,
        threads,
    )


def test_products_inside_of_a_job():
    run(
        """
        ready()
        for _ in range(50):
            share(lambda t, n: check())
        """
    )


def test_products_and_kernels_while_python_is_busy():
    run(
        """
        ready()
        stop = []

        def busy():
            while not stop:
                sum(range(1000))

        user = threading.Thread(target=busy)
        user.start()
        e = np.exp(x)
        for _ in range(10):
            check()
            np.testing.assert_allclose(F.exp(x).data, e, rtol=1e-5)
        stop.append(1)
        user.join()
        """
    )


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_process_has_workers_of_its_own():
    run(
        """
        import warnings
        warnings.simplefilter("ignore")
        ready()
        check()
        pid = os.fork()
        if pid == 0:
            check()
            ready()
            check()
            os._exit(7)
        check()
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
        check()
        """
    )


@pytest.mark.parametrize("at", ["ready()", "ready(); check()", "F.exp(x)", "a @ b; F.exp(x)"])
def test_the_end_of_a_program_is_clean(at):
    for _ in range(3):
        run(at)


def test_work_after_the_workers_have_ended():
    run(
        """
        ready()
        worker = threads._pool.workers[0]
        threads._pool.close()
        assert not worker.is_alive()
        check()
        np.testing.assert_allclose(F.exp(x).data, np.exp(x), rtol=1e-5)
        """
    )


def test_jobs_are_counted_and_workers_report():
    run(
        """
        ready()
        posted, finished = board[0, 0], board[1, 0]
        for _ in range(100):
            share(lambda t, n: None)
        assert board[0, 0] == posted + 100
        time.sleep(0.1)
        assert board[1, 0] > finished
        """
    )


def test_rows_of_the_board_are_lines_of_the_cache():
    from dezero.core.threads import board

    assert board.ctypes.data % 64 == 0
    assert board.strides == (64, 8)
    assert board.dtype == np.int64
