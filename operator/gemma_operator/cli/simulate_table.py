"""A simulation's answer for people."""

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text


def print_simulation(answer: dict[str, Any], arrivals: int, seconds: float, taken: float, console: Console) -> None:
    """Print what was played, on what, and how it went; the numbers are those of ``-o json``."""
    attained = answer["sloAttainment"]
    style = "bold green" if attained >= 0.99 else "bold yellow" if attained >= 0.95 else "bold red"
    console.print(
        Text.assemble((f"{attained:.2%} of requests within targets", style), f"  {answer['gpuHours']:.2f} GPU-hours")
    )
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="cyan")
    table.add_column(overflow="fold")
    for name, value in _rows(answer, arrivals, seconds):
        table.add_row(name, value)
    console.print(table)
    console.print(Text(f"{arrivals:,} requests simulated in {taken:.1f} s", style="dim"))


def _rows(answer: dict[str, Any], arrivals: int, seconds: float) -> list[tuple[str, str]]:
    first, between = answer["timeToFirstTokenSeconds"], answer["interTokenSeconds"]
    rows = [
        ("trace", f"{arrivals:,} requests in {seconds / 60:.0f} min, {arrivals / seconds:.1f}/s"),
        ("plan", answer["plan"]),
        ("step times", f"{answer['stepTimes']}; all × {answer['derate']:g}"),
        (
            "scaling",
            f"policy {answer['policy']}, router {answer['router']}, cold start {answer['coldStartSeconds']:g} s, "
            f"seed {answer['seed']}, "
            + (f"503 beyond {answer['queueLimit']} in an engine" if answer["queueLimit"] else "no queue limit"),
        ),
        ("replicas", f"{answer['meanReplicas']:.2f} on average, {answer['peakReplicas']} at most"),
        ("direction changes", str(answer["directionChanges"])),
        ("first token", f"p50 {first['p50']:.2f} s, p99 {first['p99']:.2f} s"),
        ("between tokens", f"p50 {between['p50'] * 1000:.0f} ms, p99 {between['p99'] * 1000:.0f} ms"),
        (
            "not answered",
            f"{answer['shedRequests']:,} shed, {answer['lostRequests']:,} lost, "
            f"{answer['unfinishedRequests']:,} unfinished",
        ),
    ]
    if answer["outOfReach"]:
        rows.append(
            (
                "out of reach",
                f"{answer['outOfReach']:,} requests miss their targets even on an idle engine: no replica helps, "
                "a faster GPU or wider targets do",
            )
        )
    if "bound" in answer:
        bound = answer["bound"]
        rows.append(
            (
                "bound",
                f"{bound['gpuHours']:.2f} GPU-hours, the future known, {bound['timetablesTried']} timetables tried: "
                f"this run took {bound['gpuHoursOverBound']:.2f} × as many; a fixed fleet needs "
                f"{bound['staticPeakGpuHours']:.2f}",
            )
        )
    return rows
