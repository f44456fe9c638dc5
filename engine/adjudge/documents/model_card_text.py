"""Markdown as model cards use it: text in; sections, labelled entries and placeholders out.

Enough of CommonMark to know what a reader sees as a heading: ATX, setext and HTML headings;
fenced code and HTML comments are no headings, and comments are no text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple


class Line(NamedTuple):
    """A line as a reader sees it: without comments; ``code`` inside a fenced block."""

    number: int
    text: str
    code: bool


@dataclass
class Section:
    """A heading and what stands below it, up to the next heading.

    ``line`` is the heading's line; the text before the first heading is a section of level 0
    without a title.
    """

    title: str
    level: int
    line: int
    path: tuple[str, ...]
    lines: list[Line] = field(default_factory=list)
    topics: frozenset[str] = frozenset()

    @property
    def text(self) -> str:
        """The text without comments, white space at the ends removed."""
        return "\n".join(line.text for line in self.lines).strip()

    @property
    def shown_path(self) -> str:
        """The headings above and its own, as facts name a section."""
        return " / ".join(self.path)


class Label(NamedTuple):
    """A labelled entry: ``**Developed by:** Acme``, or a cell of a table.

    ``first`` and ``last`` are the lines it takes; a cell takes none of the section's text.
    """

    label: str
    text: str
    first: int
    last: int
    cell: bool


class Placeholder(NamedTuple):
    """Unfilled template text, and its line."""

    text: str
    line: int


# --- lines and sections -----------------------------------------------------------------------

_FENCE: Final = re.compile(r" {0,3}(`{3,}|~{3,})")
_ATX: Final = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*))?\Z")
_ATX_CLOSE: Final = re.compile(r"(?:\A|[ \t]+)#+[ \t]*\Z")
_SETEXT: Final = re.compile(r" {0,3}(=+|-+)[ \t]*\Z")
_HTML_HEADING: Final = re.compile(r"[ \t]*<h([1-6])\b[^<>]*>(.*)</h\1>[ \t]*\Z", re.IGNORECASE)
_NO_PARAGRAPH: Final = re.compile(r" {0,3}(?:(?:[-*+]|[0-9]{1,9}[.)])[ \t]|>|\|)|(?: {4}|\t)")
_MAX_SETEXT: Final = 3  # lines; what is longer is prose above a rule, not a heading
_MAX_TITLE: Final = 200


def visible_lines(text: str, first: int) -> Iterator[Line]:
    """The lines of ``text``, the first of which is line ``first`` of its file."""
    fence = ""
    comment = False
    for number, raw in enumerate(text.split("\n"), first):
        raw = raw.rstrip("\r")
        if fence:
            if raw.strip().startswith(fence) and not raw.strip().strip(fence[0]):
                fence = ""
            yield Line(number, raw, True)
            continue
        shown, comment = _without_comments(raw, comment)
        if opening := _FENCE.match(shown):
            fence = opening[1]
        yield Line(number, shown, bool(fence))


def _without_comments(raw: str, comment: bool) -> tuple[str, bool]:
    """A line without HTML comments, and whether one is still open at its end."""
    pieces = []
    at = 0
    while True:
        if comment:
            end = raw.find("-->", at)
            if end < 0:
                break
            at, comment = end + 3, False
        start = raw.find("<!--", at)
        if start < 0:
            pieces.append(raw[at:])
            break
        pieces.append(raw[at:start])
        at, comment = start + 4, True
    return "".join(pieces), comment


def read_sections(text: str, first: int = 1) -> list[Section]:
    """The sections of a Markdown text in order; the first one has level 0.

    A heading without a title does not start a section.
    """
    sections = [Section("", 0, first, ())]
    paragraph: list[Line] = []
    above: list[Section] = []
    for line in visible_lines(text, first):
        heading = None if line.code else _heading(line.text)
        start = line.number
        if heading is None and paragraph and not line.code:
            heading = _setext(line.text, paragraph)
            if heading is not None:
                start = paragraph[0].number
                del sections[-1].lines[-len(paragraph) :]
        if heading is not None:
            paragraph = []
            if heading[1]:
                sections.append(_section(heading, start, above))
            continue
        sections[-1].lines.append(line)
        if line.code or not line.text.strip():
            paragraph = []
        elif paragraph or not _NO_PARAGRAPH.match(line.text):
            paragraph.append(line)
    return sections


def _heading(text: str) -> tuple[int, str] | None:
    match = _ATX.match(text)
    if match:
        return len(match[1]), clean_title(_ATX_CLOSE.sub("", (match[2] or "")[: 4 * _MAX_TITLE]))
    match = _HTML_HEADING.match(text)
    return (int(match[1]), clean_title(match[2])) if match else None


def _setext(text: str, paragraph: list[Line]) -> tuple[int, str] | None:
    match = _SETEXT.match(text)
    if match is None or len(paragraph) > _MAX_SETEXT:
        return None
    if sum(len(line.text) for line in paragraph) > _MAX_TITLE:
        return None
    title = " ".join(line.text.strip() for line in paragraph)
    return 1 if match[1][0] == "=" else 2, clean_title(title)


def _section(heading: tuple[int, str], line: int, above: list[Section]) -> Section:
    """A new section; ``above`` holds the open ones around it and then the section itself."""
    level, title = heading
    while above and above[-1].level >= level:
        above.pop()
    section = Section(title, level, line, (*(above[-1].path if above else ()), title))
    above.append(section)
    return section


_LINK: Final = re.compile(r"!?\[([^\[\]\n]*)\]\([^()\n]*\)")
_TAG: Final = re.compile(r"<[^<>\n]*>")
_ESCAPED: Final = re.compile(r"\\([!-/:-@\[-`{-~])")
_MARKS: Final = re.compile(r"\*{1,3}|`+|(?<!\w)_{1,3}(?=\S)|(?<=\S)_{1,3}(?!\w)|~~")


def plain(text: str) -> str:
    """Inline markup removed: emphasis, code, links (their text stays), tags, escapes."""
    text = _TAG.sub("", _LINK.sub(r"\1", text))
    return _ESCAPED.sub(r"\1", _MARKS.sub("", text)).strip()


def clean_title(text: str) -> str:
    """A heading without markup, at most 200 characters."""
    return plain(text[: 4 * _MAX_TITLE])[:_MAX_TITLE].strip().rstrip(":").rstrip()


# --- labelled entries -------------------------------------------------------------------------

_LABEL: Final = re.compile(
    r" {0,3}(?:[-*+][ \t]+)?(?:\*\*|__)([^*_\n]{1,120})(?:\*\*|__)[ \t]*:?(.*)\Z"
)
_ITEM: Final = re.compile(r" {0,3}(?:[-*+]|[0-9]{1,9}[.)])[ \t]+")
_DASHES = r"[ \t]*+:?-++:?[ \t]*+"
_RULE: Final = re.compile(rf"[ \t]*+\|?{_DASHES}(?:\|{_DASHES})*+\|?[ \t]*+\Z")
_MAX_CELLS: Final = 64


def labels_of(section: Section) -> list[Label]:
    """The labelled entries of a section, then the cells of its tables."""
    lines = section.lines
    found = []
    for index, line in enumerate(lines):
        match = None if line.code else _LABEL.match(line.text)
        if match:
            text, last = _entry(lines, index, match[2].strip())
            found.append(
                Label(match[1].strip().rstrip(":").strip(), text, line.number, last, False)
            )
    found.extend(_cells(lines))
    return found


def _entry(lines: list[Line], index: int, text: str) -> tuple[str, int]:
    """The text of a label that starts at ``index``: its paragraph, or else the next one."""
    pieces = [text] if text else []
    at = index + 1
    if not text and at < len(lines) and not lines[at].text.strip():
        after = at + 1
        match = _LABEL.match(lines[after].text) if after < len(lines) else None
        if after < len(lines) and not (match and match[2].strip()):
            first = _ITEM.sub("", lines[after].text).strip()
            pieces, at = [plain(first)], after + 1
    while at < len(lines) and lines[at].text.strip():
        if not lines[at].code and (_LABEL.match(lines[at].text) or _ITEM.match(lines[at].text)):
            break
        pieces.append(lines[at].text.strip())
        at += 1
    return "\n".join(p for p in pieces if p), lines[at - 1].number


def _cells(lines: list[Line]) -> Iterator[Label]:
    """Tables as labels: the header over the first row, or two columns as name and value."""
    for index in range(1, len(lines) - 1):
        header, rule = lines[index - 1], lines[index]
        if rule.code or "|" not in header.text or not _RULE.match(rule.text):
            continue
        titles = _split_row(header.text)
        body = []
        for line in lines[index + 1 : index + 1 + _MAX_CELLS]:
            if "|" not in line.text:
                break
            body.append(line)
        rows = [header, *body] if len(titles) == 2 else []
        for line in rows:
            cells = _split_row(line.text)
            if len(cells) == 2 and all(cells):
                yield Label(cells[0], cells[1], line.number, line.number, True)
        if body and len(titles) != 2:
            for title, cell in zip(titles, _split_row(body[0].text), strict=False):
                if title and cell:
                    yield Label(title, cell, body[0].number, body[0].number, True)


def _split_row(text: str) -> list[str]:
    return [plain(c) for c in text.strip().strip("|").split("|", _MAX_CELLS)[:_MAX_CELLS]]


# --- placeholders -----------------------------------------------------------------------------

_PLACEHOLDERS: Final = re.compile(
    r"\[\s*more information needed[^\]\n]{0,40}\]"
    r"|\{\{[^{}\n]{1,200}\}\}"
    r"|\b(?:TODO|TBD|TBA|FIXME)\b"
    r"|\[(?:insert|your|add|fill in|describe|todo|tbd|placeholder)\b[^\]\n]{0,120}\](?!\()"
    r"|<(?:insert|your|add|fill in|describe)\b[^<>\n]{0,120}>"
    r"|\blorem ipsum\b"
    r"|\bmodel card for model id\b"
    r"|\bto be (?:determined|completed|filled in|written)\b",
    re.IGNORECASE,
)
_UPPER_ONLY: Final = frozenset({"todo", "tbd", "tba", "fixme"})
_CODE_SPAN: Final = re.compile(r"`[^`\n]*`")


def placeholders_in(text: str) -> list[str]:
    """The unfilled template texts in one line of prose; code spans are not looked at."""
    if "`" in text:
        text = _CODE_SPAN.sub("", text)
    return [
        m[0]
        for m in _PLACEHOLDERS.finditer(text)
        if m[0].lower() not in _UPPER_ONLY or m[0].isupper()
    ]


def placeholders_of(lines: Iterable[Line]) -> list[Placeholder]:
    """The unfilled template texts of several lines; fenced code is not looked at."""
    return [
        Placeholder(text, line.number)
        for line in lines
        if not line.code
        for text in placeholders_in(line.text)
    ]
