"""PEM by the rules of Go's ``encoding/pem``: consumes a text, produces its blocks one by one."""

from __future__ import annotations

import base64
import re
from typing import Final, NamedTuple

from adjudge.rego.builtins import gobase64
from adjudge.rego.builtins.registry import BuiltinError

_BEGIN: Final = b"-----BEGIN "
_END: Final = b"-----END "
_DASHES: Final = b"-----"
_BLANKS: Final = bytes.maketrans(b"", b""), b" \t"
_HEADER: Final = re.compile(rb"[^\n:]*:[^\n]*\n")


class Block(NamedTuple):
    """The label between the dashes, and the bytes within."""

    label: str
    data: bytes


def decode(text: bytes) -> tuple[Block | None, bytes]:
    """The first well-formed block and the text after it; None and the whole text if none."""
    at = 0
    while True:
        end = text.find(b"\n" + _END, at)
        if end < 0:
            return None, text
        # The last BEGIN before an END: those before it have no END of their own.
        begin = text.rfind(_BEGIN, at, end + 1)
        if begin == at or (begin > 0 and text[begin - 1 : begin] == b"\n"):
            found = _block(text, begin + len(_BEGIN), end)
            if found is not None:
                return found
        at = end + 1 + len(_END)


def _line(text: bytes, at: int) -> tuple[bytes, int]:
    """The line at ``at`` without blanks at its end, and where the next one starts."""
    end = text.find(b"\n", at)
    if end < 0:
        return text[at:].rstrip(b" \t"), len(text)
    line = text[at:end]
    return line.removesuffix(b"\r").rstrip(b" \t"), end + 1


def _block(text: bytes, at: int, end: int) -> tuple[Block, bytes] | None:
    label_line, body = _line(text, at)
    if not label_line.endswith(_DASHES):
        return None
    label = label_line.removesuffix(_DASHES)
    while header := _HEADER.match(text, body):
        body = header.end()
    closing, after = _line(text, end + 1 + len(_END))
    if closing != label + _DASHES or body > end + 1:
        return None
    try:
        data = gobase64.decode(text[body : max(body, end)].translate(*_BLANKS))
    except BuiltinError:
        return None
    return Block(label.decode("utf-8", "surrogateescape"), data), text[after:]


def encode(label: str, data: bytes) -> bytes:
    """One block: the bytes in base64, 64 characters a line."""
    body = base64.b64encode(data)
    lines = [body[i : i + 64] for i in range(0, len(body), 64)]
    head = label.encode()
    return b"\n".join([_BEGIN + head + _DASHES, *lines, _END + head + _DASHES, b""])
