"""Documents: positions with fallbacks, excerpts that hide what must be hidden, one input."""

from __future__ import annotations

from adjudge.documents.model import (
    LONG_LINE,
    Document,
    LineIndex,
    Position,
    Problem,
    Redaction,
    digest_of_files,
    file_record,
    join,
    split,
)
from adjudge.documents.reading import read_json

TEXT = '{\n  "components": [\n    {"name": "a", "license": "MIT"}\n  ]\n}'


def document(text: str = TEXT) -> Document:
    parsed = read_json(text, "bom.json")
    return Document(
        kind="sbom",
        path="bom.json",
        digest="00",
        size=len(text),
        document=parsed.value,
        facts={"parts": [{"name": "a", "licence": "MIT"}], "count": 1},
        problems=[Problem("code", "message", "/document/components", "warning")],
        locator=parsed.locate,
        origins={
            "/parts/0": "/components/0",
            "/parts/0/licence": "/components/0/license",
            "/count": Position("bom.json", 2, 3),
        },
        sources={"bom.json": parsed.lines},
    )


def test_pointers() -> None:
    assert join("", "a/b", 0, "~") == "/a~1b/0/~0"
    assert split("/a~1b/0/~0") == ["a/b", "0", "~"]
    assert split("//") == ["", ""]
    assert split("") == []


def test_values_are_located() -> None:
    found = document()
    assert found.locate("/document/components/0/name") == ("bom.json", 3, 14)
    assert found.locate("/document") == ("bom.json", 1, 1)
    assert found.locate("") == ("bom.json", 1, 1)


def test_what_is_missing_is_placed_at_what_encloses_it() -> None:
    found = document()
    assert found.locate("/document/components/0/version") == ("bom.json", 3, 5)
    assert found.locate("/document/components/7/name") == ("bom.json", 2, 17)
    assert found.locate("/facts/nothing/at/all") == ("bom.json", 1, 1)


def test_facts_are_located_through_their_origins() -> None:
    found = document()
    assert found.locate("/facts/parts/0/name") == ("bom.json", 3, 14)
    assert found.locate("/facts/parts/0/licence") == ("bom.json", 3, 30)
    assert found.locate("/facts/parts/0/other") == ("bom.json", 3, 5)
    assert found.locate("/facts/count") == ("bom.json", 2, 3)


def test_a_document_without_lines_has_no_places() -> None:
    binary = Document("weights", "m.bin", "00", 1, None, {})
    assert binary.locate("/facts/x") is None
    assert binary.excerpt(Position("m.bin", 1, 1)) is None


def test_excerpt() -> None:
    found = document()
    assert found.excerpt(Position("bom.json", 3, 14)) == '    {"name": "a", "license": "MIT"}'
    assert found.excerpt(Position("bom.json", 9, 1)) is None
    assert found.excerpt(Position("other", 1, 1)) is None


def test_a_long_line_is_cut_around_the_position() -> None:
    text = '["' + "x" * 5000 + '", "here", "' + "y" * 5000 + '"]'
    found = document(text)
    column = text.index('"here"') + 1
    shown = found.excerpt_at(Position("bom.json", 1, column))
    assert shown is not None
    line, at = shown
    assert len(line) == LONG_LINE + 2
    assert line[at - 1 :].startswith('"here"')
    assert line[0] == line[-1] == "…"


def test_redacted_characters_are_never_shown() -> None:
    text = "a = " + "x" * 1000 + "SECRET" + "y" * 1000
    found = Document(
        "generic",
        "f",
        "00",
        1,
        None,
        {},
        sources={"f": LineIndex("f", text)},
        redactions=[Redaction("f", 1, 1005, 1011)],
    )
    for column in (1, 900, 1005, 1008, 1011, 1200, 2010):
        shown = found.excerpt(Position("f", 1, column))
        assert shown is not None
        assert not set("SECRET") & set(shown)


def test_crlf_and_last_lines() -> None:
    lines = LineIndex("f", "one\r\ntwo\r\n")
    assert lines.span(1) == (0, 3)
    assert lines.span(2) == (5, 8)
    assert lines.span(3) == (10, 10)
    assert lines.span(4) is None
    assert lines.position(6) == ("f", 2, 2)


def test_input_is_one_object() -> None:
    found = document()
    given = found.as_input()
    assert found.as_input() is given
    assert given["document"] is found.document
    assert given["facts"] is found.facts
    assert sorted(given) == [
        "digest",
        "document",
        "facts",
        "files",
        "kind",
        "path",
        "problems",
        "signatures",
        "size",
    ]
    assert given["problems"] == [
        {
            "code": "code",
            "message": "message",
            "pointer": "/document/components",
            "severity": "warning",
        }
    ]


def test_the_digest_of_files_does_not_depend_on_their_order() -> None:
    one, two = file_record("b", "11", 1), file_record("a", "22", 2)
    assert digest_of_files([one, two]) == digest_of_files([two, one])
    assert digest_of_files([one]) != digest_of_files([file_record("c", "11", 1)])
    # echo -n '[["a","22"],["b","11"]]' | sha256sum
    assert digest_of_files([one, two]) == (
        "8b3ca0bf708b9d99c3b0e06b16192b9ce3f46792bfb493c2ffb6296563618859"
    )
