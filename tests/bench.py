"""``make bench``: figures about planning and arithmetic. Prints, never judges."""

import csv
import statistics
import time
from dataclasses import replace
from pathlib import Path

from gemma_operator.catalog.builtin import builtin_catalog
from gemma_operator.cli.kv import answer
from gemma_operator.gpus.inventory import GpuNodes, Inventory
from gemma_operator.gpus.match import match_product
from gemma_operator.planning.ask import Ask
from gemma_operator.planning.plan import plan
from gemma_operator.planning.snapshot import Snapshot

ANSWERS = Path(__file__).parent / "conformance" / "data" / "vllm_kv_answers.csv"
PRODUCTS = ("L4", "L40S", "RTX-4090", "A100-80GB-SXM", "H100-SXM", "H200-SXM", "RTX-A6000", "B200")


def main() -> None:
    """Print the figures."""
    catalog = builtin_catalog()
    rows = list(csv.DictReader(ANSWERS.open(newline="")))
    started = time.perf_counter()
    for row in rows:
        answer(row, catalog)
    spent = time.perf_counter() - started
    print(f"kv: {len(rows):,} questions in {spent:.2f} s, {spent / len(rows) * 1e6:.0f} µs each")
    groups = tuple(GpuNodes(match_product(catalog.products, product), 8, 10) for product in PRODUCTS)
    ask = Ask(1024)
    times = []
    for length in range(8, 257, 4):
        snapshot = Snapshot(replace(ask, context_length=length * 1024), Inventory(groups), catalog)
        started = time.perf_counter()
        plan(snapshot)
        times.append((time.perf_counter() - started) * 1000)
    print(f"plan: {len(times)} asks over {len(PRODUCTS)} products, median {statistics.median(times):.1f} ms, "
          f"worst {max(times):.1f} ms")  # fmt: skip


if __name__ == "__main__":
    main()
