"""How long planning and its arithmetic take, on a thousand raw node objects."""

import csv
import gc
import time
from collections.abc import Callable, Iterator
from functools import partial

from e2e.cluster.paths import ROOT
from gemma_operator.catalog.builtin import builtin_catalog
from gemma_operator.cli.kv import answer
from gemma_operator.gpus.feature_discovery import read_nodes
from gemma_operator.gpus.inventory import GpuNodes, Inventory
from gemma_operator.gpus.match import match_product
from gemma_operator.memory.weights import text_param_bytes_per_rank
from gemma_operator.planning import ladder, space
from gemma_operator.planning.ask import Ask
from gemma_operator.planning.decision import Decision
from gemma_operator.planning.intake import ask_from_manifest
from gemma_operator.planning.plan import plan
from gemma_operator.planning.snapshot import Snapshot
from tests.bench.clusters import manifest, raw_nodes, unlike_specs
from tests.bench.figures import Figure, percentile

ANSWERS = ROOT / "tests" / "conformance" / "data" / "vllm_kv_answers.csv"
EIGHT_PRODUCTS = ("L4", "L40S", "RTX-4090", "A100-80GB-SXM", "H100-SXM", "H200-SXM", "RTX-A6000", "B200")
COLD_RUNS, WARM_SPECS = 20, 200
COLD_AIM_MS, WARM_AIM_MS = 50, 5
K = 1024


def measure() -> Iterator[Figure]:
    """All figures of this topic."""
    gc.freeze()  # as the operator does at its start
    yield from _arithmetic()
    yield from _cold()
    yield from _warm()
    yield from _many_products()


def _milliseconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


def _arithmetic() -> Iterator[Figure]:
    catalog = builtin_catalog()
    rows = list(csv.DictReader(ANSWERS.open(newline="")))
    spent = _milliseconds(lambda: [answer(row, catalog) for row in rows])
    yield Figure(f"KV questions of gemmactl kv, each ({len(rows):,})", spent / len(rows) * 1000, "µs")


def _forget() -> None:
    """Back to a process that has planned nothing yet."""
    ladder.ladder.cache_clear()
    space.search_space.cache_clear()
    text_param_bytes_per_rank.cache_clear()


def _cold() -> Iterator[Figure]:
    catalog, nodes, ask = builtin_catalog(), raw_nodes(), Ask(256 * K)

    def first_plan() -> Decision:
        return plan(Snapshot(ask, read_nodes(nodes, catalog.products), catalog))

    times = []
    for _ in range(COLD_RUNS):
        _forget()
        times.append(_milliseconds(first_plan))
    yield Figure("plan from 1,000 raw node objects, cold, p50", percentile(times, 0.5), "ms", COLD_AIM_MS)
    yield Figure("plan from 1,000 raw node objects, cold, worst", max(times), "ms", COLD_AIM_MS)


def _warm() -> Iterator[Figure]:
    """From manifest to decision. The inventory and what was worked out for other asks are there, no plan is."""
    catalog = builtin_catalog()
    inventory = read_nodes(raw_nodes(), catalog.products)
    for spec in unlike_specs(WARM_SPECS, seed=1):
        plan(Snapshot(ask_from_manifest(manifest("before", spec)), inventory, catalog))
    times: list[tuple[float, bool]] = []
    for spec in unlike_specs(WARM_SPECS, seed=2):
        started = time.perf_counter()
        decision = plan(Snapshot(ask_from_manifest(manifest("assistant", spec)), inventory, catalog))
        times.append(((time.perf_counter() - started) * 1000, decision.plan is not None))
    every = [spent for spent, _ in times]
    possible = [spent for spent, fits in times if fits]
    yield Figure(f"plan, warm, {len(every)} new specs, p50", percentile(every, 0.5), "ms", WARM_AIM_MS)
    yield Figure(f"plan, warm, {len(every)} new specs, p99", percentile(every, 0.99), "ms", WARM_AIM_MS)
    yield Figure(
        f"plan, warm, the {len(possible)} that have a plan, p99", percentile(possible, 0.99), "ms", WARM_AIM_MS
    )


def _many_products() -> Iterator[Figure]:
    catalog = builtin_catalog()
    groups = tuple(GpuNodes(match_product(catalog.products, product), 8, 10) for product in EIGHT_PRODUCTS)
    snapshots = [Snapshot(Ask(length * K), Inventory(groups), catalog) for length in range(8, 257, 4)]
    times = [_milliseconds(partial(plan, snapshot)) for snapshot in snapshots]
    yield Figure(f"plan over 8 products with 8 GPUs a node, {len(times)} lengths, p50", percentile(times, 0.5), "ms")
