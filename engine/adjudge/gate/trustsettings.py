"""Whom to trust: the operator's file and the manifest in, one set of trust settings out.

A release that names its own signers proves nothing, so what the operator says replaces what
the manifest says, and using the manifest's settings is noted in the decision.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from adjudge.canonical import sha256_hex
from adjudge.decision.model import Degradation
from adjudge.documents.model import MIB
from adjudge.documents.reading import Source, decode_text, read_yaml, shown_name
from adjudge.errors import ErrorList, InputError
from adjudge.gate.manifest import Manifest, report
from adjudge.gate.schemas import release_schema
from adjudge.policyset.structure import Structure

if TYPE_CHECKING:
    from adjudge.trust import TrustSettings

_MAX_BYTES: Final = MIB


@dataclass(frozen=True)
class ReleaseTrust:
    """The trust settings for a release and who made them; None trusts nobody."""

    settings: TrustSettings | None
    source: Literal["operator", "manifest", "none"]
    degradations: tuple[Degradation, ...] = ()

    def with_key(self, key: Path) -> TrustSettings | None:
        """The settings with one more trusted key, which the manifest names."""
        if self.source != "manifest" or self.settings is None:
            return self.settings
        return replace(self.settings, keys=(*self.settings.keys, key))


def load_trust_file(path: str | Path, as_of: datetime | None = None) -> TrustSettings:
    """The trust settings in the operator's YAML file; its paths are relative to its folder.

    Raises InputError of reading, ``yaml_*``, ``trust_settings_invalid``, and ErrorList with
    every ``trust_*`` error.
    """
    given = Path(path)
    source = Source(given.parent, given.name)
    shown = shown_name(str(given))
    if given.is_symlink():
        real = given.resolve()
        source = Source(real.parent, real.name)
    parsed = read_yaml(decode_text(source.read(_MAX_BYTES), shown), shown)
    structure = Structure(parsed, shown, "trust")
    schema = release_schema()
    structure.check({**schema["properties"]["trust"], "$defs": schema["$defs"]})
    if structure.errors:
        raise ErrorList(structure.errors)
    base = given.parent
    for pointer, file in _places(parsed.value):
        if not (base / file).is_file():
            hint = "paths in a trust file are relative to its folder"
            structure.add("file_missing", f"{shown_name(file)} does not exist", pointer, hint)
    if structure.errors:
        raise ErrorList(structure.errors)
    return _parsed(parsed.value, base, as_of)


def trust_for(
    manifest: Manifest | None,
    root: Path,
    operator: TrustSettings | None,
    as_of: datetime | None,
) -> ReleaseTrust:
    """The settings that count.

    Raises ErrorList when the manifest names files that are not there, and InputError
    ``trust_settings_invalid``.
    """
    own = manifest.value.get("trust") if manifest else None
    keys = [e.key for e in manifest.entries if e.key] if manifest else []
    if operator is not None:
        note = Degradation(
            code="manifest_trust_ignored",
            message="the operator says whom to trust, the manifest's settings are not used",
        )
        settings = operator if as_of is None else replace(operator, as_of=as_of)
        return ReleaseTrust(settings, "operator", (note,) if own or keys else ())
    if manifest is None or not (own or keys):
        return ReleaseTrust(None, "none")
    _check_files(manifest, root, own or {})
    note = Degradation(
        code="trust_from_manifest",
        message="the signers that are trusted are named by the release itself",
    )
    manifest.raise_errors()
    return ReleaseTrust(_parsed(own, root, as_of), "manifest", (note,))


def _parsed(value: Any, base: Path, as_of: datetime | None) -> TrustSettings:
    # Loading cryptography takes as long as judging a small release; few need it.
    from adjudge.trust import parse_trust_settings

    return parse_trust_settings(value, base, as_of)


def trusted_root_digest(settings: TrustSettings | None) -> str | None:
    """SHA-256 (hex) of the trusted root file; None when none is named.

    Raises InputError when the file cannot be read.
    """
    path = settings.trusted_root if settings is not None else None
    return None if path is None else sha256_hex(Source(path.parent, path.name).read(4 * MIB))


def _check_files(manifest: Manifest, root: Path, trust: Mapping[str, Any]) -> None:
    """Every file that the settings name must be inside the release."""
    places = [(f"/trust{pointer}", path) for pointer, path in _places(trust)]
    places += [(f"{e.pointer}/key", e.key) for e in manifest.entries if e.key]
    for pointer, path in places:
        source = Source(root, path)
        try:
            source.open().close()
        except InputError as error:
            report(manifest, error, source, pointer)


def trust_files(trust: Mapping[str, Any]) -> list[str]:
    """The files that trust settings name, as they name them."""
    return [path for _, path in _places(trust)]


def _places(trust: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The files that trust settings name, each with its pointer."""
    if "trusted_root" in trust:
        yield "/trusted_root", trust["trusted_root"]
    for key in ("keys", "certificate_roots", "timestamp_authorities"):
        for index, path in enumerate(trust.get(key, [])):
            yield f"/{key}/{index}", path
