"""``adjudge sign``: plain signatures over files, such as waivers."""

from __future__ import annotations

import base64
from pathlib import Path

import click

_PATH = click.Path(path_type=Path)


@click.command(
    "sign",
    epilog="""\b
Examples:
  adjudge sign waivers.yaml --signing-key risk-office.pem
  adjudge verify-artifact waivers.yaml --key risk-office.pub

\b
The password of an encrypted key is read from ADJUDGE_KEY_PASSWORD or COSIGN_PASSWORD.
Exit codes: 0 signed, 2 not.
""",
)
@click.argument("files", nargs=-1, required=True, type=_PATH, metavar="FILE...")
@click.option("--signing-key", type=_PATH, required=True, help="The private key that signs.")
def command(files: tuple[Path, ...], signing_key: Path) -> int:
    """Write FILE.sig beside each FILE: a signature over its bytes, in base64."""
    from adjudge.cli.records import read_bytes
    from adjudge.cli.signing import key_signer
    from adjudge.exports.writing import write_file

    who = key_signer(signing_key)
    signed = [(f"{file}.sig", who.sign_bytes(read_bytes(file))) for file in files]
    for path, signature in signed:
        write_file(path, base64.b64encode(signature) + b"\n")
        click.echo(f"{path}: signed by {who.description}", err=True)
    return 0
