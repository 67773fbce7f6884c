"""Every built object is the one in its golden file: a change of a builder shows as a change of YAML."""

from tests.unit.manifests.goldens import COMMAND, FOLDER, rendered


def test_every_object_is_the_one_in_its_golden_file() -> None:
    there = {path.name: path.read_text() for path in FOLDER.glob("*.yaml")}
    wanted = rendered()
    stale = sorted(name for name in there.keys() | wanted.keys() if there.get(name) != wanted.get(name))
    assert stale == [], f"{', '.join(stale)} differ; if that is meant: {COMMAND}"
