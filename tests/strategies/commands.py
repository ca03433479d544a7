"""``scc`` in a process of its own, as from a shell: signals, process groups, waiting."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path


@contextlib.contextmanager
def running(
    file: Path, *arguments: str, folder: Path, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """``python file arguments…`` in ``folder``, a process group of its own; it does not outlive
    the block."""
    process = subprocess.Popen(
        [sys.executable, str(file), *arguments],
        cwd=folder,
        env={**os.environ, **(environment or {})},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        # Whatever a failing test leaves behind would be held against the tests after it.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def wait_for(
    condition: Callable[[], bool],
    process: subprocess.Popen[str] | None = None,
    seconds: float = 240.0,
) -> None:
    """Until the condition holds; fails when ``process`` ends before, or time is up."""
    end = time.monotonic() + seconds
    while not condition():
        assert process is None or process.poll() is None, process.stderr and process.stderr.read()
        assert time.monotonic() < end
        time.sleep(0.05)


def group_is_gone(group: int) -> bool:
    """No process of the group is left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    return False
