"""Hostile text in, text that is safe and honest to show out: one function per medium.

Text from judged files may hold terminal escapes, characters that reorder or hide other
characters, markup, and commands for whatever reads our output.  Everything shown goes
through :func:`visible` first; the other functions then quote for one format.
"""

from __future__ import annotations

import re
from urllib.parse import quote

# Control characters, what reverses or hides text (bidirectional and invisible formatting,
# tags, fillers), line separators, lone surrogates and non-characters.  The zero-width joiners
# U+200C and U+200D stay: several scripts need them.
_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\ud800-\udfff"
    "\U000e0000-\U000e007f]"
)
_BLANKS = re.compile(r"[ \t\r\n]+")
_MARKDOWN = re.compile(r"([\\`*_\[\]<>#|~&$@])")
_LIST_START = re.compile(r"\A([0-9]*)([-+=.)])")
_FORMULA = re.compile(r"\s*[=+\-@|＝＋－＠]")

COMMAND_START = re.compile(r"^((?:\s|\x1b\[[0-9;]*m)*)::", re.MULTILINE)


def visible(text: str, *, lines: bool = False) -> str:
    """``text`` with every character that cannot be seen spelled out (``\\x1b``, ``\\u202e``).

    Tabs become spaces.  With ``lines`` line ends are kept (as ``\\n``).
    """
    if text.isascii() and text.isprintable():
        return text
    if lines:
        text = re.sub("\r\n?", "\n", text)
        return "\n".join(visible(line) for line in text.split("\n"))
    return _UNSEEN.sub(_spelled, text)


def one_line(text: str, limit: int = 500) -> str:
    """``text`` on one line: blanks and line ends folded, the unseen spelled out, clipped."""
    return visible(clip(_BLANKS.sub(" ", text.strip(" \t\r\n")), limit))


def paragraph(text: str, limit: int = 5_000) -> str:
    """``text`` with its lines kept, the unseen spelled out, clipped."""
    return visible(clip(text.strip(), limit), lines=True)


def clip(text: str, limit: int) -> str:
    """``text``, or its beginning and a word about how much is left out."""
    if len(text) <= limit:
        return text
    return f"{text[:limit]}… ({len(text) - limit:,} more characters)"


def _spelled(match: re.Match[str]) -> str:
    char = match.group()
    code = ord(char)
    if char == "\t":
        return " "
    if char in "\n\r":
        return "\\n" if char == "\n" else "\\r"
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def defuse_commands(text: str) -> str:
    """``text`` in which a CI runner finds no command.

    GitHub's runner acts on lines that begin with ``::`` after white space, and on ``##[``
    anywhere in a line.
    """
    return COMMAND_START.sub(r"\1\\::", text).replace("##[", "##\\[")


def defuse_markup(text: str) -> str:
    """XML or HTML text without anything a CI runner takes for a command; nothing is lost."""
    return COMMAND_START.sub(r"\1&#58;:", text).replace("##[", "##&#91;")


def markdown(text: str, *, breaks: bool = True) -> str:
    """``text`` as literal Markdown for a paragraph or a table cell; line ends as ``<br>``."""
    shown = _MARKDOWN.sub(r"\\\1", paragraph(text))
    shown = _LIST_START.sub(r"\1\\\2", shown)
    shown = shown.replace("://", "\\://").replace("www.", "www\\.").replace("##[", "##\\[")
    return shown.replace("\n", "<br>" if breaks else " ")


def markdown_code(text: str) -> str:
    """``text`` as inline code that also survives in a table cell."""
    shown = one_line(text)
    for char, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        shown = shown.replace(char, entity)
    for char in "|`*_[]\\~$@:":
        shown = shown.replace(char, f"&#{ord(char)};")
    return f"<code>{shown}</code>"


def markdown_fence(text: str) -> str:
    """``text`` as a fenced code block whose fence is longer than any in the text."""
    shown = defuse_commands(visible(text, lines=True))
    longest = max((len(run) for run in re.findall("`+", shown)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{shown}\n{fence}"


def command_data(text: str) -> str:
    """``text`` as the message of a GitHub workflow command."""
    shown = paragraph(text).replace("##[", "##\\[")
    return shown.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def command_property(text: str) -> str:
    """``text`` as a property of a GitHub workflow command."""
    return command_data(one_line(text)).replace(":", "%3A").replace(",", "%2C")


def csv_cell(text: str) -> str:
    """``text`` as a cell on one line that no spreadsheet takes for a formula."""
    shown = one_line(text, limit=5_000).replace("##[", "##\\[")
    return f"'{shown}" if _FORMULA.match(shown) else shown


def relative_uri(path: str) -> str:
    """A POSIX path as a relative URI reference (RFC 3986), percent-encoded as UTF-8."""
    # ":" would make a first segment look like a scheme.
    return quote(path, safe="/!$&'()*+,;=@~-._", errors="surrogatepass")
