"""preStop waits for the Service and for the requests, and never longer than it may."""

import os
import subprocess
import sys
import time
from pathlib import Path
from threading import Thread

import pytest

from gemma_operator.pod_scripts import liveness_probe, pre_stop
from tests.unit.pod_scripts.engine import Engine, serving


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Polls often; real waits would take minutes."""
    monkeypatch.setattr(pre_stop, "POLL_SECONDS", 0.01)


def stop(engine: Engine, flag: Path, drain_seconds: float, settle_seconds: float) -> float:
    """Seconds that the hook took."""
    started = time.monotonic()
    assert pre_stop.main([str(engine.port), str(drain_seconds), str(flag)], settle_seconds) == 0
    return time.monotonic() - started


def test_it_waits_until_nothing_runs_and_nothing_waits(tmp_path: Path) -> None:
    with serving(Engine(running=[3.0, 3.0, 1.0, 0.0])) as engine:
        assert stop(engine, tmp_path / "flag", 30, 0) < 10
    assert len(engine.asked) == 4


def test_an_idle_engine_still_waits_until_the_service_has_noticed(tmp_path: Path) -> None:
    with serving(Engine()) as engine:
        assert 0.3 <= stop(engine, tmp_path / "flag", 30, 0.3) < 10


def test_without_a_drain_time_the_service_is_waited_for_all_the_same(tmp_path: Path) -> None:
    with serving(Engine(running=[5.0])) as engine:
        assert 0.3 <= stop(engine, tmp_path / "flag", 0, 0.3) < 10


def test_requests_that_do_not_end_are_cut_at_the_drain_time(tmp_path: Path) -> None:
    with serving(Engine(running=[5.0])) as engine:
        assert 0.4 <= stop(engine, tmp_path / "flag", 0.4, 0) < 10


def test_an_engine_that_hangs_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the rule of the liveness probe, which kubelet asks no more once a pod is to go."""
    assert (pre_stop.MOVING, pre_stop.STALL_SECONDS) == (liveness_probe.MOVING, liveness_probe.STALL_SECONDS)
    monkeypatch.setattr(pre_stop, "STALL_SECONDS", 0.3)
    with serving(Engine(running=[5.0])) as engine:
        assert 0.3 <= stop(engine, tmp_path / "flag", 30, 0) < 10


def test_an_engine_that_works_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pre_stop, "STALL_SECONDS", 0.3)
    with serving(Engine(running=[5.0], moves=True)) as engine:
        assert 1.0 <= stop(engine, tmp_path / "flag", 1.0, 0) < 10


def test_the_flag_is_set_before_the_wait(tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    with serving(Engine(running=[1.0])) as engine:
        hook = Thread(target=stop, args=(engine, flag, 30, 0))
        hook.start()
        deadline = time.monotonic() + 5
        while not engine.asked and time.monotonic() < deadline:
            time.sleep(0.005)
        assert flag.exists()
        assert hook.is_alive()
        engine.running = [0.0]
        hook.join(10)
    assert not hook.is_alive()


@pytest.mark.parametrize("metrics", ["", 'vllm:num_requests_running{engine="0"} \n'], ids=["empty", "broken"])
def test_an_engine_that_does_not_tell_is_not_waited_for(metrics: str, tmp_path: Path) -> None:
    with serving(Engine(metrics=metrics)) as engine:
        assert stop(engine, tmp_path / "flag", 30, 0) < 10
    assert len(engine.asked) == pre_stop.SILENCES


def test_a_dead_engine_is_not_waited_for(tmp_path: Path) -> None:
    with serving(Engine()) as engine:
        pass
    assert stop(engine, tmp_path / "flag", 30, 0) < 10


def test_a_full_disk_does_not_cut_the_wait(tmp_path: Path) -> None:
    with serving(Engine(running=[1.0, 0.0])) as engine:
        assert stop(engine, tmp_path / "no" / "flag", 30, 0) < 10
    assert len(engine.asked) == 2


def test_an_engine_that_loads_is_told_from_one_that_listens() -> None:
    with serving(Engine()) as engine:
        assert pre_stop.listens(engine.port)
    assert not pre_stop.listens(engine.port)


def test_only_processes_of_the_engine_would_be_ended() -> None:
    sleep = [sys.executable, "-c", "import time; time.sleep(60)"]
    with subprocess.Popen([*sleep, "VLLM::EngineCore"]) as engine, subprocess.Popen(sleep) as other:
        try:
            found = pre_stop.engine_processes(os.getuid())
            assert engine.pid in found
            assert other.pid not in found
            assert os.getpid() not in found
            assert engine.pid not in pre_stop.engine_processes(os.getuid() + 1)
        finally:
            engine.kill()
            other.kill()
