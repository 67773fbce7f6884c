"""Dashboards load into any Grafana, and are what their descriptions say."""

import re
from pathlib import Path
from typing import Any

import pytest

from monitoring.__main__ import dashboards as described
from monitoring.__main__ import rules, stale, write
from tests.unit.monitoring.queries import dashboards

BOARDS = dashboards()


def test_the_chart_has_what_the_descriptions_say() -> None:
    assert stale() == []


def test_there_is_one_for_the_fleet_one_for_a_deployment_and_one_for_the_operator() -> None:
    assert set(BOARDS) == {"gemma-fleet", "gemma-deployment", "gemma-operator"}
    assert all(board["uid"] == name for name, board in BOARDS.items())


@pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
def test_every_panel_asks_the_data_source_that_was_chosen(board: dict[str, Any]) -> None:
    asked = [panel for panel in board["panels"] if panel["type"] != "row"]
    assert len(asked) > 10
    for panel in asked:
        assert panel["datasource"]["uid"] == "${datasource}"
        assert all(target["datasource"]["uid"] == "${datasource}" for target in panel["targets"])
        assert panel["description"].endswith(".")
    assert board["templating"]["list"][0]["type"] == "datasource"


@pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
def test_panels_have_ids_and_places_of_their_own(board: dict[str, Any]) -> None:
    ids = [panel["id"] for panel in board["panels"]]
    assert len(ids) == len(set(ids))
    cells = [
        (x, y)
        for panel in board["panels"]
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24


@pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
def test_every_variable_that_a_query_names_can_be_chosen(board: dict[str, Any]) -> None:
    offered = {variable["name"] for variable in board["templating"]["list"]} | {"__rate_interval"}
    text = " ".join(target["expr"] for panel in board["panels"] for target in panel.get("targets", ()))
    named = set(re.findall(r"\$(\w+)", text))
    assert named <= offered


def test_the_form_without_helm_links_to_the_reader_s_own_runbooks(tmp_path: Path) -> None:
    write(tmp_path, rules("https://example.com/books/") | described())
    text = (tmp_path / "promises.yaml").read_text()
    assert "runbook_url: https://example.com/books/GemmaContextNotHonored.md\n" in text
    assert "docs/runbooks" not in "".join(path.read_text() for path in tmp_path.glob("*.yaml"))
    assert (tmp_path / "gemma-fleet.json").is_file()
