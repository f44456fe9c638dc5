"""A log in, one archive that can be verified without it out (``adjudge.ledger-export/v1``).

A zip archive with fixed dates and order: the same log gives the same bytes.

    manifest.json       origin, tenant, size, key, and the SHA-256 and size of every other member
    checkpoint          the newest signed checkpoint, with cosignatures
    checkpoints.jsonl   the older ones: a JSON text a line
    leaves.jsonl        every leaf, a line each, as it is hashed
    records.jsonl       {"index", "record"}: the records in base64, but those that were erased
    private.jsonl       {"index", "name", "salt", "value"} in base64; only when asked for
    consistency         the proof from a kept checkpoint, when one is given
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from adjudge.canonical import canonical_bytes
from adjudge.ledger.checkpoint import Checkpoint
from adjudge.ledger.errors import LedgerError
from adjudge.ledger.items import ERASURE
from adjudge.ledger.log import Ledger
from adjudge.ledger.note import to_base64
from adjudge.ledger.rows import PAGE

SCHEMA: Final = "adjudge.ledger-export/v1"
_DATE: Final = (1980, 1, 1, 0, 0, 0)


def write_pack(
    ledger: Ledger, target: Path, *, private: bool = False, since: int | None = None
) -> int:
    """Write the log up to its newest checkpoint to a zip archive; the number of entries.

    ``since`` is the size of an older checkpoint to prove consistency with.  Raises
    :class:`LedgerError` ``export_exists`` (the file is there already), ``export_failed`` and those
    of :class:`~adjudge.ledger.log.Ledger`.
    """
    note = ledger.checkpoint()
    head = Checkpoint.parse(note.text)
    consistency = None if since is None else ledger.prove_consistency(since).text
    for stored in ledger.rows.stored(head.size, len(ledger), kind=ERASURE):
        raise LedgerError(
            "ledger_not_signed",
            f"entry {stored.index} records an erasure, and the log was signed at {head.size}",
            hint="sign it with `adjudge ledger checkpoint --key FILE`",
        )
    beside = target.with_name(f".{target.name}.tmp")
    if target.exists():
        raise LedgerError("export_exists", f"{target} exists already", hint="name another file")
    try:
        with zipfile.ZipFile(beside, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
            out = _Members(archive)
            out.write("checkpoint", [str(note).encode()])
            out.write("checkpoints.jsonl", _checkpoints(ledger, head.size))
            out.write("leaves.jsonl", _leaves(ledger, head.size))
            out.write("records.jsonl", _records(ledger, head.size))
            if private:
                out.write("private.jsonl", _private(ledger, head.size))
            if consistency is not None:
                out.write("consistency", [consistency.encode()])
            about = {
                "schema": SCHEMA,
                "origin": ledger.origin,
                "tenant": ledger.tenant,
                "size": head.size,
                "key": str(ledger.key),
                "files": out.files,
            }
            out.write("manifest.json", [canonical_bytes(about)])
        beside.rename(target)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise LedgerError("export_failed", f"{target} cannot be written: {why}") from None
    finally:
        beside.unlink(missing_ok=True)
    return head.size


class _Members:
    """Writes members, and remembers their digests."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self.files: dict[str, Any] = {}

    def write(self, name: str, parts: Iterator[bytes] | list[bytes]) -> None:
        info = zipfile.ZipInfo(name, _DATE)
        info.compress_type = zipfile.ZIP_DEFLATED
        info.external_attr = 0o644 << 16
        info.create_system = 3
        digest, size = hashlib.sha256(), 0
        with self._archive.open(info, "w", force_zip64=True) as member:
            for part in parts:
                member.write(part)
                digest.update(part)
                size += len(part)
        self.files[name] = {"sha256": digest.hexdigest(), "size": size}


def _checkpoints(ledger: Ledger, size: int) -> Iterator[bytes]:
    for start in range(0, size, PAGE):
        for _, text in ledger.rows.checkpoints(start, min(start + PAGE, size)):
            yield json.dumps(text, ensure_ascii=False).encode() + b"\n"


def _leaves(ledger: Ledger, size: int) -> Iterator[bytes]:
    for stored in ledger.rows.stored(0, size):
        yield stored.leaf + b"\n"


def _records(ledger: Ledger, size: int) -> Iterator[bytes]:
    for stored in ledger.rows.stored(0, size):
        if stored.record is not None:
            line = {"index": stored.index, "record": to_base64(stored.record)}
            yield canonical_bytes(line) + b"\n"


def _private(ledger: Ledger, size: int) -> Iterator[bytes]:
    for start in range(0, size, PAGE):
        for part in ledger.rows.private(start, min(start + PAGE, size)):
            line = {
                "index": part.index,
                "name": part.name,
                "salt": to_base64(part.salt),
                "value": to_base64(part.value),
            }
            yield canonical_bytes(line) + b"\n"
