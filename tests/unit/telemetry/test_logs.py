"""Log lines: one JSON object each, with context and without secrets."""

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from gemma_operator.telemetry.logs import MASK, configure_logs, log_fields, masked

JWT = "eyJhbGciOiJSUzI1NiIsImtpZCI6IngifQ.eyJpc3MiOiJrdWJlcm5ldGVzIn0.c2lnbmF0dXJlLXBhcnQ"
HUB = "hf_" + "AbCdEfGhIjKlMnOp"


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What was logged; the handlers of before are put back."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    configure_logs("INFO", stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)


def parsed(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (f"401 with Bearer {JWT}", JWT),
        ("Authorization: bearer abc.DEF-123_x~y", "abc.DEF-123_x~y"),
        (f"token={HUB} refused", HUB),
        (f"clone https://user:{HUB}@host/x", HUB),
        (f"kubeconfig has {JWT}, which expired", JWT),
        (json.dumps({"Authorization": f"Bearer {JWT}"}), JWT),
    ],
)
def test_a_secret_never_stays_in_a_text(text: str, secret: str) -> None:
    assert secret not in masked(text)
    assert MASK in masked(text)


@pytest.mark.parametrize("text", ["Bearer of good news", "the half_life of hf_", "eyJ is a prefix", "google/gemma-4"])
def test_plain_words_are_left_alone(text: str) -> None:
    assert masked(text) == text


def test_a_line_is_json_with_time_level_and_context(lines: io.StringIO) -> None:
    with log_fields(key="team/a"), log_fields(reconcileID="42"):
        logging.getLogger("gemma").info("Planned %s", "31B\nwith a break")
    logging.getLogger("gemma").warning("Outside")
    inside, outside = parsed(lines)
    assert inside["message"] == "Planned 31B\nwith a break"
    assert (inside["level"], inside["key"], inside["reconcileID"]) == ("info", "team/a", "42")
    assert inside["time"].endswith("+00:00")
    assert "key" not in outside


def test_exceptions_are_masked_too(lines: io.StringIO) -> None:
    try:
        raise RuntimeError(f"refused: Bearer {JWT}")
    except RuntimeError:
        logging.getLogger("gemma").exception("Failed with %s", HUB)
    (line,) = parsed(lines)
    assert "RuntimeError: refused" in line["exception"]
    assert JWT not in lines.getvalue()
    assert HUB not in lines.getvalue()


def test_context_can_not_overwrite_or_carry_secrets(lines: io.StringIO) -> None:
    with log_fields(note=f"Bearer {JWT}", message="other"):
        logging.getLogger("gemma").info("Mine")
    assert JWT not in lines.getvalue()
    assert parsed(lines)[0]["message"] == "Mine"


async def test_tasks_have_the_context_that_they_were_started_in(lines: io.StringIO) -> None:
    async def work(name: str) -> None:
        with log_fields(key=name):
            await asyncio.sleep(0.01)
            logging.getLogger("gemma").info("Done")

    await asyncio.gather(work("a"), work("b"))
    assert {line["key"] for line in parsed(lines)} == {"a", "b"}


def test_chatty_libraries_speak_only_when_something_is_wrong(lines: io.StringIO) -> None:
    logging.getLogger("kopf.objects").info("Handler succeeded")
    logging.getLogger("kopf.objects").error("Watch failed")
    assert [line["message"] for line in parsed(lines)] == ["Watch failed"]
