"""What GitOps tools make of a GemmaDeployment: Argo CD by the shipped Lua, Flux and others by kstatus."""

from typing import Any

import pytest
import yaml
from lupa import lua51

from tests.unit.gitops.objects import COMMAND, FOLDER, objects, rendered

TESTS: list[dict[str, Any]] = yaml.safe_load((FOLDER / "health_test.yaml").read_text())["tests"]
FLUX = {
    "serving": "Current",
    "starting": "InProgress",
    "rolling-out": "InProgress",
    "impossible": "Failed",
    "impossible-but-serving": "Failed",
    "memory-refused": "InProgress",
    "plan-only": "InProgress",
    "paused": "Current",
    "paused-with-a-change": "InProgress",
    "changed-just-now": "InProgress",
}


def argo_health(live: dict[str, Any]) -> dict[str, str]:
    """The health check in real Lua, of the version that Argo CD speaks, without a library as there."""
    lua = lua51.LuaRuntime(unpack_returned_tuples=True, register_eval=False)
    lua.globals().obj = lua.table_from(live, recursive=True)
    return dict(lua.execute((FOLDER / "health.lua").read_text()))


def kstatus(live: dict[str, Any]) -> str:
    """The verdict of kstatus on a custom resource: generation, then Reconciling and Stalled, then Ready."""
    status = live["status"]
    if status["observedGeneration"] != live["metadata"]["generation"]:
        return "InProgress"
    found = {item["type"]: item["status"] for item in status["conditions"]}
    if found.get("Reconciling") == "True":
        return "InProgress"
    if found.get("Stalled") == "True":
        return "Failed"
    return "Current" if found["Ready"] == "True" else "InProgress"


@pytest.mark.parametrize("case", TESTS, ids=lambda case: case["inputPath"])
def test_argo_cd_shows_each_state_for_what_it_is(case: dict[str, Any]) -> None:
    live = yaml.safe_load((FOLDER / case["inputPath"]).read_text())
    assert argo_health(live) == case["healthStatus"]


def test_each_state_has_a_test_of_the_health_check() -> None:
    assert sorted(case["inputPath"] for case in TESTS) == sorted(f"testdata/{name}" for name in rendered())


@pytest.mark.parametrize("name", FLUX)
def test_flux_waits_for_what_is_under_way_and_fails_what_can_not_come(name: str) -> None:
    assert kstatus(objects()[name]) == FLUX[name]


def test_the_states_are_those_that_the_operator_writes() -> None:
    there = {path.name: path.read_text() for path in (FOLDER / "testdata").glob("*.yaml")}
    wanted = rendered()
    stale = sorted(name for name in there.keys() | wanted.keys() if there.get(name) != wanted.get(name))
    assert stale == [], f"{', '.join(stale)} differ; if that is meant: {COMMAND}"
