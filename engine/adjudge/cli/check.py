"""``adjudge check``: judge a release; exit 0 allow, 1 deny, 2 no verdict."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from adjudge.cli.engines import EngineChoice, engine_options
from adjudge.cli.ledgers import check_required, logged
from adjudge.cli.options import filled, finite
from adjudge.cli.signing import parse_attestations, signed_statements, signer
from adjudge.cli.terminal import safe, watching

if TYPE_CHECKING:
    from adjudge.exports.framework import Framework
    from adjudge.exports.writing import Target
    from adjudge.gate.run import Progress

PATIENCE_S = 0.5
"""How long a person waits without being told anything."""


@click.command(
    "check",
    epilog="""\b
Examples:
  adjudge check .                                   the release in this folder
  adjudge check model_card.md sbom.json             single files
  adjudge check . -p strict -p our-policies/        shipped and own policies
  adjudge check . --output sarif=out.sarif --output html=report.html
  adjudge check data.json --raw -p conftest-policies/

\b
Exit codes: 0 allow, 1 deny, 2 no verdict (bad usage, unreadable input, policies
that do not compile, no rule evaluated).
""",
)
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option(
    "-p",
    "--policies",
    multiple=True,
    callback=filled,
    metavar="DIR|FILE|NAME",
    help="Policies, or a shipped collection or pack (default: baseline). Repeatable.",
)
@click.option(
    "-d",
    "--data",
    multiple=True,
    callback=filled,
    metavar="FILE",
    help="Base documents. Repeatable.",
)
@click.option(
    "-w", "--waivers", callback=filled, metavar="FILE", help="Waivers, from a trusted place."
)
@click.option(
    "--waiver-settings",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="What is demanded of waivers: lifetime, approvers, signers.",
)
@click.option(
    "-o",
    "--output",
    multiple=True,
    metavar="FORMAT=PATH",
    help="console, json, sarif, junit, github, markdown, html, csv, compliance or oscal; - is "
    "stdout. Repeatable.",
)
@click.option(
    "--framework",
    callback=filled,
    metavar="NAME|FILE",
    help="Whose controls the outputs compliance and oscal are about (eu-ai-act, soc2, ...).",
)
@click.option(
    "--attest",
    multiple=True,
    metavar="[KIND=]PATH",
    help="Sign a statement about the decision: vsa (default), svr or test-result. Repeatable.",
)
@click.option("--signing-key", type=click.Path(path_type=Path), help="The private key that signs.")
@click.option("--keyless", is_flag=True, help="Sign with the environment's identity token.")
@click.option(
    "--fail-on",
    type=click.Choice(["deny", "warn"]),
    default="deny",
    show_default=True,
    help="The weakest finding that blocks.",
)
@click.option(
    "--as-of", callback=filled, metavar="TIME", help="Judge as of this time (RFC 3339 or a date)."
)
@click.option("--manifest", type=click.Path(path_type=Path), help="The release manifest.")
@click.option(
    "--kind",
    multiple=True,
    metavar="[PATTERN=]KIND",
    help="Judge files as this kind (model_card, prompt_bundle, sbom, ...). Repeatable.",
)
@click.option(
    "--trust", type=click.Path(path_type=Path), help="Whom to trust: a trust settings file."
)
@click.option("--raw", is_flag=True, help="Rules see the parsed files, as with conftest.")
@click.option("--event", metavar="NAME", help="What made this happen (default: from the CI).")
@click.option("--base", metavar="REF", help="The git ref to list changed files against.")
@click.option(
    "--ledger",
    "--log",
    callback=filled,
    metavar="URL",
    help="Append the decision to this ledger: a file, or postgresql://... .",
)
@click.option(
    "--ledger-tenant",
    default="default",
    show_default=True,
    metavar="NAME",
    help="Whose log of the ledger.",
)
@click.option(
    "--require-log", is_flag=True, help="Deny when the decision cannot be written to the ledger."
)
@click.option(
    "--record",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Keep what the decision is made of, for replay and diff.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0.1),
    callback=finite,
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="How long all rules together may take.",
)
@engine_options
@click.option("--v0-compatible", is_flag=True, help="Read policies as Rego v0.")
@click.option("-v", "--verbose", is_flag=True, help="Show passes, too.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing on the terminal but errors.")
def command(
    paths: tuple[str, ...],
    policies: tuple[str, ...],
    data: tuple[str, ...],
    waivers: str | None,
    waiver_settings: Path | None,
    output: tuple[str, ...],
    framework: str | None,
    attest: tuple[str, ...],
    signing_key: Path | None,
    keyless: bool,
    fail_on: str,
    as_of: str | None,
    manifest: Path | None,
    kind: tuple[str, ...],
    trust: Path | None,
    raw: bool,
    event: str | None,
    base: str | None,
    ledger: str | None,
    ledger_tenant: str,
    require_log: bool,
    record: Path | None,
    timeout: float,
    engine: EngineChoice,
    v0_compatible: bool,
    verbose: bool,
    quiet: bool,
) -> int:
    """Judge the release at PATH (a folder, or files; default: this folder)."""
    from adjudge.decision.times import parse_time
    from adjudge.exports.console import terminal_options
    from adjudge.exports.writing import Target, check_targets, parse_target, write_outputs
    from adjudge.gate.run import DEFAULT_POLICIES, Request, run
    from adjudge.rego.runtime.limits import Limits

    # What is asked for is checked before any work is done.
    check_required(ledger, require_log)
    targets = [parse_target(o) for o in output]
    controls = _framework(framework, targets)
    attestations = parse_attestations(attest)
    check_targets([*targets, *(Target("", path) for _, path in attestations)])
    if (signing_key or keyless) and not attest:
        raise click.UsageError("nothing is signed without --attest PATH")
    who = signer(signing_key, keyless) if attest else None
    request = Request(
        paths=paths or (".",),
        policies=policies or DEFAULT_POLICIES,
        data=data,
        waivers=waivers,
        waiver_settings=waiver_settings,
        manifest=manifest,
        kinds=_kinds(kind),
        trust=trust,
        fail_on=fail_on,  # type: ignore[arg-type]
        as_of_ns=parse_time(as_of) if as_of else None,
        raw=raw,
        v0=v0_compatible,
        event=event,
        base_ref=base,
        limits=Limits(seconds=timeout),
        environ=dict(os.environ),
        record=record,
        engine=engine.maker(),
    )
    with _progress(quiet) as progress:
        report = run(request, progress)
    if ledger is not None:
        decision = logged(report.decision, ledger, ledger_tenant, require_log)
        report = replace(report, decision=decision)
    color, width, unicode = terminal_options(sys.stdout)
    options = replace(report.options, verbose=verbose, color=color, width=width, unicode=unicode)
    report = replace(report, options=options, framework=controls)
    if not quiet and not any(t.path == "-" for t in targets):
        targets.append(parse_target("console=-"))
    signed = signed_statements(report.decision, attestations, who) if who is not None else []
    write_outputs(report, targets, also=signed)
    return report.decision.exit_code


def _framework(name: str | None, targets: Sequence[Target]) -> Framework | None:
    """The framework that outputs need; found before any work is done."""
    from adjudge.errors import UsageError
    from adjudge.exports.writing import NEED_FRAMEWORK
    from adjudge.gate.frameworks import load_framework

    wanting = [t.format for t in targets if t.format in NEED_FRAMEWORK]
    if name is None and wanting:
        raise UsageError(
            "framework_missing",
            f"the output {wanting[0]} needs to know whose controls it is about",
            hint="add --framework, such as --framework eu-ai-act",
        )
    return None if name is None else load_framework(name)


def _kinds(given: tuple[str, ...]) -> dict[str, str]:
    out: dict[str, str] = {}
    for text in given:
        pattern, equals, kind = text.rpartition("=")
        out[pattern if equals else "*"] = kind
    return out


@contextmanager
def _progress(quiet: bool) -> Iterator[Progress | None]:
    """A line on standard error that tells a person what takes its time; it leaves no trace.

    It appears only when there is something to wait for.
    """
    if quiet or not watching():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    line = bar.add_task("")

    def tell(what: str, done: int, of: int) -> None:
        bar.update(line, description=safe(what), completed=done, total=of)

    patience = threading.Timer(PATIENCE_S, bar.start)
    patience.start()
    try:
        yield tell
    finally:
        patience.cancel()
        patience.join()
        bar.stop()
