"""A decision for people: what was chosen, how the memory divides, what was refused and why."""

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from gemma_operator.memory.budget import MemoryBudget
from gemma_operator.memory.overheads import TERMS
from gemma_operator.planning.decision import Decision, Plan
from gemma_operator.planning.explain import tokens

GIB = 2**30
MAX_REJECTED = 10
BAR_WIDTH = 60


def print_decision(decision: Decision, console: Console) -> None:
    """Print plan, memory, alternatives, rejections and nearest fits; parts that are empty are left out."""
    if decision.plan is None:
        console.print(Text("Nothing fits.", style="bold red"))
    else:
        console.print(_plan(decision.plan))
    if decision.alternatives:
        console.print(_listing("Alternatives", [(plan.name, _summary(plan)) for plan in decision.alternatives]))
    if decision.rejected:
        rows = [(item.reason, item.message) for item in decision.rejected[:MAX_REJECTED]]
        console.print(_listing("Rejected", rows, left_out=len(decision.rejected) - len(rows)))
    if decision.nearest:
        console.print(_listing("What would fit", [(fit.change, fit.plan.name) for fit in decision.nearest]))
    for note in decision.notes:
        console.print(Text(f"Not used: {note}", style="yellow"))


def _listing(title: str, rows: list[tuple[str, str]], left_out: int = 0) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, show_header=False, pad_edge=False)
    table.add_column(style="cyan", overflow="fold", ratio=2)
    table.add_column(overflow="fold", ratio=5)
    for left, right in rows:
        table.add_row(left, right)
    if left_out > 0:
        table.add_row("", f"and {left_out} more; -o json shows all")
    return table


def _summary(plan: Plan) -> str:
    tight = ", tight" if plan.tight else ""
    return f"{plan.max_concurrency:.2f} requests of {tokens(plan.context_length)} at once{tight}"


def _plan(plan: Plan) -> RenderableType:
    head = Text.assemble((plan.name, "bold green"), f"  {_summary(plan)}")
    facts = Table(box=None, show_header=False, pad_edge=False)
    facts.add_column(style="cyan")
    facts.add_column(overflow="fold")
    facts.add_row("checkpoint", f"{plan.checkpoint} at {plan.revision or 'the default branch'}")
    facts.add_row("node", f"{plan.accelerator.product}, {plan.tensor_parallel_size} of its GPUs")
    facts.add_row("arguments", " ".join(plan.args))
    for index, reason in enumerate(plan.reasons):
        facts.add_row("why" if index == 0 else "", reason)
    return Group(head, facts, _memory(plan.memory), "")


def _memory(memory: MemoryBudget) -> RenderableType:
    sizes = {
        "weights": memory.weights_bytes,
        "persistent": memory.persistent_bytes,
        "activation": memory.activation_bytes,
        "graphs": memory.graphs_bytes,
        "kvNeeded": memory.kv_needed_bytes,
        "context": memory.context_bytes,
        "afterSizing": memory.after_sizing_bytes,
        "margin": memory.margin_bytes,
    }
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("per GPU")
    table.add_column("GiB", justify="right")
    table.add_column("known by")
    table.add_column("what", overflow="fold")
    for term in TERMS:
        table.add_row(term.name, f"{sizes[term.name] / GIB:.2f}", term.status, term.meaning)
    table.add_row("spare in the pool", f"{memory.pool_spare_bytes / GIB:.2f}", "", "for more requests and prefixes")
    table.add_row("spare outside", f"{memory.outside_spare_bytes / GIB:.2f}", "", "")
    table.add_row("total", f"{memory.total_bytes / GIB:.2f}", "", "what CUDA reports")
    return Group(_bar(memory), table)


def _bar(memory: MemoryBudget) -> Text:
    overhead = memory.persistent_bytes + memory.activation_bytes + memory.graphs_bytes
    parts = (
        ("W", memory.weights_bytes, "blue"),
        ("o", overhead, "yellow"),
        ("K", memory.kv_needed_bytes, "green"),
        ("k", max(0, memory.pool_spare_bytes), "bright_green"),
        ("x", memory.outside_needed_bytes, "red"),
    )
    bar = Text("[")
    width = 0
    for letter, size, style in parts:
        cells = round(size / memory.total_bytes * BAR_WIDTH)
        width += cells
        bar.append(letter * cells, style=style)
    bar.append("·" * max(0, BAR_WIDTH - width) + "]  ")
    bar.append("W weights, o overheads, K promised KV, k spare KV, x outside vLLM's share, · free", style="dim")
    return bar
