"""One start or stop at a time, also among processes: parallel test workers all ask for the cluster."""

import fcntl
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from e2e.cluster.paths import CACHE


@contextmanager
def exclusive() -> Iterator[None]:
    """Hold the machine-wide right to change the cluster; waits for its turn and says so."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "cluster-change.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("==> waiting: another process starts or stops the cluster", file=sys.stderr, flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
