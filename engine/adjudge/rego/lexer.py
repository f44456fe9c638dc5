"""Rego text to tokens: four parallel sequences, made in one pass of one pattern.

A token's *kind* is its own text for punctuation and keywords, else ``ident``,
``number``, ``string``, ``raw``, ``template`` …, ``illegal`` or ``eof``.  Rego gives
white space a meaning in one place: ``.``, ``[`` and ``(`` continue a reference only
when they touch it.  So these three, when white space stands before them, have a kind
that begins with a space (``" ["``).  A dot and the name that touches it are one token
of kind ``.`` whose text is the name, be it a keyword or not.  A keyword that a dot
touches (``if.x``) is of kind ``keyword-name``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from adjudge.rego.syntax import Comment
from adjudge.source import Location

KEYWORDS: Final = {
    word: word
    for word in (
        *("package", "import", "as", "default", "else", "not", "some", "with"),
        *("null", "true", "false", "in", "every", "contains", "if"),
    )
}
"""The keywords of Rego v1: word to token kind."""

FUTURE_KEYWORDS: Final = frozenset({"in", "every", "contains", "if"})
"""The keywords that v0 modules must import."""

LOGICAL_KEYWORDS: Final = frozenset({"and", "or"})
"""The keywords that v0 and v1 modules must import."""

ALL_KEYWORDS: Final = LOGICAL_KEYWORDS.union(KEYWORDS)

KEYWORDS_OF: Final = {
    0: {word: word for word in KEYWORDS if word not in FUTURE_KEYWORDS},
    1: KEYWORDS,
    2: {word: word for word in ALL_KEYWORDS},
}
"""The keywords of each version of Rego, without what modules import."""

KEYWORD_NAME: Final = "keyword-name"

_TOKEN: Final = re.compile(
    r"""[ \t\r]*(?:
      ( [A-Za-z_][A-Za-z_\d]* )                                   # 1 a word
    | ( \.[A-Za-z_][A-Za-z_\d]* )                                 # 2 .word
    | ( \n[ \t\r\n]* )                                            # 3 line ends
    | ( [\[({] )                                                  # 4 openers
    | ( [\])}] )                                                  # 5 closers
    | ( [:=!<>]= | [,;:=<>+\-*/%&|] )                             # 6 punctuation
    | ( "[^"\\\n]*+(?:\\["\\/bfnrtu][^"\\\n]*+)*+" )              # 7 a string
    | ( (?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?(?![\w.]) )  # 8 a number
    | ( \#[^\n]* )                                                # 9 a comment
    | ( `[^`]*+` )                                                # 10 a raw string
    | ( \$["`] )                                                  # 11 a template
    | ( \Z )                                                      # 12 the end
    | ( . )                                                       # 13 anything else
    )""",
    re.VERBOSE | re.DOTALL,
)

(
    _WORD,
    _DOTTED,
    _NEWLINE,
    _OPENER,
    _CLOSER,
    _MARK,
    _STRING,
    _NUMBER,
    _COMMENT,
    _RAW,
    _TEMPLATE,
    _END,
) = range(1, 13)

_REFERRING: Final = (_DOTTED, _OPENER)

_REFERENT: Final = re.compile(r"[\w\])}\"`]")
_AFTER_DOT: Final = re.compile(r"[:=!<>]=|[^\w\s]|\s")
_STRING_START: Final = re.compile(r'"[^"\\\n]*+(?:\\["\\/bfnrtu][^"\\\n]*+)*+')

_TEMPLATE_TEXT: Final = {
    '"': re.compile(r'[^"\\{\n]*+(?:\\["\\/bfnrtu{][^"\\{\n]*+)*+'),
    "`": re.compile(r"[^`\\{]*+(?:\\\{?[^`\\{]*+)*+"),
}

_FORBIDDEN: Final = re.compile("[\0\ufeff\ud800-\udfff]")

BOM: Final = "\ufeff"


NAMES: Final = {
    "ident": "identifier",
    ".": ".",
    " .": ".",
    " [": "[",
    " (": "(",
    "+": "plus",
    "-": "minus",
    "*": "mul",
    "/": "div",
    "%": "rem",
    "&": "and",
    "|": "or",
    "=": "eq",
    "==": "equal",
    ":=": "assign",
    "!=": "neq",
    ">": "gt",
    "<": "lt",
    ">=": "gte",
    "<=": "lte",
    "raw": "string",
    "template": "template-string-part",
    "template-text": "template-string-part",
    "template-open": "{",
    "template-close": "}",
    "template-end": "template-string-end",
}
"""What error messages call a kind of token, where that is not the kind itself; OPA's names."""


