"""A shared object that was freed of a library loads without it; the others are left as they are."""

import ctypes
import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest
from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile

from images.slim import drop_libraries


def needed(path: Path) -> set[str]:
    with path.open("rb") as file:
        section = ELFFile(file).get_section_by_name(".dynamic")
        assert isinstance(section, DynamicSection)
        return {tag.needed for tag in section.iter_tags() if tag.entry.d_tag == "DT_NEEDED"}  # type: ignore[attr-defined]


def copy_of(module: str, folder: Path) -> Path:
    spec = find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    return Path(shutil.copy(spec.origin, folder / "object.so"))


# The first library gives symbols without versions, the other two with them, as CUDA's do.
@pytest.mark.parametrize(("module", "stem"), [("_sqlite3", "libsqlite3"), ("_ssl", "libssl"), ("_ssl", "libcrypto")])
def test_an_object_loads_without_a_dropped_library(module: str, stem: str, tmp_path: Path) -> None:
    path = copy_of(module, tmp_path)
    (library,) = {name for name in needed(path) if name.startswith(stem)}
    size = path.stat().st_size
    assert drop_libraries(path, [library])
    assert library not in needed(path)
    assert path.stat().st_size == size
    ctypes.CDLL(str(path))


def test_an_object_without_the_library_is_not_touched(tmp_path: Path) -> None:
    path = copy_of("_sqlite3", tmp_path)
    before = path.read_bytes()
    assert not drop_libraries(path, ["libcublas.so.13"])
    assert path.read_bytes() == before


def test_an_object_that_would_lose_its_last_library_is_refused(tmp_path: Path) -> None:
    path = copy_of("_sqlite3", tmp_path)
    with pytest.raises(ValueError, match=r"but not libc\.so\.6"):
        drop_libraries(path, needed(path))
