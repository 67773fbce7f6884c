"""The pod's programs against a real engine with an API key: probes, drain, middleware, refusal."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from e2e.waiting import wait_for
from gemma_operator.controller.main import pod_scripts
from gemma_operator.pod_scripts import liveness_probe, pre_stop, startup_probe
from gemma_operator.vllm.arguments import arguments
from gemma_operator.vllm.metrics import load
from gemma_operator.vllm.refusal import Cause, parse_refusal
from images.engine import engine_environment
from images.tiny.host_engine import HostEngine, host_engine, plan_tiny

pytestmark = pytest.mark.e2e

KEY = "hush-" + "0" * 8
CONTEXT = 2048
LONG = {"prompt": [2], "max_tokens": 1800, "temperature": 0, "ignore_eos": True, "stream": True}


@pytest.fixture(scope="module")
def pod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """What a pod has beside its engine: labels, a place for the drain flag, the key."""
    folder = tmp_path_factory.mktemp("pod")
    (folder / "labels").write_text('gemma-operator.io/serving="true"\n')
    (folder / "draining").write_text("left by a container that failed\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VLLM_API_KEY", KEY)
        patch.setenv("GEMMA_POD_LABELS", str(folder / "labels"))
        patch.setenv("GEMMA_DRAIN_FLAG", str(folder / "draining"))
        yield folder


@pytest.fixture(scope="module")
def engine(pod: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostEngine]:
    with host_engine(plan_tiny("tiny-chat", CONTEXT), tmp_path_factory.mktemp("log") / "engine.log") as running:
        yield running


def connect(engine: HostEngine) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(engine.url.removeprefix("http://"), timeout=60)


def ask(
    connection: http.client.HTTPConnection, method: str, path: str, body: Any = None, key: str | None = KEY
) -> http.client.HTTPResponse:
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
    connection.request(method, path, None if body is None else json.dumps(body), headers)
    return connection.getresponse()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def port(engine: HostEngine) -> str:
    return engine.url.rsplit(":", 1)[1]


def test_the_startup_probe_passes_with_the_promise_and_fails_beyond_it(engine: HostEngine) -> None:
    assert startup_probe.main([port(engine), str(CONTEXT)]) == 0
    assert startup_probe.main([port(engine), str(CONTEXT + 1)]) == 1


def test_a_working_engine_is_alive(engine: HostEngine, tmp_path: Path) -> None:
    assert liveness_probe.main([port(engine), str(tmp_path / "state")]) == 0


def test_every_metric_of_the_hang_rule_is_on_the_page(engine: HostEngine) -> None:
    page = engine.text("/metrics")
    names = {line.split("{")[0].split(" ")[0] for line in page.splitlines() if not line.startswith("#")}
    assert {*liveness_probe.MOVING, *liveness_probe.WORK} <= names


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/invocations", {"prompt": [2], "max_tokens": 1}),
        ("POST", "/v1/completions", {"prompt": [2], "max_tokens": 1}),
        ("POST", "/tokenize", {"prompt": "a"}),
        ("POST", "/scale_elastic_ep", {"new_data_parallel_size": 2}),
        ("GET", "/v1/models", None),
    ],
)
def test_nothing_that_takes_a_prompt_is_open_without_the_key(
    method: str, path: str, body: Any, engine: HostEngine
) -> None:
    assert ask(connect(engine), method, path, body, key=None).status == 401


@pytest.mark.parametrize(
    ("path", "body"), [("/invocations", {"prompt": [2], "max_tokens": 1}), ("/tokenize", {"prompt": "a"})]
)
def test_the_key_opens_it(path: str, body: Any, engine: HostEngine) -> None:
    assert ask(connect(engine), "POST", path, body).status == 200


def test_a_lost_serving_label_moves_a_kept_connection_at_its_next_request(engine: HostEngine, pod: Path) -> None:
    connection, labels = connect(engine), (pod / "labels").read_text()
    first = ask(connection, "GET", "/v1/models")
    assert (first.getheader("Connection"), len(first.read()) > 0) == (None, True)
    kept = connection.sock
    assert kept is not None
    (pod / "labels").write_text('app="x"\n')
    try:
        wait_for("the answer that closes", lambda: closes(connection), 5)
        assert connection.sock is not kept
    finally:
        (pod / "labels").write_text(labels)
    wait_for("an answer that keeps", lambda: not closes(connection), 5)


def closes(connection: http.client.HTTPConnection) -> bool:
    answer = ask(connection, "GET", "/v1/models")
    answer.read()
    return answer.getheader("Connection") == "close"


def test_pre_stop_waits_for_the_stream_that_runs_and_its_answer_is_whole(engine: HostEngine, pod: Path) -> None:
    with ThreadPoolExecutor(1) as client:
        stream = client.submit(lambda: ask(connect(engine), "POST", "/v1/completions", LONG).read().decode())

        def runs() -> bool:
            return stream.done() or getattr(load(engine.text("/metrics")), "running", 0) > 0

        wait_for("the request to run", runs, 60, 0.02)
        assert not stream.done(), stream.result()[-500:]
        started = time.monotonic()
        try:
            assert pre_stop.main([port(engine), "120", str(pod / "draining")], 0.0) == 0
            assert getattr(load(engine.text("/metrics")), "running", 1) == 0
            assert time.monotonic() - started < 120
            answer = stream.result(10)
            assert answer.rstrip().endswith("data: [DONE]")
            assert answer.count('"text"') > 100
        finally:
            (pod / "draining").unlink()


def test_a_pool_that_is_too_small_is_read_from_the_termination_message(tmp_path: Path) -> None:
    """vLLM writes its errors through the pod's own logging configuration; the numbers come back from there."""
    plan = plan_tiny("tiny-chat", 8192)
    pool = plan.launch.kv_cache_memory_bytes
    assert pool is not None
    lines = list(arguments(replace(plan.launch, kv_cache_memory_bytes=pool // 2)))
    lines[lines.index("--port") + 1] = str(free_port())
    message, config = tmp_path / "termination-log", tmp_path / "logging.json"
    config.write_text(pod_scripts()["logging.json"].replace("/dev/termination-log", str(message)))
    scripts = Path(pre_stop.__file__).parent
    here = engine_environment()
    variables = here | {"PYTHONPATH": f"{here['PYTHONPATH']}:{scripts}", "VLLM_LOGGING_CONFIG_PATH": str(config)}
    process = subprocess.Popen(
        [sys.executable, "-m", "vllm.entrypoints.cli.main", "serve", *lines],
        env=variables,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        assert process.wait(180) != 0
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    # The kubelet keeps the last 4,096 bytes.
    refusal = parse_refusal(message.read_text()[-4096:])
    assert refusal is not None
    assert refusal.cause is Cause.POOL_TOO_SMALL
    assert refusal.longest_tokens is not None
    assert 0 < refusal.longest_tokens < 8192
