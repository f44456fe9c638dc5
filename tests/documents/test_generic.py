"""Files of no known kind: read by their ending, facts about their shape."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jsonschema
import pytest

from adjudge.documents import generic, registry
from adjudge.documents.model import Limits
from adjudge.documents.reading import Source
from adjudge.errors import InputError

SourceOf = Callable[[str, "str | bytes"], Source]


@pytest.mark.parametrize(
    ("name", "text", "facts"),
    [
        ("a.json", '{"b": 1, "a": 2}', {"format": "json", "type": "object", "keys": ["b", "a"]}),
        ("a.YAML", "- 1\n", {"format": "yaml", "type": "array", "keys": []}),
        ("a.yml", "true", {"format": "yaml", "type": "boolean", "keys": []}),
        ("a.toml", "x = 1", {"format": "toml", "type": "object", "keys": ["x"]}),
        ("noending", '"text"', {"format": "json", "type": "string", "keys": []}),
        ("a.json", "null", {"format": "json", "type": "null", "keys": []}),
        ("a.json", "1.5", {"format": "json", "type": "number", "keys": []}),
    ],
)
def test_facts(source: SourceOf, name: str, text: str, facts: dict[str, Any]) -> None:
    found = generic.load(source(name, text))
    assert found.facts == facts
    jsonschema.validate(found.facts, registry.kind_of("generic").schema())
    assert found.locate("/facts/keys") == (name, 1, 1)


def test_places(source: SourceOf) -> None:
    found = generic.load(source("limits.yaml", "a:\n  b: 3\n"))
    assert found.locate("/document/a/b") == ("limits.yaml", 2, 6)


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.json", "", "json_empty"),
        ("a.json", b"\x7fELF\x02\x01\x01\x00", "binary_file"),
        ("a.json", b"\xca\xfe\xba\xbe", "invalid_utf8"),
        ("a.yaml", "a: &b 1", "yaml_alias"),
        ("a.toml", "a", "toml_syntax"),
        ("a.yaml", "x" * 101, "file_too_large"),
    ],
)
def test_refused(source: SourceOf, name: str, content: str | bytes, code: str) -> None:
    with pytest.raises(InputError) as caught:
        generic.load(source(name, content), Limits(max_yaml_bytes=100))
    assert caught.value.code == code
