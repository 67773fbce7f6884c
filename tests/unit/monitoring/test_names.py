"""Names in rules, dashboards, docs and code are the same names, in both directions."""

import re

import pytest

from gemma_operator.telemetry.first_token import FIRST_TOKEN_BUCKETS
from tests.unit.monitoring.queries import (
    PAGE,
    ROOT,
    Query,
    dashboard_queries,
    engine_series,
    operator_series,
    recorded,
    rule_queries,
)

QUERIES = [*rule_queries(), *dashboard_queries()]
REFERENCE = (ROOT / "docs" / "reference" / "metrics.md").read_text()
USUAL = {"process_cpu_seconds_total", "process_resident_memory_bytes"}


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.place)
def test_a_query_asks_only_for_what_the_operator_a_real_engine_or_a_rule_gives(query: Query) -> None:
    assert query.names
    assert query.names - operator_series() - engine_series() - recorded() - USUAL == set()


def test_every_metric_of_the_operator_is_shown_or_alerts() -> None:
    used = {name for query in QUERIES for name in query.names}
    families = {re.sub(r"_(bucket|count|sum)$", "", name) for name in operator_series()}
    shown = used | {re.sub(r"_(bucket|count|sum)$", "", name) for name in used}
    assert families - shown == set()


def test_every_recorded_series_is_used() -> None:
    assert recorded() - {name for query in QUERIES for name in query.names} == set()


def test_the_reference_has_every_metric_and_no_other() -> None:
    rows = re.findall(r"^\| `([a-z_]+)` \|", REFERENCE, re.MULTILINE)
    families = {re.sub(r"_(bucket|count|sum)$", "", name) for name in operator_series()}
    assert set(rows) == families
    assert len(rows) == len(set(rows))


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.place)
def test_a_bound_that_a_query_counts_by_is_one_of_the_engine(query: Query) -> None:
    """An objective on ``le="2"`` stays green for ever: vLLM has no such bucket."""
    bounds = set(re.findall(r'le="([^"]+)"', PAGE))
    assert set(re.findall(r'\ble=~?"([^"]+)"', query.text)) <= bounds
    assert set(FIRST_TOKEN_BUCKETS) <= bounds


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.place)
def test_a_counter_is_only_shown_as_a_rate(query: Query) -> None:
    """Sums since the start of a process say nothing, and an average of them hides every change."""
    text = re.sub(r"(rate|increase|changes|resets)\([^()]*\)", "", re.sub(r"\{[^{}]*\}", "", query.text))
    assert (
        re.findall(r"(?:vllm|gemma_|http_|rest_client|workqueue|controller)\w*(?:_total|_bucket|_sum|_count)\b", text)
        == []
    )
