"""``adjudge ledger verify``: a whole ledger, or a file that came out of one."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from adjudge.cli.options import filled

if TYPE_CHECKING:
    from adjudge.ledger.audit import Audit

_PATH = click.Path(path_type=Path)


@click.command(
    "verify",
    epilog="""\b
Examples:
  adjudge ledger verify --key ledger.pub                        the whole ledger
  adjudge ledger verify --key ledger.pub --since kept.checkpoint
  adjudge ledger verify d.tlog-proof --record decision.json --key ledger.pub
  adjudge ledger verify export.zip --key ledger.pub

\b
Exit codes: 0 verified, 1 not, 2 the input cannot be used.
""",
)
@click.argument("file", required=False, metavar="[FILE]")
@click.option(
    "--ledger",
    "url",
    default="adjudge.db",
    show_default=True,
    envvar="ADJUDGE_LEDGER",
    callback=filled,
    metavar="URL",
    help="The ledger, when no FILE is given.",
)
@click.option("--tenant", default="default", show_default=True, metavar="NAME", help="Whose log.")
@click.option(
    "--key",
    required=True,
    callback=filled,
    metavar="KEY",
    help="The log's verifier key, or the file that `init` wrote. From its owner, not from here.",
)
@click.option("--record", callback=filled, metavar="FILE", help="The record a receipt is for.")
@click.option(
    "--since", callback=filled, metavar="FILE", help="A checkpoint that was kept from before."
)
@click.option(
    "--witness", multiple=True, metavar="KEY", help="The verifier key of a witness. Repeatable."
)
@click.option(
    "--witnesses",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    metavar="N",
    help="How many of them must have signed.",
)
@click.option(
    "-f",
    "--format",
    "format_",
    type=click.Choice(["text", "json"]),
    default="text",
    help="Of an audit.",
    show_default=True,
)
def verify_command(
    file: str | None,
    url: str,
    tenant: str,
    key: str,
    record: str | None,
    since: str | None,
    witness: tuple[str, ...],
    witnesses: int,
    format_: str,
) -> int:
    """Verify the ledger, or a file from it.

    FILE is a receipt, an export, a proof of consistency or a checkpoint.
    """
    if file is not None:
        return _verify_file(file, key, record, since, witness, witnesses)
    return _verify_ledger(url, tenant, key, since, witness, witnesses, format_)


def _verify_file(
    file: str, key: str, record: str | None, since: str | None, witness: tuple[str, ...], need: int
) -> int:
    """By the script that others use, so that both always agree."""
    from adjudge.errors import InputError
    from adjudge.exports.verifier import verify

    options = argparse.Namespace(
        file=file,
        key=key,
        record=record,
        since=since,
        witness=list(witness),
        witnesses=need,
        signer=[],
        attester=[],
    )
    try:
        verify.verify(options)
    except verify.Failed as error:
        click.echo(f"not verified: {error.code}: {error}")
        return 1
    except verify.Unusable as error:
        code, _, text = str(error).partition(": ")
        raise InputError(code, text) from None
    click.echo("verified")
    return 0


def _verify_ledger(
    url: str,
    tenant: str,
    key: str,
    since: str | None,
    witness: tuple[str, ...],
    need: int,
    format_: str,
) -> int:
    from adjudge.cli.records import read_bytes
    from adjudge.ledger import Ledger, read_verifier_key, verify_checkpoint
    from adjudge.ledger.audit import audit
    from adjudge.ledger.checkpoint import check_log_key

    log = check_log_key(read_verifier_key(key))
    known = []
    if since is not None:
        known.append(verify_checkpoint(read_bytes(Path(since)), log).checkpoint)
    others = [read_verifier_key(w) for w in witness]
    with Ledger.open(url, tenant=tenant, check=False) as ledger:
        found = audit(ledger, log, witnesses=others, known=known)
    if found.witnessed < need:
        found.found("witnesses_missing", f"{found.witnessed} witnesses signed, not {need}")
    click.echo(_json(found) if format_ == "json" else _text(found))
    return 0 if found.ok else 1


def _text(found: Audit) -> str:
    lines = [
        f"{found.origin}: {found.size} entries, {found.signed} of them signed,"
        f" {found.checkpoints} checkpoints, {found.witnessed} witnesses",
        f"root {found.root.hex()}",
    ]
    if found.erased_records or found.erased_values:
        lines.append(
            f"erased: {found.erased_records} records, {found.erased_values} private values"
        )
    lines += [f"note: {w.code}: {w.message}" for w in found.warnings]
    lines += [f"problem: {p.code}: {p.message}" for p in found.problems]
    if found.problem_count > len(found.problems):
        lines.append(f"and {found.problem_count - len(found.problems)} more")
    lines.append("verified" if found.ok else "not verified")
    return "\n".join(lines)


def _json(found: Audit) -> str:
    return json.dumps(
        {
            "verified": found.ok,
            "origin": found.origin,
            "size": found.size,
            "root": found.root.hex(),
            "signed": found.signed,
            "checkpoints": found.checkpoints,
            "witnessed": found.witnessed,
            "erased": {"records": found.erased_records, "values": found.erased_values},
            "problem_count": found.problem_count,
            "problems": [{"code": p.code, "message": p.message} for p in found.problems],
            "warnings": [{"code": w.code, "message": w.message} for w in found.warnings],
        },
        indent=2,
    )
