"""The startup probe passes when the engine completes and has the promised context, and not before."""

import pytest

from gemma_operator.pod_scripts import startup_probe
from tests.unit.pod_scripts.engine import Engine, serving


def probe(engine: Engine, context_tokens: int = 4096) -> int:
    with serving(engine):
        return int(startup_probe.main([str(engine.port), str(context_tokens)]))


def test_an_engine_that_completes_and_has_the_context_has_started() -> None:
    engine = Engine()
    assert probe(engine) == 0
    path, body = engine.asked[0]
    assert path == "/v1/completions"
    assert body == {"prompt": [2], "max_tokens": 1, "temperature": 0}


def test_a_checkpoint_that_fails_on_its_first_pass_never_starts(capsys: pytest.CaptureFixture[str]) -> None:
    assert probe(Engine(completion=500)) == 1
    assert "500" in capsys.readouterr().out


@pytest.mark.parametrize(("promised", "code"), [(4096, 0), (4097, 1)])
def test_the_promised_context_is_checked_in_the_pod(
    promised: int, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert probe(Engine(context_tokens=4096), promised) == code
    assert ("promised are 4097" in capsys.readouterr().out) is bool(code)


def test_an_engine_that_does_not_tell_its_context_has_not_started() -> None:
    assert probe(Engine(context_tokens=None)) == 1


def test_a_full_queue_is_a_started_engine() -> None:
    assert probe(Engine(completion=503, running=[3.0])) == 0


def test_an_engine_that_sheds_with_nothing_running_has_not_started() -> None:
    assert probe(Engine(completion=503, running=[0.0], waiting=4.0)) == 1


def test_the_key_comes_from_the_pods_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VLLM_API_KEY", raising=False)
    assert probe(Engine(key="hush")) == 1
    monkeypatch.setenv("VLLM_API_KEY", "hush")
    assert probe(Engine(key="hush")) == 0


def test_a_closed_port_says_that_the_engine_does_not_answer_yet(capsys: pytest.CaptureFixture[str]) -> None:
    with serving(Engine()) as engine:
        port = engine.port
    assert startup_probe.main([str(port), "4096"]) == 1
    assert "does not answer yet" in capsys.readouterr().out
