"""Schema validation: verdicts, places and messages, compared with the schemas' own validator."""

from __future__ import annotations

import copy
import json
import random
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from tests.sbom.conftest import SHARED, Read, cyclonedx, spdx
from tests.sbom.test_cyclonedx import MODEL, component

from adjudge.documents.sbom.schema import CYCLONEDX_VERSIONS, cyclonedx_errors

FILES = [
    *sorted((SHARED / "data/sbom").glob("*.json")),
    *sorted((SHARED / "data/mlbom").glob("*.json")),
]


def library_says_valid(value: Any, version: str) -> bool:
    """The verdict of the validator that comes with the schemas."""
    validator = JsonStrictValidator(SchemaVersion.from_version(version))
    return validator.validate_str(json.dumps(value)) is None


@pytest.mark.parametrize(
    ("change", "pointer", "keyword"),
    [
        ({"serialNumber": "x"}, "/serialNumber", "pattern"),
        ({"version": 0}, "/version", "minimum"),
        ({"surprise": 1}, "", "additionalProperties"),
        ({"metadata": {"timestamp": "yesterday"}}, "/metadata/timestamp", "format"),
        ({"components": [{"type": "library"}]}, "/components/0", "required"),
        ({"components": [{"type": "lib", "name": "a"}]}, "/components/0/type", "enum"),
        (
            {"components": [component("a", licenses=[{"license": {"id": "MITT"}}])]},
            "/components/0/licenses/0/license/id",
            "enum",
        ),
        (
            {"components": [component("a", hashes=[{"alg": "SHA-256", "content": "zz"}])]},
            "/components/0/hashes/0/content",
            "pattern",
        ),
        (
            {"dependencies": [{"ref": "a", "dependsOn": ["b", "b"]}]},
            "/dependencies/0/dependsOn",
            "uniqueItems",
        ),
    ],
)
def test_disagreement(change: dict[str, Any], pointer: str, keyword: str, read: Read) -> None:
    document = read(cyclonedx(**change))
    assert document.facts["schema_valid"] is False
    errors = document.facts["schema_errors"]
    assert (pointer, keyword) in [(e["pointer"], e["keyword"]) for e in errors]
    assert "schema_invalid" in [p.code for p in document.problems]
    places = [p.pointer for p in document.problems if p.code == "schema_invalid"]
    assert "/document" + pointer in places
    assert document.locate("/document" + pointer) is not None


def test_messages_do_not_repeat_the_file(read: Read) -> None:
    value = cyclonedx(components=[{"type": "library", "name": {"x": "y" * 100_000}}])
    for error in read(value).facts["schema_errors"]:
        assert len(error["message"]) <= 300
        assert "yyy" not in error["message"]


def test_many_disagreements_are_cut(read: Read) -> None:
    facts = read(cyclonedx(components=[{"type": "x"}] * 500)).facts
    assert len(facts["schema_errors"]) == 50


@pytest.mark.parametrize("value", [10**400, -(10**30), 2**64, 1e308])
def test_numbers_beyond_every_range(value: Any, read: Read) -> None:
    assert read(cyclonedx(version=value)).facts["schema_valid"] in (True, False)


@pytest.mark.parametrize("version", CYCLONEDX_VERSIONS)
def test_same_verdict_as_the_library(version: str) -> None:
    """Random damage to a rich document: the compiled validator must agree.

    It also checks formats, which the library does only with further packages; they are left
    out of the comparison.
    """
    value = cyclonedx(
        version,
        components=[
            component("a", licenses=[{"license": {"id": "MIT"}}], purl="pkg:npm/a@1"),
            component("b", hashes=[{"alg": "SHA-256", "content": "a" * 64}], scope="required"),
        ],
        dependencies=[{"ref": "a", "dependsOn": ["b"]}],
    )
    if version >= "1.5":
        value["components"].append(copy.deepcopy(MODEL))
    assert library_says_valid(value, version)
    assert cyclonedx_errors(value, version) == []
    chance = random.Random(version)
    verdicts = set()
    for _ in range(40):
        damaged = copy.deepcopy(value)
        _damage(damaged, chance)
        expected = library_says_valid(damaged, version)
        errors = [e for e in cyclonedx_errors(damaged, version) if e.keyword != "format"]
        assert (not errors) == expected, (damaged, errors)
        verdicts.add(expected)
    assert verdicts == {True, False}


def _damage(value: Any, chance: random.Random) -> None:
    """Change, remove or add one member somewhere."""
    while True:
        if isinstance(value, dict) and value:
            key: Any = chance.choice(sorted(value))
        elif isinstance(value, list) and value:
            key = chance.randrange(len(value))
        else:
            return
        if isinstance(value[key], (dict, list)) and value[key] and chance.random() < 0.8:
            value = value[key]
            continue
        match chance.randrange(4):
            case 0:
                value[key] = chance.choice([None, 5, "", "x", [], {}, True, ["a", "a"]])
            case 1:
                del value[key]
            case 2 if isinstance(value, dict):
                value["unknown"] = 1
            case _ if isinstance(value[key], str):
                value[key] = value[key].upper()
            case _:
                pass
        return


@pytest.mark.skipif(not FILES, reason="the shared data is not there")
@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name)
def test_real_files_are_valid(path: Path) -> None:
    value = json.loads(path.read_text("utf-8"))
    assert cyclonedx_errors(value, value["specVersion"]) == []


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"SPDXID": "x"}, "/SPDXID"),
        ({"creationInfo": {"created": "2026-01-02T03:04:05Z"}}, "/creationInfo"),
        ({"packages": [{"name": "a", "SPDXID": "SPDXRef-a"}]}, "/packages/0"),
        (
            {"packages": [{"name": "a", "SPDXID": "a", "downloadLocation": "NONE"}]},
            "/packages/0/SPDXID",
        ),
        ({"relationships": [{"spdxElementId": "a"}]}, "/relationships/0"),
    ],
)
def test_spdx_disagreement(change: dict[str, Any], pointer: str, read: Read) -> None:
    facts = read(spdx(**change)).facts
    assert facts["schema_valid"] is False
    assert pointer in [e["pointer"] for e in facts["schema_errors"]]
