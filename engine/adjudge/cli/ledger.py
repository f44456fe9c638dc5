"""``adjudge ledger``: an append-only, signed log of decisions, and proofs of what is in it."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from adjudge.cli.ledger_verify import verify_command
from adjudge.cli.options import filled
from adjudge.cli.signing import key_password
from adjudge.errors import UsageError

if TYPE_CHECKING:
    from adjudge.ledger import Entry, Ledger, SigningKey

_PATH = click.Path(path_type=Path)

_NOT_NAMED = ("ledger_exists", "ledger_origin_invalid", "ledger_origin_taken")
"""Why a log did not get its key."""


@click.group(
    "ledger",
    epilog="""\b
Examples:
  adjudge ledger init --ledger adjudge.db --origin example.com/releases
  adjudge check . --ledger adjudge.db --require-log
  adjudge ledger prove DECISION-ID --key ledger.key -o decision.tlog-proof
  adjudge ledger verify --key ledger.pub

\b
The ledger is a file (SQLite) or postgresql://USER@HOST/DATABASE, given with --ledger or in
ADJUDGE_LEDGER.  Exit codes: 0 done or verified, 1 not verified, 2 the input cannot be used.
""",
)
def command() -> None:
    """Keep decisions in a signed, append-only log, and prove what is in it."""


def _place(function: Callable[..., int]) -> Callable[..., int]:
    """The options that say which log of which ledger."""
    options = (
        click.option(
            "--ledger",
            "url",
            default="adjudge.db",
            show_default=True,
            envvar="ADJUDGE_LEDGER",
            callback=filled,
            metavar="URL",
            help="The ledger: a file, or postgresql://... .",
        ),
        click.option(
            "--tenant", default="default", show_default=True, metavar="NAME", help="Whose log."
        ),
    )
    return functools.reduce(lambda f, option: option(f), reversed(options), function)


def _key_option(help: str) -> Callable[[Callable[..., int]], Callable[..., int]]:
    return click.option("--key", type=_PATH, metavar="FILE", help=help)


def _open(url: str, tenant: str, key: Path | None = None, *, create: bool = False) -> Ledger:
    from adjudge.ledger import Ledger

    return Ledger.open(url, tenant=tenant, signer=_load(key), create=create)


def _load(key: Path | None) -> SigningKey | None:
    from adjudge.ledger import SigningKey

    return None if key is None else SigningKey.load(key, key_password)


# --- making and filling ---------------------------------------------------------------------------


@command.command("init")
@_place
@click.option(
    "--origin",
    callback=filled,
    metavar="NAME",
    help="What the log is called: a URL without scheme, such as example.com/releases.",
)
@click.option(
    "--key",
    type=_PATH,
    default="ledger.key",
    show_default=True,
    metavar="FILE",
    help="The private key that signs; made when there is no such file.",
)
@click.option(
    "--public",
    type=_PATH,
    metavar="FILE",
    help="Where the verifier key is written (default: beside the key, .pub).",
)
def init(url: str, tenant: str, origin: str | None, key: Path, public: Path | None) -> int:
    """Make a ledger, or give one its key.

    The private key signs checkpoints; the verifier key is for everybody who checks them.
    """
    from adjudge.exports.writing import Target, check_targets, write_file
    from adjudge.ledger import Ledger, LedgerError, SigningKey

    target = public or key.with_suffix(".pub" if tenant == "default" else f".{tenant}.pub")
    check_targets([Target("key", str(target))])
    if target.exists():
        raise UsageError("output_exists", f"{target} exists already", hint="use --public FILE")
    made = not key.exists()
    # No key is made for a ledger that cannot be.
    Ledger.open(url, tenant=tenant, create=True).close()
    signer = SigningKey.generate(key) if made else SigningKey.load(key, key_password)
    try:
        ledger = Ledger.init(url, signer, tenant=tenant, origin=origin)
    except LedgerError as error:
        if made and error.code in _NOT_NAMED:
            key.unlink()
        raise
    with ledger:
        write_file(str(target), f"{ledger.key}\n".encode())
        click.echo(f"{ledger.url}: the log {ledger.origin} has {len(ledger)} entries")
        click.echo(
            f"private key: {key} ({'made' if made else 'used'}; keep it away from the ledger)"
        )
        click.echo(f"verifier key, for everybody who checks ({target}):\n{ledger.key}")
    return 0


@command.command("append")
@_place
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--id", "id_", callback=filled, metavar="ID", help="The id of the entry.")
@click.option("--kind", default="record", show_default=True, help="What kind of record it is.")
@click.option(
    "--private",
    multiple=True,
    metavar="NAME=VALUE|NAME=@FILE",
    help="A value that can be erased later. Repeatable.",
)
@_key_option("Sign a checkpoint in the same step.")
@click.option(
    "--allow-clock-backwards",
    is_flag=True,
    help="Append although the last entry is of a later time.",
)
def append(
    url: str,
    tenant: str,
    files: tuple[str, ...],
    id_: str | None,
    kind: str,
    private: tuple[str, ...],
    key: Path | None,
    allow_clock_backwards: bool,
) -> int:
    """Append records: decisions, or any file.

    Decisions are as `adjudge check --output json=FILE` writes them.
    """
    from adjudge.cli.ledgers import read_item

    if len(files) > 1 and (id_ or private):
        raise UsageError("files_ambiguous", "--id and --private are for one file")
    values = dict(_private(text) for text in private)
    items = [read_item(file, id_, kind, values) for file in files]
    with _open(url, tenant, key) as ledger:
        for entry in ledger.append_all(items, allow_clock_backwards=allow_clock_backwards):
            click.echo(f"{entry.index} {entry.leaf.kind} {entry.leaf.id}")
    return 0


def _private(text: str) -> tuple[str, bytes]:
    from adjudge.cli.records import read_bytes

    name, equals, value = text.partition("=")
    if not equals:
        raise UsageError("private_invalid", "a private value is NAME=VALUE or NAME=@FILE")
    return name, read_bytes(Path(value[1:])) if value.startswith("@") else value.encode()


@command.command("erase")
@_place
@click.argument("ref", metavar="ID|INDEX")
@click.option(
    "--name",
    "names",
    multiple=True,
    metavar="NAME",
    help="The private value to erase (default: all of the entry). Repeatable.",
)
@click.option("--record", is_flag=True, help="Erase the record, too.")
@click.option("--reason", default="", metavar="TEXT", help="Why; it is logged.")
@_key_option("Sign a checkpoint in the same step.")
def erase(
    url: str,
    tenant: str,
    ref: str,
    names: tuple[str, ...],
    record: bool,
    reason: str,
    key: Path | None,
) -> int:
    """Erase private values for good.

    The erasure is logged, and every proof stays valid.
    """
    with _open(url, tenant, key) as ledger:
        made = ledger.erase(ref, names=names or None, record=record, reason=reason)
        click.echo(f"erased; entry {made.index} says so")
    return 0


# --- looking --------------------------------------------------------------------------------------


@command.command("list")
@_place
@click.option("--kind", callback=filled, help="Only entries of this kind.")
@click.option(
    "--last",
    type=click.IntRange(min=1),
    default=50,
    show_default=True,
    metavar="N",
    help="Only the newest N entries of the log.",
)
@click.option("-f", "--format", "format_", type=click.Choice(["text", "json"]), default="text")
def list_(url: str, tenant: str, kind: str | None, last: int, format_: str) -> int:
    """List entries: index, time, kind and id."""
    with _open(url, tenant) as ledger:
        entries = list(ledger.entries(max(0, len(ledger) - last), kind=kind))
    if format_ == "json":
        click.echo(json.dumps([_shown(e) for e in entries], indent=2))
    else:
        for entry in entries:
            leaf = entry.leaf
            click.echo(f"{entry.index:>8}  {leaf.time}  {leaf.kind:<10}  {leaf.id}")
    return 0


@command.command("show")
@_place
@click.argument("ref", metavar="ID|INDEX")
@click.option("--private", is_flag=True, help="Show private values, too.")
def show(url: str, tenant: str, ref: str, private: bool) -> int:
    """Show an entry: leaf, record, private values."""
    with _open(url, tenant) as ledger:
        entry = ledger.entry(ref)
        values = ledger.private(entry.index)
    shown = _shown(entry)
    shown["record"] = None if entry.record is None else _text(entry.record)
    shown["private"] = {
        name: "erased" if name not in values else _text(values[name]) if private else "kept"
        for name in entry.leaf.private
    }
    click.echo(json.dumps(shown, indent=2, ensure_ascii=False))
    return 0


def _shown(entry: Entry) -> dict[str, Any]:
    return {"index": entry.index, "leaf": json.loads(entry.leaf.data)}


def _text(data: bytes) -> Any:
    """JSON as it is, text as text, other bytes in base64."""
    import base64

    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        pass
    try:
        return data.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode()}


# --- proving --------------------------------------------------------------------------------------


@command.command("checkpoint")
@_place
@_key_option("Sign the log as it is now.")
@click.option("--add", type=_PATH, metavar="FILE", help="Keep the cosignatures in this checkpoint.")
@click.option(
    "--witness",
    multiple=True,
    metavar="KEY",
    help="The verifier key of a witness whose cosignature is kept. Repeatable.",
)
@click.option("-o", "--output", default="-", show_default=True, metavar="FILE")
def checkpoint(
    url: str, tenant: str, key: Path | None, add: Path | None, witness: tuple[str, ...], output: str
) -> int:
    """Print the newest checkpoint; with --key sign one first."""
    from adjudge.cli.records import read_bytes
    from adjudge.ledger import read_verifier_key

    with _open(url, tenant, key) as ledger:
        if add is not None:
            if not witness:
                raise UsageError(
                    "witness_missing",
                    "--add needs the keys of the witnesses",
                    hint="give --witness KEY",
                )
            ledger.add_cosignatures(read_bytes(add), [read_verifier_key(w) for w in witness])
        note = ledger.checkpoint() if key is None else ledger.sign()
    _write(output, str(note))
    return 0


@command.command("prove")
@_place
@click.argument("ref", required=False, metavar="[ID|INDEX]")
@click.option(
    "--since",
    metavar="SIZE|FILE",
    help="Prove that the log continues the one of this size or checkpoint.",
)
@_key_option("Sign a checkpoint first when the entry is younger than the last one.")
@click.option("-o", "--output", default="-", show_default=True, metavar="FILE")
def prove(
    url: str, tenant: str, ref: str | None, since: str | None, key: Path | None, output: str
) -> int:
    """Write the receipt of an entry.

    With --since a proof that the log was only added to.
    """
    if (ref is None) == (since is None):
        raise UsageError(
            "prove_what",
            "name an entry, or give --since",
            hint="`adjudge ledger list` lists entries",
        )
    with _open(url, tenant, key) as ledger:
        if since is not None:
            if key is not None:
                ledger.sign()
            text = ledger.prove_consistency(_size(since)).text
        else:
            text = ledger.prove(ref or "").text
    _write(output, text)
    return 0


@command.command("export")
@_place
@click.argument("target", type=_PATH, metavar="FILE.zip")
@click.option("--with-private", is_flag=True, help="Disclose the private values, too.")
@click.option("--since", metavar="SIZE|FILE", help="Add the proof from this size or checkpoint.")
@_key_option("Sign the log as it is now first.")
def export(
    url: str, tenant: str, target: Path, with_private: bool, since: str | None, key: Path | None
) -> int:
    """Write the whole log to one archive.

    It can be verified without the ledger.
    """
    from adjudge.ledger.pack import write_pack

    old = None if since is None else _size(since)
    with _open(url, tenant, key) as ledger:
        if key is not None:
            ledger.sign()
        size = write_pack(ledger, target, private=with_private, since=old)
    click.echo(f"{target}: {size} entries", err=True)
    return 0


def _size(text: str) -> int:
    """A size, or the size of the checkpoint in a file."""
    from adjudge.cli.records import read_bytes
    from adjudge.ledger.checkpoint import NUMBER, Checkpoint
    from adjudge.ledger.note import parse_note

    if NUMBER.fullmatch(text):
        return int(text)
    return Checkpoint.parse(parse_note(read_bytes(Path(text))).text).size


def _write(output: str, text: str) -> None:
    from adjudge.exports.writing import write_text

    if output == "-":
        click.echo(text, nl=False)
    else:
        write_text(output, text)


# --- witnessing -----------------------------------------------------------------------------------


@command.command("keygen")
@click.argument("file", type=_PATH)
@click.option(
    "--name",
    required=True,
    callback=filled,
    metavar="NAME",
    help="Who signs, such as witness.example.com/w1.",
)
def keygen(file: Path, name: str) -> int:
    """Make the key of a witness.

    The private key goes to FILE, the verifier key to FILE.pub.
    """
    from adjudge.exports.writing import write_text
    from adjudge.ledger import SigningKey
    from adjudge.ledger.note import WITNESS, VerifierKey, check_name

    try:
        check_name(name)
    except ValueError as error:
        raise UsageError("key_name_invalid", f"{name[:80]!r} cannot name a key: {error}") from None
    key = VerifierKey(name, SigningKey.generate(file).public, WITNESS)
    write_text(f"{file}.pub", f"{key}\n")
    click.echo(str(key))
    return 0


@command.command("witness")
@_place
@click.option("--key", type=_PATH, required=True, metavar="FILE", help="The witness's private key.")
@click.option("--name", required=True, callback=filled, help="The name the witness signs under.")
@click.option("--state", type=_PATH, required=True, metavar="FILE", help="What the witness saw.")
@click.option("--log-key", required=True, metavar="KEY", help="The verifier key of the log.")
@click.option(
    "--proof",
    type=_PATH,
    metavar="FILE",
    help="A proof of consistency, instead of a ledger to ask.",
)
@click.option(
    "-o",
    "--output",
    default="-",
    show_default=True,
    metavar="FILE",
    help="Where the cosigned checkpoint goes.",
)
def witness(
    url: str,
    tenant: str,
    key: Path,
    name: str,
    state: Path,
    log_key: str,
    proof: Path | None,
    output: str,
) -> int:
    """Cosign a log as its witness.

    The newest checkpoint is signed if it continues the last one that was seen.

    With a ledger the cosignature is stored there; with --proof only files are read.
    """
    from adjudge.cli.records import read_bytes
    from adjudge.ledger import Consistency, SigningKey, VerifierKey, read_verifier_key
    from adjudge.ledger.checkpoint import check_log_key
    from adjudge.ledger.note import WITNESS, check_name
    from adjudge.ledger.witness import Witness

    try:
        check_name(name)
    except ValueError as error:
        raise UsageError("key_name_invalid", f"{name[:80]!r} cannot name a key: {error}") from None
    log = check_log_key(read_verifier_key(log_key))
    signer = SigningKey.load(key, key_password)
    who = Witness(name, signer, state)
    if proof is not None:
        note = who.cosign(Consistency.parse(read_bytes(proof)), log)
    else:
        with _open(url, tenant) as ledger:
            note = who.cosign(ledger.prove_consistency(who.last_size(log)), log)
            ledger.add_cosignatures(str(note).encode(), [VerifierKey(name, signer.public, WITNESS)])
    _write(output, str(note))
    return 0


@command.command("verifier")
def verifier() -> int:
    """Print the verifier, a script that stands alone.

    It needs Python and `cryptography`, and shares no code with adjudge.
    """
    from adjudge.exports.verifier import source

    click.echo(source(), nl=False)
    return 0


command.add_command(verify_command)
