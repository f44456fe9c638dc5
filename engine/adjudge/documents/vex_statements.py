"""VEX documents in, their statements in one form out: OpenVEX 0.2.0 and CycloneDX.

A statement says of a vulnerability and some products that they are ``not_affected``,
``affected``, ``fixed`` or ``under_investigation``.  One that says ``not_affected`` without a
reason is no statement by either specification: it is kept, with ``reasoned`` false.
"""

from __future__ import annotations

from itertools import islice
from typing import Any, Final

from adjudge.documents.sbom.values import mapping, objects, present, text, texts

MAX_STATEMENTS: Final = 10_000

_CYCLONEDX_STATES: Final = {
    "not_affected": "not_affected",
    "false_positive": "not_affected",
    "resolved": "fixed",
    "resolved_with_pedigree": "fixed",
    "exploitable": "affected",
    "in_triage": "under_investigation",
}
STATUSES: Final = ("affected", "under_investigation", "fixed", "not_affected")
"""From worst to best."""


def openvex(document: dict[str, Any]) -> dict[str, Any]:
    """The facts of an OpenVEX document."""
    issued = text(document, "last_updated") or text(document, "timestamp")
    version = document.get("version")
    listed = islice(objects(document, "statements"), MAX_STATEMENTS)
    statements = [_openvex_statement(item, issued) for _, item in listed]
    return present(
        id=text(document, "@id"),
        author=text(document, "author"),
        role=text(document, "role"),
        timestamp=issued,
        version=str(version) if isinstance(version, int | str) else None,
    ) | {"format": "openvex", "statements": statements}


def _openvex_statement(item: dict[str, Any], issued: str | None) -> dict[str, Any]:
    about = item.get("vulnerability")
    name = about if isinstance(about, str) else text(about, "name") or text(about, "@id")
    justification, impact = text(item, "justification"), text(item, "impact_statement")
    status = text(item, "status")
    return present(
        vulnerability=name,
        status=status if status in STATUSES else None,
        justification=justification,
        impact=impact,
        action=text(item, "action_statement"),
        timestamp=text(item, "last_updated") or text(item, "timestamp") or issued,
    ) | {
        "aliases": texts(about, "aliases"),
        "products": [_product(p) for _, p in objects(item, "products")],
        "reasoned": status != "not_affected" or bool(justification or impact),
    }


def _product(item: dict[str, Any]) -> dict[str, Any]:
    return _component(item) | {
        "subcomponents": [_component(c) for _, c in objects(item, "subcomponents")]
    }


def _component(item: dict[str, Any]) -> dict[str, Any]:
    """What names a product: its ids, and its digests as ``sha256:…``."""
    identifiers, hashes = mapping(item, "identifiers"), mapping(item, "hashes")
    ids = [text(item, "@id"), text(identifiers, "purl"), text(identifiers, "cpe23")]
    strong = [
        f"sha256:{value.lower()}"
        for name, value in hashes.items()
        if isinstance(value, str) and name.lower() in ("sha-256", "sha256")
    ]
    return {"ids": list(dict.fromkeys(i for i in ids if i)), "hashes": strong}


def cyclonedx(document: dict[str, Any]) -> dict[str, Any]:
    """The facts of a CycloneDX document whose vulnerabilities have an analysis."""
    metadata = mapping(document, "metadata")
    issued = text(metadata, "timestamp")
    purls = {
        ref: purl
        for _, component in objects(document, "components")
        if (ref := text(component, "bom-ref")) and (purl := text(component, "purl"))
    }
    authors = [a for _, who in objects(metadata, "authors") if (a := text(who, "name"))]
    version = document.get("version")
    statements = [
        _cyclonedx_statement(item, issued, purls)
        for _, item in objects(document, "vulnerabilities")
        if mapping(item, "analysis")
    ]
    return present(
        id=text(document, "serialNumber"),
        author=", ".join(authors) or text(mapping(metadata, "supplier"), "name"),
        timestamp=issued,
        version=str(version) if isinstance(version, int) else None,
    ) | {"format": "cyclonedx", "statements": statements[:MAX_STATEMENTS]}


def _cyclonedx_statement(
    item: dict[str, Any], issued: str | None, purls: dict[str, str]
) -> dict[str, Any]:
    analysis = mapping(item, "analysis")
    status = _CYCLONEDX_STATES.get(text(analysis, "state") or "")
    justification, detail = text(analysis, "justification"), text(analysis, "detail")
    refs = [ref for _, affected in objects(item, "affects") if (ref := text(affected, "ref"))]
    return present(
        vulnerability=text(item, "id"),
        status=status,
        justification=justification,
        impact=detail,
        action=text(item, "recommendation"),
        timestamp=text(analysis, "lastUpdated") or text(item, "updated") or issued,
    ) | {
        "aliases": [a for _, r in objects(item, "references") if (a := text(r, "id"))],
        "products": [
            {"ids": _names(ref, purls), "hashes": [], "subcomponents": []} for ref in refs
        ],
        "reasoned": status != "not_affected" or bool(justification or detail),
    }


def _names(ref: str, purls: dict[str, str]) -> list[str]:
    """The reference, what it names in another BOM (``urn:cdx:…#ref``), and the package URL."""
    inner = ref.partition("#")[2] if ref.startswith("urn:cdx:") else ref
    return list(dict.fromkeys(n for n in (ref, inner, purls.get(inner)) if n))
