"""An image as an OCI layout in one tar, streamed: ``python … | ctr -n k8s.io images import -``.

Needs no Docker, no registry and no temporary file: a blob's name is its digest, so each layer is made once into a
hash and a second time into the stream. Layers are not compressed; they go from disk to the image store of the
same machine. Format: OCI image specification 1.1 (image-layout, manifest, config).
"""

import hashlib
import io
import json
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Any

from images.layers import Layer

MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar"
INDEX_TYPE = "application/vnd.oci.image.index.v1+json"


@dataclass(frozen=True, slots=True)
class ImageConfig:
    """What a container of the image starts with, in the words of a Dockerfile."""

    entrypoint: Sequence[str] = ()
    cmd: Sequence[str] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    user: str = "10001:10001"
    working_dir: str = "/"
    labels: Mapping[str, str] = field(default_factory=dict)
    architecture: str = "amd64"


@dataclass(frozen=True, slots=True)
class Descriptor:
    """Digest (``sha256:…``) and size of a blob; what a caller may keep to skip the hashing pass."""

    digest: str
    size_bytes: int


class _HashingSink(io.RawIOBase):
    """Counts and hashes what is written, keeps nothing."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._size_bytes = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._hash.update(data)
        self._size_bytes += len(data)
        return len(data)

    def descriptor(self) -> Descriptor:
        return Descriptor(f"sha256:{self._hash.hexdigest()}", self._size_bytes)


class _BlobWriter(io.RawIOBase):
    """Passes on exactly the promised number of bytes; a source that changed meanwhile is an error, not a bad blob."""

    def __init__(self, out: IO[bytes], promised: Descriptor) -> None:
        self._out = out
        self._promised = promised
        self._left_bytes = promised.size_bytes

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._left_bytes -= len(data)
        if self._left_bytes < 0:
            raise ValueError(f"the layer {self._promised.digest} grew between hashing and writing: make it anew")
        self._out.write(data)
        return len(data)

    def finish(self) -> None:
        if self._left_bytes:
            raise ValueError(f"the layer {self._promised.digest} is {self._left_bytes} bytes short: make it anew")


def describe_layer(layer: Layer) -> Descriptor:
    """Digest and size of a layer: one pass over its content."""
    sink = _HashingSink()
    layer.write_tar(sink)  # type: ignore[arg-type]
    return sink.descriptor()


def write_oci_tar(
    out: IO[bytes],
    *,
    reference: str,
    layers: Iterable[Layer],
    config: ImageConfig,
    descriptors: Sequence[Descriptor] | None = None,
) -> Descriptor:
    """Write the image named ``reference`` to ``out`` and return its manifest's descriptor.

    ``descriptors`` are those of an earlier ``describe_layer``, one per layer, when the content is known not to have
    changed. Raises ``ValueError`` when a layer does not have the length it was described with; the image store
    checks the digests.
    """
    sources = tuple(layers)
    described = tuple(descriptors) if descriptors is not None else tuple(describe_layer(layer) for layer in sources)
    if len(described) != len(sources):
        raise ValueError(f"{len(sources)} layers but {len(described)} descriptors")
    config_blob = _canonical(_config_document(config, described))
    manifest_blob = _canonical(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "config": _reference_to(CONFIG_TYPE, _describe(config_blob)),
            "layers": [_reference_to(LAYER_TYPE, blob) for blob in described],
        }
    )
    manifest = _describe(manifest_blob)
    index = _reference_to(MANIFEST_TYPE, manifest) | {
        "annotations": {
            "io.containerd.image.name": reference,
            "org.opencontainers.image.ref.name": reference.rpartition(":")[2],
        },
        "platform": {"architecture": config.architecture, "os": "linux"},
    }
    _add_file(out, "oci-layout", _canonical({"imageLayoutVersion": "1.0.0"}))
    _add_file(out, "index.json", _canonical({"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": [index]}))
    _add_file(out, _blob_path(manifest), manifest_blob)
    _add_file(out, _blob_path(_describe(config_blob)), config_blob)
    for blob, layer in dict(zip(described, sources, strict=True)).items():
        _add_layer(out, blob, layer)
    out.write(b"\0" * (2 * tarfile.BLOCKSIZE))
    return manifest


def _config_document(config: ImageConfig, layers: Sequence[Descriptor]) -> dict[str, Any]:
    return {
        "architecture": config.architecture,
        "os": "linux",
        "config": {
            "Entrypoint": list(config.entrypoint),
            "Cmd": list(config.cmd),
            "Env": [f"{name}={value}" for name, value in sorted(config.env.items())],
            "User": config.user,
            "WorkingDir": config.working_dir,
            "Labels": dict(sorted(config.labels.items())),
        },
        "rootfs": {"type": "layers", "diff_ids": [layer.digest for layer in layers]},
    }


def _add_layer(out: IO[bytes], blob: Descriptor, layer: Layer) -> None:
    out.write(_file_header(_blob_path(blob), blob.size_bytes))
    writer = _BlobWriter(out, blob)
    layer.write_tar(writer)  # type: ignore[arg-type]
    writer.finish()
    out.write(_padding(blob.size_bytes))


def _add_file(out: IO[bytes], name: str, content: bytes) -> None:
    out.write(_file_header(name, len(content)) + content + _padding(len(content)))


def _file_header(name: str, size_bytes: int) -> bytes:
    info = tarfile.TarInfo(name)
    info.size = size_bytes
    return info.tobuf(tarfile.GNU_FORMAT)


def _padding(size_bytes: int) -> bytes:
    return b"\0" * (-size_bytes % tarfile.BLOCKSIZE)


def _describe(blob: bytes) -> Descriptor:
    return Descriptor(f"sha256:{hashlib.sha256(blob).hexdigest()}", len(blob))


def _reference_to(media_type: str, blob: Descriptor) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": blob.digest, "size": blob.size_bytes}


def _blob_path(blob: Descriptor) -> str:
    return f"blobs/{blob.digest.replace(':', '/')}"


def _canonical(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
