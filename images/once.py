"""Folders that are made once and then only read, also when two commands want the same one at the same moment.

The second waits for the first and takes its result. A folder carries its final name only when it is whole, so
a maker that was stopped leaves nothing that looks finished. Used for the engine, the Debian roots and the tiny models.
"""

import fcntl
import shutil
from collections.abc import Callable
from pathlib import Path

from e2e.progress import step


def made_once(folder: Path, title: str, make: Callable[[Path], None]) -> Path:
    """``folder``, filled by ``make`` if it is not there; ``title`` is shown while that runs."""
    if folder.exists():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    # The kernel frees the lock when its holder ends, however it ends.
    with (folder.parent / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            unfinished = folder.parent / f"{folder.name}.part"
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir()
            with step(title):
                make(unfinished)
            unfinished.rename(folder)
    return folder
