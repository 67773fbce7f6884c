"""``gemmactl simulate``: what a deployment would do with a trace of requests, under the operator's own scaling policy.

Exit codes: 0 with a report, 2 when nothing fits, 1 on bad input.
"""

import gzip
import json
import re
import time
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from gemma_operator.api.v1alpha1 import GemmaDeployment
from gemma_operator.api.v1alpha1.autoscaling import Autoscaling
from gemma_operator.autoscaling.settings import Settings
from gemma_operator.catalog.catalog import Catalog
from gemma_operator.cli.documents import read_catalog, read_document
from gemma_operator.cli.errors import fail
from gemma_operator.cli.simulate_table import print_simulation
from gemma_operator.controller.scaling_settings import scaling_settings
from gemma_operator.gpus.inventory import GpuNodes, Inventory
from gemma_operator.gpus.match import UnusableProductError, match_product
from gemma_operator.manifests.drain_time import drain_timeout_seconds
from gemma_operator.planning.decision import Plan
from gemma_operator.planning.intake import ask_from_spec, parse_manifest
from gemma_operator.planning.plan import plan as decide
from gemma_operator.planning.snapshot import Snapshot
from gemma_operator.simulation.arrivals import Trace, faster, read_trace, superposed
from gemma_operator.simulation.baselines import PolicyName, named
from gemma_operator.simulation.bound import Bound, clairvoyant_bound
from gemma_operator.simulation.engine import Engine
from gemma_operator.simulation.options import Options
from gemma_operator.simulation.plot import plot
from gemma_operator.simulation.reach import out_of_reach
from gemma_operator.simulation.report import Objectives, Report
from gemma_operator.simulation.router import Routing
from gemma_operator.simulation.run import simulate as run
from gemma_operator.simulation.schedule import World
from gemma_operator.simulation.step_times import DERATE, Estimate, estimate
from gemma_operator.vllm.queue_limit import queue_limit as limit_of_queue

NOTHING_FITS = 2
GPUS_PER_NODE, NODES = 8, 1000
DURATION = re.compile(r"(?P<number>\d+(\.\d+)?)(?P<unit>s|m|min)?", re.ASCII)


class Output(StrEnum):
    """Forms of the answer."""

    TABLE = "table"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Simulation:
    """All that the answer tells."""

    plan: Plan
    steps: Estimate
    derate: float
    policy: PolicyName
    options: Options
    queue_limit: int | None
    report: Report
    out_of_reach: int
    bound: Bound | None

    def document(self) -> dict[str, Any]:
        """As ``-o json`` prints it."""
        answer = self.report.document() | {
            "plan": self.plan.name,
            "stepTimes": self.steps.source,
            "derate": self.derate,
            "policy": self.policy.value,
            "router": self.options.routing.value,
            "coldStartSeconds": self.options.cold_start_seconds,
            "seed": self.options.seed,
            "queueLimit": self.queue_limit,
            "outOfReach": self.out_of_reach,
        }
        if self.bound is not None:
            answer["bound"] = {
                "gpuHours": round(self.bound.gpu_hours, 4),
                "sloAttainment": round(self.bound.attainment, 5),
                "staticPeakGpuHours": round(self.bound.static_peak_gpu_hours, 4),
                "timetablesTried": self.bound.tried,
                "gpuHoursOverBound": round(self.report.gpu_hours / self.bound.gpu_hours, 4),
            }
        return answer


