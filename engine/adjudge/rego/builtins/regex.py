"""Regular expressions: regex.match, find, replace, split and templates."""

from __future__ import annotations

import re
from typing import Final

from adjudge.rego.builtins.operands import too_large, two_strings, want_int
from adjudge.rego.builtins.patterns import Pattern, Spans, compile_pattern
from adjudge.rego.builtins.registry import BuiltinContext, BuiltinError, builtin, want_string
from adjudge.rego.runtime.text import go_quote, utf8_bytes
from adjudge.rego.runtime.values import Value

_REFERENCE: Final = re.compile(r"\$(?:(\$)|(\w+)|\{(\w+)\})?")
_NUMBER: Final = re.compile(r"(?:0|[1-9][0-9]{0,8})\Z")
_META: Final = re.compile(r"[\\.+*?()|\[\]{}^$]")


@builtin("regex.is_valid")
def is_valid(pattern: Value) -> bool:
    """Whether the value is a string with a valid pattern."""
    if not isinstance(pattern, str):
        return False
    try:
        compile_pattern(pattern)
    except BuiltinError:
        return False
    return True


@builtin("regex.match")
def match(pattern: Value, text: Value) -> bool:
    """Whether the pattern matches somewhere in the text."""
    a, b = two_strings(pattern, text)
    return compile_pattern(a).search(b) is not None


builtin("re_match")(match)


@builtin("regex.find_n", context=True)
def find_n(context: BuiltinContext, pattern: Value, text: Value, number: Value) -> list[str]:
    """The first ``number`` matches, all of them when it is negative."""
    a, b = two_strings(pattern, text)
    limit = want_int(number, 3)
    compiled = compile_pattern(a)
    subject = compiled.subject(b)
    out = []
    for spans in compiled.matches(subject, limit):
        start, stop = spans[0]
        out.append(compiled.text(subject[start:stop]))
        context.charge(1)
    return out


@builtin("regex.find_all_string_submatch_n", context=True)
def find_all_string_submatch_n(
    context: BuiltinContext, pattern: Value, text: Value, number: Value
) -> list[list[str]]:
    """The first ``number`` matches, each with its groups."""
    a, b = two_strings(pattern, text)
    limit = want_int(number, 3)
    compiled = compile_pattern(a)
    subject = compiled.subject(b)
    out = []
    for spans in compiled.matches(subject, limit):
        out.append([compiled.text(subject[max(x, 0) : max(y, 0)]) for x, y in spans])
        context.charge(len(spans))
    return out


@builtin("regex.split", context=True)
def split(context: BuiltinContext, pattern: Value, text: Value) -> list[str]:
    """The parts of the text between the matches."""
    a, b = two_strings(pattern, text)
    compiled = compile_pattern(a)
    if a and not b:
        return [""]
    subject = compiled.subject(b)
    parts, begin, end = [], 0, 0
    for spans in compiled.matches(subject, -1):
        end, stop = spans[0]
        if stop:
            parts.append(compiled.text(subject[begin:end]))
        begin = stop
        context.charge(1)
    if end != len(subject):
        parts.append(compiled.text(subject[begin:]))
    return parts


@builtin("regex.replace", context=True)
def replace(context: BuiltinContext, text: Value, pattern: Value, value: Value) -> str:
    """The text with each match replaced; ``$1`` and ``${name}`` stand for groups."""
    base, expression = two_strings(text, pattern)
    template = want_string(value, 3)
    compiled = compile_pattern(expression)
    parts_of = _template(compiled, template)
    subject = compiled.subject(base)
    out: list[str] = []
    size = end = 0
    for spans in compiled.matches(subject, -1):
        start, stop = spans[0]
        out.append(compiled.text(subject[end:start]))
        out.append(_expanded(compiled, subject, spans, parts_of))
        end = stop
        size += len(out[-1]) + len(out[-2])
        context.charge(1)
        if size > context.max_size:
            raise too_large(context)
    return "".join(out) + compiled.text(subject[end:]) if out else base


def _template(pattern: Pattern, template: str) -> list[str | int]:
    """A replacement as literal texts and group numbers; unknown groups are left out."""
    parts: list[str | int] = []
    end = 0
    for found in _REFERENCE.finditer(template):
        parts.append(template[end : found.start()])
        end = found.end()
        name = found[2] or found[3]
        if name is None:
            parts.append("$")
        elif _NUMBER.match(name):
            if int(name) < len(pattern.names):
                parts.append(int(name))
        elif name in pattern.names:
            parts.append(pattern.names.index(name))
    parts.append(template[end:])
    return parts


def _expanded(pattern: Pattern, subject: str, spans: Spans, parts: list[str | int]) -> str:
    out = []
    for part in parts:
        if isinstance(part, int):
            start, stop = spans[part]
            out.append(pattern.text(subject[max(start, 0) : max(stop, 0)]))
        else:
            out.append(part)
    return "".join(out)


@builtin("regex.template_match")
def template_match(template: Value, text: Value, start: Value, end: Value) -> bool:
    """Whether the text matches a template: literal, but for patterns between delimiters."""
    a, b = two_strings(template, text)
    opening, closing = want_string(start, 3), want_string(end, 4)
    size = len(utf8_bytes(opening))
    if size != 1:
        raise BuiltinError(
            f"start delimiter has to be exactly one character long but is {size} long"
        )
    if len(utf8_bytes(closing)) != 1:
        raise BuiltinError(f"end delimiter has to be exactly one character long but is {size} long")
    return compile_pattern(_from_template(a, opening, closing)).search(b) is not None


def _from_template(template: str, opening: str, closing: str) -> str:
    """The pattern a template stands for."""
    pattern, level, begin, end = "^", 0, 0, 0
    for at, char in enumerate(template):
        if char == opening:
            level += 1
            if level == 1:
                begin = at
        elif char == closing:
            level -= 1
            if level == 0:
                inner = template[begin + 1 : at]
                compile_pattern(f"^{inner}$")
                pattern += f"{_quoted(template[end:begin])}({inner})"
                end = at + 1
            elif level < 0:
                break
    if level != 0:
        raise BuiltinError(f"unbalanced braces in {go_quote(template)}")
    return f"{pattern}{_quoted(template[end:])}$"


def _quoted(text: str) -> str:
    return _META.sub(r"\\\g<0>", text)
