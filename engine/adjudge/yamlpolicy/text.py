"""A compiled policy as the Rego text a person would have written: module in, text out."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import yaml

from adjudge.rego.format import format_module
from adjudge.rego.syntax import Annotations, Module

_NO_FOLDING = 10_000


def as_rego(module: Module) -> str:
    """The Rego text of a compiled policy, METADATA included; it means the same.

    Raises ``RegoError`` for a policy that nests too deeply to be written.
    """
    package = [a for a in module.annotations if a.scope == "package"]
    begin = format_module(dataclasses.replace(module, rules=()))
    parts = [_metadata(package) + begin]
    for rule in module.rules:
        alone = format_module(dataclasses.replace(module, rules=(rule,)))
        parts.append(_metadata(rule.annotations) + alone.removeprefix(begin).lstrip("\n"))
    return "\n".join(parts)


def _metadata(annotations: Iterable[Annotations]) -> str:
    """METADATA blocks; the scope is the one their place implies."""
    text = ""
    for annotation in annotations:
        fields = {k: v for k, v in annotation.fields.items() if k != "scope"}
        block = yaml.safe_dump(fields, sort_keys=False, allow_unicode=True, width=_NO_FOLDING)
        text += "# METADATA\n" + "".join(f"# {line}".rstrip() + "\n" for line in block.splitlines())
    return text
