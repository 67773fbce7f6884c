"""The pod template: exactly the plan, the same for the same plan, drained before it is stopped."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemma_operator import __version__
from gemma_operator.api.labels import SERVING_LABEL
from gemma_operator.manifests.owner import Owner
from gemma_operator.manifests.probes import SETTLE_SECONDS
from gemma_operator.pod_scripts import pre_stop
from gemma_operator.vllm.arguments import SHUTDOWN_SECONDS
from gemma_operator.vllm.options import OPTIONS
from gemma_operator.vllm.queue_limit import OPTION
from tests.unit.manifests.examples import (
    OWNER,
    claim_plan,
    claim_settings,
    fixed_plan,
    hub_plan,
    hub_settings,
    settings,
    template,
)
from tests.unit.vllm.launches import launch

CLAIM_PLAN = claim_plan()
NAMES = st.from_regex(r"[a-z]([-a-z0-9]{0,38}[a-z0-9])?", fullmatch=True)


def test_nothing_of_the_cluster_or_the_operators_version_is_in_the_template() -> None:
    one = template(hub_plan(), hub_settings())
    other = template(hub_plan(), hub_settings(), Owner("elsewhere", OWNER.name, "ffffffff-0000-4000-8000-000000000000"))
    assert one == other
    assert OWNER.uid not in str(one)
    assert __version__ not in str(one)


def test_only_what_changes_the_pod_changes_its_hash() -> None:
    def hash_of(**spec: object) -> str:
        annotations = template(hub_plan(), settings(**spec))["metadata"]["annotations"]
        return str(annotations["gemma-operator.io/plan-hash"])

    assert hash_of() == hash_of(replicas=3)
    assert hash_of() != hash_of(engine={"image": "registry.example.com/vllm:other"})


@pytest.mark.parametrize("drain", [0, 5, 10, 300, 86400])
def test_grace_holds_the_whole_drain_and_the_whole_shutdown(drain: int) -> None:
    spec = template(hub_plan(), settings(rollout={"drainTimeoutSeconds": drain}))["spec"]
    waits = max(drain, pre_stop.SETTLE_SECONDS)
    assert spec["terminationGracePeriodSeconds"] >= waits + SHUTDOWN_SECONDS + 15
    assert SETTLE_SECONDS == pre_stop.SETTLE_SECONDS
    assert spec["containers"][0]["lifecycle"]["preStop"]["exec"]["command"][3] == str(drain)


@pytest.mark.parametrize(("budget", "seconds"), [(60, 1800), (1800, 1800), (7200, 7200)])
def test_a_cold_start_has_half_an_hour_at_least(budget: int, seconds: int) -> None:
    probe = template(hub_plan(), settings(rollout={"startupBudgetSeconds": budget}))["spec"]["containers"][0][
        "startupProbe"
    ]
    assert probe["failureThreshold"] * probe["periodSeconds"] == seconds
    assert probe["timeoutSeconds"] == 60, "the first request may compile"


def test_readiness_and_liveness_never_send_a_completion() -> None:
    engine = template(hub_plan(), hub_settings())["spec"]["containers"][0]
    assert engine["readinessProbe"]["httpGet"] == {"path": "/health", "port": "http"}
    assert engine["livenessProbe"]["exec"]["command"][1].endswith("liveness_probe.py")
    assert "exec" not in engine["readinessProbe"]


def test_the_startup_probe_checks_the_promised_context() -> None:
    plan = hub_plan()
    command = template(plan, hub_settings())["spec"]["containers"][0]["startupProbe"]["exec"]["command"]
    assert command[-1] == str(plan.context_length)


def test_the_pod_goes_to_the_planned_product_and_asks_for_the_planned_gpus() -> None:
    plan = claim_plan()
    spec = template(plan, claim_settings())["spec"]
    terms = spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    assert terms == [
        {
            "matchExpressions": [
                {"key": "nvidia.com/gpu.product", "operator": "In", "values": [plan.accelerator.product]}
            ]
        }
    ]
    assert spec["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] == "2"


def test_weights_on_a_volume_are_mounted_for_reading_only() -> None:
    spec = template(claim_plan(), claim_settings())["spec"]
    mount = next(mount for mount in spec["containers"][0]["volumeMounts"] if mount["name"] == "model")
    volume = next(volume for volume in spec["volumes"] if volume["name"] == "model")
    assert mount["readOnly"] is True
    assert volume["persistentVolumeClaim"] == {"claimName": "weights", "readOnly": True}
    assert claim_plan().args[0].startswith(f"{mount['mountPath']}/")


def test_a_dollar_in_an_argument_reaches_the_engine_as_it_was_written() -> None:
    """The kubelet turns ``$$`` into ``$`` and ``$(NAME)`` into the value of a variable, the API key's too."""
    plan = fixed_plan(launch(extra_args=("--fingerprint-value", "$(VLLM_API_KEY)"), extra_env=(("NOTE", "$(HOME)"),)))
    engine = template(plan, hub_settings())["spec"]["containers"][0]
    assert "$$(VLLM_API_KEY)" in engine["args"]
    assert {"name": "NOTE", "value": "$$(HOME)"} in engine["env"]


