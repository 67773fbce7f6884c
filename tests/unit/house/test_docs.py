"""What the docs point to and what they tell people to type is there."""

import re
from pathlib import Path

import pytest
import typer

from gemma_operator.cli.gemmactl import app

ROOT = Path(__file__).parents[3]
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/**/*.md"), *ROOT.glob("charts/*/*.md")])
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)(?:#[^)]*)?\)")
COMMAND = re.compile(r"\bgemmactl +([a-z]+)((?: +[^`\n]*)?)")
OPTION = re.compile(r"(?<!\S)(--[a-z][a-z-]*)")
MAKE = re.compile(r"`make +([a-z-]+)`")


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    lost = [link for link in LINK.findall(page.read_text()) if not (page.parent / link).exists()]
    assert lost == []


def test_every_page_can_be_reached_from_the_first() -> None:
    reached, new = set(), {ROOT / "README.md"}
    while new:
        reached |= new
        linked = {(page.parent / link).resolve() for page in new for link in LINK.findall(page.read_text())}
        folders = {page for path in linked if path.is_dir() for page in path.glob("*.md")}
        new = {path for path in linked | folders if path.suffix == ".md" and path.exists()} - reached
    assert [name(page) for page in PAGES if page not in reached] == []


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_command_and_option_of_gemmactl_exists(page: Path) -> None:
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    for command, rest in COMMAND.findall(page.read_text()):
        assert command in commands, f"gemmactl {command}"
        known = {option for parameter in commands[command].params for option in parameter.opts} | {"--help"}
        assert set(OPTION.findall(rest.split("#")[0].split("|")[0])) <= known, f"gemmactl {command}{rest}"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_make_target_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(MAKE.findall(page.read_text())) <= targets
