"""Bytes in; nothing out, or an exception that must not be: the fuzz target of the engine.

Whatever the bytes are, they end in a ``RegoError`` or in a Program whose evaluation ends in
values or a ``RegoEvalError``, in bounded time.
"""

from __future__ import annotations

from adjudge.rego import Options, RegoError, RegoErrors, RegoEvalError, compile_modules
from adjudge.rego.evidence import EvidenceProgram
from adjudge.rego.format import format_module
from adjudge.rego.parser import parse_module
from adjudge.rego.runtime.limits import Limits
from adjudge.rego.syntax import Module, Rule

OPTIONS = Options(now_ns=0, limits=Limits(seconds=1.0, steps=100_000, size=100_000))
INPUT = {"a": [1, "x", None, {"b": 2.5}], "name": "n", "n": 3, "request": {"kind": "k"}}


def one(data: bytes) -> None:
    """Read a module from bytes, compile it both ways, and run its rules.

    The first byte chooses: bit 0 Rego v0, bit 1 strict.
    """
    flags = data[0] if data else 0
    text = data[1:].decode(errors="surrogateescape")
    version = 0 if flags & 1 else 1
    try:
        module = parse_module(text, "fuzz.rego", version)
    except RegoErrors as errors:
        errors.render()
        return
    _formats(module)
    try:
        program = compile_modules(
            {"fuzz.rego": text}, rego_version=version, strict=bool(flags & 2), data={"d": INPUT}
        )
        query = program.prepare("x := data")
    except RegoErrors as errors:
        errors.render()
        return
    try:
        query.eval(INPUT, options=OPTIONS)
    except RegoEvalError as error:
        str(error)
    evidence = EvidenceProgram(program)
    evaluation = evidence.start(INPUT, OPTIONS)
    for entry in evidence.entries:
        evaluation.run(entry)


def _formats(module: Module) -> None:
    """The formatted text is read again, as the same rules, and formatted stays as it is."""
    try:
        text = format_module(module)
    except RegoError as error:
        str(error)
        return
    try:
        again = parse_module(text, module.file, module.rego_version)
    except RegoErrors as errors:
        # Chains of `in` are written with parentheses, so they may come to nest too deeply.
        assert "nested too deeply" in str(errors), f"the formatted text is no Rego: {errors}"  # noqa: PT017
        return
    assert [_name(rule) for rule in again.rules] == [_name(rule) for rule in module.rules]
    assert format_module(again) == text, "formatting twice gives another text"


def _name(rule: Rule) -> object:
    return rule.head.ref, rule.head.args, rule.head.key, rule.default
