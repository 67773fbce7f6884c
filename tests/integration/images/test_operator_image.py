"""The operator's image: small, and with a bill of what is in it."""

import json
import re
import tarfile
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from images.layers import Layer
from images.operator_image import CONFIG, HOME, operator_layers

pytestmark = pytest.mark.integration
ROOT = Path(__file__).parents[3]
MOST_BYTES = 150_000_000


class _Gzip:
    """Counts what gzip would make of a stream."""

    def __init__(self) -> None:
        self._compressor = zlib.compressobj(6, wbits=31)
        self.size = 0

    def write(self, data: bytes) -> int:
        self.size += len(self._compressor.compress(data))
        return len(data)

    def end(self) -> int:
        return self.size + len(self._compressor.flush())


def compressed_bytes(layer: Layer) -> int:
    counter = _Gzip()
    layer.write_tar(counter)  # type: ignore[arg-type]
    return counter.end()


@pytest.fixture(scope="module")
def layers() -> list[Layer]:
    return operator_layers()


@pytest.fixture(scope="module")
def bill(layers: list[Layer]) -> dict[str, Any]:
    """As it stands in the image."""
    written = BytesIO()
    layers[-1].write_tar(written)
    written.seek(0)
    with tarfile.open(fileobj=written) as archive:
        found = archive.extractfile(f"{HOME}/sbom.spdx.json".lstrip("/"))
        assert found is not None
        document: dict[str, Any] = json.load(found)
    return document


def test_the_image_is_smaller_than_150_mb_compressed(layers: list[Layer]) -> None:
    size = sum(compressed_bytes(layer) for layer in layers)
    print(f"{size / 1e6:.1f} MB compressed")
    assert size < MOST_BYTES


def test_it_does_not_run_as_root() -> None:
    assert CONFIG.user.split(":")[0] not in {"", "0", "root"}


def test_every_locked_dependency_is_in_the_bill(bill: dict[str, Any]) -> None:
    locked = dict(re.findall(r"^([a-z0-9_.-]+)==(\S+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE))
    found = {
        package["name"]: package["versionInfo"]
        for package in bill["packages"]
        if any("pkg:pypi/" in reference["referenceLocator"] for reference in package.get("externalRefs", ()))
    }
    assert len(locked) > 10
    assert {re.sub(r"[-_.]+", "-", name): version for name, version in locked.items()}.items() <= found.items()


def test_debian_packages_are_in_the_bill_with_their_versions(bill: dict[str, Any]) -> None:
    found = {
        package["name"]: package["versionInfo"]
        for package in bill["packages"]
        if any("pkg:deb/" in reference["referenceLocator"] for reference in package.get("externalRefs", ()))
    }
    assert {"libc6", "python3.11", "ca-certificates"} <= found.keys()
    assert re.match(r"\d", found["libc6"])


def test_every_part_has_an_identity_of_its_own(bill: dict[str, Any]) -> None:
    identities = [package["SPDXID"] for package in bill["packages"]]
    assert len(set(identities)) == len(identities)
    contained = {item["relatedSpdxElement"] for item in bill["relationships"]}
    assert contained == set(identities)
