"""Key files in, keys that sign and verify notes out."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from adjudge.errors import InputError
from adjudge.ledger.errors import LedgerError
from adjudge.ledger.note import VerifierKey
from adjudge.trust.signing import KeySigner, load_signer

_MAX_FILE = 64 * 1024


class SigningKey:
    """A private Ed25519 key."""

    def __init__(self, signer: KeySigner) -> None:
        public = signer.public_key
        if not isinstance(public, Ed25519PublicKey):
            raise LedgerError(
                "ledger_key_unusable",
                f"the key {signer.name} is {signer.algorithm}; a log signs with Ed25519",
                hint="`adjudge ledger init` makes such a key",
            )
        self._signer = signer
        self.public = public.public_bytes(Encoding.Raw, PublicFormat.Raw)

    def sign(self, message: bytes) -> bytes:
        """An Ed25519 signature."""
        return self._signer.sign_bytes(message)

    @classmethod
    def load(cls, path: Path, password: Callable[[], bytes | None] = lambda: None) -> SigningKey:
        """The key in a file: PKCS #8 PEM, readable by its owner only, or encrypted.

        Raises InputError as :func:`adjudge.trust.signing.load_signer`, and :class:`LedgerError`
        ``ledger_key_unusable`` for other algorithms.
        """
        return cls(load_signer(path, password))

    @classmethod
    def generate(cls, path: Path) -> SigningKey:
        """A new key, written to a file that did not exist, readable by its owner only.

        Raises :class:`LedgerError` ``ledger_key_exists``, ``ledger_key_unwritable``.
        """
        key = Ed25519PrivateKey.generate()
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
            with open(os.open(path, flags, 0o600), "wb") as file:
                file.write(pem)
                file.flush()
                os.fsync(file.fileno())
        except FileExistsError:
            raise LedgerError(
                "ledger_key_exists",
                f"{path} exists already, and a key is never overwritten",
                hint="use it with --key, or name another file",
            ) from None
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or str(error)
            raise LedgerError(
                "ledger_key_unwritable", f"the key cannot be written to {path}: {why.lower()}"
            ) from None
        return cls(KeySigner(key, path.name))


def read_verifier_key(given: str) -> VerifierKey:
    """A verifier key, given as it is or as a file that holds it.

    Raises :class:`~adjudge.ledger.errors.ProofError` ``key_invalid``, InputError
    ``key_unreadable``.
    """
    if given.count("+") >= 2 and not os.path.lexists(given):
        return VerifierKey.parse(given)
    try:
        with open(given, "rb") as file:
            data = file.read(_MAX_FILE)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise InputError(
            "key_unreadable",
            f"the verifier key {given[:200]} cannot be read: {why.lower()}",
            hint="give the key itself (NAME+ID+KEY) or the file that `adjudge ledger init` wrote",
        ) from None
    return VerifierKey.parse(data.decode("utf-8", "replace"))
