"""Frees torch's CUDA build from CUDA's libraries, so that the engine on CPU is half as large.

The public index carries torch for Linux only as a CUDA build, whose objects are linked to 2.7 GB of libraries that
no CPU ever calls. Without them the loader refuses to start. ``drop_libraries`` edits the objects in place, nothing
moves: a dropped library's entry in the list of needed ones becomes a second mention of one that stays, its version
requirements are unchained, and what only it defined may stay undefined (weak). A call into a dropped library would
end the process; the CPU engine makes none. Called by ``images.engine``.
"""

from collections.abc import Collection
from pathlib import Path
from typing import IO, Any

from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection

_WEAK_BINDING = 2
_INFO_OFFSET_IN_SYMBOL = 4
_VALUE_OFFSET_IN_TAG = 8
_FILE_OFFSET_IN_REQUIREMENT = 4
_FLAGS_OFFSET_IN_VERSION = 4
_WEAK_VERSION = 2
KEPT = "libc.so.6"

CUDA_LIBRARIES = (
    "libcublas.so.13",
    "libcublasLt.so.13",
    "libcuda.so.1",
    "libcudnn.so.9",
    "libcufft.so.12",
    "libcufile.so.0",
    "libcupti.so.13",
    "libcurand.so.10",
    "libcusolver.so.12",
    "libcusparse.so.12",
    "libcusparseLt.so.0",
    "libnccl.so.2",
    "libnvrtc.so.13",
    "libnvshmem_host.so.3",
)
"""What torch 2.13 for CUDA 13 is linked to; its small runtime (``libcudart``) stays, asking it finds no GPU."""


def drop_libraries(path: Path, dropped: Collection[str]) -> bool:
    """Edit one shared object; false when it needs none of ``dropped``.

    Raises ``ValueError`` for an object that would not keep ``libc.so.6``.
    """
    with path.open("r+b") as file:
        elf = ELFFile(file)
        edits = _edits(elf, dropped)
        for offset, content in edits.items():
            file.seek(offset)
            file.write(content)
    return bool(edits)


def _edits(elf: ELFFile, dropped: Collection[str]) -> dict[int, bytes]:
    dynamic = elf.get_section_by_name(".dynamic")
    if not isinstance(dynamic, DynamicSection):
        return {}
    tags: list[Any] = list(dynamic.iter_tags())
    needed = {index: tag for index, tag in enumerate(tags) if tag.entry.d_tag == "DT_NEEDED"}
    unwanted = [index for index, tag in needed.items() if tag.needed in dropped]
    if not unwanted:
        return {}
    kept = [tag.entry.d_val for tag in needed.values() if tag.needed == KEPT and KEPT not in dropped]
    if not kept:
        raise ValueError(f"an object needs {needed[unwanted[0]].needed} but not {KEPT}: it can't be freed")
    start, size = dynamic["sh_offset"], dynamic["sh_entsize"]
    edits = {start + index * size + _VALUE_OFFSET_IN_TAG: kept[0].to_bytes(8, "little") for index in unwanted}
    return edits | _optional_versions(elf, dropped, kept[0]) | _weakened_symbols(elf)


def _optional_versions(elf: ELFFile, dropped: Collection[str], kept: int) -> dict[int, bytes]:
    """Ask for a dropped library's versions at one that stays, as a wish: the loader goes on without them."""
    section = elf.get_section_by_name(".gnu.version_r")
    edits = {}
    if isinstance(section, GNUVerNeedSection):
        offset = section["sh_offset"]
        for requirement, versions in section.iter_versions():
            if requirement.name in dropped:
                edits[offset + _FILE_OFFSET_IN_REQUIREMENT] = kept.to_bytes(4, "little")
                version_offset = offset + requirement["vn_aux"]
                for version in versions:
                    edits[version_offset + _FLAGS_OFFSET_IN_VERSION] = _WEAK_VERSION.to_bytes(2, "little")
                    version_offset += version["vna_next"]
            offset += requirement["vn_next"]
    return edits


def _weakened_symbols(elf: ELFFile) -> dict[int, bytes]:
    """Undefined symbols as weak ones: found where they exist, null where their library is gone."""
    table: Any = elf.get_section_by_name(".dynsym")
    edits = {}
    for index, symbol in enumerate(table.iter_symbols()):
        if symbol["st_shndx"] == "SHN_UNDEF" and symbol["st_info"]["bind"] == "STB_GLOBAL":
            offset = table["sh_offset"] + index * table["sh_entsize"] + _INFO_OFFSET_IN_SYMBOL
            kind = _raw_byte(elf.stream, offset) & 0xF
            edits[offset] = bytes([_WEAK_BINDING << 4 | kind])
    return edits


def _raw_byte(stream: IO[bytes], offset: int) -> int:
    stream.seek(offset)
    return stream.read(1)[0]
