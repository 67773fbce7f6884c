"""Says what long work is doing, and how long each step took."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def step(what: str) -> Iterator[None]:
    """Print the step when it starts and its seconds when it ends, failed or not."""
    print(f"==> {what}", file=sys.stderr, flush=True)
    started = time.monotonic()
    outcome = "failed after"
    try:
        yield
        outcome = "took"
    finally:
        print(f"    {what}: {outcome} {time.monotonic() - started:.1f} s", file=sys.stderr, flush=True)
