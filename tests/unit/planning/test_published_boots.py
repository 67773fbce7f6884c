"""Boots that people published: the arithmetic gives their figures, the planner their verdicts."""

import pytest

from e2e.cluster.paths import ROOT
from tests.bench.published import CASES, Comparison, PublishedCase
from tests.bench.published_boots import K, assessed

RECORDED = ROOT / "docs" / "reference" / "benchmarks.md"


def cases(*how: str) -> list[PublishedCase]:
    return [case for case in CASES if case.how in how]


def named(case: PublishedCase) -> str:
    return f"{case.number}-{case.how}"


def test_every_case_is_judged_in_one_of_three_ways() -> None:
    assert [case.number for case in CASES] == list(range(1, len(CASES) + 1))
    assert {case.how for case in CASES} == {"kv", "plan", "report"}


@pytest.mark.parametrize("case", cases("kv", "plan"), ids=named)
def test_figures_agree_within_one_percent_and_verdicts_are_the_same(case: PublishedCase) -> None:
    compared = case.compare()
    assert compared
    assert [str(item) for item in compared if not item.agrees] == []


@pytest.mark.parametrize("case", cases("report"), ids=named)
def test_open_cases_are_computed_and_stand_in_the_documentation_as_they_are(case: PublishedCase) -> None:
    figures = [item for item in case.compare() if item.error is not None]
    assert figures
    assert all(isinstance(item.predicted, int | float) and item.predicted > 0 for item in figures)
    assert "\n".join(case.lines()) in RECORDED.read_text(encoding="utf-8")


def test_a_figure_that_is_two_percent_off_does_not_agree() -> None:
    assert Comparison("tokens", 100, 100.9).agrees
    assert not Comparison("tokens", 100, 102).agrees
    assert not Comparison("fits", "yes", "no").agrees


def test_31b_awq_on_two_h100_at_094_is_accepted_as_it_worked() -> None:
    assert assessed("cyankiwi/gemma-4-31B-it-AWQ-4bit", "H100-SXM", 2, 0.94, 8192, 256, 256 * K).budget.fits
