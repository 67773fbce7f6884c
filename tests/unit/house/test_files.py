"""The house rules that a machine can check: small files, no grab-bag names, no host or machine in the text."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[3]
MOST_LINES = 350
GRAB_BAGS = {"utils.py", "util.py", "helpers.py", "common.py", "misc.py"}
# Written apart so that this file does not name what it forbids.
HOSTS = re.compile(
    "|".join(("pypi" + r"\.org", "python" + r"hosted\.org", "proxy.golang" + r"\.org", "registry" + r"\.npmjs"))
)


def tracked(*patterns: str) -> list[Path]:
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [path for name in listing.stdout.splitlines() if (path := ROOT / name).is_file()]


def test_no_python_file_is_longer_than_350_lines() -> None:
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in tracked("*.py")}
    assert len(lengths) > 20
    assert {name: lines for name, lines in lengths.items() if lines > MOST_LINES} == {}


def test_no_file_is_a_grab_bag() -> None:
    assert [path for path in tracked("*.py") if path.name in GRAB_BAGS] == []


def test_the_source_root_does_not_shadow_the_standard_library() -> None:
    assert not (ROOT / "operator" / "__init__.py").exists()


def test_no_tracked_file_names_a_package_host() -> None:
    texts = [path for path in tracked() if path.suffix not in {".sum", ".png"}]
    assert [str(path) for path in texts if HOSTS.search(path.read_text(errors="replace"))] == []


def test_the_locks_have_hashes_and_no_addresses() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / name).read_text()
        assert "--hash=sha256:" in text
        assert "://" not in text
