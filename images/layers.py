"""Layers of an image as tar streams that are the same bytes on every machine.

A layer is made twice, once for its digest and once for its content, so a source must give the same bytes each
time: entries sorted by name, no times, no owners but the given one, and modes reduced to "executable or not".
Used by ``images.oci``; never reads outside the folder it was given.
"""

import io
import tarfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Protocol

_STICKY_WORLD_WRITABLE = 0o1777
_BUFFER_BYTES = 1 << 20


class Layer(Protocol):
    """Anything that writes one tar, the same bytes each time it is asked."""

    def write_tar(self, out: IO[bytes]) -> None:
        """Write the whole tar, uncompressed."""


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One regular file given as bytes, for instance a static binary or ``/etc/passwd``."""

    content: bytes
    executable: bool = False


@dataclass(frozen=True, slots=True)
class FilesLayer:
    """Files and empty directories given by value; parents of files are made.

    ``directories`` maps a path to its mode. Paths are absolute in the image.
    """

    files: Mapping[str, FileEntry] = field(default_factory=dict)
    directories: Mapping[str, int] = field(default_factory=dict)
    uid: int = 0
    gid: int = 0

    def write_tar(self, out: IO[bytes]) -> None:
        """Write the tar."""
        modes = {_relative(path): mode for path, mode in self.directories.items()}
        for path in self.files:
            for parent in Path(_relative(path)).parents:
                modes.setdefault(parent.as_posix(), 0o755)
        modes.pop(".", None)
        contents = {_relative(path): entry for path, entry in self.files.items()}
        with _open_tar(out) as archive:
            for name in sorted({*modes, *contents}):
                entry = contents.get(name)
                info = _header(name, self.uid, self.gid)
                if entry is None:
                    info.type, info.mode = tarfile.DIRTYPE, modes[name]
                    archive.addfile(info)
                else:
                    info.size = len(entry.content)
                    info.mode = 0o755 if entry.executable else 0o644
                    archive.addfile(info, io.BytesIO(entry.content))


@dataclass(frozen=True, slots=True)
class DirectoryLayer:
    """A folder of this machine, laid at ``prefix`` of the image.

    ``keep`` gets each path relative to the folder; one that it refuses is left out with all below it. Set-user-id
    bits, devices and sockets are not carried over: nothing in these images may raise its rights.
    """

    root: Path
    prefix: str = "/"
    uid: int = 0
    gid: int = 0
    keep: Callable[[str], bool] = lambda _relative_path: True

    def write_tar(self, out: IO[bytes]) -> None:
        """Write the tar; raises ``OSError`` when a file shrinks or vanishes meanwhile."""
        prefix = _relative(self.prefix)
        with _open_tar(out) as archive:
            parents = [parent.as_posix() for parent in Path(prefix).parents] if prefix else []
            for name in [*sorted(parent for parent in parents if parent != "."), *([prefix] if prefix else [])]:
                info = _header(name, self.uid, self.gid)
                info.type, info.mode = tarfile.DIRTYPE, 0o755
                archive.addfile(info)
            for path in self._paths(self.root):
                self._add(archive, path, prefix)

    def _paths(self, folder: Path) -> Iterator[Path]:
        for path in sorted(folder.iterdir(), key=lambda entry: entry.name):
            if not self.keep(path.relative_to(self.root).as_posix()):
                continue
            yield path
            if path.is_dir() and not path.is_symlink():
                yield from self._paths(path)

    def _add(self, archive: tarfile.TarFile, path: Path, prefix: str) -> None:
        relative = path.relative_to(self.root).as_posix()
        info = _header(f"{prefix}/{relative}" if prefix else relative, self.uid, self.gid)
        status = path.lstat()
        if path.is_symlink():
            info.type, info.linkname, info.mode = tarfile.SYMTYPE, path.readlink().as_posix(), 0o777
            archive.addfile(info)
        elif path.is_dir():
            sticky = status.st_mode & _STICKY_WORLD_WRITABLE == _STICKY_WORLD_WRITABLE
            info.type, info.mode = tarfile.DIRTYPE, _STICKY_WORLD_WRITABLE if sticky else 0o755
            archive.addfile(info)
        elif path.is_file():
            info.size = status.st_size
            info.mode = 0o755 if status.st_mode & 0o111 else 0o644
            with path.open("rb") as content:
                archive.addfile(info, content)


def _open_tar(out: IO[bytes]) -> tarfile.TarFile:
    archive = tarfile.open(fileobj=out, mode="w|", format=tarfile.PAX_FORMAT, bufsize=_BUFFER_BYTES)  # noqa: SIM115
    archive.copybufsize = _BUFFER_BYTES  # type: ignore[attr-defined]
    return archive


def _header(name: str, uid: int, gid: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.uid, info.gid, info.mtime = uid, gid, 0
    return info


def _relative(path: str) -> str:
    return path.strip("/")
