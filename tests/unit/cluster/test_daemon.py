"""Background programs of the local cluster, tried with small real programs."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.cluster import daemon as daemon_module
from e2e.cluster.daemon import Daemon
from e2e.cluster.processes import end_all, processes_of, start_time
from e2e.waiting import DeadlineError

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]
PROGRAM = Path(sys.executable).name


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder of the test's own."""
    monkeypatch.setattr(daemon_module, "STATE", tmp_path)
    monkeypatch.setattr(daemon_module, "LOGS", tmp_path / "logs")
    return tmp_path


@pytest.fixture
def sleeper(state: Path) -> Iterator[Daemon]:
    daemon = Daemon("sleeper")
    daemon.start(SLEEP, lambda: True, 10)
    yield daemon
    daemon.stop()


def test_a_program_that_runs_is_not_started_again(sleeper: Daemon) -> None:
    first = sleeper.running()
    sleeper.start(SLEEP, lambda: True, 10)
    assert sleeper.running() == first


def test_a_stopped_program_is_gone(sleeper: Daemon) -> None:
    pid = sleeper.running()
    assert pid is not None
    sleeper.stop()
    assert sleeper.running() is None
    assert start_time(pid) is None


def test_a_program_that_ends_is_reported_at_once_with_its_last_words(state: Path) -> None:
    command = [sys.executable, "-c", "raise SystemExit('no such flag')"]
    with pytest.raises(RuntimeError, match="no such flag"):
        Daemon("broken").start(command, lambda: False, 60)


def test_a_program_that_never_gets_ready_is_reported_with_its_log(state: Path) -> None:
    daemon = Daemon("slow")
    command = [sys.executable, "-uc", "import time; print('still loading'); time.sleep(60)"]
    with pytest.raises(DeadlineError, match="still loading"):
        daemon.start(command, lambda: False, 1)
    daemon.stop()


def test_a_pid_file_of_another_life_is_not_believed(sleeper: Daemon) -> None:
    pid = sleeper.running()
    sleeper.pid_file.write_text(f"{pid} 1")
    assert sleeper.running() is None
    assert pid is not None
    end_all(lambda: [pid] if start_time(pid) else [])


def test_a_taken_port_is_refused_by_number_before_anything_starts(state: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(RuntimeError, match=f"port {port}, which late needs, is taken"):
            Daemon("late", (port,)).start(SLEEP, lambda: True, 10)
    assert not (state / "pids" / "late").exists()


def test_leftovers_are_found_by_program_and_state_folder_alone(tmp_path: Path) -> None:
    ours, neighbour = tmp_path / "state", tmp_path / "state-of-another"
    commands = [[*SLEEP, f"--data-dir={folder}/etcd"] for folder in (ours, neighbour)]
    left, other = (subprocess.Popen(command) for command in commands)
    try:
        assert processes_of([PROGRAM], ours) == [left.pid]
        assert processes_of(["etcd"], ours) == []
        end_all(lambda: processes_of([PROGRAM], ours))
        assert left.wait(10) != 0
        assert other.poll() is None
    finally:
        other.kill()
        other.wait(10)
