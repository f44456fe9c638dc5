"""What the tests of SBOMs share: writing one and reading its facts, checked by their schema."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from adjudge.documents.model import Document
from adjudge.documents.reading import Source
from adjudge.documents.sbom import load

SCHEMA = Draft202012Validator(
    json.loads((resources.files("adjudge.documents") / "schemas/sbom.json").read_text("utf-8"))
)
SHARED = Path(__file__).resolve().parents[2].parent / "shared"
Read = Callable[..., Document]


def no_object_twice(facts: Any) -> bool:
    """Whether every array and object stands at one place: evidence goes by identity."""
    seen: set[int] = set()
    waiting = [facts]
    while waiting:
        value = waiting.pop()
        if isinstance(value, (dict, list)):
            if id(value) in seen:
                return False
            seen.add(id(value))
            waiting.extend(value.values() if isinstance(value, dict) else value)
    return True


def checked(source: Source) -> Document:
    """The document at ``source``, whose facts must be as published."""
    document = load(source)
    errors = [f"{e.json_path}: {e.message}" for e in SCHEMA.iter_errors(document.facts)]
    assert errors == []
    assert no_object_twice(document.facts)
    return document


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Write a value (or text) as an SBOM and read it."""

    def run(value: Any, name: str = "bom.json") -> Document:
        text = value if isinstance(value, str) else json.dumps(value, indent=1)
        (tmp_path / name).write_text(text)
        return checked(Source(tmp_path, name))

    return run


def cyclonedx(spec: str = "1.6", **members: Any) -> dict[str, Any]:
    """A CycloneDX document with these members."""
    return {"bomFormat": "CycloneDX", "specVersion": spec, "version": 1, **members}


def spdx(spec: str = "2.3", **members: Any) -> dict[str, Any]:
    """An SPDX document with these members."""
    return {
        "spdxVersion": f"SPDX-{spec}",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": "bom",
        "documentNamespace": "https://example.com/bom-1",
        "creationInfo": {
            "created": "2026-01-02T03:04:05Z",
            "creators": ["Tool: syft-1.2.3", "Organization: ACME (x@acme.example)"],
        },
        **members,
    }
