"""An SPDX document (JSON, 2.2 or 2.3) in, the facts of an SBOM out.

SPDX specification 2.3.  Packages are the components; relationships give the described
package, the dependencies and what contains what.
"""

from __future__ import annotations

import re
from typing import Any, Final

from adjudge.documents.sbom.graph import is_complete
from adjudge.documents.sbom.licenses import parse_license
from adjudge.documents.sbom.values import (
    Problems,
    algorithm_name,
    digest,
    license_facts,
    mapping,
    objects,
    present,
    text,
    texts,
)

RENAMES: Final = {
    "ref": "SPDXID",
    "version": "versionInfo",
    "type": "primaryPackagePurpose",
    "hashes": "checksums",
    "purl": "externalRefs",
    "cpe": "externalRefs",
    "license": "licenseConcluded",
    "licenses": "licenseConcluded",
    "license_ids": "licenseConcluded",
    "license_options": "licenseConcluded",
    "urls": "externalRefs",
}
"""How the file calls members whose facts have other names."""

_DOCUMENT = "SPDXRef-DOCUMENT"
_NOTHING = {"NOASSERTION", "NONE"}
_AGENT = re.compile(r"(?:Person|Organization|Tool): ?(.*?)(?: \(([^()]*)\))?", re.DOTALL)
_TOOL_VERSION = re.compile(r"(.+)-(v?\d[\w.+-]*)", re.DOTALL)
_SCOPES = {
    "OPTIONAL_DEPENDENCY_OF": "optional",
    "DEV_DEPENDENCY_OF": "excluded",
    "TEST_DEPENDENCY_OF": "excluded",
    "BUILD_DEPENDENCY_OF": "excluded",
}


