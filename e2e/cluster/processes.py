"""Finds processes of this cluster by what their command lines name, and ends them.

Pid files answer first; this is for what a crash left without one. A process counts as ours only when its program
is one that the cluster starts *and* an argument lies in this cluster's state folder: never by a name alone.
"""

import os
import signal
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path


def start_time(pid: int) -> str | None:
    """Clock ticks since boot at which the process began: with the id it names one process. None when it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] == "Z" else fields[19]


def processes_of(programs: Sequence[str], named: Path) -> list[int]:
    """Ids of processes that run one of the programs with an argument at or below the path ``named``."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            program, *arguments = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
        if Path(program).name in programs and any(_is_below(argument, named) for argument in arguments):
            found.append(int(entry.name))
    return found


def end_all(find: Callable[[], Iterable[int]], seconds: float = 10) -> None:
    """Kill what ``find`` finds, with all that it started, until it finds nothing.

    Raises ``RuntimeError`` with the ids that do not end.
    """
    deadline = time.monotonic() + seconds
    while found := list(find()):
        if time.monotonic() > deadline:
            raise RuntimeError(f"processes {found} do not end; what they hold cannot be removed")
        for pid in found:
            _kill_tree(pid)
        time.sleep(0.05)


def _is_below(argument: str, folder: Path) -> bool:
    value = argument.partition("=")[2] if argument.startswith("-") else argument
    return value == str(folder) or value.startswith(f"{folder}/")


def _kill_tree(pid: int) -> None:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except (FileNotFoundError, ProcessLookupError):
        children = []
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    for child in children:
        _kill_tree(int(child))
