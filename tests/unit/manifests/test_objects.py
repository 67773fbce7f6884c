"""The objects of one deployment fit together: names, selectors, ports, owners."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemma_operator.api.labels import SERVING_LABEL
from gemma_operator.manifests.deployment import Strategy, deployment
from gemma_operator.manifests.disruption_budget import disruption_budget
from gemma_operator.manifests.network_policy import network_policy
from gemma_operator.manifests.owner import Owner
from gemma_operator.manifests.scripts import scripts_config_map, scripts_name
from gemma_operator.manifests.service import service, url
from gemma_operator.manifests.service_account import service_account
from tests.unit.manifests.examples import OWNER, SCRIPTS, examples, hub_plan, hub_settings, template

TEMPLATE = template(hub_plan(), hub_settings())
NAMES = st.from_regex(r"[a-z]([-a-z0-9]{0,38}[a-z0-9])?", fullmatch=True)
EXAMPLES = examples()


def selects(selector: dict[str, str], labels: dict[str, str]) -> bool:
    return selector.items() <= labels.items()


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_object_is_owned_and_goes_with_its_owner(name: str) -> None:
    metadata = EXAMPLES[name]["metadata"]
    assert [reference["uid"] for reference in metadata["ownerReferences"]] == [OWNER.uid]
    assert metadata["ownerReferences"][0]["controller"] is True
    assert metadata["namespace"] == OWNER.namespace
    assert metadata["labels"]["app.kubernetes.io/managed-by"] == "gemma-operator"


@given(NAMES)
def test_every_name_and_label_value_is_a_dns_label(name: str) -> None:
    owner = Owner("team", name, OWNER.uid)
    objects = [service(owner), service_account(owner), disruption_budget(owner),
               network_policy(owner, True, "gemma-system"), scripts_config_map(owner, SCRIPTS)]  # fmt: skip
    for built in objects:
        assert len(built["metadata"]["name"]) <= 63
        assert all(len(value) <= 63 for value in built["metadata"]["labels"].values())


def test_the_deployment_selects_its_pods_and_never_by_the_serving_label() -> None:
    built = deployment(OWNER, TEMPLATE, Strategy(1, 0), 600)
    selector = built["spec"]["selector"]["matchLabels"]
    assert selects(selector, TEMPLATE["metadata"]["labels"])
    assert SERVING_LABEL not in selector
    drained = {key: value for key, value in TEMPLATE["metadata"]["labels"].items() if key != SERVING_LABEL}
    assert selects(selector, drained), "a drained pod must stay owned"


def test_the_deployment_leaves_replicas_to_their_own_manager() -> None:
    assert "replicas" not in deployment(OWNER, TEMPLATE, Strategy(1, 0), 600)["spec"]


@pytest.mark.parametrize(
    "selector",
    [service(OWNER)["spec"]["selector"], disruption_budget(OWNER)["spec"]["selector"]["matchLabels"]],
    ids=["service", "disruption budget"],
)
def test_a_drained_pod_is_out_of_service_and_out_of_the_budget(selector: dict[str, str]) -> None:
    labels = dict(TEMPLATE["metadata"]["labels"])
    assert selects(selector, labels)
    del labels[SERVING_LABEL]
    assert not selects(selector, labels)


def test_one_engine_at_a_time_may_be_evicted_and_a_broken_one_always() -> None:
    spec = disruption_budget(OWNER)["spec"]
    assert spec["maxUnavailable"] == 1
    assert "minAvailable" not in spec
    assert spec["unhealthyPodEvictionPolicy"] == "AlwaysAllow"


def test_the_services_port_leads_to_the_engines() -> None:
    port = service(OWNER)["spec"]["ports"][0]
    assert port["targetPort"] in [own["name"] for own in TEMPLATE["spec"]["containers"][0]["ports"]]
    assert port["port"] == 80
    assert url(OWNER) == "http://assistant.team.svc"


def test_the_account_of_the_pods_is_the_one_that_is_made_and_has_no_token() -> None:
    account = service_account(OWNER)
    assert TEMPLATE["spec"]["serviceAccountName"] == account["metadata"]["name"]
    assert account["automountServiceAccountToken"] is False


def test_other_scripts_are_another_config_map_and_equal_ones_the_same() -> None:
    backwards = dict(reversed(SCRIPTS.items()))
    assert scripts_config_map(OWNER, backwards) == scripts_config_map(OWNER, SCRIPTS)
    assert scripts_name(OWNER, SCRIPTS) != scripts_name(OWNER, SCRIPTS | {"startup_probe.py": "print('other')\n"})
    built = scripts_config_map(OWNER, SCRIPTS)
    assert built["immutable"] is True
    volumes: list[dict[str, Any]] = TEMPLATE["spec"]["volumes"]
    assert built["metadata"]["name"] in [volume["configMap"]["name"] for volume in volumes if "configMap" in volume]
