"""The reference names every fact and every reason."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from adjudge.trust import REASONS

DOCS = Path(__file__).resolve().parents[2] / "docs/reference/documents"


def _names(schema: Any) -> Iterator[str]:
    """The names of all members that a schema allows."""
    if not isinstance(schema, dict):
        return
    properties = schema.get("properties", {})
    yield from properties
    defined = schema.get("$defs", {})
    for below in (*properties.values(), *defined.values(), schema.get("items")):
        yield from _names(below)


@pytest.mark.parametrize(
    ("kind", "page"),
    [("sbom", "sbom"), ("weights", "weights"), ("signed_artifact", "signed-artifact")],
)
def test_every_fact_is_named(kind: str, page: str) -> None:
    schema = json.loads(
        (resources.files("adjudge.documents") / f"schemas/{kind}.json").read_text("utf-8")
    )
    text = (DOCS / f"{page}.md").read_text("utf-8")
    # Members that everybody knows, of entries that the page names as a whole.
    known = {"name", "version", "vendor", "keyword", "message", "code", "group", "key", "value"}
    known |= {"benefits", "harms", "mitigation", "authenticated", "crosses_trust_boundary"}
    known |= {"provider", "endpoints", "aggregate", "assemblies", "digest"}
    missing = sorted({n for n in _names(schema) if f"`{n}`" not in text and n not in known})
    assert missing == []


def test_every_reason_is_told() -> None:
    text = (DOCS / "signed-artifact.md").read_text("utf-8")
    for code, sentence in REASONS.items():
        assert f"| `{code}` | {sentence} |" in text
