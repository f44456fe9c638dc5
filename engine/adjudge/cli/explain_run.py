"""Runs explanations over releases and inputs, and prints them."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from adjudge.cli.explain_report import Writer, record
from adjudge.cli.lint_report import Look
from adjudge.cli.terminal import safe
from adjudge.decision.times import parse_time
from adjudge.documents.model import Parsed
from adjudge.documents.reading import read_json, read_yaml
from adjudge.errors import AdjudgeError, UsageError
from adjudge.explanation import Bounds, QueryExplainer, RuleExplainer
from adjudge.gate.run import Request, prepare
from adjudge.policyset import PolicySet, RuleSpec
from adjudge.policyset.opa_files import load_opa_files, read_data, read_text
from adjudge.rego import UNDEFINED, Options, compile_modules
from adjudge.rego.capabilities import gate_capabilities
from adjudge.rego.parser import parse_body
from adjudge.rego.program import parse_modules
from adjudge.rego.syntax import Ref, Scalar, Var

LOCATED_BYTES = 5_000_000
"""How large an input may be whose values are told with their lines."""


def request(
    over: Sequence[str],
    sources: Sequence[str],
    data: Sequence[str],
    manifest: Path | None,
    kind: Sequence[str],
    trust: Path | None,
    raw: bool,
    as_of: str | None,
    v0: bool,
) -> Request:
    """What ``check`` would judge with the same options."""
    kinds: dict[str, str] = {}
    for text in kind:
        pattern, equals, name = text.rpartition("=")
        kinds[pattern if equals else "*"] = name
    return Request(
        paths=over,
        policies=sources,
        data=data,
        manifest=manifest,
        kinds=kinds,
        trust=trust,
        raw=raw,
        v0=v0,
        as_of_ns=parse_time(as_of) if as_of else None,
        environ=dict(os.environ),
    )


def over(
    asked: Request,
    select: Callable[[PolicySet], list[RuleSpec]],
    bounds: Bounds | None,
    form: str,
) -> int:
    """Explain rules over what a request names."""
    if form == "rego":
        raise UsageError("unknown_format", "an explanation is text or json")
    prepared = prepare(asked)
    policies = prepared.judge.policies
    records: list[dict[str, Any]] = []
    for number, chosen in enumerate(select(policies)):
        specs = [s for s in policies.rules if s.id == chosen.id]
        explainer = RuleExplainer(prepared.judge, prepared.case, prepared.settings, specs, bounds)
        found = list(explainer.explanations())
        if form == "json":
            told = [record(e, g) for e, g in found]
            records.append({"rule": chosen.id, "title": chosen.title, "explanations": told})
            continue
        writer = Writer(_look())
        click.echo(f"{chr(10) if number else ''}{safe(chosen.id)}: {safe(chosen.title)}\n")
        click.echo("\n".join(writer.text(e, g) for e, g in found), nl=False)
        if not found:
            kinds = " or ".join(sorted({k for s in specs for k in s.applies_to}))
            click.echo(f"It does not apply: what is judged has no {kinds}.")
    if form == "json":
        click.echo(json.dumps(records, indent=2, ensure_ascii=False, default=str))
    return 0


def query(
    text: str,
    data: Sequence[str],
    input_: str | None,
    as_of: str | None,
    v0: bool,
    bounds: Bounds | None,
    form: str,
) -> int:
    """Explain the rule that a query names."""
    files = load_opa_files(data, rego_version=0 if v0 else 1)
    modules = parse_modules(files.modules, None, 0 if v0 else 1)
    by_file = {m.file: m for m in modules}
    program = compile_modules(dict(by_file), data=files.data, capabilities=gate_capabilities())
    now = parse_time(as_of) if as_of else time.time_ns()
    explainer = QueryExplainer(
        program,
        by_file,
        UNDEFINED if input_ is None else read_data(Path(input_)),
        Options(now_ns=now),
        safe(input_ or ""),
        _parsed(input_),
        bounds,
    )
    explanation = explainer.explain(_path(text))
    if form == "json":
        document = {"rule": text, "explanations": [record(explanation, explainer.ground)]}
        click.echo(json.dumps(document, indent=2, ensure_ascii=False, default=str))
        return 0
    click.echo(f"{safe(text)}\n")
    click.echo(Writer(_look()).text(explanation, explainer.ground), nl=False)
    return 0


def _path(text: str) -> tuple[str, ...]:
    """The path below ``data`` of a query that names a rule."""
    body = parse_body(text, "", 1)
    term = body[0].term if len(body) == 1 and not body[0].withs and not body[0].negated else None
    if isinstance(term, Ref) and term.head == Var("data"):
        keys = [o.value for o in term.operands if isinstance(o, Scalar)]
        if len(keys) == len(term.operands) and all(isinstance(k, str) for k in keys):
            return tuple(str(k) for k in keys)
    raise UsageError(
        "not_a_rule",
        f"{text} is not the name of a rule",
        hint="write a path such as data.app.deny",
    )


def _parsed(file: str | None) -> Parsed | None:
    """The input with the places of its values; None when they cannot be told."""
    if file is None or os.path.getsize(file) > LOCATED_BYTES:
        return None
    read = read_yaml if file.endswith((".yaml", ".yml")) else read_json
    try:
        return read(read_text(Path(file)), safe(file))
    except AdjudgeError:
        return None  # OPA takes documents, such as those with a key twice, that we do not


def _look() -> Look:
    person = sys.stdout.isatty()
    width = shutil.get_terminal_size().columns if person else 100
    return Look(min(max(width, 40), 120), person and not os.environ.get("NO_COLOR"))