@dataclass(slots=True)
class Tokens:
    """A tokenised text.  ``kinds[i]``, ``texts[i]`` and ``locs[i]`` belong together.

    ``newlines`` holds the indexes of tokens that a line end stands before.  The last
    token is of kind ``eof``.  ``illegal`` tokens have the complaint as their text.
    """

    kinds: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    locs: list[Location] = field(default_factory=list)
    newlines: set[int] = field(default_factory=set)
    comments: list[Comment] = field(default_factory=list)


def tokenize(text: str, file: str, keywords: dict[str, str], max_depth: int) -> Tokens:
    """The tokens of ``text``.  Never fails: what is wrong becomes an ``illegal`` token,
    after which there is only ``eof``.  Brackets nest at most ``max_depth`` deep.
    """
    forbidden = _FORBIDDEN.search(text, 1 if text.startswith(BOM) else 0)
    if forbidden is None:
        lexer = _Lexer(text, file, keywords, max_depth)
        lexer.run()
        return lexer.tokens
    names = {"\0": "null character", BOM: "byte-order mark"}
    at = forbidden.start()
    where = Location(file, text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at))
    tokens = Tokens()
    tokens.kinds += ("illegal", "eof")
    tokens.texts += (f"illegal {names.get(text[at], 'character: a lone surrogate')}", "")
    tokens.locs += (where, where)
    return tokens


