"""``adjudge explain``: what rules there are, what one asks for, why it found something or not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from adjudge.cli.options import filled, finite
from adjudge.cli.terminal import safe
from adjudge.errors import UsageError
from adjudge.policyset import PolicySet, RuleSpec, load_policy_set

if TYPE_CHECKING:
    from adjudge.explanation import Bounds


@click.command(
    "explain",
    epilog="""\b
Examples:
  adjudge explain                          the rules of the shipped collection baseline
  adjudge explain MC-05                    one rule: what it asks, why, what to do
  adjudge explain policies/ --as json      the rules of a folder, for programs
  adjudge explain my-rule.yaml --as rego   a YAML policy as the Rego it stands for

\b
Why a rule fired or did not, and the smallest change that would flip it:
  adjudge explain MC-05 --over .           over the release in this folder
  adjudge explain MC-05 --over card.md     over one file
  adjudge explain data.app.deny -d policy.rego -i input.json
""",
)
@click.argument("targets", nargs=-1, metavar="[RULE|POLICIES]...")
@click.option(
    "-p",
    "--policies",
    multiple=True,
    callback=filled,
    metavar="DIR|FILE|NAME",
    help="Where the rules are looked up (default: strict).",
)
@click.option(
    "--as",
    "-f",
    "--format",
    "form",
    type=click.Choice(["text", "json", "rego"]),
    default="text",
    show_default=True,
)
@click.option(
    "--over",
    multiple=True,
    callback=filled,
    metavar="PATH",
    help="Explain what the rule does over a release, or files. Repeatable.",
)
@click.option(
    "-d",
    "--data",
    multiple=True,
    callback=filled,
    metavar="PATH",
    help="Base documents; for data.a.b also Rego. Repeatable.",
)
@click.option(
    "-i", "--input", "input_", callback=filled, metavar="FILE", help="The input of data.a.b."
)
@click.option("--manifest", type=click.Path(path_type=Path), help="The release manifest.")
@click.option(
    "--kind", multiple=True, metavar="[PATTERN=]KIND", help="Judge files as this kind. Repeatable."
)
@click.option("--trust", type=click.Path(path_type=Path), help="A trust settings file.")
@click.option("--raw", is_flag=True, help="Rules see the parsed files, as with conftest.")
@click.option(
    "--as-of", callback=filled, metavar="TIME", help="Judge as of this time (RFC 3339 or a date)."
)
@click.option("--no-flip", is_flag=True, help="Do not look for changes that flip the result.")
@click.option(
    "--tries",
    type=click.IntRange(1, 1_000_000),
    default=3_000,
    show_default=True,
    help="How many changes are tried for each input.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0.1),
    callback=finite,
    default=5.0,
    show_default=True,
    metavar="SECONDS",
    help="How long changes are tried for each input.",
)
@click.option("--v0-compatible", is_flag=True, help="Read modules as Rego v0.")
def command(
    targets: tuple[str, ...],
    policies: tuple[str, ...],
    form: str,
    over: tuple[str, ...],
    data: tuple[str, ...],
    input_: str | None,
    manifest: Path | None,
    kind: tuple[str, ...],
    trust: Path | None,
    raw: bool,
    as_of: str | None,
    no_flip: bool,
    tries: int,
    timeout: float,
    v0_compatible: bool,
) -> int:
    """Explain rules by id, or the policies in files, folders and collections.

    With --over, why a rule found something or did not; with a path such as data.app.deny, why
    that rule of your own Rego has the value it has.
    """
    from adjudge.cli import explain_run

    bounds = None if no_flip else _bounds(tries, timeout)
    queries = [t for t in targets if t == "data" or t.startswith(("data.", "data["))]
    if queries or input_ is not None:
        if len(queries) != 1 or len(targets) != 1 or over or form == "rego":
            raise UsageError(
                "one_rule_at_a_time",
                "name one rule of your Rego, such as data.app.deny, with -d and -i",
                hint="--over is for rules by id",
            )
        return explain_run.query(queries[0], data, input_, as_of, v0_compatible, bounds, form)
    wanted: list[str] = []
    sources = list(policies)
    for target in targets:
        (sources if _is_source(target) else wanted).append(target)
    if not sources:
        sources = ["strict"] if wanted else ["baseline"]
    if over:
        return explain_run.over(
            explain_run.request(
                over, sources, data, manifest, kind, trust, raw, as_of, v0_compatible
            ),
            lambda loaded: _select(loaded, wanted),
            bounds,
            form,
        )
    return _show(load_policy_set(sources, data=data, v0=v0_compatible), wanted, form)


def _bounds(tries: int, seconds: float) -> Bounds:
    from adjudge.explanation import Bounds

    return Bounds(tries, seconds)


def _show(loaded: PolicySet, wanted: list[str], form: str) -> int:
    rules = _select(loaded, wanted)
    if not wanted:
        for lint in loaded.lints:
            click.echo(safe(f"doubtful: {lint.render()}"), err=True)
    if form == "rego":
        click.echo(_rego(loaded, rules if wanted else None), nl=False)
    elif form == "json":
        click.echo(json.dumps([_record(r) for r in rules], indent=2, ensure_ascii=False))
    elif wanted:
        click.echo("\n\n".join(_describe(r) for r in rules))
    else:
        _list(rules)
    return 0


def _is_source(target: str) -> bool:
    if Path(target).exists() or target.startswith("pack:"):
        return True
    from adjudge.policyset import collection_names

    return target in collection_names()


def _select(loaded: PolicySet, wanted: list[str]) -> list[RuleSpec]:
    """One rule for each id: clauses that share an id are one rule to people."""
    by_id: dict[str, RuleSpec] = {}
    for rule in loaded.rules:
        by_id.setdefault(rule.id, rule)
    if not wanted:
        return sorted(by_id.values(), key=lambda r: r.id)
    found = []
    for name in wanted:
        known = by_id.get(name) or by_id.get(name.upper())
        if known is None:
            import difflib

            near = difflib.get_close_matches(name.upper(), by_id, n=3)
            raise UsageError(
                "unknown_rule",
                f"no rule {name!r} in {loaded.name}",
                hint=f"did you mean {', '.join(near)}?" if near else "`adjudge explain` lists them",
            )
        found.append(known)
    return found


def _list(rules: list[RuleSpec]) -> None:
    width = max((len(r.id) for r in rules), default=0)
    for rule in rules:
        kinds = ", ".join(rule.applies_to)
        click.echo(f"{safe(rule.id):<{width}}  {rule.severity:<8}  {safe(rule.title)} ({kinds})")


def _describe(rule: RuleSpec) -> str:
    lines = [f"{rule.id}: {rule.title}", ""]
    if rule.description:
        lines += [rule.description.strip(), ""]
    facts = {
        "Severity": rule.severity,
        "Applies to": ", ".join(rule.applies_to),
        "In force from": rule.effective_from or "",
        "Controls": ", ".join(rule.controls),
        "Pack": rule.pack,
        "Defined in": f"{rule.location.file}:{rule.location.row}",
        "Links": ", ".join(rule.links),
    }
    lines += [f"{name + ':':<15}{value}" for name, value in facts.items() if value]
    if rule.remediation:
        lines += ["", "What to do:", *(f"  {line}" for line in rule.remediation.splitlines())]
    return safe("\n".join(lines))


def _record(rule: RuleSpec) -> dict[str, Any]:
    return {
        "id": rule.id,
        "title": rule.title,
        "description": rule.description,
        "severity": rule.severity,
        "kind": rule.kind,
        "applies_to": list(rule.applies_to),
        "effective_from": rule.effective_from,
        "controls": list(rule.controls),
        "remediation": rule.remediation,
        "pack": rule.pack,
        "package": rule.package,
        "location": {"file": rule.location.file, "row": rule.location.row},
    }


def _rego(loaded: PolicySet, rules: list[RuleSpec] | None) -> str:
    """The modules as Rego text; with rules chosen, only the modules that hold them."""
    from adjudge.rego.format import format_module
    from adjudge.yamlpolicy import PACKAGE, as_rego

    files = None if rules is None else {r.location.file for r in rules}
    texts = []
    for module in loaded.modules:
        if files is None or module.file in files:
            is_yaml = module.package[: len(PACKAGE)] == PACKAGE
            texts.append(as_rego(module) if is_yaml else format_module(module))
    return "\n".join(texts)
