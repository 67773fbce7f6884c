"""Events as kubectl shows them: few, stable, counted."""

from enum import StrEnum
from typing import Any

import pytest

from e2e.cluster import Cluster
from gemma_operator.api.conditions import Reason
from gemma_operator.kube.client import Client
from gemma_operator.kube.events import EventType, Notice, Recorder
from tests.integration.kube.objects import create_owner

pytestmark = pytest.mark.integration


def notice(note: str, reason: StrEnum = Reason.PLANNED, kind: EventType = EventType.NORMAL) -> Notice:
    return Notice(kind, reason, "Plan", note)


def events(cluster: Cluster, namespace: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = cluster.get("events.events.k8s.io", "-n", namespace)["items"]
    return [event for event in found if event["reportingController"] == "gemma-operator.io/controller"]


async def test_news_is_shown_with_the_object(crd_installed: Cluster, client: Client, namespace: str) -> None:
    owner = create_owner(crd_installed, namespace)
    await Recorder(client, "operator-0").post(owner, notice("31B FP8 on 1 × L40S"))
    (event,) = events(crd_installed, namespace)
    assert (event["type"], event["reason"], event["action"]) == ("Normal", "Planned", "Plan")
    assert event["regarding"]["uid"] == owner["metadata"]["uid"]
    described = crd_installed.kubectl("describe", "gd", "assistant", "-n", namespace)
    assert "31B FP8 on 1 × L40S" in described


async def test_a_repetition_is_counted_also_by_another_process(
    crd_installed: Cluster, client: Client, namespace: str
) -> None:
    owner = create_owner(crd_installed, namespace)
    for instance in ("operator-0", "operator-0", "operator-1"):
        await Recorder(client, instance).post(owner, notice("31B FP8 on 1 × L40S"))
    (event,) = events(crd_installed, namespace)
    assert event["series"]["count"] == 3
    assert event["series"]["lastObservedTime"] >= event["eventTime"]


async def test_other_news_is_another_event(crd_installed: Cluster, client: Client, namespace: str) -> None:
    owner = create_owner(crd_installed, namespace)
    recorder = Recorder(client, "operator-0")
    await recorder.post(owner, notice("one"))
    await recorder.post(owner, notice("two"))
    await recorder.post(owner, notice("two", Reason.PLAN_IMPOSSIBLE, EventType.WARNING))
    assert len(events(crd_installed, namespace)) == 3


async def test_an_over_long_note_is_cut_and_not_lost(crd_installed: Cluster, client: Client, namespace: str) -> None:
    owner = create_owner(crd_installed, namespace, "a" * 40)
    await Recorder(client, "operator-" + "0" * 200).post(owner, notice("日" * 3000))
    (event,) = events(crd_installed, namespace)
    assert event["note"].endswith("…")


async def test_a_post_that_fails_fails_nothing_else(crd_installed: Cluster, client: Client, namespace: str) -> None:
    owner = create_owner(crd_installed, namespace)
    owner["metadata"]["namespace"] = "there-is-no-such-namespace"
    await Recorder(client, "operator-0").post(owner, notice("lost"))
    assert events(crd_installed, namespace) == []
