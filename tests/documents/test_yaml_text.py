"""Strict YAML, and where every value stands in it."""

from __future__ import annotations

import contextlib

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from adjudge.documents import yaml_text
from adjudge.documents.model import Limits, LineIndex
from adjudge.documents.reading import read_yaml
from adjudge.errors import InputError

BOMB = "\n".join(
    ["a: &a [x, x]", *(f"{c}: &{c} [*{p}, *{p}]" for p, c in zip("abcdef", "bcdefg", strict=True))]
)
REFUSED = [
    ("a: 1\na: 2", "yaml_duplicate_key", 2, 1),
    ('1: x\n"1": y', "yaml_duplicate_key", 2, 1),
    (BOMB, "yaml_alias", 1, 4),
    ("a: 1\nb: *a", "yaml_alias", 2, 4),
    ("a: !!python/object/apply:os.system [x]", "yaml_tag", 1, 4),
    ("a: !!str 1", "yaml_tag", 1, 4),
    ("- !local x", "yaml_tag", 1, 3),
    ("? [a]\n: b", "yaml_key", 1, 3),
    ("a: .inf", "yaml_number", 1, 4),
    ("a: .NaN", "yaml_number", 1, 4),
    ("a: 1e999", "yaml_number", 1, 4),
    ("a: " + "9" * 500, "yaml_number", 1, 4),
    ("a: 1\n---\nb: 2", "yaml_multiple_documents", 2, 1),
    ("[" * 10_000, "yaml_too_deep", 1, 129),
    ("- " * 10_000, "yaml_too_deep", 1, 257),
    ("a: [1\nb: 2", "yaml_syntax", 2, 2),
    ("a: 'x", "yaml_syntax", 1, 6),
    ("\ta: 1", "yaml_syntax", 1, 1),
    ("a: b: c", "yaml_syntax", 1, 5),
    ("a: \x01", "yaml_syntax", 1, 4),
]


@pytest.mark.parametrize("loader", ["CSafeLoader", "SafeLoader"])
@pytest.mark.parametrize(("text", "code", "row", "column"), REFUSED)
def test_refused(
    text: str, code: str, row: int, column: int, loader: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(yaml_text, "_LOADER", getattr(yaml, loader))
    with pytest.raises(InputError) as caught:
        read_yaml(text, "f.yaml")
    assert caught.value.code == code
    assert caught.value.location is not None
    if code != "yaml_syntax":  # the two scanners stop at different places
        assert caught.value.location == ("f.yaml", row, column)
    assert caught.value.render()


def test_sizes_are_bounded() -> None:
    with pytest.raises(InputError, match="yaml_too_large"):
        read_yaml("a: b", "f", Limits(max_yaml_bytes=3))
    with pytest.raises(InputError, match="yaml_too_large"):
        read_yaml("- 1\n" * 10, "f", Limits(max_yaml_nodes=10))


def test_core_schema() -> None:
    text = """
no: no
yes: Yes
t: True
n: ~
e:
i: -12
h: 0x1F
o: 0o17
z: 007
f: 1.5e3
g: 1e-4
v: 1.10
d: 2026-01-01
q: "1"
m: <<
s: |
  two
  lines
"""
    parsed = read_yaml(text, "f")
    assert parsed.value == {
        "no": "no",
        "yes": "Yes",
        "t": True,
        "n": None,
        "e": None,
        "i": -12,
        "h": 31,
        "o": 15,
        "z": "007",
        "f": 1500.0,
        "g": 0.0001,
        "v": 1.1,
        "d": "2026-01-01",
        "q": "1",
        "m": "<<",
        "s": "two\nlines\n",
    }
    assert parsed.spelling("/v") == "1.10"
    assert parsed.spelling("/q") is None


def test_empty_text_is_null() -> None:
    assert read_yaml("", "f").value is None
    assert read_yaml("# nothing\n", "f").value is None


@pytest.mark.parametrize("loader", ["CSafeLoader", "SafeLoader"])
def test_places(loader: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_text, "_LOADER", getattr(yaml, loader))
    text = 'é: ü\r\nb: [é, x]\r\nc:\r\n  - k: |\r\n      l1\r\n      l2\r\n    z: "a\r\n     b"\r\n'
    parsed = read_yaml(text, "f")
    assert parsed.value == {"é": "ü", "b": ["é", "x"], "c": [{"k": "l1\nl2\n", "z": "a b"}]}
    found = {p: parsed.locate(p) for p in ("/é", "/b/1", "/c", "/c/0/k", "/c/0/z")}
    assert {p: (at.line, at.column) for p, at in found.items() if at} == {
        "/é": (1, 4),
        "/b/1": (2, 8),
        "/c": (4, 3),
        "/c/0/k": (4, 8),
        "/c/0/z": (7, 8),
    }
    key = parsed.locate_key("/c/0/z")
    assert key is not None
    assert (key.line, key.column) == (7, 5)
    assert parsed.locate("/nothing") is None


def test_yaml_inside_another_file() -> None:
    whole = LineIndex("card.md", "---\nlicense: mit\nx: *y\n---\n")
    with pytest.raises(InputError) as caught:
        read_yaml("license: mit\nx: *y\n", "card.md", lines=whole, start=4)
    assert caught.value.location == ("card.md", 3, 4)


@settings(deadline=None, max_examples=300)
@given(st.text(alphabet="ab:- \n\t[]{},&*!|>'\"#%@`?1.\\~<éx\x85", max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(InputError):
        read_yaml(text, "f")
