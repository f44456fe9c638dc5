"""A CycloneDX vulnerability or VEX statement in, its facts out."""

from __future__ import annotations

from typing import Any, Final

from adjudge.documents.sbom.values import mapping, objects, present, text, texts

SEVERITIES: Final = ("critical", "high", "medium", "low", "info", "none", "unknown")
"""From worst to least known."""


def vulnerability(item: dict[str, Any], pointer: str) -> dict[str, Any]:
    """The facts of one entry of ``vulnerabilities``."""
    analysis = mapping(item, "analysis")
    score, vector = _worst_score(item)
    stated = {s.lower() for _, r in objects(item, "ratings") if (s := text(r, "severity"))}
    severity = next((s for s in SEVERITIES if s in stated), "unknown")
    facts = present(
        id=text(item, "id"),
        source=text(mapping(item, "source"), "name"),
        score=score,
        vector=vector,
        description=text(item, "description"),
        recommendation=text(item, "recommendation"),
        published=text(item, "published"),
        updated=text(item, "updated"),
        state=text(analysis, "state"),
        justification=text(analysis, "justification"),
        detail=text(analysis, "detail"),
    )
    return facts | {
        "severity": severity,
        "aliases": [i for _, r in objects(item, "references") if (i := text(r, "id"))],
        "cwes": [c for c in item.get("cwes") or [] if type(c) is int]
        if isinstance(item.get("cwes"), list)
        else [],
        "response": texts(analysis, "response"),
        "affects": [ref for _, a in objects(item, "affects") if (ref := text(a, "ref"))],
        "pointer": pointer,
    }


def _worst_score(item: dict[str, Any]) -> tuple[float | int | None, str | None]:
    best: float | int | None = None
    vector: str | None = None
    for _, rating in objects(item, "ratings"):
        score = rating.get("score")
        if not isinstance(score, int | float) or isinstance(score, bool):
            continue
        if best is None or score > best:
            best, vector = score, text(rating, "vector")
    return best, vector