def test_the_overlay_replaces_the_planned_requests_and_keeps_the_gpus() -> None:
    resources = template(claim_plan(), claim_settings())["spec"]["containers"][0]["resources"]
    assert resources["requests"]["memory"] == "40Gi"
    assert resources["limits"] == {"memory": "48Gi", "nvidia.com/gpu": "2"}


def test_no_label_of_the_user_replaces_one_that_selectors_need() -> None:
    pod = replace(hub_settings(), labels=((SERVING_LABEL, "false"), ("team", "search")))
    labels = template(hub_plan(), pod)["metadata"]["labels"]
    assert labels[SERVING_LABEL] == "true"
    assert labels["team"] == "search"


@given(NAMES)
def test_every_variable_and_mount_is_named_once_for_any_name(name: str) -> None:
    spec = template(CLAIM_PLAN, claim_settings(), Owner("team", name, OWNER.uid))["spec"]
    engine = spec["containers"][0]
    for items, key in ((engine["env"], "name"), (engine["volumeMounts"], "mountPath"), (spec["volumes"], "name")):
        keys = [item[key] for item in items]
        assert len(keys) == len(set(keys))


def test_memory_is_asked_of_a_node_only_as_more_than_a_figure() -> None:
    def terms(above_mib: int | None) -> list[dict[str, object]]:
        plan = replace(hub_plan(), label_memory_above_mib=above_mib)
        affinity = template(plan, hub_settings())["spec"]["affinity"]["nodeAffinity"]
        (term,) = affinity["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
        return list(term["matchExpressions"])

    assert [term["key"] for term in terms(None)] == ["nvidia.com/gpu.product"]
    assert terms(47604)[1] == {"key": "nvidia.com/gpu.memory", "operator": "Gt", "values": ["47604"]}


def queue_limit(**spec: Any) -> list[str]:
    arguments = template(hub_plan(), settings(**spec))["spec"]["containers"][0]["args"]
    return [arguments[n + 1] for n, argument in enumerate(arguments) if argument == f"--{OPTION}"]


def test_an_autoscaled_engine_turns_away_what_would_wait_too_long() -> None:
    assert OPTION in OPTIONS
    assert len(queue_limit(autoscaling={"maxReplicas": 4})) == 1
    strict = queue_limit(autoscaling={"maxReplicas": 4, "targets": {"timeToFirstToken": "100ms"}})
    assert int(strict[0]) < int(queue_limit(autoscaling={"maxReplicas": 4})[0])


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"autoscaling": {"maxReplicas": 4, "queueLimit": "Disabled"}},
        {"autoscaling": {"maxReplicas": 4, "mode": "Advisory"}},
        {"autoscaling": {"mode": "External"}},
    ],
)
def test_elsewhere_every_request_may_wait(spec: dict[str, Any]) -> None:
    assert queue_limit(**spec) == []
    assert template(hub_plan(), settings(**spec)) == template(hub_plan(), hub_settings())


def test_a_queue_limit_of_the_users_own_holds() -> None:
    plan = fixed_plan(launch(extra_args=("--max-num-queued-reqs", "7")))
    arguments = template(plan, settings(autoscaling={"maxReplicas": 4}))["spec"]["containers"][0]["args"]
    assert arguments.count("--max-num-queued-reqs") == 1
