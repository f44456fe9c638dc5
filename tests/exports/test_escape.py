"""What each medium would act on is neutralised; ordinary text stays as it is."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adjudge.exports.escape import (
    clip,
    command_data,
    command_property,
    csv_cell,
    defuse_commands,
    defuse_markup,
    markdown_fence,
    one_line,
    paragraph,
    relative_uri,
    visible,
)

ANY_TEXT = st.text(st.characters(codec=None, categories=None))


@given(ANY_TEXT)
def test_nothing_unseen_is_left(text: str) -> None:
    shown = visible(text)
    for char in shown:
        assert unicodedata.category(char) not in ("Cc", "Cs", "Zl", "Zp")
        assert unicodedata.bidirectional(char) not in ("RLO", "LRO", "RLE", "LRE", "PDF")
        assert unicodedata.bidirectional(char) not in ("RLI", "LRI", "FSI", "PDI")
    shown.encode()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain naïve 日本語 שלום 👩‍💻", "plain naïve 日本語 שלום 👩‍💻"),
        ("\x1b[31m", "\\x1b[31m"),
        ("\x9b31m\x00\x7f", "\\x9b31m\\x00\\x7f"),
        ("a\tb", "a b"),
        ("a\r\nb", "a\\r\\nb"),
        ("\u202eevil\u2066", "\\u202eevil\\u2066"),
        ("\u200b\ufeff\u3164", "\\u200b\\ufeff\\u3164"),
        ("\U000e0041", "\\U000e0041"),
        ("\udc80", "\\udc80"),
    ],
)
def test_visible(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_lines() -> None:
    assert visible("a\r\nb\rc\nd", lines=True) == "a\nb\nc\nd"
    assert paragraph("  a\n b \n") == "a\n b"
    assert one_line(" a\n\n b\tc ") == "a b c"


def test_long_text_is_clipped_and_says_so() -> None:
    assert clip("abcdef", 3) == "abc… (3 more characters)"
    assert len(one_line("x" * 10**6)) < 600


@given(ANY_TEXT)
def test_a_runner_finds_no_command_in_plain_text(text: str) -> None:
    for line in defuse_commands(visible(text, lines=True)).split("\n"):
        assert not line.lstrip().startswith("::")
        assert "##[" not in line


def test_commands_behind_colour_are_found_too() -> None:
    assert defuse_commands("\x1b[1m  ::error::x") == "\x1b[1m  \\::error::x"
    assert defuse_markup("a\n ::error::##[x]") == "a\n &#58;:error::##&#91;x]"


@given(ANY_TEXT)
def test_command_escapes(text: str) -> None:
    assert not set(command_data(text)) & {"\r", "\n"}
    assert not set(command_property(text)) & {"\r", "\n", ":", ","}


def test_command_escapes_come_back() -> None:
    assert command_data("100%\r\nnext") == "100%25%0Anext"
    assert command_property("a:b,c%0A") == "a%3Ab%2Cc%250A"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", " =1", "\t=1", "\n=1", "|x", "＝1"])
def test_formulas(text: str) -> None:
    assert csv_cell(text).startswith("'")


@pytest.mark.parametrize("text", ["a=1", "1", "", "card.md", "('x')"])
def test_ordinary_cells(text: str) -> None:
    assert csv_cell(text) == text


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("model/README.md", "model/README.md"),
        ("a b/c#d?e%f", "a%20b/c%23d%3Fe%25f"),
        ("a:b", "a%3Ab"),
        ("ä/日", "%C3%A4/%E6%97%A5"),
        ('q"<>\\^`{|}', "q%22%3C%3E%5C%5E%60%7B%7C%7D"),
        ("new\nline", "new%0Aline"),
    ],
)
def test_uris(path: str, uri: str) -> None:
    assert relative_uri(path) == uri


def test_a_fence_is_longer_than_what_it_holds() -> None:
    fenced = markdown_fence("a\n````\n::error::x")
    assert re.match(r"(`+)text\n", fenced).group(1) == "`````"  # type: ignore[union-attr]
    assert "\n\\::error::x" in fenced
