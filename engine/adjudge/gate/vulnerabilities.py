"""Findings and VEX statements of a release in, one list of vulnerabilities with their status out.

A statement counts for a finding when it names the vulnerability (by id or alias) and the
package: directly, or as a part of, or together with, a product of this release.  Later
statements win; of equally late ones the worst does.  Whether a statement is signed is a fact of
it: ``signed_status`` is what the signed ones alone say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from adjudge.documents.attestation import SELF_DECLARED, SIGNED
from adjudge.documents.model import Document
from adjudge.documents.vex_statements import STATUSES

OPEN: Final = "open"
"""The status of what no statement is about."""
SUPPRESSED: Final = ("not_affected", "fixed")
_EPOCH: Final = datetime.min.replace(tzinfo=UTC)
_SEVERITIES: Final = (
    "critical",
    "high",
    "medium",
    "low",
    "negligible",
    "info",
    "none",
    "unknown",
)

Facts = dict[str, Any]


def vulnerabilities(documents: Sequence[Document]) -> list[Facts]:
    """Every vulnerability that a report or an SBOM names, once per package.

    ``{id?, aliases, severity, score?, package, fixed_versions, sources, status, suppressed,
    signed_status, vex?}``, by severity, id and package.
    """
    merged = _merge(_findings(documents))
    statements = list(_statements(documents))
    by_name: dict[str, list[Facts]] = {}
    for statement in statements:
        for name in _names(statement.get("vulnerability"), statement["aliases"]):
            by_name.setdefault(name, []).append(statement)
    products = _products(documents)
    for finding in merged:
        named = {
            id(s): s
            for n in _names(finding.get("id"), finding["aliases"])
            for s in by_name.get(n, ())
        }
        fitting = [s for s in named.values() if _about(s, finding, products)]
        finding |= _judged(fitting)
    merged.sort(key=_order)
    return merged


def _order(finding: Facts) -> tuple[int, str, str]:
    package = finding["package"]
    name = package.get("purl") or package.get("name") or ""
    return _SEVERITIES.index(finding["severity"]), finding.get("id", ""), name


# --- findings ---------------------------------------------------------------------------------


def _findings(documents: Iterable[Document]) -> Iterator[tuple[str, Facts]]:
    for document in documents:
        if document.kind == "vulnerability_report":
            for finding in document.facts["findings"]:
                yield document.path, finding
        elif document.kind == "sbom":
            yield from ((document.path, f) for f in _of_sbom(document.facts))


def _of_sbom(facts: Facts) -> Iterator[Facts]:
    """The vulnerabilities that an SBOM lists, one for each component affected."""
    components = {c["ref"]: c for c in _components(facts) if "ref" in c}
    for found in facts["vulnerabilities"]:
        for ref in found["affects"] or [""]:
            component = components.get(ref, {})
            package = {k: component[k] for k in ("name", "version", "purl") if k in component}
            finding = {k: found[k] for k in ("id", "score") if k in found}
            yield finding | {
                "aliases": found["aliases"],
                "package": package or ({"name": ref} if ref else {}),
                "severity": found["severity"],
                "fixed_versions": [],
            }


def _components(facts: Facts) -> list[Facts]:
    return [*facts["components"], *([facts["described"]] if "described" in facts else [])]


def _merge(findings: Iterable[tuple[str, Facts]]) -> list[Facts]:
    """The same vulnerability of the same package, once, however many reports name it."""
    merged: list[Facts] = []
    known: dict[tuple[str, str], Facts] = {}
    for path, finding in findings:
        package = _key(finding["package"])
        keys = [(n, package) for n in _names(finding.get("id"), finding["aliases"])]
        same = next((known[k] for k in keys if k in known), None)
        if same is None:
            same = {**finding, "sources": []}
            merged.append(same)
        else:
            _absorb(same, finding)
        if path not in same["sources"]:
            same["sources"].append(path)
        known.update(dict.fromkeys(keys, same))
    return merged


def _absorb(into: Facts, other: Facts) -> None:
    names = [*into["aliases"], other.get("id", ""), *other["aliases"]]
    into["aliases"] = [n for n in dict.fromkeys(names) if n and n != into.get("id")]
    into["severity"] = min(into["severity"], other["severity"], key=_SEVERITIES.index)
    scores = [f["score"] for f in (into, other) if "score" in f]
    if scores:
        into["score"] = max(scores)
    into["package"] = other["package"] | into["package"]
    into["fixed_versions"] = list(
        dict.fromkeys([*into["fixed_versions"], *other["fixed_versions"]])
    )


def _names(first: str | None, others: Iterable[str]) -> list[str]:
    """Ids in one spelling; GHSA ids are written in both cases."""
    return [n.upper() for n in (first, *others) if n]


def _key(package: Facts) -> str:
    if "purl" in package:
        return _plain(package["purl"])
    return f"{package.get('name', '')}@{package.get('version', '')}"


def _plain(purl: str) -> str:
    """A package URL without qualifiers and subpath."""
    return purl.partition("#")[0].partition("?")[0]


# --- VEX --------------------------------------------------------------------------------------


def _statements(documents: Iterable[Document]) -> Iterator[Facts]:
    """Every VEX statement that says something, with where it stands and who signed it."""
    for document in documents:
        seen = document.as_input()
        if document.kind == "vex_document":
            origin = {"assurance": seen.get("assurance", SELF_DECLARED)}
            if seen.get("signers"):
                origin["signer"] = seen["signers"][0]
            yield from _of_document(document.facts, document.path, origin)
        elif document.kind == "attestation":
            for stated in document.facts["statements"]:
                if "vex" in stated:
                    origin = {k: stated[k] for k in ("assurance", "signer") if k in stated}
                    yield from _of_document(stated["vex"], document.path, origin)
        elif document.kind == "sbom":
            origin = {"assurance": seen.get("assurance", SELF_DECLARED)}
            yield from _analyses(document, origin)


def _of_document(vex: Facts, path: str, origin: Facts) -> Iterator[Facts]:
    for statement in vex["statements"]:
        if "status" in statement and "vulnerability" in statement and statement["reasoned"]:
            author = {"author": vex["author"]} if "author" in vex else {}
            yield {**statement, **author, **origin, "path": path}


_ANALYSES: Final = {
    "not_affected": "not_affected",
    "false_positive": "not_affected",
    "resolved": "fixed",
    "resolved_with_pedigree": "fixed",
    "fixed": "fixed",
    "affected": "affected",
    "exploitable": "affected",
    "in_triage": "under_investigation",
    "under_investigation": "under_investigation",
}


def _analyses(document: Document, origin: Facts) -> Iterator[Facts]:
    """The analyses in an SBOM, which are VEX statements too."""
    purls = {c["ref"]: c["purl"] for c in _components(document.facts) if "ref" in c and "purl" in c}
    for found in document.facts["vulnerabilities"]:
        status = _ANALYSES.get(found.get("state", ""))
        reason = found.get("justification") or found.get("detail")
        if status is None or (status == "not_affected" and not reason):
            continue
        statement = {
            "vulnerability": found.get("id"),
            "status": status,
            "aliases": found["aliases"],
            "timestamp": found.get("updated") or document.facts.get("timestamp"),
            "justification": found.get("justification"),
            "impact": found.get("detail"),
            "products": [_product(ref, purls) for ref in found["affects"]],
            "path": document.path,
        }
        yield {k: v for k, v in statement.items() if v is not None} | origin


def _product(ref: str, purls: dict[str, str]) -> Facts:
    inner = ref.partition("#")[2] if ref.startswith("urn:cdx:") else ref
    ids = [i for i in (ref, inner, purls.get(inner)) if i]
    return {"ids": ids, "hashes": [], "subcomponents": []}


def _products(documents: Iterable[Document]) -> set[str]:
    """What names this release as a whole: what its SBOMs describe, and digests of artifacts."""
    names: set[str] = set()
    for document in documents:
        names |= {f"sha256:{d}" for d in [document.digest, *(f["sha256"] for f in document.files)]}
        described = document.facts.get("described") if document.kind == "sbom" else None
        if described:
            names |= {described[key] for key in ("purl", "ref", "cpe") if key in described}
            if "purl" in described:
                names.add(_plain(described["purl"]))
    return names


def _about(statement: Facts, finding: Facts, products: set[str]) -> bool:
    """Whether a statement is about the package of a finding."""
    package = finding["package"]
    for product in statement["products"]:
        named = {*product["ids"], *map(_plain, product["ids"]), *product["hashes"]}
        ours = bool(named & products)
        parts = product["subcomponents"]
        if parts:
            # Elsewhere the same part may be affected: the product must be this one.
            if ours and any(_is_package(part["ids"], package) for part in parts):
                return True
        elif ours or _is_package(product["ids"], package):
            return True
    return False


def _is_package(ids: Iterable[str], package: Facts) -> bool:
    """Whether any id names the package; one without a version names every version."""
    purl = _plain(package.get("purl", ""))
    if not purl:
        return False
    base = purl.rpartition("@")[0] if "@" in purl.rpartition("/")[2] else purl
    return any(_plain(i) in (purl, base) for i in ids)


def _judged(statements: Sequence[Facts]) -> Facts:
    """The status that follows from the statements about a finding."""
    signed = [s for s in statements if s.get("assurance") == SIGNED]
    latest, proved = _latest(statements), _latest(signed)
    facts: Facts = {
        "status": latest["status"] if latest else OPEN,
        "signed_status": proved["status"] if proved else OPEN,
    }
    facts["suppressed"] = facts["status"] in SUPPRESSED
    if latest:
        keys = ("path", "status", "justification", "impact", "action", "author", "timestamp")
        facts["vex"] = {k: latest[k] for k in (*keys, "assurance", "signer") if k in latest}
    return facts


def _latest(statements: Sequence[Facts]) -> Facts | None:
    if not statements:
        return None
    newest = max(_time(s.get("timestamp")) for s in statements)
    last = [s for s in statements if _time(s.get("timestamp")) == newest]
    return min(last, key=lambda s: STATUSES.index(s["status"]))


def _time(text: Any) -> datetime:
    """When a statement was made; what has no readable time is older than everything."""
    try:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return _EPOCH
