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
from adjudge.trust.facts import rfc3339
from adjudge.trust.keys import PublicKey, load_public_key
from adjudge.trust.reasons import Refused

_MAX_TRUST_FILE = 4 * 1024 * 1024
_MAX_LEVEL = 4
_MAX_DAYS = 36_500
_CLOCK_SKEW = timedelta(minutes=5)
"""How far a trusted clock may be ahead of the time of judgement."""


@dataclass(frozen=True)
class SignerIdentity:
    """A keyless signer that is trusted: a name, and the issuer that vouches for it.

    Exactly one of ``identity`` (compared exactly) and ``identity_regex`` (RE2, must match the
    whole name) is set.  The issuer is always compared exactly: the same name from another
    issuer is another signer.

    ``source_repository``, ``source_ref`` and ``workflow`` are compared exactly with what the
    certificate says about the build: the repository's URI, the git ref, and the URI of the
    build's configuration (with or without its ``@ref``).
    """

    issuer: str
    identity: str | None = None
    identity_regex: str | None = None
    source_repository: str | None = None
    source_ref: str | None = None
    workflow: str | None = None

    def __post_init__(self) -> None:
        if not self.issuer or (self.identity is None) == (self.identity_regex is None):
            raise _wrong("a signer needs an issuer and one of identity and identity_regex")
        if "" in (self.source_repository, self.source_ref, self.workflow):
            raise _wrong("what is required of a signer's source is empty")
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

    def unlike(self, build: Mapping[str, str]) -> str | None:
        """What of the required source a certificate's ``extensions`` do not say; None when all
        is as required."""
        workflow = build.get("build_config_uri", "")
        said = (
            ("source_repository", self.source_repository, [build.get("source_repository_uri")]),
            ("source_ref", self.source_ref, [build.get("source_repository_ref")]),
            ("workflow", self.workflow, [workflow, workflow.rpartition("@")[0]]),
        )
        for name, wanted, found in said:
            if wanted is not None and wanted not in found:
                return f"{name} is {found[0] or 'not said'}, not {wanted}"
        return None


@dataclass(frozen=True)
class TrustSettings:
    """Whom to trust.  An empty one trusts nobody: signatures are looked at, none is verified.

    ``trusted_root`` is a Sigstore trusted root file; None is the production root that
    sigstore-python ships.  ``certificate_names`` restricts ``certificate_roots`` to these
    subject alternative names (or whole subjects, RFC 4514); empty allows every name the
    authority certified.  ``timestamp_authorities`` are certificates of authorities whose
    timestamps (RFC 3161) are believed.  ``threshold`` is how many distinct keys must have made
    a signature by keys.  ``builders`` maps the id of a build system (with or without its
    ``@version``) to the SLSA build level it is trusted for; ``roles`` names for each role the
    signers who hold it, by identity, key id or key name.  ``as_of`` is the time of judgement
    (None: the machine's clock), used for ages and for certificates without a trusted time of
    signing.
    """

    trusted_root: Path | None = None
    identities: tuple[SignerIdentity, ...] = ()
    keys: tuple[Path, ...] = ()
    certificate_roots: tuple[Path, ...] = ()
    certificate_names: tuple[str, ...] = ()
    timestamp_authorities: tuple[Path, ...] = ()
    threshold: int = 1
    builders: Mapping[str, int] = field(default_factory=dict)
    roles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
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
        return tuple(c for p in self.settings.certificate_roots for c in _certificates(p))

    @cached_property
    def timestamp_authorities(self) -> tuple[x509.Certificate, ...]:
        """The certificates of the trusted private timestamp authorities."""
        return tuple(c for p in self.settings.timestamp_authorities for c in _certificates(p))

    @cached_property
    def trusted_root(self) -> TrustedRootFile | None:
        """The configured Sigstore trusted root; None stands for the one sigstore ships."""
        path = self.settings.trusted_root
        return None if path is None else TrustedRootFile(path.name, _read(path))

    def check_age(self, signed_at: datetime | None) -> None:
        """Raise :class:`Refused` when a signature is older than the settings allow, or not made
        yet."""
        if signed_at is not None and signed_at - self.now > _CLOCK_SKEW:
            raise Refused("signed_in_future", f"signed at {rfc3339(signed_at)}")
        days = self.settings.max_age_days
        if days is None:
            return
        if signed_at is None:
            raise Refused("no_trusted_time", "and the settings limit the age of signatures")
        if self.now - signed_at > timedelta(days=days):
            raise Refused("too_old", f"signed on {signed_at.date()}, and the limit is {days} days")


