"""Liveness ends an engine that is dead or hung, never one that works, waits for work, or can't be judged."""

from pathlib import Path

import pytest

from gemma_operator.pod_scripts import liveness_probe
from tests.unit.pod_scripts.engine import Engine, serving

LATER = liveness_probe.STALL_SECONDS + 1


def probe(engine: Engine, state: Path, now: float) -> int:
    return int(liveness_probe.main([str(engine.port), str(state)], now=lambda: now))


def test_a_dead_engine_fails_at_once(tmp_path: Path) -> None:
    with serving(Engine(health=503)) as engine:
        assert probe(engine, tmp_path / "state", 0) == 1
    assert probe(engine, tmp_path / "state", 0) == 1


def test_an_idle_engine_lives_for_ever(tmp_path: Path) -> None:
    with serving(Engine()) as engine:
        assert [probe(engine, tmp_path / "state", now) for now in (0, LATER, 10 * LATER)] == [0, 0, 0]


def test_requests_that_do_not_move_for_three_minutes_are_a_hang(tmp_path: Path) -> None:
    with serving(Engine(running=[2.0])) as engine:
        times = (0, 90, liveness_probe.STALL_SECONDS, LATER)
        assert [probe(engine, tmp_path / "state", now) for now in times] == [0, 0, 0, 1]


def test_requests_that_only_wait_are_a_hang_too(tmp_path: Path) -> None:
    with serving(Engine(running=[0.0], waiting=1.0)) as engine:
        assert [probe(engine, tmp_path / "state", now) for now in (0, LATER)] == [0, 1]


def test_one_token_is_progress(tmp_path: Path) -> None:
    with serving(Engine(running=[2.0])) as engine:
        assert probe(engine, tmp_path / "state", 0) == 0
        engine.generated += 1
        assert [probe(engine, tmp_path / "state", now) for now in (LATER, 2 * LATER)] == [0, 1]


def test_a_long_prefill_in_which_only_the_cache_fills_is_progress(tmp_path: Path) -> None:
    page = 'vllm:num_requests_running{engine="0"} 1.0\nvllm:kv_cache_usage_perc{engine="0"} '
    with serving(Engine(metrics=page + "0.10\n")) as engine:
        assert probe(engine, tmp_path / "state", 0) == 0
        engine.metrics = page + "0.12\n"
        assert probe(engine, tmp_path / "state", LATER) == 0


def test_an_engine_started_anew_does_not_inherit_the_hang_of_the_last_one(tmp_path: Path) -> None:
    with serving(Engine(running=[2.0])) as engine:
        assert [probe(engine, tmp_path / "state", now) for now in (0, LATER)] == [0, 1]
        engine.metrics = engine.page().replace("process_start_time_seconds 1.0", "process_start_time_seconds 2.0")
        assert probe(engine, tmp_path / "state", LATER + 10) == 0


def test_work_that_came_after_an_idle_time_has_its_own_three_minutes(tmp_path: Path) -> None:
    with serving(Engine()) as engine:
        assert probe(engine, tmp_path / "state", 0) == 0
        engine.running = [1.0]
        assert [probe(engine, tmp_path / "state", now) for now in (LATER, LATER + 100)] == [0, 0]


@pytest.mark.parametrize("metrics", ["", "<html>\n", 'vllm:num_requests_running{engine="0"} \n', "\x00\xff"])
def test_a_page_that_cannot_be_read_ends_no_engine(metrics: str, tmp_path: Path) -> None:
    with serving(Engine(metrics=metrics)) as engine:
        assert [probe(engine, tmp_path / "state", now) for now in (0, LATER)] == [0, 0]


@pytest.mark.parametrize("state", ["", "[]", "{", '{"progress": 3}'])
def test_a_spoiled_state_file_is_begun_anew(state: str, tmp_path: Path) -> None:
    (tmp_path / "state").write_text(state)
    with serving(Engine(running=[2.0])) as engine:
        assert [probe(engine, tmp_path / "state", now) for now in (0, 10)] == [0, 0]


def test_a_full_disk_ends_no_engine(tmp_path: Path) -> None:
    with serving(Engine(running=[2.0])) as engine:
        assert probe(engine, tmp_path / "no" / "folder", 0) == 0
