"""``make test``: every tier, one after the other, each with its seconds. Nothing that can't run counts as passed."""

import re
import subprocess
import sys
import time
from dataclasses import dataclass

from e2e.cluster import Cluster
from e2e.cluster.paths import ROOT

PYTEST = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider")
SUMMARY = re.compile(r"(\d+) (passed|failed|error|errors|skipped)\b")


@dataclass(frozen=True)
class Tier:
    """A name and the command that proves it."""

    name: str
    command: tuple[str, ...]


TIERS = (
    Tier("check", ("make", "--no-print-directory", "check")),
    Tier("integration", (*PYTEST, "-m", "integration and not e2e", "tests/integration")),
    Tier("conformance", (*PYTEST, "-m", "e2e", "tests/conformance")),
    Tier("e2e", (*PYTEST, "-m", "e2e", "tests/integration", "tests/e2e")),
)


@dataclass(frozen=True)
class Outcome:
    """What a tier came to. A tier that ran no test, or skipped one, has not passed."""

    name: str
    seconds: float
    counts: dict[str, int]
    passed: bool


def run(tier: Tier) -> Outcome:
    """Run one tier and show its output as it comes."""
    print(f"\n===== {tier.name}", flush=True)
    started = time.monotonic()
    with subprocess.Popen(
        tier.command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, bufsize=1
    ) as process:
        counts: dict[str, int] = {}
        for line in process.stdout or ():
            print(line, end="", flush=True)
            found = SUMMARY.findall(line) if " in " in line else []
            for count, what in found:
                counts[what.rstrip("s") if what.startswith("error") else what] = int(count)
    clean = not {"failed", "error", "skipped"} & {what for what, count in counts.items() if count}
    passed = process.returncode == 0 and counts.get("passed", 0) > 0 and clean
    return Outcome(tier.name, time.monotonic() - started, counts, passed)


def main() -> int:
    """Entry point; returns 0 only when every tier ran and passed."""
    outcomes = [run(tier) for tier in TIERS]
    Cluster.stop()
    print("\n===== seconds per tier")
    for outcome in outcomes:
        told = ", ".join(f"{count} {what}" for what, count in sorted(outcome.counts.items())) or "no test ran"
        print(f"{outcome.name:12} {outcome.seconds:7.0f} s  {'ok' if outcome.passed else 'FAILED':7} {told}")
    passed = sum(outcome.counts.get("passed", 0) for outcome in outcomes)
    failed = sum(outcome.counts.get(what, 0) for outcome in outcomes for what in ("failed", "error"))
    print(f"{passed} passed, {failed} failed")
    return 0 if all(outcome.passed for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