def _certificates(path: Path) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(_read(path))
    except (ValueError, UnsupportedAlgorithm):
        raise InputError(
            "certificate_unusable",
            f"the trusted authority {path.name} cannot be used: no PEM certificate in it",
            hint="give the root certificate in PEM form",
        ) from None


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
    "timestamp_authorities",
    "threshold",
    "builders",
    "roles",
    "max_age_days",
}
_IDENTITY_KEYS = (
    "identity",
    "identity_regex",
    "issuer",
    "source_ref",
    "source_repository",
    "workflow",
)


def parse_trust_settings(value: Any, base: Path, as_of: datetime | None = None) -> TrustSettings:
    """The settings in a mapping as a manifest writes them; paths are relative to ``base``.

    ``{trusted_root: PATH, identities: [{identity | identity_regex, issuer, source_repository,
    source_ref, workflow}], keys: [PATH], certificate_roots: [PATH], certificate_names: [NAME],
    timestamp_authorities: [PATH], threshold: N, builders: {ID: LEVEL}, roles: {NAME: [SIGNER]},
    max_age_days: N}``, all optional.  Raises InputError ``trust_settings_invalid``.
    """
    if value is None:
        value = {}
    if not isinstance(value, Mapping):
        raise _wrong("they must be a mapping")
    unknown = sorted(str(k) for k in value if k not in _KEYS)
    if unknown:
        raise _wrong(f"unknown setting {unknown[0]!r}; known are {', '.join(sorted(_KEYS))}")
    if (_number(value, "max_age_days", 0) or 0) > _MAX_DAYS:
        raise _wrong(f"max_age_days must be {_MAX_DAYS} or less")
    root, roles = value.get("trusted_root"), _mapping(value, "roles")
    if root is not None and not isinstance(root, str):
        raise _wrong("trusted_root must be a path")
    return TrustSettings(
        trusted_root=None if root is None else base / root,
        identities=tuple(_identity(item) for item in _list(value, "identities")),
        keys=tuple(base / p for p in _texts(value, "keys")),
        certificate_roots=tuple(base / p for p in _texts(value, "certificate_roots")),
        certificate_names=tuple(_texts(value, "certificate_names")),
        timestamp_authorities=tuple(base / p for p in _texts(value, "timestamp_authorities")),
        threshold=_number(value, "threshold", 1) or 1,
        builders=_builders(_mapping(value, "builders")),
        roles={role: tuple(_texts(roles, role)) for role in roles},
        max_age_days=_number(value, "max_age_days", 0),
        as_of=as_of,
    )


def _identity(item: Any) -> SignerIdentity:
    if not isinstance(item, Mapping) or not set(item) <= set(_IDENTITY_KEYS):
        raise _wrong(f"an entry of identities is a mapping of {', '.join(_IDENTITY_KEYS)}")
    if not all(isinstance(v, str) for v in item.values()) or "issuer" not in item:
        raise _wrong("an entry of identities needs an issuer, and its values are texts")
    return SignerIdentity(**item)


def _builders(value: Mapping[str, Any]) -> dict[str, int]:
    for name in value:
        if not 0 <= (_number(value, name, 0) or 0) <= _MAX_LEVEL:
            raise _wrong(f"the level of the builder {name} must be 0 to {_MAX_LEVEL}")
    return dict(value)


def _number(value: Mapping[str, Any], key: str, least: int) -> int | None:
    found = value.get(key)
    if found is None:
        return None
    if not isinstance(found, int) or isinstance(found, bool) or found < least:
        raise _wrong(f"{key} must be a whole number, {least} or more")
    return found


def _mapping(value: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = value.get(key)
    if found is None:
        return {}
    if not isinstance(found, Mapping) or not all(isinstance(name, str) for name in found):
        raise _wrong(f"{key} must be a mapping")
    return found


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
