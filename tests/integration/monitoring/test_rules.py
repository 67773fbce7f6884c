"""Every alert fires when it should and is silent when it should be, in Prometheus' own evaluation."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.integration.monitoring.programs import RULES, promtool

pytestmark = pytest.mark.integration
TESTS = Path(__file__).parent / "rules"
FILES = sorted(path.name for path in RULES.glob("*.yaml"))


def alert_tests(name: str) -> list[dict[str, Any]]:
    tests = yaml.safe_load((TESTS / name).read_text())["tests"]
    return [check for test in tests for check in test.get("alert_rule_test", ())]


def test_promtool_finds_nothing_to_complain_about() -> None:
    promtool("check", "rules", "--lint=all", "--lint-fatal", *(str(RULES / name) for name in FILES))


@pytest.mark.parametrize("name", FILES)
def test_the_rules_do_what_their_tests_say(name: str) -> None:
    promtool("test", "rules", str(TESTS / name))


@pytest.mark.parametrize("name", FILES)
def test_every_alert_is_tested_to_fire_beside_what_must_not_fire(name: str) -> None:
    """promtool compares the whole list: where one object fires, the others of the test are proven silent."""
    groups = yaml.safe_load((RULES / name).read_text())["groups"]
    alerts = {rule["alert"] for group in groups for rule in group["rules"] if "alert" in rule}
    checks = alert_tests(name)
    assert {check["alertname"] for check in checks if check["exp_alerts"]} == alerts
    series = yaml.safe_load((TESTS / name).read_text())["tests"]
    beside = {
        check["alertname"]
        for test in series
        for check in test.get("alert_rule_test", ())
        if len({item["series"].split("{", 1)[1] for item in test["input_series"]}) > len(check["exp_alerts"])
    }
    silent = {check["alertname"] for check in checks if not check["exp_alerts"]}
    assert beside | silent == alerts
