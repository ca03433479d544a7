"""Measuring systems, here or in parallel processes: whatever happens, each gives a result."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
import traceback
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from scc.claims.claim import System, SystemResult
from scc.errors import SccError
from scc.json_values import plain

Task = tuple[Callable[[System], SystemResult], System]
"""A function of a claim and the system to call it with."""

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_DIED = "the process measuring it died (killed, or out of memory)"


def measure_system(measure: Callable[[System], SystemResult], system: System) -> SystemResult:
    """``measure(system)`` with plain JSON entries and its wall time; an exception becomes a result.

    An :class:`scc.errors.SccError` is recorded by its message, anything else by type, message and
    the place that raised it.
    """
    start = time.perf_counter()
    try:
        result = _checked(measure(system))
    except Exception as error:
        result = failed(system, one_line(error))
    return replace(result, seconds=round(time.perf_counter() - start, 4))


def failed(system: System, message: str) -> SystemResult:
    """The result of a system that could not be measured: it speaks against its claim."""
    try:
        parameters = plain(system.parameters)
    except TypeError:
        parameters = {"parameters": repr(system.parameters)}
    return SystemResult(
        description=system.description,
        parameters=parameters,
        hypotheses={},
        measured={"error": message},
        predicted={},
        holds=False,
        error=message,
    )


def measure_all(
    tasks: Sequence[Task], workers: int
) -> Generator[tuple[int, SystemResult], None, None]:
    """Yield ``(index of the task, result)`` as the tasks finish.

    With one worker they run here, in order; with more, in freshly started ("spawn") processes with
    one BLAS thread each. Closing the iterator, or an interrupt, ends the processes. A process that
    dies (a crash in compiled code, the out-of-memory killer) costs only its own system.
    """
    if workers == 1:
        for index, task in enumerate(tasks):
            yield index, measure_system(*task)
        return
    waiting = deque(range(len(tasks)))
    while waiting:
        suspects = yield from _until_broken(tasks, waiting, workers)
        # Which of those that were running broke the pool is only found out by running each alone.
        for index in suspects:
            yield index, _measure_alone(tasks[index])


def _until_broken(
    tasks: Sequence[Task], waiting: deque[int], workers: int
) -> Generator[tuple[int, SystemResult], None, list[int]]:
    """Yield results until nothing is waiting, or a process dies: then return what was running."""
    with _pool(min(workers, len(waiting))) as pool:
        running: dict[Future[SystemResult], int] = {}
        while waiting or running:
            # No more tasks than workers in the pool: what is in it is what was running.
            while waiting and len(running) < workers:
                try:
                    future = pool.submit(measure_system, *tasks[waiting[0]])
                except BrokenProcessPool:
                    return list(running.values())
                running[future] = waiting.popleft()
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                error = future.exception()
                if isinstance(error, BrokenProcessPool):
                    return list(running.values())
                index = running.pop(future)
                yield (
                    index,
                    (
                        future.result()
                        if error is None
                        else failed(tasks[index][1], one_line(error))
                    ),
                )
    return []


def _measure_alone(task: Task) -> SystemResult:
    with _pool(1) as pool:
        error = (future := pool.submit(measure_system, *task)).exception()
        if error is None:
            return future.result()
        message = _DIED if isinstance(error, BrokenProcessPool) else one_line(error)
        return failed(task[1], message)


@contextmanager
def _pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    others = set(multiprocessing.active_children())
    environment = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update({name: "1" for name in _THREADS})  # read by the children as they start
    pool = ProcessPoolExecutor(
        workers, mp_context=multiprocessing.get_context("spawn"), initializer=_leave_interrupts
    )
    try:
        yield pool
    except BaseException:
        for child in set(multiprocessing.active_children()) - others:
            child.terminate()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        for name, value in environment.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _leave_interrupts() -> None:
    # Ctrl-C reaches the whole process group; the parent alone decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _checked(result: SystemResult) -> SystemResult:
    if not isinstance(result, SystemResult):
        raise TypeError(f"measure returned a {type(result).__name__}, not a SystemResult")
    series = {name: np.asarray(array) for name, array in result.series.items()}
    for name, array in series.items():
        if array.dtype.hasobject:
            raise TypeError(f"series {name!r} is not an array of numbers or strings")
    return replace(
        result,
        parameters=plain(result.parameters),
        hypotheses=plain(result.hypotheses),
        measured=plain(result.measured),
        predicted=plain(result.predicted),
        series=series,
    )


def one_line(error: BaseException) -> str:
    """The message of an error of ours; type, message and place of any other."""
    message = " ".join(str(error).split())
    if isinstance(error, SccError):
        return message
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {message}{place}"
