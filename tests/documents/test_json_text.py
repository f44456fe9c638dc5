"""Strict JSON, and where every value stands in it."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adjudge.documents.model import Limits, join
from adjudge.documents.reading import read_json
from adjudge.errors import InputError

REFUSED = [
    ("", "json_empty", 1, 1),
    (" \n ", "json_empty", 1, 1),
    ('{"a":1,"a":2}', "json_duplicate_key", 1, 8),
    ('{"x":{"b":1},"a":[{"b":1,\n "b":2}]}', "json_duplicate_key", 2, 2),
    ('{"\\u0061":1,"b":{"a":0},"a":2}', "json_duplicate_key", 1, 25),
    ('["NaN", NaN]', "json_number", 1, 9),
    ("[-Infinity]", "json_number", 1, 2),
    ("[1,\n 1e999]", "json_number", 2, 2),
    ("[1" + "0" * 5000 + "]", "json_number", 1, 2),
    ('["\\ud800"]', "json_string", 1, 3),
    ('["\\udc00"]', "json_string", 1, 3),
    ('["\\ud83d\\\\ude00"]', "json_string", 1, 3),
    ("[1,]", "json_syntax", 1, 4),
    ('{"a" 1}', "json_syntax", 1, 6),
    ("{'a': 1}", "json_syntax", 1, 2),
    ('["\t"]', "json_syntax", 1, 3),
    ("[1] x", "json_syntax", 1, 5),
    ("nul", "json_syntax", 1, 1),
    ('{"a": [1, 2', "json_syntax", 1, 12),
    ('"abc', "json_syntax", 1, 1),
    ("[" * 10_000, "json_too_deep", 1, 129),
    ("[" * 10_000 + "]" * 10_000, "json_too_deep", 1, 129),
    ('{"a":' * 10_000 + "1" + "}" * 10_000, "json_too_deep", 1, 641),
]


@pytest.mark.parametrize(("text", "code", "row", "column"), REFUSED)
def test_refused(text: str, code: str, row: int, column: int) -> None:
    with pytest.raises(InputError) as caught:
        read_json(text, "f.json")
    assert caught.value.code == code
    assert caught.value.location == ("f.json", row, column)
    assert caught.value.hint
    assert caught.value.render()


def test_accepted() -> None:
    text = '{"pair": "\\ud83d\\ude00", "not": "\\\\ud800", "i": 123456789012345678901234567890}'
    value = read_json(text, "f").value
    assert value == {"pair": "😀", "not": "\\ud800", "i": 123456789012345678901234567890}
    assert read_json("[" * 128 + "]" * 128, "f").value
    assert read_json("1.5", "f").value == 1.5


def test_number_of_values_is_bounded() -> None:
    with pytest.raises(InputError, match="json_too_large"):
        read_json("[" + "0," * 100 + "0]", "f", Limits(max_nodes=50))


def test_a_long_line_is_shown_in_part() -> None:
    text = '{"a": "' + "x" * 2_000_000 + '", "b": nope}'
    with pytest.raises(InputError) as caught:
        read_json(text, "f")
    assert caught.value.location == ("f", 1, 2_000_016)
    assert len(caught.value.render()) < 1000


def test_places() -> None:
    text = '{\n  "a": [1, {"b/c": true}],\n  "~": "x,]}\\"", "": {}\n}'
    parsed = read_json(text, "f")
    places = {p: parsed.locate(p) for p in ("", "/a", "/a/0", "/a/1/b~1c", "/~0", "/")}
    assert {p: (at.line, at.column) for p, at in places.items() if at} == {
        "": (1, 1),
        "/a": (2, 8),
        "/a/0": (2, 9),
        "/a/1/b~1c": (2, 20),
        "/~0": (3, 8),
        "/": (3, 22),
    }
    key = parsed.locate_key("/a/1/b~1c")
    assert key is not None
    assert (key.line, key.column) == (2, 13)
    for missing in ("/b", "/a/2", "/a/x", "/a/0/1", "/~0/0"):
        assert parsed.locate(missing) is None


def pointers(value: Any, pointer: str = "") -> list[tuple[str, Any]]:
    found = [(pointer, value)]
    if isinstance(value, (dict, list)):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in items:
            found += pointers(item, join(pointer, key))
    return found


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(alphabet='a/~"\\ {}[],:ü'), inner),
    max_leaves=15,
)


@settings(deadline=None, max_examples=150)
@given(JSON, st.sampled_from([None, 0, 2]), st.booleans())
def test_every_value_stands_where_it_is_found(value: Any, indent: int | None, ascii_: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_)
    parsed = read_json(text, "f")
    assert parsed.value == value
    for pointer, item in pointers(value):
        offset = parsed.find(pointer, False)
        assert offset is not None
        assert json.JSONDecoder().raw_decode(text, offset)[0] == item


@settings(deadline=None, max_examples=200)
@given(st.text(alphabet='{}[]",:\\u09aeE+-. \nntrfl', max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(InputError):
        read_json(text, "f")


def test_a_real_sbom(shared_data: Path) -> None:
    text = (shared_data / "sbom" / "keycloak-10.0.2.cdx.json").read_text()
    parsed = read_json(text, "f")
    last = len(parsed.value["components"]) - 1
    for index in (0, 450, last):
        name = parsed.value["components"][index]["name"]
        at = parsed.locate(f"/components/{index}/name")
        assert at is not None
        assert text.split("\n")[at.line - 1][at.column - 1 :].startswith(json.dumps(name))
