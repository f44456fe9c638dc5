"""SBOMs: a CycloneDX or SPDX file in JSON in, a document with the facts of its kind out."""

from __future__ import annotations

import hashlib
from typing import Any, Final

from adjudge.documents.model import DEFAULT_LIMITS, Document, Limits
from adjudge.documents.reading import Source, decode_text, read_json
from adjudge.documents.sbom import cyclonedx, spdx
from adjudge.documents.sbom.cyclonedx import counts_of
from adjudge.documents.sbom.schema import (
    CYCLONEDX_VERSIONS,
    SPDX_VERSIONS,
    SchemaError,
    cyclonedx_errors,
    spdx_errors,
)
from adjudge.documents.sbom.values import Origins, Problems, text
from adjudge.errors import InputError

__all__ = ["KIND", "is_sbom", "load"]

KIND: Final = "sbom"
_SPDX3 = "spdx.org/rdf/3"


def is_sbom(value: Any) -> bool:
    """Whether parsed JSON is an SBOM of a format that is known."""
    return _format_of(value) is not None


def load(source: Source, limits: Limits = DEFAULT_LIMITS) -> Document:
    """Read one SBOM.

    Raises the InputErrors of :func:`read_json` and :class:`Source`, and ``not_an_sbom``.
    What is wrong inside an SBOM is told by ``schema_errors`` and problems.
    """
    data = source.read(limits.max_bytes)
    if data.lstrip()[:12].startswith((b"<?xml", b"<bom ", b"SPDXVersion:")):
        raise _not_json(source)
    parsed = read_json(decode_text(data, source.shown), source.shown, limits)
    found = _format_of(parsed.value)
    if found is None:
        raise source.error(
            "not_an_sbom",
            f"{source.shown} is neither a CycloneDX nor an SPDX document",
            hint='CycloneDX has "bomFormat": "CycloneDX", SPDX has "spdxVersion"',
        )
    problems = Problems()
    facts, origins = _facts(parsed.value, found, problems)
    return Document(
        kind=KIND,
        path=source.shown,
        digest=hashlib.sha256(data).hexdigest(),
        size=len(data),
        document=parsed.value,
        facts=facts,
        problems=problems.listed(),
        locator=parsed.locate,
        origins=origins,
        sources={parsed.lines.file: parsed.lines},
    )


def _not_json(source: Source) -> InputError:
    return source.error(
        "sbom_not_json",
        f"{source.shown} is an SBOM in another form than JSON",
        hint="convert it to JSON, for instance with cyclonedx-cli or the SPDX tools",
    )


def _format_of(value: Any) -> str | None:
    if not isinstance(value, dict):
        return None
    if value.get("bomFormat") == "CycloneDX":
        return "cyclonedx"
    if text(value, "spdxVersion") is not None or _SPDX3 in str(value.get("@context"))[:500]:
        return "spdx"
    return None


def _facts(value: dict[str, Any], found: str, problems: Problems) -> tuple[dict[str, Any], Origins]:
    if found == "cyclonedx":
        version = text(value, "specVersion")
        supported = version in CYCLONEDX_VERSIONS
        errors = cyclonedx_errors(value, version) if supported and version else []
        reader: cyclonedx.Reader | spdx.Reader = cyclonedx.Reader(value, problems)
        renames = cyclonedx.RENAMES
    else:
        version = (text(value, "spdxVersion") or _spdx3_version(value)).removeprefix("SPDX-")
        supported = version in SPDX_VERSIONS
        errors = spdx_errors(value) if supported else []
        reader, renames = spdx.Reader(value, problems), spdx.RENAMES
    facts = reader.read()
    about: dict[str, Any] = {"format": found, "supported": supported}
    if version:
        about["spec_version"] = version
    if supported:
        about["schema_valid"] = not errors
    else:
        known = CYCLONEDX_VERSIONS if found == "cyclonedx" else SPDX_VERSIONS
        problems.add(
            "sbom_version_unsupported",
            f"version {version or 'not stated'} is not one of {', '.join(known)}; "
            "facts may be missing",
            "/specVersion" if found == "cyclonedx" else "",
        )
    about["schema_errors"] = [e.as_dict() for e in errors]
    _note_schema_errors(errors, problems)
    facts = about | facts
    facts["counts"] = counts_of(facts)
    places = dict(_TOP[found], **reader.places)
    return facts, Origins(places, renames)


def _note_schema_errors(errors: list[SchemaError], problems: Problems) -> None:
    for error in errors:
        problems.add("schema_invalid", error.message, error.pointer)


def _spdx3_version(value: dict[str, Any]) -> str:
    """The version in a JSON-LD context such as ``https://spdx.org/rdf/3.0.1/…``."""
    context = str(value.get("@context"))
    return context.partition("spdx.org/rdf/")[2].partition("/")[0][:20]


_TOP: Final = {
    "cyclonedx": {
        "/spec_version": "/specVersion",
        "/format": "/bomFormat",
        "/serial_number": "/serialNumber",
        "/version": "/version",
        "/timestamp": "/metadata/timestamp",
        "/tools": "/metadata/tools",
        "/authors": "/metadata/authors",
        "/supplier": "/metadata/supplier",
        "/lifecycles": "/metadata/lifecycles",
        "/described": "/metadata/component",
        "/components": "/components",
        "/dependencies": "/dependencies",
        "/dependency_complete": "/dependencies",
        "/compositions": "/compositions",
        "/vulnerabilities": "/vulnerabilities",
        "/services": "/services",
        "/attestations": "/declarations/attestations",
        "/signed": "/signature",
        "/counts": "/components",
    },
    "spdx": {
        "/spec_version": "/spdxVersion",
        "/format": "/spdxVersion",
        "/serial_number": "/documentNamespace",
        "/name": "/name",
        "/timestamp": "/creationInfo/created",
        "/tools": "/creationInfo/creators",
        "/authors": "/creationInfo/creators",
        "/described": "/documentDescribes",
        "/components": "/packages",
        "/dependencies": "/relationships",
        "/dependency_complete": "/relationships",
        "/counts": "/packages",
    },
}
"""Where the file keeps what the facts have at their top."""
