"""``make bench-drain``: scale-downs, evictions and roll-outs under load on real vLLM, every request accounted for.

Each cycle starts with two engines behind their Service and clients that stream on kept-alive connections. What was done
is kept in a file, so that a run that was broken off goes on where it was. Prints, never judges.
"""

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from e2e.cluster.paths import CACHE
from e2e.drain import CHANGES, NAME, Cycle, begin, run
from e2e.stack import Stack

KEPT = CACHE / "bench-drain.json"


def main() -> None:
    """Run what is left of the cycles and print the account of all."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cycles", type=int, default=51, help="in all, those done before included")
    parser.add_argument("--afresh", action="store_true", help="forget what was done before")
    given = parser.parse_args()
    if given.afresh:
        KEPT.unlink(missing_ok=True)
    done = read(KEPT)
    stack = Stack.ensure()
    begin(stack)
    changes = list(CHANGES.items())
    while len(done) < given.cycles:
        kind, change = changes[len(done) % len(changes)]
        cycle = run(stack, kind, change)
        done.append(cycle)
        KEPT.write_text(json.dumps([asdict(one) for one in done], indent=1))
        print(f"{len(done):3} of {given.cycles}  {line(kind, [cycle])}", flush=True)
    print()
    for kind in CHANGES:
        print(line(kind, [one for one in done if one.kind == kind]))
    print(line("all", done))
    for one in done:
        for loss in one.lost:
            print(f"lost in a {one.kind}: {loss}")
    stack.kubectl("delete", "gemmadeployment", NAME, "--timeout=60s")


def read(path: Path) -> list[Cycle]:
    """The cycles of earlier runs."""
    return [Cycle(**one) for one in json.loads(path.read_text())] if path.exists() else []


def line(kind: str, cycles: list[Cycle]) -> str:
    """The account of some cycles."""
    seconds = sum(one.seconds for one in cycles)
    answered, shed = sum(one.answered for one in cycles), sum(one.shed for one in cycles)
    lost = sum(len(one.lost) for one in cycles)
    return f"{kind:10} {len(cycles):3} cycles {seconds:6.0f} s  {answered:6} answered  {shed:4} told 503  {lost:4} lost"


if __name__ == "__main__":
    main()
