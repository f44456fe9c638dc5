"""Whom to trust: settings in (paths and names), loaded keys, certificates and roots out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import re2
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from adjudge.errors import InputError
from adjudge.trust.keys import PublicKey, load_public_key
from adjudge.trust.reasons import Refused

_MAX_TRUST_FILE = 4 * 1024 * 1024


@dataclass(frozen=True)
class SignerIdentity:
    """A keyless signer that is trusted: a name, and the issuer that vouches for it.

    Exactly one of ``identity`` (compared exactly) and ``identity_regex`` (RE2, must match the
    whole name) is set.  The issuer is always compared exactly: the same name from another
    issuer is another signer.
    """

    issuer: str
    identity: str | None = None
    identity_regex: str | None = None

    def __post_init__(self) -> None:
        if not self.issuer or (self.identity is None) == (self.identity_regex is None):
            raise _wrong("a signer needs an issuer and one of identity and identity_regex")
        if self.identity_regex is not None:
            try:
                re2.compile(self.identity_regex)
            except re2.error as error:
                raise _wrong(f"identity_regex {self.identity_regex!r}: {error}") from None

    def allows(self, identity: str, issuer: str | None) -> bool:
        """Whether this is that signer."""
        if issuer != self.issuer:
            return False
        if self.identity is not None:
            return identity == self.identity
        return re2.fullmatch(self.identity_regex, identity) is not None


@dataclass(frozen=True)
class TrustSettings:
    """Whom to trust.  An empty one trusts nobody: signatures are looked at, none is verified.

    ``trusted_root`` is a Sigstore trusted root file; None is the production root that
    sigstore-python ships.  ``certificate_names`` restricts ``certificate_roots`` to these
    subject alternative names (or whole subjects, RFC 4514); empty allows every name the
    authority certified.  ``as_of`` is the time of judgement (None: the machine's clock), used
    for ``max_age_days`` and for certificates without a trusted time of signing.
    """

    trusted_root: Path | None = None
    identities: tuple[SignerIdentity, ...] = ()
    keys: tuple[Path, ...] = ()
    certificate_roots: tuple[Path, ...] = ()
    certificate_names: tuple[str, ...] = ()
    max_age_days: int | None = None
    as_of: datetime | None = None


@dataclass(frozen=True)
class TrustedRootFile:
    """The bytes of a Sigstore trusted root, and its name for messages."""

    name: str
    data: bytes


@dataclass(frozen=True)
class Trust:
    """The settings with their files read, each when it is first needed.

    Every property that reads a file raises InputError when the operator's file cannot be used.
    """

    settings: TrustSettings = field(default_factory=TrustSettings)

    @cached_property
    def now(self) -> datetime:
        """The time of judgement."""
        given = self.settings.as_of
        if given is None:
            return datetime.now(UTC)
        return given if given.tzinfo else given.replace(tzinfo=UTC)

    @cached_property
    def keys(self) -> tuple[PublicKey, ...]:
        """The trusted public keys."""
        return tuple(load_public_key(_read(p), p.name) for p in self.settings.keys)

    @cached_property
    def certificate_roots(self) -> tuple[x509.Certificate, ...]:
        """The certificates of the trusted private authorities."""
        found: list[x509.Certificate] = []
        for path in self.settings.certificate_roots:
            try:
                found.extend(x509.load_pem_x509_certificates(_read(path)))
            except (ValueError, UnsupportedAlgorithm):
                raise InputError(
                    "certificate_unusable",
                    f"the trusted authority {path.name} cannot be used: no PEM certificate in it",
                    hint="give the root certificate in PEM form",
                ) from None
        return tuple(found)

    @cached_property
    def trusted_root(self) -> TrustedRootFile | None:
        """The configured Sigstore trusted root; None stands for the one sigstore ships."""
        path = self.settings.trusted_root
        return None if path is None else TrustedRootFile(path.name, _read(path))

    def check_age(self, signed_at: datetime | None) -> None:
        """Raise :class:`Refused` when a signature is older than the settings allow."""
        days = self.settings.max_age_days
        if days is None:
            return
        if signed_at is None:
            raise Refused("no_trusted_time", "and the settings limit the age of signatures")
        if self.now - signed_at > timedelta(days=days):
            raise Refused("too_old", f"signed on {signed_at.date()}, and the limit is {days} days")


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_TRUST_FILE + 1)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise InputError(
            "trust_file_unreadable",
            f"the trust file {path.name} cannot be read: {why.lower()}",
            hint="check the trust settings",
        ) from None
    if len(data) > _MAX_TRUST_FILE:
        raise InputError("trust_file_too_large", f"the trust file {path.name} is too large")
    return data


# --- settings from a manifest -------------------------------------------------------------------

_KEYS = {
    "trusted_root",
    "identities",
    "keys",
    "certificate_roots",
    "certificate_names",
    "max_age_days",
}


def parse_trust_settings(value: Any, base: Path, as_of: datetime | None = None) -> TrustSettings:
    """The settings in a mapping as a manifest writes them; paths are relative to ``base``.

    ``{trusted_root: PATH, identities: [{identity | identity_regex, issuer}], keys: [PATH],
    certificate_roots: [PATH], certificate_names: [NAME], max_age_days: N}``, all optional.
    Raises InputError ``trust_settings_invalid``.
    """
    if value is None:
        value = {}
    if not isinstance(value, Mapping):
        raise _wrong("they must be a mapping")
    unknown = sorted(str(k) for k in value if k not in _KEYS)
    if unknown:
        raise _wrong(f"unknown setting {unknown[0]!r}; known are {', '.join(sorted(_KEYS))}")
    root = value.get("trusted_root")
    age = value.get("max_age_days")
    if root is not None and not isinstance(root, str):
        raise _wrong("trusted_root must be a path")
    if age is not None and (not isinstance(age, int) or isinstance(age, bool) or age < 0):
        raise _wrong("max_age_days must be a whole number of days")
    return TrustSettings(
        trusted_root=None if root is None else base / root,
        identities=tuple(_identity(item) for item in _list(value, "identities")),
        keys=tuple(base / p for p in _texts(value, "keys")),
        certificate_roots=tuple(base / p for p in _texts(value, "certificate_roots")),
        certificate_names=tuple(_texts(value, "certificate_names")),
        max_age_days=age,
        as_of=as_of,
    )


def _identity(item: Any) -> SignerIdentity:
    allowed = {"identity", "identity_regex", "issuer"}
    if not isinstance(item, Mapping) or not set(item) <= allowed:
        raise _wrong(f"an entry of identities is a mapping of {', '.join(sorted(allowed))}")
    if not all(isinstance(v, str) for v in item.values()) or "issuer" not in item:
        raise _wrong("an entry of identities needs an issuer, and its values are texts")
    return SignerIdentity(item["issuer"], item.get("identity"), item.get("identity_regex"))


def _list(value: Mapping[str, Any], key: str) -> list[Any]:
    found = value.get(key)
    if found is None:
        return []
    if not isinstance(found, list):
        raise _wrong(f"{key} must be a list")
    return found


def _texts(value: Mapping[str, Any], key: str) -> list[str]:
    found = _list(value, key)
    if not all(isinstance(item, str) and item for item in found):
        raise _wrong(f"{key} must be a list of texts")
    return found


def _wrong(what: str) -> InputError:
    return InputError(
        "trust_settings_invalid",
        f"the trust settings cannot be used: {what}",
        hint="see the reference of trust settings",
    )
