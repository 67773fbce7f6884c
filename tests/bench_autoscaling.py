"""``python -m tests.bench_autoscaling``: the scaling policy against its bound and against others. Prints, never judges.

31B FP8 on one H100 (a dense 32B's kernel times stand in), cold start 120 s, targets 2 s and 60 ms, up to 24 replicas,
all policies from the bound's first size. The bounds are read from ``tests/data/bounds.json``; ``--search-bounds`` finds
them anew (about an hour on one core).
"""

import argparse
import json
import statistics
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from gemma_operator.simulation.arrivals import Trace, until
from gemma_operator.simulation.baselines import PolicyName, named
from gemma_operator.simulation.bound import Bound, clairvoyant_bound
from gemma_operator.simulation.engine import Engine
from gemma_operator.simulation.fluid import fluid_replicas
from gemma_operator.simulation.options import Options
from gemma_operator.simulation.reach import out_of_reach
from gemma_operator.simulation.report import Objectives, Report
from gemma_operator.simulation.router import Routing
from gemma_operator.simulation.run import simulate
from gemma_operator.simulation.scenarios import SCENARIOS, Scenario, engine_31b_h100, settings_31b_h100
from gemma_operator.simulation.schedule import World
from gemma_operator.vllm.queue_limit import queue_limit
from tests.autoscaling_faults import print_faults
from tests.traces import chat, code

BOUNDS = Path(__file__).parent / "data" / "bounds.json"
DERATE, OTHER_DERATES = 1.3, (1.0, 2.0)
BEGINNING_SECONDS = 300.0
MAX_REPLICAS, COLD_START_SECONDS = 24, 120.0


@dataclass(frozen=True, slots=True)
class Row:
    """One policy on one load: means over the seeds, and the worst attainment."""

    policy: str
    attainment: float
    worst: float
    gpu_hours: float
    first_token_p99: float
    inter_token_p99: float
    peak: int
    turns: float
    shed: float
    lost: float


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one seed, random router, derate 1.3 only")
    parser.add_argument("--search-bounds", action="store_true", help="find the bounds anew and write them")
    parser.add_argument("--tries", type=int, default=300, help="length of each search, in whole simulations")
    parser.add_argument("--only", default="", help="scenarios whose name has this in it")
    given = parser.parse_args()
    scenarios = [scenario for scenario in SCENARIOS if given.only in scenario.name]
    if given.search_bounds:
        search_bounds(scenarios, given.tries)
        return
    started = time.perf_counter()
    bounds = read_bounds()
    seeds = range(1, 2 if given.quick else 6)
    for routing in list(Routing)[: 1 if given.quick else 2]:
        for scenario in scenarios:
            print_scenario(scenario, routing, seeds, bounds.get(key(scenario, routing)))
    if not given.quick:
        for derate in OTHER_DERATES:
            for scenario in scenarios:
                print_scenario(scenario, Routing.RANDOM, range(1, 3), None, derate)
    print_faults()
    print(f"\n{time.perf_counter() - started:.0f} s")


def print_scenario(
    scenario: Scenario, routing: Routing, seeds: range, bound: Bound | None, derate: float = DERATE
) -> None:
    """One table: the operator's policy, then the others."""
    trace = scenario.load(chat(), code())
    print(f"\n{scenario.name}, router {routing}, derate {derate:g}, {len(seeds)} seeds, asked: {scenario.goal}")
    engine = engine_31b_h100(derate, kv_tokens=scenario.kv_tokens)
    initial = bound.timetable[0] if bound else fluid_replicas(until(trace, BEGINNING_SECONDS), engine, Objectives())
    beyond = out_of_reach(trace, engine, Objectives())
    if beyond:
        print(f"  {beyond / len(trace.arrivals):.1%} of the requests miss their targets even on an idle engine")
    if bound:
        print(f"  bound {bound.gpu_hours:.2f} GPU-h at {bound.attainment:.2%}, fixed fleet "
              f"{bound.static_peak_gpu_hours:.2f} GPU-h, {bound.tried} timetables tried")  # fmt: skip
    print(f"  {'policy':<22}{'attained':>9}{'worst':>9}{'GPU-h':>8}{'× bound':>9}{'TTFT p99':>10}{'ITL p99':>9}"
          f"{'peak':>6}{'turns':>7}{'shed':>8}{'lost':>6}")  # fmt: skip
    seen = []
    for row in rows(trace, engine, routing, seeds, initial):
        seen.append(row)
        ratio = f"{row.gpu_hours / bound.gpu_hours:.2f}" if bound else "–"
        print(f"  {row.policy:<22}{row.attainment:>9.2%}{row.worst:>9.2%}{row.gpu_hours:>8.2f}{ratio:>9}"
              f"{row.first_token_p99:>8.2f} s{row.inter_token_p99 * 1000:>6.0f} ms{row.peak:>6}{row.turns:>7.1f}"
              f"{row.shed:>8.0f}{row.lost:>6.0f}", flush=True)  # fmt: skip
    ours = seen[0]
    better = [one.policy for one in seen[2:] if one.attainment > ours.attainment and one.gpu_hours < ours.gpu_hours]
    print(f"  attaining more with fewer GPU-hours: {', '.join(better) or 'none'}")


