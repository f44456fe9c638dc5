"""TOML, and where its keys stand."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adjudge.documents.model import Limits
from adjudge.documents.reading import read_toml
from adjudge.errors import InputError

REFUSED = [
    ("a = [1\n", "toml_syntax", 2, 1),
    ("a = 1\na = 2", "toml_syntax", 2, 6),
    ("a = \n", "toml_syntax", 1, 5),
    ("x = " + "9" * 5000, "toml_syntax", 1, 1),
    ("a = 1\nb = inf", "toml_number", 2, 5),
    ("a = 1e999", "toml_number", 1, 5),
    ("a = " + "[" * 10_000, "toml_too_deep", 1, 1),
    ("a = " + "[" * 200 + "]" * 200, "toml_too_deep", 1, 1),
    (".".join(["a"] * 100_000) + " = 1", "toml_too_deep", 1, 1),
]


@pytest.mark.parametrize(("text", "code", "row", "column"), REFUSED)
def test_refused(text: str, code: str, row: int, column: int) -> None:
    with pytest.raises(InputError) as caught:
        read_toml(text, "f.toml")
    assert caught.value.code == code
    assert caught.value.location == ("f.toml", row, column)


def test_size_is_bounded() -> None:
    with pytest.raises(InputError, match="toml_too_large"):
        read_toml("a = 1", "f", Limits(max_toml_bytes=3))


def test_values_and_places() -> None:
    text = (
        'a = 1\n[b]\nc = """\nx = 1\n"""\nwhen = 2026-01-01T00:00:00Z\n'
        '[[d]]\ne = 1\n[[d]]\n e = {f = 2}\n"q.r" = [3]\n'
    )
    parsed = read_toml(text, "f")
    assert parsed.value == {
        "a": 1,
        "b": {"c": "x = 1\n", "when": "2026-01-01T00:00:00+00:00"},
        "d": [{"e": 1}, {"e": {"f": 2}, "q.r": [3]}],
    }
    lines = {}
    for pointer in ("/a", "/b/c", "/b/when", "/d/0/e", "/d/1/e/f", "/d/1/q.r/0", "/zzz"):
        place = parsed.locate(pointer)
        assert place is not None
        lines[pointer] = place.line
    assert lines == {
        "/a": 1,
        "/b/c": 3,
        "/b/when": 6,
        "/d/0/e": 8,
        "/d/1/e/f": 10,
        "/d/1/q.r/0": 11,
        "/zzz": 1,
    }


@settings(deadline=None, max_examples=200)
@given(st.text(alphabet="ab=.[]{}\"'\n 1e-+,#\\", max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(InputError):
        read_toml(text, "f")
