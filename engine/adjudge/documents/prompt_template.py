"""Prompt templates: a text in; the variables it uses, what delimits them, and what it includes.

Understood: ``{name}``, ``${name}``, ``{{ expression }}`` and ``{% statement %}`` (Jinja),
``{{#if name}}`` and ``{{> partial}}`` (Handlebars).  Nothing is rendered.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

MAX_USES: Final = 2000
"""Uses of variables, and delimited blocks, looked at in one text."""


class Use(NamedTuple):
    """A variable in a template; ``delimiter`` is the tag or fence around it, or empty.

    ``offset`` and ``length`` are those of the placeholder it stands in.
    """

    variable: str
    offset: int
    length: int
    delimiter: str


class Include(NamedTuple):
    """Something a template pulls in."""

    target: str
    offset: int
    length: int


class Template(NamedTuple):
    """What a template uses, in order of appearance."""

    uses: list[Use]
    includes: list[Include]
    truncated: bool


_NAME = r"[A-Za-z_][A-Za-z0-9_]{0,99}+"
_PLACE: Final = re.compile(
    r"\{\{\{?-?\s{0,8}(?P<mark>[#/>^!&]?)(?P<expression>[^{}]{1,400}?)\}\}"
    r"|\{%(?P<statement>[^{}%]{1,400})%\}"
    rf"|\$\{{(?P<dollar>{_NAME})\}}"
    rf"|(?<!\{{)\{{(?P<single>{_NAME})(?:[.\[!:][^{{}}\n]{{0,60}})?\}}(?!\}})"
)
_STRING: Final = re.compile(r"\"[^\"\n]{0,400}\"|'[^'\n]{0,400}'")
_IDENTIFIER: Final = re.compile(rf"(?<![.\w|])({_NAME})(?!\s{{0,4}}[(=](?!=))")
_FILTER: Final = re.compile(rf"\|\s{{0,4}}{_NAME}")
_FILE: Final = re.compile(r"\bfile://(?P<path>[^\s\"'<>)\]}]{1,300})")
_LOOP: Final = re.compile(
    rf"\bfor\s{{1,4}}({_NAME}(?:\s{{0,4}},\s{{0,4}}{_NAME}){{0,5}})\s{{1,4}}in\b"
)
_SET: Final = re.compile(rf"\bset\s{{1,4}}({_NAME})")
_INCLUDES: Final = frozenset({"include", "import", "extends", "from"})
_OPERATORS: Final = frozenset(
    {"if", "else", "and", "or", "not", "in", "is", "defined", "loop", "this"}
    | {"none", "None", "true", "True", "false", "False"}
)
_STATEMENT_WORDS = """
elif endif for endfor set endset block endblock macro endmacro raw endraw filter endfilter with
endwith each unless recursive
"""
_KEYWORDS: Final = _OPERATORS | frozenset(_STATEMENT_WORDS.split())
_HELPER: Final = re.compile(rf"\s{{0,8}}{_NAME}\s{{1,8}}(?=[\"'])")


def read_template(text: str) -> Template:
    """The variables and includes of ``text``."""
    blocks = delimited_blocks(text)
    uses: list[Use] = []
    includes = [Include(m["path"], m.start(), len(m[0])) for m in _FILE.finditer(text)]
    local: set[str] = set()
    truncated = False
    for match in _PLACE.finditer(text):
        if len(uses) >= MAX_USES or len(includes) >= MAX_USES:
            truncated = True
            break
        target = _include_of(match)
        if target:
            includes.append(Include(target, match.start(), len(match[0])))
            continue
        around = _delimiter(blocks, match.start(), match.end())
        uses.extend(
            Use(name, match.start(), len(match[0]), around) for name in _names_in(match, local)
        )
    return Template(uses, sorted(includes, key=lambda i: i.offset)[:MAX_USES], truncated)


def _include_of(match: re.Match[str]) -> str:
    if match["mark"] == ">":
        return match["expression"].strip().split(" ")[0][:300]
    words = (match["statement"] or "").strip(" \t\r\n-+").split(None, 1)
    if len(words) == 2 and words[0] in _INCLUDES:
        quoted = _STRING.search(words[1])
        return (quoted[0][1:-1] if quoted else words[1].strip())[:300]
    return ""


def _names_in(match: re.Match[str], local: set[str]) -> list[str]:
    """The variables of one placeholder; names a loop or ``set`` makes are left out."""
    simple: str | None = match["dollar"] or match["single"]
    if simple:
        return [simple]
    if match["mark"] in ("/", "!"):
        return []
    code = match["statement"] or match["expression"] or ""
    helper = None if match["statement"] else _HELPER.match(code)  # {{role "system"}}
    code = _STRING.sub(" ", code[helper.end() :] if helper else code)
    loop = _LOOP.search(code)
    if loop:
        local.update(n.strip() for n in loop[1].split(","))
    assigned = _SET.search(code) if match["statement"] else None
    if assigned:
        local.add(assigned[1])
    names = _IDENTIFIER.findall(_FILTER.sub(" ", code))
    words = _KEYWORDS if match["statement"] or match["mark"] else _OPERATORS
    return [n for n in dict.fromkeys(names) if n not in words and n not in local]


# --- delimiters -------------------------------------------------------------------------------


class Block(NamedTuple):
    """Text between two delimiters."""

    start: int
    end: int
    delimiter: str


_FENCE: Final = re.compile(r"^[ \t]{0,3}(```|~~~)[^\n]{0,200}$|(\"\"\")", re.M)
_TAG: Final = re.compile(
    r"<(?P<close>/?)(?P<name>[A-Za-z][A-Za-z0-9_-]{0,60})(?:\s[^<>\n]{0,200})?>"
)
# Tags that hold the prompt itself, or only format text: no fence around untrusted input.
_NOT_FENCES_TEXT: Final = """
system system_prompt instructions instruction prompt rules guidelines role task s b i p u em
strong ul ol li br div span h1 h2 h3 h4 html body table tr td th
"""
_NOT_FENCES: Final = frozenset(_NOT_FENCES_TEXT.split())


def delimited_blocks(text: str) -> list[Block]:
    """The parts of ``text`` between a pair of tags, code fences or triple quotes."""
    blocks: list[Block] = []
    open_fences: dict[str, int] = {}
    for match in _FENCE.finditer(text):
        fence = match[1] or match[2]
        if fence in open_fences:
            blocks.append(Block(open_fences.pop(fence), match.start(), fence))
        else:
            open_fences[fence] = match.end()
    open_tags: dict[str, list[int]] = {}
    for match in _TAG.finditer(text):
        name = match["name"]
        if name.lower() in _NOT_FENCES:
            continue
        if not match["close"]:
            open_tags.setdefault(name, []).append(match.end())
        elif open_tags.get(name):
            blocks.append(Block(open_tags[name].pop(), match.start(), f"<{name}>"))
        if len(blocks) >= MAX_USES:
            break
    return blocks


def _delimiter(blocks: list[Block], start: int, end: int) -> str:
    """The delimiter of the smallest block around ``start`` to ``end``."""
    around = [b for b in blocks if b.start <= start and end <= b.end]
    return min(around, key=lambda b: b.end - b.start).delimiter if around else ""


_UNTRUSTED: Final = re.compile(
    r"(?:^|_)(?:input|query|question|messages?|ticket|email|email_body|documents?|docs|chunks?"
    r"|passages?|transcript|conversation|comment|feedback|attachments?|search_results?"
    r"|tool_outputs?|tool_results?|web_?page|file_contents?)\Z"
    r"|^(?:user|customer|client)_(?:text|content|request|review|reply)\Z|^retrieved_"
    r"|^(?:text|content|context|body|page|html|results|request|review|history|chat_history)\Z"
)


def sounds_untrusted(name: str) -> bool:
    """Whether a variable's name says that users or retrieved documents fill it."""
    return bool(_UNTRUSTED.search(name.lower()))