def rows(trace: Trace, engine: Engine, routing: Routing, seeds: range, initial: int) -> Iterator[Row]:
    """The operator's policy with and without its queue limit, then each baseline at its defaults."""
    settings = settings_31b_h100(MAX_REPLICAS, kv_tokens=engine.kv_tokens)
    limit = queue_limit(
        max_num_seqs=settings.max_num_seqs,
        kv_tokens=settings.kv_tokens,
        concurrent_requests=1,
        time_to_first_token_seconds=settings.time_to_first_token_seconds,
        inter_token_seconds=settings.inter_token_seconds,
    )
    contestants = [(f"{PolicyName.GEMMA}, 503 at {limit}", PolicyName.GEMMA, replace(engine, queue_limit=limit))]
    contestants += [(name.value, name, engine) for name in PolicyName]
    for label, name, runs_on in contestants:
        decide, new_state = named(name)
        reports = [
            simulate(trace, settings, runs_on, options(seed, routing, initial), decide, new_state) for seed in seeds
        ]
        yield row(label, reports)


def options(seed: int, routing: Routing, initial: int) -> Options:
    """The bench's options."""
    return Options(
        cold_start_seconds=COLD_START_SECONDS,
        drain_timeout_seconds=300.0,
        routing=routing,
        seed=seed,
        initial_replicas=initial,
    )


def row(label: str, reports: list[Report]) -> Row:
    """Means over the seeds."""
    return Row(
        policy=label,
        attainment=statistics.mean(one.slo_attainment for one in reports),
        worst=min(one.slo_attainment for one in reports),
        gpu_hours=statistics.mean(one.gpu_hours for one in reports),
        first_token_p99=max(one.time_to_first_token_p99_seconds for one in reports),
        inter_token_p99=max(one.inter_token_p99_seconds for one in reports),
        peak=max(one.peak_replicas for one in reports),
        turns=statistics.mean(one.direction_changes for one in reports),
        shed=statistics.mean(one.shed_requests for one in reports),
        lost=statistics.mean(one.lost_requests for one in reports),
    )


def key(scenario: Scenario, routing: Routing) -> str:
    """The name of a bound in the file."""
    return f"{scenario.name}, {routing.value}"


def read_bounds() -> dict[str, Bound]:
    """The committed bounds."""
    if not BOUNDS.exists():
        return {}
    found = json.loads(BOUNDS.read_text(encoding="utf-8"))["bounds"]
    return {name: Bound(**entry | {"timetable": tuple(entry["timetable"])}) for name, entry in found.items()}


def search_bounds(scenarios: list[Scenario], tries: int) -> None:
    """Find the bounds and write each as soon as it is found; those that are not asked for stay."""
    for routing in Routing:
        for scenario in scenarios:
            if not scenario.bounded:
                continue
            engine = engine_31b_h100(DERATE, kv_tokens=scenario.kv_tokens)
            trace = scenario.load(chat(), code())
            world = World(trace, engine, Objectives(), routing, COLD_START_SECONDS)
            started = time.perf_counter()

            def progress(message: str, name: str = key(scenario, routing), since: float = started) -> None:
                print(f"[{time.perf_counter() - since:5.0f} s] {name}: {message}", flush=True)

            bound = clairvoyant_bound(world, MAX_REPLICAS, tries, progress)
            write_bounds(read_bounds() | {key(scenario, routing): bound})


def write_bounds(bounds: dict[str, Bound]) -> None:
    """All bounds, with what they rest on; one timetable a line."""
    about = "31B FP8 stand-in on H100, derate 1.3, cold start 120 s, 99 % within 2 s × (1 + prompt / 8192) and 60 ms"
    entries = ",\n".join(
        f"    {json.dumps(name, ensure_ascii=False)}: {json.dumps(asdict(bounds[name]))}" for name in sorted(bounds)
    )
    text = f'{{\n  "about": {json.dumps(about, ensure_ascii=False)},\n  "bounds": {{\n{entries}\n  }}\n}}\n'
    BOUNDS.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
