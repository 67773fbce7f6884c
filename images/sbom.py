"""The bill of materials of an image, as SPDX 2.3: what Debian and Python packages it holds, by their own word.

Read from what was unpacked, not from what was asked for. The same packages give the same bytes.
``python -m images.sbom`` prints that of the operator's image.
"""

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path
from typing import Any
from urllib.parse import quote

NO_ASSERTION = "NOASSERTION"


@dataclass(frozen=True, slots=True, order=True)
class Part:
    """One package. ``kind`` is the type of a package URL: ``deb`` or ``pypi``."""

    kind: str
    name: str
    version: str

    @property
    def url(self) -> str:
        """Its package URL, by which scanners know it."""
        space = "debian/" if self.kind == "deb" else ""
        return f"pkg:{self.kind}/{space}{quote(self.name)}@{quote(self.version, safe='')}"


def debian_parts(status_folder: Path) -> list[Part]:
    """The packages whose control files are there."""
    return [_part("deb", path, "Package") for path in sorted(status_folder.iterdir())]


def python_parts(library: Path) -> list[Part]:
    """The distributions that are installed there."""
    return [_part("pypi", path, "Name") for path in sorted(library.glob("*.dist-info/METADATA"))]


def _part(kind: str, path: Path, field: str) -> Part:
    headers = HeaderParser().parsestr(path.read_text(encoding="utf-8"))
    name, version = headers[field], headers["Version"]
    if not name or not version:
        raise ValueError(f"{path} has no {field} or no Version")
    return Part(kind, re.sub(r"[-_.]+", "-", name).lower() if kind == "pypi" else name, version)


def sbom(title: str, version: str, parts: Iterable[Part]) -> dict[str, Any]:
    """The document. Its namespace follows from its content, its time is none: it is the same on every machine."""
    ordered = sorted(set(parts))
    content = hashlib.sha256(repr((title, version, ordered)).encode()).hexdigest()
    root = "SPDXRef-image"
    packages = [
        {
            "SPDXID": f"SPDXRef-{re.sub(r'[^A-Za-z0-9.-]', '-', f'{part.kind}-{part.name}')}",
            "name": part.name,
            "versionInfo": part.version,
            "downloadLocation": NO_ASSERTION,
            "filesAnalyzed": False,
            "externalRefs": [
                {
                    "referenceCategory": "PACKAGE-MANAGER",
                    "referenceType": "purl",
                    "referenceLocator": part.url,
                }
            ],
        }
        for part in ordered
    ]
    image = {
        "SPDXID": root,
        "name": title,
        "versionInfo": version,
        "downloadLocation": NO_ASSERTION,
        "filesAnalyzed": False,
        "primaryPackagePurpose": "CONTAINER",
    }
    contains = [
        {"spdxElementId": root, "relationshipType": "CONTAINS", "relatedSpdxElement": package["SPDXID"]}
        for package in packages
    ]
    describes = {
        "spdxElementId": "SPDXRef-DOCUMENT",
        "relationshipType": "DESCRIBES",
        "relatedSpdxElement": root,
    }
    return {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"{title} {version}",
        "documentNamespace": f"urn:sha256:{content}",
        "creationInfo": {"created": "1970-01-01T00:00:00Z", "creators": ["Tool: images.sbom"]},
        "packages": [image, *packages],
        "relationships": [describes, *contains],
    }


def as_text(document: dict[str, Any]) -> str:
    """The document as a file."""
    return json.dumps(document, indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    from images.operator_image import operator_sbom

    print(as_text(operator_sbom()), end="")
