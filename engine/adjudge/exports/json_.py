"""A report in, the decision record as JSON text out: ``adjudge.decision/v1`` with its digest.

Indented for people; readers get the same values as from the canonical form.  Characters
that could act on a terminal or a CI log are written as JSON escapes.
"""

from __future__ import annotations

import json
import re
from typing import Any

from adjudge.exports.report import Report

_UNSAFE = re.compile(
    "[\x7f-\x9f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]"
)


def render(report: Report) -> str:
    """The record, indented by two, ending in a line end."""
    return dumps(report.decision.document(), indent=2) + "\n"


def dumps(value: Any, *, indent: int | None = None) -> str:
    """JSON text without raw control or reordering characters, and without ``##[``."""
    text = json.dumps(value, ensure_ascii=False, indent=indent, allow_nan=False)
    text = _UNSAFE.sub(lambda match: f"\\u{ord(match.group()):04x}", text)
    return text.replace("##[", "#\\u0023[")


def dumps_for_html(value: Any) -> str:
    """JSON text that can stand in an HTML ``script`` element of a data type."""
    text = dumps(value)
    for char in "<>&":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text
