"""A real Prometheus scrapes an engine's and the operator's page: every rule and every panel has something to show."""

from collections.abc import Iterator
from xml.etree import ElementTree

import pytest

from e2e.waiting import wait_for
from monitoring.__main__ import BOARDS
from monitoring.dashboard import Dashboard, render
from monitoring.picture import picture
from tests.integration.monitoring.answers import unanswered, without_data
from tests.integration.monitoring.prometheus import Prometheus, Target, running
from tests.integration.monitoring.recorded import NAME, NAMESPACE, EnginePage, OperatorPage, served
from tests.unit.monitoring.queries import alerts, dashboard_queries, recorded, rule_queries

pytestmark = pytest.mark.integration
SECONDS = 60.0


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """Scrapes the two pages as a PodMonitor and a ServiceMonitor would have it do."""
    with served(EnginePage()) as engine, served(OperatorPage()) as operator:
        targets = (
            Target("operator", operator, {"namespace": "gemma-system", "pod": "gemma-operator-0"}, keeps_labels=True),
            Target("engines", engine, {"namespace": NAMESPACE, "pod": "engine-0", "gemma_deployment": NAME}),
        )
        with running(tmp_path_factory.mktemp("prometheus"), targets) as server:
            wait_for("rules to have been evaluated", lambda: not unanswered(server, NAMESPACE, NAME), SECONDS,
                     describe=lambda: "\n".join(unanswered(server, NAMESPACE, NAME)))  # fmt: skip
            yield server


def test_every_panel_has_a_series(prometheus: Prometheus) -> None:
    assert len(dashboard_queries()) > 80
    assert unanswered(prometheus, NAMESPACE, NAME) == []


def test_every_rule_is_evaluated_without_an_error(prometheus: Prometheus) -> None:
    rules = prometheus.rules()
    assert len(rules) == len(rule_queries())
    assert {rule["name"]: rule["lastError"] for rule in rules if rule["health"] != "ok"} == {}


def test_every_recorded_series_is_there(prometheus: Prometheus) -> None:
    assert [name for name in sorted(recorded()) if not prometheus.query(name)] == []


def test_every_name_that_an_alert_asks_for_has_series(prometheus: Prometheus) -> None:
    assert without_data(prometheus) == []


def test_nothing_fires_where_all_is_well(prometheus: Prometheus) -> None:
    """The recorded engine has a queue, which is no alert before 15 minutes."""
    assert len(alerts()) > 10
    firing = [rule["name"] for rule in prometheus.rules() if rule.get("state") == "firing"]
    assert firing == []


def test_a_late_first_token_counts_at_the_bucket_of_the_target(prometheus: Prometheus) -> None:
    """On the recorded page 24 of 38 first tokens came within 2.5 s."""
    found = prometheus.query("gemma:first_token_slow:ratio_rate5m")
    assert [series["metric"]["name"] for series in found] == [NAME]
    assert float(found[0]["value"][1]) == pytest.approx(14 / 38, abs=0.001)


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.uid)
def test_a_picture_shows_every_panel_with_something_in_it(prometheus: Prometheus, board: Dashboard) -> None:
    chosen = {"cluster": ".*", "namespace": ".*", "deployment": NAME, "pod": ".*", "__rate_interval": "1m"}
    text = picture(render(board), prometheus.url, chosen, 10.0, "recorded")
    drawn = "".join(ElementTree.fromstring(text).itertext())
    assert [panel.title for row in board.rows for panel in row.panels if panel.title not in drawn] == []
    assert "no data" not in drawn
