"""Texts and keys in, signed notes out, and back: C2SP signed-note and tlog-cosignature (Ed25519).

A note is a text that ends in a line end, an empty line, and signature lines.  The log signs the
text itself (type 0x01).  A witness signs ``cosignature/v1``, a time and the text (type 0x04).
Base64 is taken only in its one canonical form, so no bit of a signature line of a known key can
change without notice.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from adjudge.ledger.errors import ProofError

LOG: Final = 0x01
"""The key type of logs: Ed25519 over the text."""
WITNESS: Final = 0x04
"""The key type of witnesses: timestamped Ed25519 cosignatures."""

MAX_NOTE: Final = 1024 * 1024
"""Bytes of a note."""
MAX_SIGNATURES: Final = 100
"""Signature lines of a note; the specification asks for at least 16."""
MAX_TIME: Final = 2**63 - 1

_DASH: Final = "— "
_KEY_SIZE: Final = 32
_SIGNATURE_SIZE: Final = 64
_TIME_SIZE: Final = 8


class Signs(Protocol):
    """A private key; :class:`adjudge.ledger.keys.SigningKey` is one."""

    @property
    def public(self) -> bytes:
        """The 32 bytes of the public key."""
        ...

    def sign(self, message: bytes) -> bytes:
        """An Ed25519 signature."""
        ...


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key with the name it signs under; ``kind`` is :data:`LOG` or :data:`WITNESS`."""

    name: str
    public: bytes
    kind: int = LOG

    @property
    def key_id(self) -> bytes:
        """The four bytes that name the key in a signature line."""
        named = self.name.encode() + b"\n" + bytes([self.kind]) + self.public
        return hashlib.sha256(named).digest()[:4]

    def __str__(self) -> str:
        """The verifier key: name, key id in hexadecimal and key, joined by ``+``."""
        encoded = to_base64(bytes([self.kind]) + self.public)
        return f"{self.name}+{self.key_id.hex()}+{encoded}"

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """The key in a verifier key's text.  Raises :class:`ProofError` ``key_invalid``."""
        parts = text.strip().split("+", 2)
        if len(parts) != 3:
            raise _bad_key("it is not NAME+ID+KEY")
        name, key_id, encoded = parts
        try:
            check_name(name)
            raw = from_base64(encoded)
        except ValueError as error:
            raise _bad_key(str(error)) from None
        if len(raw) != 1 + _KEY_SIZE or raw[0] not in (LOG, WITNESS):
            raise _bad_key("it is not an Ed25519 key of a log or of a witness")
        key = cls(name, raw[1:], raw[0])
        if key.key_id.hex() != key_id:
            raise _bad_key("its id is not the one of its name and key")
        return key


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature line: ``value`` follows the key id."""

    name: str
    key_id: bytes
    value: bytes

    @property
    def line(self) -> str:
        """The line, with its end."""
        return f"{_DASH}{self.name} {to_base64(self.key_id + self.value)}\n"

    @property
    def time(self) -> int:
        """When a witness signed, in seconds since 1970."""
        return int.from_bytes(self.value[:_TIME_SIZE], "big")


@dataclass(frozen=True, slots=True)
class Note:
    """A text and the signature lines under it, none of them verified."""

    text: str
    signatures: tuple[Signature, ...]

    def __str__(self) -> str:
        return f"{self.text}\n{''.join(s.line for s in self.signatures)}"


def parse_note(data: str | bytes) -> Note:
    """The note in a file.  Raises :class:`ProofError` ``note_malformed``, ``note_too_large``."""
    raw = data.encode() if isinstance(data, str) else data
    if len(raw) > MAX_NOTE:
        raise ProofError("note_too_large", f"the note is larger than {MAX_NOTE} bytes")
    try:
        note = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise malformed("it is not UTF-8") from None
    if any(c < " " and c != "\n" for c in note):
        raise malformed("it holds control characters")
    text, separator, signed = note.rpartition("\n\n")
    if not separator or not text:
        raise malformed("no empty line stands between the text and the signatures")
    if not signed.endswith("\n"):
        raise malformed("its last line does not end")
    lines = signed[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise ProofError("note_too_large", f"the note has more than {MAX_SIGNATURES} signatures")
    signatures = tuple(_signature(line) for line in lines)
    if len({(s.name, s.key_id) for s in signatures}) != len(signatures):
        raise malformed("a key signed twice")
    return Note(text + "\n", signatures)


def sign_note(text: str, name: str, key: Signs) -> Note:
    """The text, signed by a log.  The text ends in a line end."""
    signer = VerifierKey(name, key.public)
    return Note(text, (Signature(name, signer.key_id, key.sign(text.encode())),))


def cosign(note: Note, name: str, key: Signs, unix_seconds: int) -> Signature:
    """The cosignature of a witness (c2sp.org/tlog-cosignature, ``cosignature/v1``)."""
    signer = VerifierKey(name, key.public, WITNESS)
    signature = key.sign(_cosigned(note.text, unix_seconds))
    return Signature(name, signer.key_id, unix_seconds.to_bytes(_TIME_SIZE, "big") + signature)


def verified_by(note: Note, keys: Iterable[VerifierKey]) -> list[tuple[VerifierKey, Signature]]:
    """The known keys that signed the note, with their lines; those of others are passed over.

    Raises :class:`ProofError` ``note_signature_invalid`` when the signature of a known key is
    bad, and ``note_untrusted`` when no known key signed.
    """
    known = {(key.name, key.key_id): key for key in keys}
    found = []
    for signature in note.signatures:
        key = known.get((signature.name, signature.key_id))
        if key is None:
            continue
        if not _verifies(note.text, key, signature):
            raise ProofError(
                "note_signature_invalid",
                f"the signature of {key.name} is not one over this text",
                hint="the text or the signature was changed",
            )
        found.append((key, signature))
    if not found:
        signers = ", ".join(s.name[:80] for s in note.signatures[:5])
        raise ProofError(
            "note_untrusted",
            f"no trusted key signed; signed by: {signers}",
            hint="give the verifier key of the log that this is from",
        )
    return found


def check_name(name: str) -> None:
    """``ValueError`` unless the text can be the name of a key (and the origin of a log)."""
    if not name or "+" in name or any(c.isspace() or not c.isprintable() for c in name):
        raise ValueError("a name is empty, or holds a space, a plus or a control character")


def to_base64(data: bytes) -> str:
    """Standard base64."""
    return base64.b64encode(data).decode("ascii")


def from_base64(text: str) -> bytes:
    """The bytes of canonical base64; ``ValueError`` for every other spelling."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        data = b""
    if not data or to_base64(data) != text:
        raise ValueError("it holds something that is not base64 in canonical form")
    return data


