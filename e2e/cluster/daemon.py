"""One background program of the cluster: started once, found again by its pid file, stopped with all it started."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from e2e.cluster.paths import LOGS, STATE
from e2e.cluster.ports import refuse_taken_ports
from e2e.cluster.processes import start_time
from e2e.waiting import wait_for

TAIL_BYTES = 3000


@dataclass(frozen=True)
class Daemon:
    """A program with a name, a log, a pid file, and the TCP ports that must be free for it."""

    name: str
    ports: tuple[int, ...] = ()

    @property
    def log(self) -> Path:
        """Everything that the program printed."""
        return LOGS / f"{self.name}.log"

    @property
    def pid_file(self) -> Path:
        """Holds process id and start time: an id alone may belong to somebody else by now."""
        return STATE / "pids" / self.name

    def running(self) -> int | None:
        """The process id if that very process still runs."""
        try:
            pid, started = self.pid_file.read_text().split()
        except (FileNotFoundError, ValueError):
            return None
        return int(pid) if start_time(int(pid)) == started else None

    def start(self, command: Sequence[str], ready: Callable[[], object], seconds: float) -> None:
        """Start the program unless it runs, and wait until ``ready`` answers something true.

        Raises ``RuntimeError`` at once when a port is taken or the program ends, ``DeadlineError`` when it is not
        ready in ``seconds``; the end of its log is in both.
        """
        if self.running() is None:
            refuse_taken_ports(self.name, self.ports)
            self._launch(command)

        def ended_or_ready() -> object:
            return self.running() is None or ready()

        wait_for(f"{self.name} to be ready", ended_or_ready, seconds, describe=lambda: f"\n{self.tail()}")
        if self.running() is None:
            raise RuntimeError(f"{self.name} ended instead of becoming ready; {self.log}:\n{self.tail()}")

    def stop(self, seconds: float = 10) -> None:
        """Ask the program to end, then end it and its session."""
        pid = self.running()
        if pid is not None:
            for sent in (signal.SIGTERM, signal.SIGKILL):
                _send(pid, sent)
                if _gone_within(self, seconds):
                    break
        self.pid_file.unlink(missing_ok=True)

    def tail(self) -> str:
        """The end of the log."""
        try:
            return self.log.read_bytes()[-TAIL_BYTES:].decode(errors="replace")
        except FileNotFoundError:
            return "(no log)"

    def _launch(self, command: Sequence[str]) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.pid_file.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                list(command), stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )
        self.pid_file.write_text(f"{process.pid} {start_time(process.pid)}")


def _send(pid: int, sent: signal.Signals) -> None:
    try:
        os.killpg(pid, sent)
    except ProcessLookupError:
        return


def _gone_within(daemon: Daemon, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while daemon.running() is not None:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