class Reader:
    """Reads one document: ``facts`` and ``places`` (fact pointer to document pointer)."""

    def __init__(self, document: dict[str, Any], problems: Problems) -> None:
        self.document = document
        self.problems = problems
        self.places: dict[str, str] = {}
        self._by_ref: dict[str, dict[str, Any]] = {}
        self._refs: dict[str, str] = {}
        self._edges: dict[str, list[str]] = {}
        self._edge_places: dict[str, str] = {}
        self._extracted = {
            ref: name
            for _, e in objects(document, "hasExtractedLicensingInfos")
            if (ref := text(e, "licenseId")) and (name := text(e, "name"))
        }

    def read(self) -> dict[str, Any]:
        """All facts but those about the schema."""
        document, creation = self.document, mapping(self.document, "creationInfo")
        components = self._packages()
        described = self._relationships()
        root = described[0] if described else None
        whole = self._by_ref.get(root) if root is not None else None
        if whole is None and root is not None:
            whole = self._described_file(root)
        others = [c for c in components if c is not whole]
        for index, component in enumerate(others):
            self.places[f"/components/{index}"] = component["pointer"]
        if whole is not None:
            self.places["/described"] = whole["pointer"]
        edges: list[dict[str, Any]] = []
        for ref, targets in self._edges.items():
            self.places[f"/dependencies/{len(edges)}"] = self._edge_places[ref]
            edges.append({"ref": ref, "depends_on": list(dict.fromkeys(targets))})
        creators = texts(creation, "creators")
        facts = present(
            serial_number=text(document, "documentNamespace"),
            name=text(document, "name"),
            timestamp=text(creation, "created"),
            supplier=None if whole is None else whole.get("supplier"),
            described=whole,
            dependency_complete=is_complete(root, edges, others),
        )
        return facts | {
            "tools": [_tool(c) for c in creators if c.startswith("Tool:")],
            "authors": [_agent(c) or c for c in creators if not c.startswith("Tool:")],
            "lifecycles": [],
            "components": others,
            "dependencies": edges,
            "compositions": [],
            "vulnerabilities": [],
            "models": [],
            "datasets": [],
            "services": [],
            "attestations": 0,
            "signed": False,
        }

    # --- packages ---------------------------------------------------------------------------

    def _packages(self) -> list[dict[str, Any]]:
        found = []
        for index, item in objects(self.document, "packages"):
            pointer = f"/packages/{index}"
            component = self._package(item, pointer)
            found.append(component)
            self._note_ref(component.get("ref"), pointer, component)
        for index, item in objects(self.document, "files"):
            self._note_ref(text(item, "SPDXID"), f"/files/{index}", None)
        return found

    def _note_ref(self, ref: str | None, pointer: str, component: dict[str, Any] | None) -> None:
        if ref is None:
            return
        if ref in self._refs:
            self.problems.add(
                "bom_ref_duplicate",
                f"the SPDXID {ref[:200]!r} is used twice, so references to it are ambiguous",
                f"{pointer}/SPDXID",
            )
        self._refs.setdefault(ref, pointer)
        if component is not None:
            self._by_ref.setdefault(ref, component)

    def _package(self, item: dict[str, Any], pointer: str) -> dict[str, Any]:
        purpose = (text(item, "primaryPackagePurpose") or "unknown").lower().replace("_", "-")
        references = {
            kind: url
            for _, r in reversed(list(objects(item, "externalRefs")))
            if (kind := text(r, "referenceType")) and (url := text(r, "referenceLocator"))
        }
        urls = {k: v for k, v in references.items() if k not in ("purl", "cpe22Type", "cpe23Type")}
        download = text(item, "downloadLocation")
        if download is not None and download not in _NOTHING:
            urls["distribution"] = download
        homepage = text(item, "homepage")
        if homepage is not None and homepage not in _NOTHING:
            urls["website"] = homepage
        component = present(
            ref=text(item, "SPDXID"),
            name=text(item, "name"),
            version=text(item, "versionInfo"),
            purl=references.get("purl"),
            cpe=references.get("cpe23Type") or references.get("cpe22Type"),
            supplier=_agent(text(item, "supplier")) or _agent(text(item, "originator")),
            description=text(item, "description") or text(item, "summary"),
        )
        component["type"] = purpose
        component["hashes"] = self._hashes(item, pointer)
        component |= license_facts(self._licenses(item))
        return component | {
            "properties": {},
            "urls": urls,
            "model_card": False,
            "pointer": pointer,
        }

    def _hashes(self, item: dict[str, Any], pointer: str) -> dict[str, str]:
        found: dict[str, str] = {}
        for index, entry in objects(item, "checksums"):
            name, value = text(entry, "algorithm"), text(entry, "checksumValue")
            if name is None or value is None:
                continue
            algorithm = algorithm_name(name)
            known = digest(algorithm, value)
            place = f"{pointer}/checksums/{index}/checksumValue"
            if known is None:
                self.problems.add("hash_malformed", f"this is no {name} digest", place)
            elif found.setdefault(algorithm, known) != known:
                self.problems.add(
                    "hash_contradiction", f"two different {name} digests are stated", place
                )
                # Whichever is right, nothing may be compared with it.
                found[algorithm] = ""
        return {algorithm: value for algorithm, value in found.items() if value}

    def _licenses(self, item: dict[str, Any]) -> list[str]:
        """What was concluded, else what was declared; names in place of extracted licences."""
        for key in ("licenseConcluded", "licenseDeclared"):
            stated = text(item, key)
            if stated is not None and parse_license(stated) is not None:
                name = self._extracted.get(stated)
                known = parse_license(name) if name is not None else None
                by_name = known is not None and not known.expression.startswith("LicenseRef-")
                return [name if by_name and name is not None else stated]
        return []

    def _described_file(self, ref: str) -> dict[str, Any] | None:
        """A document may describe a single file, such as a weights file."""
        place = self._refs.get(ref, "")
        if not place.startswith("/files/"):
            return None
        item = self.document["files"][int(place.removeprefix("/files/"))]
        component = present(ref=ref, name=text(item, "fileName"))
        concluded = text(item, "licenseConcluded")
        component |= {"type": "file", "hashes": self._hashes(item, place)}
        component |= license_facts([] if concluded is None else [concluded])
        return component | {"properties": {}, "urls": {}, "model_card": False, "pointer": place}

    # --- relationships ----------------------------------------------------------------------

    def _relationships(self) -> list[str]:
        """Note dependencies, scopes and parents; gives the refs the document describes."""
        described = texts(self.document, "documentDescribes")
        for index, item in objects(self.document, "relationships"):
            kind = text(item, "relationshipType")
            one, other = text(item, "spdxElementId"), text(item, "relatedSpdxElement")
            if kind is None or one is None or other is None or other in _NOTHING:
                continue
            place = f"/relationships/{index}"
            self._check(one, f"{place}/spdxElementId")
            self._check(other, f"{place}/relatedSpdxElement")
            if kind == "DESCRIBES" and one == _DOCUMENT:
                described.append(other)
            elif kind == "DESCRIBED_BY" and other == _DOCUMENT:
                described.append(one)
            elif kind == "DEPENDS_ON":
                self._depends(one, other, place)
            elif kind.endswith("DEPENDENCY_OF"):
                self._depends(other, one, place)
                if kind in _SCOPES and one in self._by_ref:
                    self._by_ref[one]["scope"] = _SCOPES[kind]
            elif kind == "CONTAINS" and other in self._by_ref and one != _DOCUMENT:
                self._by_ref[other].setdefault("parent", one)
            elif kind == "CONTAINED_BY" and one in self._by_ref:
                self._by_ref[one].setdefault("parent", other)
        return list(dict.fromkeys(described))

    def _depends(self, ref: str, target: str, place: str) -> None:
        self._edges.setdefault(ref, []).append(target)
        self._edge_places.setdefault(ref, place)

    def _check(self, ref: str, pointer: str) -> None:
        known = ref in self._refs or ref == _DOCUMENT or ref.startswith("DocumentRef-")
        if not known:
            self.problems.add(
                "ref_unknown", f"nothing in this file has the SPDXID {ref[:200]!r}", pointer
            )


def _agent(value: str | None) -> str | None:
    """The name in ``Organization: ACME (mail)``."""
    match = None if value is None else _AGENT.fullmatch(value.strip())
    return (match[1].strip() or None) if match else None


def _tool(creator: str) -> dict[str, Any]:
    name = _agent(creator) or creator
    match = _TOOL_VERSION.fullmatch(name)
    return {"name": match[1], "version": match[2]} if match else {"name": name}
