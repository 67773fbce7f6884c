"""The middleware closes connections while its pod drains, and with a key set leaves nothing open but probes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gemma_operator.api.labels import SERVING_LABEL
from gemma_operator.pod_scripts import gemma_drain

Message = dict[str, Any]
CHUNKS = [
    {"type": "http.response.body", "body": b"one", "more_body": True},
    {"type": "http.response.body", "body": b"two", "more_body": True},
    {"type": "http.response.body", "body": b"", "more_body": False},
]


async def streaming_app(scope: Message, receive: Any, send: Any) -> None:
    """An application that answers in pieces."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"connection", b"keep-alive")]})
    for chunk in CHUNKS:
        await send(chunk)


@pytest.fixture
def pod(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the pod's label file, as the kubelet writes it."""
    (tmp_path / "labels").write_text(f'app.kubernetes.io/name="gemma"\n{SERVING_LABEL}="true"')
    monkeypatch.setattr(gemma_drain, "POD_LABELS", str(tmp_path / "labels"))
    monkeypatch.setattr(gemma_drain, "DRAIN_FLAG", str(tmp_path / "draining"))
    monkeypatch.setattr(gemma_drain, "LOOK_SECONDS", 0.0)
    monkeypatch.delenv("VLLM_API_KEY", raising=False)
    return tmp_path


async def answer(middleware: Any, path: str = "/v1/completions", method: str = "POST", **headers: str) -> list[Message]:
    """Every message of one request's answer."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "path": path, "method": method, "headers": pairs}
    await middleware(scope, None, send)
    return sent


def closes(sent: list[Message]) -> bool:
    return (b"connection", b"close") in sent[0]["headers"]


def drop_label(pod: Path) -> None:
    (pod / "labels").write_text('app.kubernetes.io/name="gemma"')


def set_flag(pod: Path) -> None:
    (pod / "draining").write_text("draining\n")


async def test_a_serving_pod_leaves_every_answer_as_it_is(pod: Path) -> None:
    sent = await answer(gemma_drain.DrainMiddleware(streaming_app))
    assert sent[0]["headers"] == [(b"connection", b"keep-alive")]


@pytest.mark.parametrize("drain", [drop_label, set_flag])
async def test_a_draining_pod_closes_the_connection_and_streams_to_the_end(
    pod: Path, drain: Callable[[Path], None]
) -> None:
    middleware = gemma_drain.DrainMiddleware(streaming_app)
    assert not closes(await answer(middleware))
    drain(pod)
    sent = await answer(middleware)
    assert sent[0]["headers"] == [(b"connection", b"close")]
    assert sent[1:] == CHUNKS


async def test_a_pod_that_gets_its_label_back_serves_on(pod: Path) -> None:
    middleware = gemma_drain.DrainMiddleware(streaming_app)
    labels = (pod / "labels").read_text()
    drop_label(pod)
    assert closes(await answer(middleware))
    (pod / "labels").write_text(labels)
    assert not closes(await answer(middleware))


async def test_the_flag_of_a_container_that_failed_does_not_drain_the_next_one(pod: Path) -> None:
    set_flag(pod)
    assert not closes(await answer(gemma_drain.DrainMiddleware(streaming_app)))


async def test_outside_of_a_pod_nothing_drains(pod: Path) -> None:
    (pod / "labels").unlink()
    assert not closes(await answer(gemma_drain.DrainMiddleware(streaming_app)))


async def test_other_protocols_pass_untouched(pod: Path) -> None:
    seen: list[str] = []

    async def app(scope: Message, receive: Any, send: Any) -> None:
        seen.append(scope["type"])

    await gemma_drain.DrainMiddleware(app)({"type": "lifespan"}, None, None)
    assert seen == ["lifespan"]


@pytest.mark.parametrize(
    "path", ["/invocations", "/tokenize", "/scale_elastic_ep", "/v1/models", "/render", "//health"]
)
async def test_with_a_key_set_nothing_that_takes_a_prompt_is_open(
    path: str, pod: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VLLM_API_KEY", "hush")
    middleware = gemma_drain.DrainMiddleware(streaming_app)
    for headers in ({}, {"authorization": "Bearer loud"}, {"authorization": "hush"}, {"authorization": "Basic hush"}):
        assert (await answer(middleware, path, **headers))[0]["status"] == 401
    for scheme in ("Bearer", "bearer"):
        assert (await answer(middleware, path, authorization=f"{scheme} hush"))[0]["status"] == 200


@pytest.mark.parametrize("path", ["/health", "/metrics"])
async def test_probes_and_monitoring_need_no_key(path: str, pod: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VLLM_API_KEY", "hush")
    assert (await answer(gemma_drain.DrainMiddleware(streaming_app), path, "GET"))[0]["status"] == 200


async def test_a_preflight_request_needs_no_key(pod: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VLLM_API_KEY", "hush")
    assert (await answer(gemma_drain.DrainMiddleware(streaming_app), method="OPTIONS"))[0]["status"] == 200


async def test_without_a_key_everything_is_open(pod: Path) -> None:
    assert (await answer(gemma_drain.DrainMiddleware(streaming_app), "/invocations"))[0]["status"] == 200
