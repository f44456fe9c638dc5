"""``adjudge attest``: sign a statement about a decision that was made before."""

from __future__ import annotations

from pathlib import Path

import click

from adjudge.cli.options import filled

_PATH = click.Path(path_type=Path)


@click.command(
    "attest",
    epilog="""\b
Examples:
  adjudge attest decision.json --signing-key key.pem -o decision.intoto.jsonl
  adjudge attest decision.json --kind svr --keyless -o decision.sigstore.json

\b
The password of an encrypted key is read from ADJUDGE_KEY_PASSWORD or COSIGN_PASSWORD.
Exit codes: 0 signed, 2 not.
""",
)
@click.argument("decision", type=_PATH)
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    default=("vsa",),
    show_default=True,
    type=click.Choice(["vsa", "svr", "test-result"]),
    help="The predicate. Repeatable: one statement a line.",
)
@click.option("--signing-key", type=_PATH, metavar="FILE", help="The private key that signs.")
@click.option("--keyless", is_flag=True, help="Sign with the environment's identity token.")
@click.option(
    "--client-trust-config", type=_PATH, metavar="FILE", help="Another Sigstore instance."
)
@click.option("--verifier-id", callback=filled, metavar="URI", help="Who verified.")
@click.option(
    "--resource-uri", callback=filled, metavar="URI", help="Where what was judged is published."
)
@click.option("-o", "--output", default="-", show_default=True, metavar="FILE", help="- is stdout.")
def command(
    decision: Path,
    kinds: tuple[str, ...],
    signing_key: Path | None,
    keyless: bool,
    client_trust_config: Path | None,
    verifier_id: str | None,
    resource_uri: str | None,
    output: str,
) -> int:
    """Sign statements about DECISION, a record as `check --output json=FILE` writes it."""
    from adjudge.cli.records import read_record
    from adjudge.cli.signing import signer
    from adjudge.exports.intoto import VERIFIER_ID, statement
    from adjudge.exports.writing import write_text

    record = read_record(decision)
    statements = [
        statement(record, kind, verifier_id=verifier_id or VERIFIER_ID, resource_uri=resource_uri)
        for kind in dict.fromkeys(kinds)
    ]
    who = signer(signing_key, keyless, client_trust_config)
    signed = b"".join(who.sign(s) for s in statements).decode()
    if output == "-":
        click.echo(signed, nl=False)
    else:
        write_text(output, signed)
        click.echo(f"{output}: signed by {who.description}", err=True)
    return 0