def simulate(
    manifest: Annotated[
        Path,
        typer.Option("--filename", "-f", metavar="FILE", help="A GemmaDeployment as YAML; '-' reads standard input."),
    ],
    trace_file: Annotated[
        Path,
        typer.Option(
            "--trace",
            metavar="FILE",
            help="Requests as CSV with the columns TIMESTAMP,ContextTokens,GeneratedTokens; may be gzipped.",
        ),
    ],
    accelerator: Annotated[
        str | None,
        typer.Option(metavar="PRODUCT", help="GPU to plan for; by default the manifest's first accelerator."),
    ] = None,
    cold_start: Annotated[str, typer.Option(metavar="DURATION", help="From creation of a pod to Ready.")] = "120s",
    output: Annotated[Output, typer.Option("--output", "-o", help="Form of the answer.")] = Output.TABLE,
    plot_file: Annotated[
        Path | None, typer.Option("--plot", metavar="FILE", help="Write load and replicas over time as SVG.")
    ] = None,
    policy: Annotated[
        PolicyName, typer.Option(help="The operator's own policy, or one that others ship, at its defaults.")
    ] = PolicyName.GEMMA,
    router: Annotated[
        Routing, typer.Option(help="How requests are spread: random as a Service does.")
    ] = Routing.RANDOM,
    speed_up: Annotated[float, typer.Option(min=0.01, max=1000, help="Play the trace this many times faster.")] = 1.0,
    superpose: Annotated[int, typer.Option(min=1, max=1000, help="Play so many copies of the trace at once.")] = 1,
    initial_replicas: Annotated[
        int | None, typer.Option(min=1, help="Replicas that serve from the start; by default spec.replicas.")
    ] = None,
    queue_limit: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Requests in one engine beyond which it answers 503, 0 for no limit; by default what the operator "
            "sets, and no limit with another policy.",
        ),
    ] = None,
    derate: Annotated[
        float, typer.Option(min=0.1, max=20, help="How much slower engines are than the kernel tables say.")
    ] = DERATE,
    seed: Annotated[int, typer.Option(help="Router and cold starts draw from it: same seed, same report.")] = 1,
    bound: Annotated[
        bool, typer.Option("--bound", help="Search for the fewest GPU-hours that would do, the future known.")
    ] = False,
    bound_tries: Annotated[int, typer.Option(min=20, help="Length of that search, in whole simulations.")] = 200,
    catalog_files: Annotated[
        list[Path] | None,
        typer.Option("--catalog", metavar="FILE", help="More variants, checkpoints or products; may be repeated."),
    ] = None,
) -> int:
    """Play a trace of requests against a deployment that scales itself, and report targets met, GPU time and losses.

    Exits with 0 when there is a report, with 2 when nothing fits, with 1 on bad input.
    """
    catalog = read_catalog(catalog_files or [])
    deployment = _deployment(manifest)
    trace = superposed(faster(_trace(trace_file), speed_up), superpose)
    plan = _plan(deployment, accelerator, catalog)
    if plan is None:
        return NOTHING_FITS
    if trace.longest_tokens > plan.context_length:
        fail(
            f"--trace: {trace_file}: the longest request has {trace.longest_tokens:,} tokens, more than "
            f"contextLength {plan.context_length:,}; raise contextLength or leave such requests out"
        )
    scaling = deployment.spec.autoscaling
    if scaling is None or (scaling.max_replicas is None):
        fail(f"-f: {manifest}: spec.autoscaling.maxReplicas is missing; write how many replicas there may be at most")
    variant = catalog.variant(plan.variant)
    try:
        steps = estimate(plan, catalog.products, mixture=variant is not None and variant.text.experts is not None)
    except ValueError as error:
        fail(f"--accelerator: {error}")
    settings = scaling_settings(scaling, plan, catalog.products)
    limit = _queue_limit(queue_limit, scaling, settings, plan) if policy is PolicyName.GEMMA else queue_limit or None
    engine = Engine(
        steps.costs.derated(derate),
        kv_tokens=settings.kv_tokens,
        max_num_seqs=settings.max_num_seqs,
        max_num_batched_tokens=plan.launch.max_num_batched_tokens,
        queue_limit=limit,
        gpus=plan.tensor_parallel_size,
    )
    begin = initial_replicas or deployment.spec.replicas
    options = Options(
        cold_start_seconds=_seconds(cold_start),
        drain_timeout_seconds=drain_timeout_seconds(deployment.spec.rollout.drain_timeout_seconds, plan),
        routing=router,
        seed=seed,
        initial_replicas=min(max(begin, settings.min_replicas), settings.max_replicas),
    )
    decide_scaling, new_state = named(policy)
    started = time.perf_counter()
    report = run(trace, settings, engine, options, decide_scaling, new_state)
    taken = time.perf_counter() - started
    objectives = Objectives(settings.time_to_first_token_seconds, settings.inter_token_seconds)
    world = World(trace, engine, objectives, router, options.cold_start_seconds)
    found = _bound(world, settings.max_replicas, bound_tries) if bound else None
    beyond = out_of_reach(trace, engine, objectives)
    answer = Simulation(plan, steps, derate, policy, options, limit, report, beyond, found)
    if plot_file is not None:
        _write(plot_file, plot(trace, report, f"{deployment.name}: {plan.name}, policy {policy}"))
    if output is Output.JSON:
        typer.echo(json.dumps(answer.document(), indent=2, ensure_ascii=False))
    else:
        print_simulation(answer.document(), len(trace.arrivals), trace.seconds, taken, Console())
    return 0


