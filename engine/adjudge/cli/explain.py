"""``adjudge explain``: what rules there are, what one of them asks for, a policy as Rego."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from adjudge.cli.terminal import safe
from adjudge.errors import UsageError
from adjudge.policyset import PolicySet, RuleSpec, load_policy_set


@click.command(
    "explain",
    epilog="""\b
Examples:
  adjudge explain                          the rules of the shipped collection baseline
  adjudge explain MC-05                    one rule: what it asks, why, what to do
  adjudge explain policies/ --as json      the rules of a folder, for programs
  adjudge explain my-rule.yaml --as rego   a YAML policy as the Rego it stands for
""",
)
@click.argument("targets", nargs=-1, metavar="[RULE|POLICIES]...")
@click.option(
    "-p",
    "--policies",
    multiple=True,
    metavar="DIR|FILE|NAME",
    help="Where the rules are looked up (default: strict).",
)
@click.option("--as", "form", type=click.Choice(["text", "json", "rego"]), default="text")
def command(targets: tuple[str, ...], policies: tuple[str, ...], form: str) -> int:
    """Explain rules by id, or the policies in files, folders and collections."""
    wanted: list[str] = []
    sources = list(policies)
    for target in targets:
        (sources if _is_source(target) else wanted).append(target)
    if not sources:
        sources = ["strict"] if wanted else ["baseline"]
    loaded = load_policy_set(sources)
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
