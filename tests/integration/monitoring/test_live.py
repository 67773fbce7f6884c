"""A real Prometheus scrapes a real vLLM and the installed operator: every panel shows something, nothing fires."""

from collections.abc import Iterator

import pytest

from e2e.chat import Chat
from e2e.stack import Stack
from e2e.waiting import wait_for
from images.tiny.models import transcripts
from tests.integration.monitoring.answers import unanswered, without_data
from tests.integration.monitoring.live import live_targets
from tests.integration.monitoring.prometheus import Prometheus, running

pytestmark = pytest.mark.e2e
NAME = "watched"
SECONDS = 120.0
NOT_ON_A_CPU = "gemma_seen_overhead_bytes"
"""An engine on a CPU is given its pool in bytes: it has no overhead to be seen."""


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """An autoscaled tiny engine that is Ready."""
    stack = Stack.ensure()
    stack.cluster.apply([stack.manifest(NAME, "tiny-chat", contextLength="2K", autoscaling={"maxReplicas": 2})])
    stack.wait_ready(NAME)
    yield stack
    stack.kubectl("delete", "gemmadeployment", NAME, "--timeout=60s")


@pytest.fixture(scope="module")
def prometheus(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """Has scraped them while requests were answered."""
    targets = live_targets(stack.cluster, stack.namespace, NAME)
    assert len(targets) >= 2
    chat = Chat(stack.address(NAME), NAME)
    with running(tmp_path_factory.mktemp("prometheus"), targets, seconds=2) as server:

        def silent() -> list[str]:
            chat.streamed(transcripts()[0])
            return [query for query in unanswered(server, stack.namespace, NAME) if NOT_ON_A_CPU not in query]

        wait_for("every panel to show something", lambda: not silent(), SECONDS, every=2.0,
                 describe=lambda: "\n".join(silent()))  # fmt: skip
        yield server


def test_every_panel_shows_a_running_service(prometheus: Prometheus, stack: Stack) -> None:
    missing = unanswered(prometheus, stack.namespace, NAME)
    assert [query for query in missing if NOT_ON_A_CPU not in query] == []


def test_every_name_in_a_rule_is_told_by_what_runs(prometheus: Prometheus) -> None:
    assert [name for name in without_data(prometheus) if name != NOT_ON_A_CPU] == []


def test_a_service_that_is_well_sets_off_no_alert(prometheus: Prometheus) -> None:
    rules = prometheus.rules()
    assert {rule["name"]: rule["lastError"] for rule in rules if rule["health"] != "ok"} == {}
    assert [rule["name"] for rule in rules if rule.get("state") == "firing"] == []


def test_the_running_engine_holds_what_is_promised(prometheus: Prometheus) -> None:
    found = prometheus.query(f'min(gemma_context_honored_ratio{{name="{NAME}"}})')
    assert float(found[0]["value"][1]) >= 1.0
