"""Golden files of the builders. ``python -m tests.unit.manifests.goldens`` writes them anew."""

from pathlib import Path

import yaml

from tests.unit.manifests.examples import examples

FOLDER = Path(__file__).parent / "golden"
COMMAND = "python -m tests.unit.manifests.goldens"


def rendered() -> dict[str, str]:
    """The text of every golden file, by file name."""
    return {
        f"{name}.yaml": yaml.safe_dump(wanted, sort_keys=False, width=120, allow_unicode=True)
        for name, wanted in examples().items()
    }


def write() -> None:
    """Replace all golden files."""
    FOLDER.mkdir(exist_ok=True)
    for stale in FOLDER.glob("*.yaml"):
        stale.unlink()
    for name, text in rendered().items():
        (FOLDER / name).write_text(text)


if __name__ == "__main__":
    write()
