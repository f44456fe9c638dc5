"""The dependency graph of an SBOM: its edges, and whether they reach every component."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from adjudge.documents.sbom.values import objects, text, texts


def dependency_facts(document: dict[str, Any], places: dict[str, str]) -> list[dict[str, Any]]:
    """The edges of a CycloneDX document; notes in ``places`` where each stands."""
    found: list[dict[str, Any]] = []
    for index, item in objects(document, "dependencies"):
        ref = text(item, "ref")
        if ref is not None:
            places[f"/dependencies/{len(found)}"] = f"/dependencies/{index}"
            found.append({"ref": ref, "depends_on": texts(item, "dependsOn")})
    return found


def is_complete(
    root: str | None, edges: Sequence[dict[str, Any]], components: Sequence[dict[str, Any]]
) -> bool | None:
    """Whether every component is reached from ``root``; None when there is nothing to follow.

    A component inside another one is reached with it.
    """
    if root is None or not edges:
        return None
    targets: dict[str, list[str]] = {}
    for edge in edges:
        targets.setdefault(edge["ref"], []).extend(edge["depends_on"])
    for component in components:
        if "parent" in component and "ref" in component:
            targets.setdefault(component["parent"], []).append(component["ref"])
    reached, waiting = {root}, [root]
    while waiting:
        for ref in targets.get(waiting.pop(), ()):
            if ref not in reached:
                reached.add(ref)
                waiting.append(ref)
    return all(component.get("ref") in reached for component in components)
