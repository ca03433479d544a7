"""Where the points of a sweep are measured: joblib processes, or the workers of a Dask cluster.

Both yield rows as they are finished, in any order. Points are independent and carry nothing but
names and numbers; a worker looks the claim up by its id in its own installation.
"""

# mypy: disable-error-code="no-untyped-call"
# (distributed is only partly typed.)

from __future__ import annotations

import multiprocessing.resource_tracker
import os
import signal
import threading
import time
import warnings
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import Any

from joblib import Parallel, delayed, parallel_config
from joblib.externals.loky import get_reusable_executor
from joblib.externals.loky.backend import resource_tracker
from joblib.externals.loky.process_executor import TerminatedWorkerError

from scc.claims.parameters import Value
from scc.errors import InputError, SccError
from scc.sweeps.measure import measure_point
from scc.sweeps.table import Row

Points = Sequence[Mapping[str, Value]]


class WorkerError(SccError):
    """A worker process died: killed, or out of memory."""


def with_joblib(claim_id: str, points: Points, workers: int) -> Generator[Row, None, None]:
    """Rows from ``workers`` processes with one BLAS thread each.

    One worker is a process too, so that nothing depends on what this one has loaded. Closing the
    generator, or an interrupt, ends the processes.

    Raises:
        WorkerError: one died.
    """
    number = min(workers, len(points))
    settings = {"inner_max_num_threads": 1, "initializer": _prepare, "initargs": (os.getpid(),)}
    finished = False
    with warnings.catch_warnings(), parallel_config("loky", n_jobs=number, **settings):
        # That a sweep which ends early does not finish its systems is what is wanted.
        warnings.filterwarnings("ignore", ".*tasks which were still being processed")
        # One system a batch: a row is on its way to the journal when it is finished.
        parallel = Parallel(batch_size=1, return_as="generator_unordered")
        tasks = (delayed(measure_point)(claim_id, dict(point)) for point in points)
        try:
            with _started_without_interrupts():
                rows = parallel(tasks)
            with closing(rows):
                yield from rows
            finished = True
        except TerminatedWorkerError:
            raise WorkerError("a worker process died (killed, or out of memory)") from None
        finally:
            get_reusable_executor(max_workers=number).shutdown(wait=True, kill_workers=not finished)


def with_dask(claim_id: str, points: Points, scheduler: str) -> Generator[Row, None, None]:
    """Rows from the cluster whose scheduler listens at ``scheduler``, ``tcp://127.0.0.1:8786``.

    Its workers need this version of scc. What is not finished when the generator is closed is
    cancelled.

    Raises:
        InputError: ``distributed`` is not installed, or nobody answers there.
        WorkerError: workers died measuring a point.
    """
    try:
        from distributed import Client, as_completed
        from distributed.comm.addressing import resolve_address
        from distributed.scheduler import KilledWorker
    except ImportError:
        raise InputError(
            "--scheduler needs Dask: pip install 'self-consistent-coulomb[cluster]'"
        ) from None
    try:
        resolve_address(scheduler)  # a Client that cannot read it leaves threads and a traceback
        client = Client(scheduler, timeout=5, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise InputError(f"no Dask scheduler at {scheduler}: {_first_line(error)}") from None
    futures: list[Any] = []
    try:
        futures = client.map(measure_point, [claim_id] * len(points), list(points), pure=False)
        with client.as_current():
            finished = as_completed(futures)
        for future in finished:
            yield future.result()
    except KilledWorker:
        raise WorkerError("a worker of the cluster died (killed, or out of memory)") from None
    finally:
        client.cancel(futures)
        client.close()


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]


@contextmanager
def _started_without_interrupts() -> Iterator[None]:
    """Processes started here do not see Ctrl-C even before :func:`_prepare` has run in them.

    They inherit the mask of signals; what arrives meanwhile is for this process, afterwards.
    """
    for tracker in (multiprocessing.resource_tracker, resource_tracker):
        tracker.ensure_running()  # their start would lift the mask
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _prepare(parent: int) -> None:
    """Of a worker: Ctrl-C reaches the whole process group, the parent alone decides what it means;
    and a parent that is killed takes its workers along, whatever they are at."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1.0)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