def _deployment(path: Path) -> GemmaDeployment:
    try:
        return parse_manifest(read_document(path, "-f"))
    except ValueError as error:
        fail(f"-f: {path}: {error}")


def _trace(path: Path) -> Trace:
    try:
        with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
            return read_trace(lines)
    except OSError as error:
        fail(f"--trace: {path}: {error.strerror or error}")
    except (ValueError, EOFError) as error:
        fail(f"--trace: {path}: {error}")


def _plan(deployment: GemmaDeployment, accelerator: str | None, catalog: Catalog) -> Plan | None:
    """The plan on as many GPUs as are wanted; says what was missing when there is none."""
    try:
        ask = ask_from_spec(deployment.name, deployment.spec)
        product = accelerator or next(iter(ask.accelerators), None)
        if product is None:
            fail("give --accelerator PRODUCT, for example H100-SXM, or spec.accelerators.products")
        nodes = GpuNodes(match_product(catalog.products, product), GPUS_PER_NODE, NODES)
    except UnusableProductError as error:
        fail(f"--accelerator: {error}")
    except ValueError as error:
        fail(f"-f: {error}")
    decision = decide(Snapshot(ask, Inventory((nodes,)), catalog))
    if decision.plan is None:
        typer.echo(f"gemmactl: nothing fits on {product}", err=True)
        for rejection in decision.rejected[:3]:
            typer.echo(f"  {rejection.reason}: {rejection.message}", err=True)
        for near in decision.nearest[:3]:
            typer.echo(f"  would fit: {near.change}: {near.plan.name}", err=True)
    return decision.plan


def _queue_limit(given: int | None, scaling: Autoscaling, settings: Settings, plan: Plan) -> int | None:
    """What is given, or what the operator would set on the engines."""
    if given is not None:
        return given or None
    if scaling.mode != "Internal" or scaling.queue_limit == "Disabled":
        return None
    return limit_of_queue(
        max_num_seqs=settings.max_num_seqs,
        kv_tokens=settings.kv_tokens,
        concurrent_requests=plan.concurrent_requests,
        time_to_first_token_seconds=settings.time_to_first_token_seconds,
        inter_token_seconds=settings.inter_token_seconds,
    )


def _seconds(text: str) -> float:
    match = DURATION.fullmatch(text)
    if match is None:
        fail(f"--cold-start: {text!r} is not a duration; write 120s or 2m")
    return float(match["number"]) * (60 if match["unit"] in {"m", "min"} else 1)


def _bound(world: World, max_replicas: int, tries: int) -> Bound:
    started = time.perf_counter()

    def progress(message: str) -> None:
        typer.echo(f"[{time.perf_counter() - started:5.0f} s] {message}", err=True)

    try:
        return clairvoyant_bound(world, max_replicas, tries, progress)
    except ValueError as error:
        fail(f"--bound: {error}")


def _write(path: Path, content: str) -> None:
    try:
        path.write_text(content, encoding="utf-8")
    except OSError as error:
        fail(f"--plot: {path}: {error.strerror}")
