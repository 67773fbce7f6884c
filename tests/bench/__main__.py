"""``make bench``: prints figures and never judges them. ``python -m tests.bench planning`` runs one topic."""

import argparse
import sys

from e2e.progress import step
from tests.bench import hand_over, operator, planning, published
from tests.bench.figures import Figure, machine

TOPICS = ("published", "planning", "operator", "hand-over")


def main() -> None:
    """Print the figures of the topics that are asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("topics", nargs="*", choices=[*TOPICS, []], help="by default all")
    parser.add_argument("--idle-seconds", type=int, default=300, help="how long writes at rest are counted")
    options = parser.parse_args()
    topics = options.topics or TOPICS
    print(machine(), flush=True)
    if "published" in topics:
        print("\nPublished boots", *published.report(), sep="\n", flush=True)
    figures: list[Figure] = []
    if "planning" in topics:
        with step("planning"):
            figures += _shown(planning.measure())
    if "operator" in topics:
        figures += _shown(operator.measure(options.idle_seconds))
    if "hand-over" in topics:
        figures += _shown(hand_over.measure())
    missed = [figure for figure in figures if not figure.met]
    if figures:
        print(f"\n{len(figures)} figures, {len(missed)} of them beyond their aim", flush=True)
    sys.exit(0)


def _shown(figures: "operator.Figures") -> list[Figure]:
    found = []
    for figure in figures:
        print(figure, flush=True)
        found.append(figure)
    return found


if __name__ == "__main__":
    main()