class _Lexer:
    """The state of one run over a text."""

    def __init__(self, text: str, file: str, keywords: dict[str, str], max_depth: int) -> None:
        self.text = text
        self.file = file
        self.keywords = keywords
        self.max_depth = max_depth
        self.tokens = Tokens()
        self.row = 1
        # The index of the character before the line: a column is an index minus this.
        self.margin = -1
        self.depth = 0
        # One entry per template whose expression is being read: its quote, and how
        # deep the brackets are nested inside of its `{`.
        self.templates: list[tuple[str, int]] = []

    def run(self) -> None:
        position = 1 if self.text.startswith(BOM) else 0
        while position >= 0:
            position = self._scan(position)

    def _scan(self, position: int) -> int:
        """Read tokens up to the end (-1), or to where lexing must be taken up again."""
        kinds, newlines = self.tokens.kinds, self.tokens.newlines
        add_kind, add_text = kinds.append, self.tokens.texts.append
        add_loc = self.tokens.locs.append
        keywords = self.keywords
        kind_of = keywords.get
        # NamedTuple's own constructor is a Python function; this one is twice as fast.
        location = partial(tuple.__new__, Location)
        file, row, margin = self.file, self.row, self.margin
        for m in _TOKEN.finditer(self.text, position):
            group = m.lastindex or _END
            start = m.start(group)
            text = m[group]
            if group == _WORD:
                add_kind(kind_of(text, "ident"))
            elif group == _NEWLINE:
                newlines.add(len(kinds))
                row += text.count("\n")
                margin = start + text.rfind("\n")
                continue
            elif group == _MARK:
                add_kind(text)
            elif group in _REFERRING:
                kind = text[0]
                if kind != "{":
                    if start != m.start() or len(kinds) in newlines:
                        kind = " " + kind
                    elif kind == "." and kinds and kinds[-1] in keywords:
                        kinds[-1] = KEYWORD_NAME
                if group == _DOTTED:
                    text = text[1:]
                    start += 1
                else:
                    self.depth += 1
                    if self.depth > self.max_depth:
                        return self._refuse("nested too deeply", row, start - margin)
                add_kind(kind)
            elif group == _CLOSER:
                if text == "}" and self.templates and self.templates[-1][1] == self.depth:
                    self.row, self.margin = row, margin
                    return self._template_goes_on(start)
                if self.depth:
                    self.depth -= 1
                add_kind(text)
            elif group == _STRING:
                add_kind("string")
            else:
                self.row, self.margin = row, margin
                resume = self._rare(group, text, start)
                if resume != m.end():
                    return resume
                row, margin = self.row, self.margin
                continue
            add_text(text)
            add_loc(location((file, row, start - margin)))
        return -1

    def _add(self, kind: str, text: str, position: int) -> None:
        self.tokens.kinds.append(kind)
        self.tokens.texts.append(text)
        self.tokens.locs.append(Location(self.file, self.row, position - self.margin))

    def _refuse(self, complaint: str, row: int, col: int) -> int:
        """End the tokens with an ``illegal`` one."""
        tokens = self.tokens
        tokens.kinds += ("illegal", "eof")
        tokens.texts += (complaint, "")
        tokens.locs += (Location(self.file, row, col),) * 2
        return -1

    def _rare(self, group: int, text: str, start: int) -> int:
        """Add a token of a rare kind; the position to go on from."""
        if group == _COMMENT:
            where = Location(self.file, self.row, start - self.margin)
            self.tokens.comments.append(Comment(text[1:].rstrip("\r"), where))
        elif group == _NUMBER:
            self._add("number", text, start)
        elif group == _RAW:
            self._add("raw", text, start)
            self._pass_lines(text, start)
        elif group == _TEMPLATE:
            self._add("template", text[1], start)
            return self._template_text(text[1], start + 2, start)
        elif group == _END:
            self._add("eof", "", start)
            return -1
        else:
            # Of a dot, what follows it is the culprit.
            at = start + (self.text[start] == "." and start + 1 < len(self.text))
            return self._refuse(self._complaint(start), self.row, at - self.margin)
        return start + len(text)

    def _pass_lines(self, text: str, start: int) -> None:
        """Count the line ends inside of a token that began at ``start``."""
        ends = text.count("\n")
        if ends:
            self.row += ends
            self.margin = start + text.rfind("\n")

    def _template_text(self, quote: str, start: int, origin: int) -> int:
        """Read a template's text from ``start`` to its end or to an expression.

        Complaints point to ``origin``, where the template or this part of it begins.
        """
        where = self.row, origin - self.margin
        found = _TEMPLATE_TEXT[quote].match(self.text, start)
        text = found[0] if found else ""
        end = start + len(text)
        if text:
            self._add("template-text", text, start)
            self._pass_lines(text, start)
        stop = self.text[end : end + 1]
        if stop == quote:
            self._add("template-end", stop, end)
        elif stop == "{":
            self.depth += 1
            if self.depth > self.max_depth:
                return self._refuse("nested too deeply", self.row, end - self.margin)
            self.templates.append((quote, self.depth))
            self._add("template-open", stop, end)
        else:
            complaint = "illegal escape sequence" if stop == "\\" else "non-terminated string"
            return self._refuse(complaint, *where)
        return end + 1

    def _template_goes_on(self, start: int) -> int:
        """Close the expression of a template at the ``}`` at ``start``."""
        quote, _ = self.templates.pop()
        self.depth -= 1
        self._add("template-close", "}", start)
        return self._template_text(quote, start + 1, start)

    def _complaint(self, start: int) -> str:
        """What is wrong with the text at ``start``, which begins no token."""
        bad = self.text[start]
        if bad == '"':
            found = _STRING_START.match(self.text, start)
            stop = self.text[found.end() : found.end() + 1] if found else ""
            return "illegal escape sequence" if stop == "\\" else "non-terminated string"
        if bad == "`":
            return "non-terminated string"
        if bad in "!$":
            return f"illegal {bad} character"
        if bad == "\xa0":
            return "illegal non-breaking space character, use a regular space instead"
        if bad.isdigit():
            return "illegal number format"
        if bad == ".":
            refers = _REFERENT.match(self.text, start - 1) if start else None
            wanted = "identifier" if refers else "number"
            return f"unexpected {self._kind_after(start)} token: expected {wanted}"
        return "illegal token"

    def _kind_after(self, dot: int) -> str:
        """What follows a dot that no name touches."""
        found = _AFTER_DOT.match(self.text, dot + 1)
        after = found[0] if found else ""
        if after.isspace():
            return "whitespace"
        if after[:1] in ('"', "`"):
            return "string"
        return NAMES.get(after, after or "eof")
