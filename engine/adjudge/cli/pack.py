"""``adjudge pack``: one archive with a decision and all that proves it."""

from __future__ import annotations

from pathlib import Path

import click

_PATH = click.Path(path_type=Path)


@click.command(
    "pack",
    epilog="""\b
Examples:
  adjudge pack decision.json --recordings recordings --attestation release.intoto.jsonl \\
      --receipt decision.tlog-proof --trust-file key.pub --framework eu-ai-act \\
      --signing-key key.pem -o evidence.tar

\b
What is in it can be checked offline, by a script without adjudge.
Exit codes: 0 written, 2 not.
""",
)
@click.argument("decision", type=_PATH)
@click.option("--attestation", type=_PATH, metavar="FILE", help="Signed statements about it.")
@click.option("--receipt", type=_PATH, metavar="FILE", help="That it is in a ledger.")
@click.option(
    "--recordings", type=_PATH, metavar="DIR", help="Its inputs and policies, by `check --record`."
)
@click.option("--waivers", type=_PATH, metavar="FILE", help="The waivers that were applied.")
@click.option(
    "--trust-file",
    "trust_files",
    multiple=True,
    type=_PATH,
    metavar="FILE",
    help="A public key or root to put in. Repeatable.",
)
@click.option(
    "--framework",
    "frameworks",
    multiple=True,
    metavar="NAME|FILE",
    help="A matrix of its controls. Repeatable.",
)
@click.option("--signing-key", type=_PATH, required=True, help="The private key that signs.")
@click.option("-o", "--output", required=True, metavar="FILE", help="The archive (tar).")
def command(
    decision: Path,
    attestation: Path | None,
    receipt: Path | None,
    recordings: Path | None,
    waivers: Path | None,
    trust_files: tuple[Path, ...],
    frameworks: tuple[str, ...],
    signing_key: Path,
    output: str,
) -> int:
    """Write an evidence pack for DECISION, a record as `check --output json=FILE` writes it."""
    from adjudge.cli.records import read_bytes, read_record
    from adjudge.cli.signing import key_signer
    from adjudge.exports.writing import write_file
    from adjudge.gate.frameworks import load_framework
    from adjudge.gate.pack import Contents, make_pack
    from adjudge.gate.recording import Recordings

    record = read_record(decision)
    contents = Contents(
        attestation=read_bytes(attestation) if attestation else None,
        receipt=read_bytes(receipt) if receipt else None,
        recordings=Recordings(recordings) if recordings else None,
        frameworks=[load_framework(name) for name in dict.fromkeys(frameworks)],
        trust=_by_name(trust_files),
        waivers=read_bytes(waivers) if waivers else None,
    )
    who = key_signer(signing_key)
    data = make_pack(record, contents, who)
    write_file(output, data)
    click.echo(f"{output}: {len(data):,} bytes, signed by {who.description}", err=True)
    return 0


def _by_name(paths: tuple[Path, ...]) -> dict[str, bytes]:
    """Files by their names.

    Raises InputError ``pack_name_twice`` and those of ``read_bytes``.
    """
    from adjudge.cli.records import read_bytes
    from adjudge.errors import InputError

    out: dict[str, bytes] = {}
    for path in paths:
        if path.name in out:
            raise InputError("pack_name_twice", f"two files are called {path.name}")
        out[path.name] = read_bytes(path)
    return out
