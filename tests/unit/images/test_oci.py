"""An image made without Docker is a whole OCI layout, the same bytes every time, and refuses a changing source."""

import hashlib
import io
import json
import os
import tarfile
from pathlib import Path
from typing import IO

import pytest

from images.layers import DirectoryLayer, FileEntry, FilesLayer
from images.oci import Descriptor, ImageConfig, describe_layer, write_oci_tar

PAUSE = FilesLayer({"/pause": FileEntry(b"\x7fELF static", executable=True)}, {"/tmp": 0o1777})
CONFIG = ImageConfig(entrypoint=["/pause"], env={"HOME": "/scratch"}, user="10001:10001")


def image(*layers: FilesLayer | DirectoryLayer) -> bytes:
    out = io.BytesIO()
    write_oci_tar(out, reference="example.local/pause:1", layers=layers, config=CONFIG)
    return out.getvalue()


def blobs(content: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        return {member.name: archive.extractfile(member).read() for member in archive}  # type: ignore[union-attr]


def entries(layer: FilesLayer | DirectoryLayer) -> dict[str, tarfile.TarInfo]:
    out = io.BytesIO()
    layer.write_tar(out)
    out.seek(0)
    with tarfile.open(fileobj=out) as archive:
        return {member.name: member for member in archive}


def test_every_blob_is_named_by_its_own_digest_and_reachable_from_the_index() -> None:
    files = blobs(image(PAUSE))
    for name, content in files.items():
        if name.startswith("blobs/"):
            assert name == f"blobs/sha256/{hashlib.sha256(content).hexdigest()}"
    index = json.loads(files["index.json"])["manifests"][0]
    assert index["annotations"]["io.containerd.image.name"] == "example.local/pause:1"
    manifest = json.loads(files[f"blobs/{index['digest'].replace(':', '/')}"])
    config = json.loads(files[f"blobs/{manifest['config']['digest'].replace(':', '/')}"])
    assert config["config"]["Entrypoint"] == ["/pause"]
    assert config["config"]["Env"] == ["HOME=/scratch"]
    assert config["config"]["User"] == "10001:10001"
    layer = manifest["layers"][0]
    assert config["rootfs"]["diff_ids"] == [layer["digest"]]
    assert len(files[f"blobs/{layer['digest'].replace(':', '/')}"]) == layer["size"]


def test_a_folder_gives_the_same_bytes_whatever_its_times_and_modes(tmp_path: Path) -> None:
    trees = []
    for name, order in (("a", ("x", "y")), ("b", ("y", "x"))):
        root = tmp_path / name
        (root / "bin").mkdir(parents=True)
        for leaf in order:
            (root / "bin" / leaf).write_text(leaf)
            (root / "bin" / leaf).chmod(0o755 if name == "a" else 0o711)
            os.utime(root / "bin" / leaf, (hash(name) % 10**6, 1))
        trees.append(DirectoryLayer(root))
    assert image(trees[0]) == image(trees[1])


def test_a_folder_keeps_links_and_drops_set_user_id(tmp_path: Path) -> None:
    (tmp_path / "su").write_text("#!")
    (tmp_path / "su").chmod(0o4755)
    (tmp_path / "link").symlink_to("su")
    (tmp_path / "tmp").mkdir()
    (tmp_path / "tmp").chmod(0o1777)
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "x").write_text("left out")
    found = entries(DirectoryLayer(tmp_path, prefix="/opt/tree", uid=7, keep=lambda path: path != "cache"))
    assert list(found) == ["opt", "opt/tree", "opt/tree/link", "opt/tree/su", "opt/tree/tmp"]
    assert found["opt/tree/su"].mode == 0o755
    assert found["opt/tree/link"].linkname == "su"
    assert found["opt/tree/tmp"].mode == 0o1777
    assert {member.uid for member in found.values()} == {7}


def test_the_hashing_pass_is_skipped_when_the_digest_is_known() -> None:
    known = describe_layer(PAUSE)
    out = io.BytesIO()
    write_oci_tar(out, reference="example.local/pause:1", layers=[PAUSE], config=CONFIG, descriptors=[known])
    assert out.getvalue() == image(PAUSE)


class GrowingLayer:
    """A source that gives one block more each time, as a folder in which something still writes."""

    def __init__(self) -> None:
        self.blocks = 0

    def write_tar(self, out: IO[bytes]) -> None:
        self.blocks += 1
        out.write(b"\0" * 512 * self.blocks)


def test_a_source_that_changes_between_the_passes_is_an_error() -> None:
    with pytest.raises(ValueError, match="grew between hashing and writing"):
        write_oci_tar(io.BytesIO(), reference="x:1", layers=[GrowingLayer()], config=CONFIG)
    with pytest.raises(ValueError, match="bytes short"):
        write_oci_tar(
            io.BytesIO(),
            reference="x:1",
            layers=[PAUSE],
            config=CONFIG,
            descriptors=[Descriptor("sha256:0", 1 << 20)],
        )