def malformed(why: str) -> ProofError:
    """The error ``note_malformed``."""
    return ProofError("note_malformed", f"this is no signed note: {why}")


def _signature(line: str) -> Signature:
    parts = line.removeprefix(_DASH).split(" ")
    if not line.startswith(_DASH) or len(parts) != 2:
        raise malformed("a line below the text is no signature")
    try:
        check_name(parts[0])
        raw = from_base64(parts[1])
    except ValueError as error:
        raise malformed(str(error)) from None
    if len(raw) <= 4:
        raise malformed("a signature is cut")
    return Signature(parts[0], raw[:4], raw[4:])


def _verifies(text: str, key: VerifierKey, signature: Signature) -> bool:
    value, message = signature.value, text.encode()
    if key.kind == WITNESS:
        if len(value) != _TIME_SIZE + _SIGNATURE_SIZE or signature.time > MAX_TIME:
            return False
        value, message = value[_TIME_SIZE:], _cosigned(text, signature.time)
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(value, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _cosigned(text: str, unix_seconds: int) -> bytes:
    return f"cosignature/v1\ntime {unix_seconds}\n{text}".encode()


def _bad_key(why: str) -> ProofError:
    return ProofError(
        "key_invalid",
        f"this is no verifier key: {why}",
        hint="give the line that `adjudge ledger init` printed, or the file it wrote",
    )


def merged(note: Note, more: Sequence[Signature]) -> Note:
    """The note with further signature lines, each key once."""
    have = {(s.name, s.key_id) for s in note.signatures}
    added = [s for s in more if (s.name, s.key_id) not in have]
    return Note(note.text, (*note.signatures, *added))
