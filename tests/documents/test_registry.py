"""Every kind has a loader, a group of its own, and a schema that says what its facts are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from adjudge.documents import registry
from adjudge.documents.reading import Source
from adjudge.errors import UsageError


@pytest.mark.parametrize("kind", registry.KINDS)
def test_schemas_are_closed_and_explained(kind: str) -> None:
    schema = registry.kind_of(kind).schema()
    jsonschema.Draft202012Validator.check_schema(dict(schema))
    assert schema["type"] == "object"
    assert schema["additionalProperties"] is False
    for pointer, part in parts(schema, ""):
        item = pointer.endswith("/*") and "properties" not in part  # its list explains it
        assert item or part.get("description") or part.get("title"), pointer
        assert set(part.get("required", ())) <= set(part.get("properties", ())), pointer


def parts(schema: Mapping[str, Any], pointer: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield pointer, schema
    for name, part in schema.get("properties", {}).items():
        yield from parts(part, f"{pointer}/{name}")
    if "items" in schema:
        yield from parts(schema["items"], f"{pointer}/*")


def test_groups_differ() -> None:
    groups = [kind.group for kind in registry.KINDS.values()]
    assert len(set(groups)) == len(groups)


def test_schemas_by_kind() -> None:
    assert set(registry.schemas()) == set(registry.KINDS)


def test_unknown_kind() -> None:
    with pytest.raises(UsageError) as caught:
        registry.kind_of("poem")
    assert caught.value.code == "unknown_kind"
    assert "model_card" in (caught.value.hint or "")


def test_loads_by_kind(source: Callable[[str, str], Source]) -> None:
    found = registry.load("generic", source("a.json", "{}"))
    assert found.kind == "generic"
    assert registry.load("model_card", source("a.md", "# m")).kind == "model_card"


def test_every_kind_says_what_kind_it_is(shared_data: Path) -> None:
    for kind, path in (
        ("sbom", "sbom/laravel-7.12.0.cdx.json"),
        ("model_card", "model-cards/whisper.md"),
        ("signed_artifact", "signatures/model-signing/v1.0.1-elliptic-key"),
        ("weights", "signatures/a.txt"),
    ):
        found = registry.load(kind, Source(shared_data, path))
        assert found.kind == kind
        jsonschema.validate(found.facts, registry.kind_of(kind).schema())
