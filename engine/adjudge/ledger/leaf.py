"""A record and its private values in, the leaf that stands for them in the tree out, and back.

The leaf is canonical JSON (RFC 8785).  It holds the digest of the record, and of each private
value only a commitment: HMAC-SHA256 under a random salt.  The salt is kept beside the value and
is erased with it; then nothing can be learned from the commitment, and every proof still holds.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from adjudge.ledger.errors import LedgerError, ProofError

SCHEMA: Final = "adjudge.ledger-leaf/v1"
COMMITMENT: Final = b"adjudge.ledger-private/v1\n"
"""What a commitment is over, before the name, a line end and the value."""
SALT_SIZE: Final = 32

MAX_LEAF: Final = 64 * 1024
MAX_RECORD: Final = 64 * 1024 * 1024
MAX_VALUE: Final = 1024 * 1024
MAX_VALUES: Final = 64

ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")
KIND: Final = re.compile(r"[a-z][a-z0-9-]{0,31}")
NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)
_MEMBERS: Final = {"schema", "kind", "id", "time", "record", "private"}


@dataclass(frozen=True, slots=True)
class Leaf:
    """One entry of the tree: ``record`` is a SHA-256, ``private`` are commitments by name, all in
    hexadecimal; ``time`` is when it was appended, by the clock of the writer, in microseconds."""

    kind: str
    id: str
    time: str
    record: str
    private: Mapping[str, str] = field(default_factory=dict)
    data: bytes = field(init=False, repr=False, compare=False)
    """The bytes of the leaf."""

    def __post_init__(self) -> None:
        members = {
            "schema": SCHEMA,
            "kind": self.kind,
            "id": self.id,
            "time": self.time,
            "record": self.record,
            "private": dict(self.private),
        }
        # Of text without anything to escape this is RFC 8785, at a fraction of the time.
        text = json.dumps(members, sort_keys=True, separators=(",", ":"))
        object.__setattr__(self, "data", text.encode())

    @classmethod
    def parse(cls, data: bytes) -> Leaf:
        """The leaf in its bytes.  Raises :class:`ProofError` ``leaf_malformed``."""
        if len(data) > MAX_LEAF:
            raise _malformed("it is too large")
        try:
            value = json.loads(data)
        except (ValueError, RecursionError):
            raise _malformed("it is not JSON") from None
        if not isinstance(value, dict) or set(value) != _MEMBERS or value["schema"] != SCHEMA:
            raise _malformed(f"it is no {SCHEMA}")
        private = value["private"]
        if not isinstance(private, dict) or len(private) > MAX_VALUES:
            raise _malformed("its private values are none")
        checks: list[tuple[re.Pattern[str], Any]] = [
            (KIND, value["kind"]),
            (ID, value["id"]),
            (_TIME, value["time"]),
            (_SHA256, value["record"]),
            *((NAME, name) for name in private),
            *((_SHA256, commitment) for commitment in private.values()),
        ]
        if not all(isinstance(v, str) and pattern.fullmatch(v) for pattern, v in checks):
            raise _malformed("a member is not what it should be")
        leaf = cls(value["kind"], value["id"], value["time"], value["record"], private)
        if leaf.data != data:
            raise _malformed("it is not in canonical form")
        return leaf


def commitment(name: str, salt: bytes, value: bytes) -> str:
    """The commitment to a private value, in hexadecimal."""
    return hmac.new(salt, COMMITMENT + name.encode() + b"\n" + value, "sha256").hexdigest()


def check_entry(kind: str, id: str, record: bytes, private: Mapping[str, bytes]) -> None:
    """Refuses what cannot be an entry.  Raises :class:`LedgerError` ``entry_invalid``."""
    if not KIND.fullmatch(kind):
        raise _invalid(f"{kind[:40]!r} is no kind")
    if not ID.fullmatch(id):
        raise _invalid(f"{id[:40]!r} is no id: letters, digits, and . _ : - within, at most 128")
    if len(record) > MAX_RECORD:
        raise _invalid(f"the record is larger than {MAX_RECORD} bytes")
    if len(private) > MAX_VALUES:
        raise _invalid(f"there are more than {MAX_VALUES} private values")
    for name, value in private.items():
        if not NAME.fullmatch(name):
            raise _invalid(f"{name[:40]!r} is no name of a private value")
        if len(value) > MAX_VALUE:
            raise _invalid(f"the private value {name} is larger than {MAX_VALUE} bytes")


def _invalid(why: str) -> LedgerError:
    return LedgerError("entry_invalid", f"this cannot be an entry: {why}")


def _malformed(why: str) -> ProofError:
    return ProofError("leaf_malformed", f"this is no entry of a ledger: {why}")
