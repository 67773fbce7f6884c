"""Waits for a condition with a deadline; the only way that tests and tools here wait."""

import time
from collections.abc import Callable
from typing import TypeVar

_Result = TypeVar("_Result")


class DeadlineError(TimeoutError):
    """The condition did not come true in time; the message says what was last seen."""


def wait_for(
    what: str,
    probe: Callable[[], _Result | None],
    seconds: float,
    every: float = 0.2,
    describe: Callable[[], str] = str,
) -> _Result:
    """The first truthy answer of ``probe``. Exceptions of the probe count as "not yet".

    Raises ``DeadlineError`` with the last exception and with what ``describe`` says.
    """
    deadline = time.monotonic() + seconds
    last: Exception | None = None
    while True:
        try:
            answer = probe()
            if answer:
                return answer
            last = None
        except Exception as error:  # whatever is wrong now may be right at the next look
            last = error
        if time.monotonic() >= deadline:
            seen = f"; last error: {last!r}" if last else ""
            raise DeadlineError(f"{what}: not within {seconds:.0f} s{seen} {describe()}".rstrip())
        time.sleep(every)
