# SPDX-License-Identifier: Apache-2.0
"""The list of what is inside a release, as SPDX 2.3 has it in JSON."""

from __future__ import annotations

import hashlib
import pathlib
import re
from collections.abc import Sequence
from typing import Any

from components import Component, components

_CREATED = "2026-01-01T00:00:00Z"  # the same input gives the same bytes


def _identifier(name: str) -> str:
    return "SPDXRef-" + re.sub(r"[^A-Za-z0-9.-]+", "-", name)


def _library(component: Component) -> dict[str, Any]:
    return {
        "SPDXID": _identifier(component.name),
        "name": component.name,
        "versionInfo": component.version,
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "licenseConcluded": component.licence,
        "licenseDeclared": component.licence,
        "copyrightText": "NOASSERTION",
        "checksums": [{"algorithm": "SHA256", "checksumValue": component.sha256}],
        "externalRefs": [
            {
                "referenceCategory": "PACKAGE-MANAGER",
                "referenceType": "purl",
                "referenceLocator": component.package_url,
            }
        ],
    }


def _file(path: pathlib.Path) -> dict[str, Any]:
    data = path.read_bytes()
    return {
        "SPDXID": _identifier(f"file-{path.name}"),
        "fileName": f"./{path.name}",
        "checksums": [
            {"algorithm": "SHA1", "checksumValue": hashlib.sha1(data).hexdigest()},
            {"algorithm": "SHA256", "checksumValue": hashlib.sha256(data).hexdigest()},
        ],
        "licenseConcluded": "NOASSERTION",
        "licenseInfoInFiles": ["NOASSERTION"],
        "copyrightText": "NOASSERTION",
    }


def document(target: str, version: str, files: Sequence[pathlib.Path]) -> dict[str, Any]:
    """For a release of that version for that system, whose native files are `files`."""
    libraries = [_library(component) for component in components(target)]
    native = [_file(path) for path in files]
    content = hashlib.sha256("".join(f["checksums"][1]["checksumValue"] for f in native).encode())
    name = f"blendwire-{version}-{target}"
    product = {
        "SPDXID": "SPDXRef-blendwire",
        "name": "blendwire",
        "versionInfo": version,
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "licenseConcluded": "Apache-2.0",
        "licenseDeclared": "Apache-2.0",
        "copyrightText": "NOASSERTION",
        "primaryPackagePurpose": "APPLICATION",
    }

    def relation(one: str, kind: str, other: str) -> dict[str, str]:
        return {"spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other}

    return {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": name,
        "documentNamespace": f"urn:blendwire:{name}:{content.hexdigest()}",
        "creationInfo": {"created": _CREATED, "creators": ["Tool: blendwire-packaging"]},
        "packages": [product, *libraries],
        "files": native,
        "relationships": [
            relation("SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-blendwire"),
            *(relation("SPDXRef-blendwire", "CONTAINS", p["SPDXID"]) for p in libraries),
            *(relation("SPDXRef-blendwire", "CONTAINS", f["SPDXID"]) for f in native),
        ],
    }
