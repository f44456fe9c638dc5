"""What commands that sign share: who signs, the password of a key, and what is signed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from adjudge.errors import UsageError

if TYPE_CHECKING:
    from adjudge.decision.model import Decision
    from adjudge.trust.signing import KeySigner, Signer

_KINDS = ("vsa", "svr", "test-result")
_PASSWORDS = ("ADJUDGE_KEY_PASSWORD", "COSIGN_PASSWORD")


def signer(key: Path | None, keyless: bool, trust_config: Path | None = None) -> Signer:
    """Who signs.

    Raises :class:`UsageError` ``signer_missing``, ``signer_ambiguous``; InputError for a key
    that cannot be used.
    """
    from adjudge.trust.signing import KeylessSigner

    if key is not None and keyless:
        raise UsageError("signer_ambiguous", "a key and keyless were asked for; name one")
    if key is not None:
        return key_signer(key)
    if keyless:
        return KeylessSigner(trust_config)
    raise UsageError(
        "signer_missing",
        "nothing says who signs",
        hint="give --signing-key FILE, or --keyless where the environment holds an identity token",
    )


def key_signer(key: Path) -> KeySigner:
    """The signer for a key file; its password comes from the environment."""
    from adjudge.trust.signing import load_signer

    return load_signer(key, key_password)


def parse_attestations(given: Sequence[str]) -> list[tuple[str, str]]:
    """Kinds and paths in ``KIND=PATH``; a path alone is for a ``vsa``.

    Raises :class:`UsageError` ``attestation_kind_unknown``, ``output_path_missing``.
    """
    out = []
    for text in given:
        kind, equals, path = text.partition("=")
        if not equals:
            kind, path = "vsa", text
        if kind not in _KINDS:
            raise UsageError(
                "attestation_kind_unknown",
                f"no such attestation: {kind[:50]!r}",
                hint=f"write KIND=PATH with one of: {', '.join(_KINDS)}",
            )
        if not path or path == "-":
            raise UsageError(
                "output_path_missing", "an attestation needs a file", hint=f"write {kind}=FILE"
            )
        out.append((kind, path))
    return out


def signed_statements(
    decision: Decision, wanted: Sequence[tuple[str, str]], who: Signer
) -> list[tuple[str, bytes]]:
    """The paths and signed statements that were asked for.

    A ``svr`` is left out of a decision that is not an allow: it has no other way to say no.
    """
    from adjudge.exports.intoto import statement

    return [
        (path, who.sign(statement(decision, kind)))
        for kind, path in wanted
        if kind != "svr" or decision.outcome == "allow"
    ]


def key_password() -> bytes | None:
    """The password of an encrypted key, from the environment."""
    for name in _PASSWORDS:
        if name in os.environ:
            return os.environ[name].encode()
    return None
