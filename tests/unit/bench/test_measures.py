"""The bench measures what it says."""

import json
from pathlib import Path

from tests.bench.audit import WritesOf
from tests.bench.clusters import POOLS, raw_nodes, unlike_specs
from tests.bench.figures import Figure, percentile

OPERATOR, SOMEBODY = "system:serviceaccount:bench:bench-operator", "admin"


def line(user: str, verb: str, resource: str) -> str:
    return json.dumps({"verb": verb, "user": {"username": user}, "objectRef": {"resource": resource}}) + "\n"


def test_writes_of_the_account_alone_are_counted_and_its_lease_is_not(tmp_path: Path) -> None:
    log = tmp_path / "audit.log"
    log.write_text(line(OPERATOR, "create", "services"))
    writes = WritesOf(log, OPERATOR)
    with log.open("a") as more:
        more.write(line(OPERATOR, "patch", "gemmadeployments") * 2 + line(OPERATOR, "get", "pods"))
        more.write(line(OPERATOR, "update", "leases") + line(SOMEBODY, "create", "services"))
    assert writes.read() == {"patch gemmadeployments": 2}
    assert writes.read().total() == 2


def test_a_line_that_is_not_finished_is_read_next_time(tmp_path: Path) -> None:
    log = tmp_path / "audit.log"
    log.touch()
    writes, whole = WritesOf(log, OPERATOR), line(OPERATOR, "delete", "pods")
    log.write_text(whole[:20])
    assert writes.read().total() == 0
    log.write_text(whole)
    assert writes.read().total() == 1


def test_an_aim_is_met_below_it_and_zero_is_met_by_zero() -> None:
    assert Figure("x", 49.9, "ms", 50).met
    assert not Figure("x", 50, "ms", 50).met
    assert Figure("x", 0, "", 0).met
    assert not Figure("x", 1, "", 0).met


def test_percentiles_are_of_the_nearest_rank() -> None:
    values = list(range(100, 0, -1))
    assert [percentile(values, share) for share in (0.5, 0.99, 1)] == [50, 99, 100]


def test_there_are_a_thousand_nodes_and_no_two_specs_are_equal() -> None:
    assert len(raw_nodes()) == sum(pool[-1] for pool in POOLS) == 1000
    specs = [json.dumps(spec, sort_keys=True) for seed in (1, 2) for spec in unlike_specs(200, seed)]
    assert len(set(specs)) > 395
