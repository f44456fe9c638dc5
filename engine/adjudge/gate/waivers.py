"""A waiver file and what an organisation demands of waivers in, waivers that may count out.

Where the demands name signers, the file must be signed by one of them; the signature stands
beside it.  Otherwise the decision records that nobody answers for the file.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from adjudge.decision.model import Degradation
from adjudge.decision.waivers import WaiverSettings
from adjudge.documents.model import MIB
from adjudge.documents.reading import Source, decode_text, read_yaml, shown_name
from adjudge.documents.signed_artifact import SIGNATURE_SUFFIXES
from adjudge.errors import ErrorList, InputError
from adjudge.gate.schemas import release_schema
from adjudge.policyset.structure import Structure
from adjudge.policyset.waivers import LoadedWaivers, load_waiver_file
from adjudge.source import Location

if TYPE_CHECKING:
    from adjudge.trust import TrustSettings

_COUNT: Final = {"type": "integer", "minimum": 0, "description": "a whole number"}
_FLAG: Final = {"type": "boolean", "description": "true or false"}
_LIMITS: Final = {
    "max_lifetime_days": _COUNT,
    "expiring_soon_days": _COUNT,
    "approvers": _COUNT,
    "approvers_high": _COUNT,
    "require_digest": _FLAG,
}


@dataclass(frozen=True)
class Demands:
    """What an organisation demands: limits on waivers, and who may sign the file (None: nobody
    has to)."""

    limits: WaiverSettings = WaiverSettings()
    trust: TrustSettings | None = None


@dataclass(frozen=True)
class CheckedWaivers:
    """A waiver file that may be used; ``signer`` is who verifiably signed it."""

    loaded: LoadedWaivers
    limits: WaiverSettings
    signer: str | None = None
    degradations: tuple[Degradation, ...] = ()


def load_waivers(
    path: str | Path,
    demands: Demands | None = None,
    *,
    as_of: datetime | None = None,
    trusted_place: bool = False,
) -> CheckedWaivers:
    """The waivers in a file.

    ``trusted_place`` says that whoever is judged cannot change the file.  Raises InputError
    ``waivers_unsigned``, ``waivers_signature_refused`` and those of ``load_waiver_file``.
    """
    demands = demands or Demands()
    loaded = load_waiver_file(path)
    if demands.trust is None:
        note = Degradation(
            code="waivers_unsigned",
            message="the waivers are not signed, or nobody is trusted to sign them",
            detail=loaded.file,
        )
        return CheckedWaivers(loaded, demands.limits, None, () if trusted_place else (note,))
    return CheckedWaivers(loaded, demands.limits, _signer(Path(path), loaded, demands.trust, as_of))


def _signer(
    path: Path, loaded: LoadedWaivers, settings: TrustSettings, as_of: datetime | None
) -> str:
    """Who signed the file, by the first signature beside it that counts."""
    # Loading cryptography takes as long as judging a small release; few need it.
    from dataclasses import replace

    from adjudge.trust import MAX_SIGNATURE_BYTES, Artifact, Trust, verify_file

    trust = Trust(replace(settings, as_of=as_of))
    refused = []
    for suffix in SIGNATURE_SUFFIXES:
        source = Source(path.parent, path.name + suffix)
        if source.type() != "file":
            continue
        raw = source.read(200 * MAX_SIGNATURE_BYTES)
        for found in verify_file(raw, Artifact.of_bytes(loaded.data), trust):
            if found.verified:
                return found.identity or found.key_name or found.key_id or "a trusted key"
            refused.append(f"{shown_name(source.name)}: {found.reason}")
    if refused:
        raise InputError(
            "waivers_signature_refused",
            f"no signature of {loaded.file} counts: {refused[0]}",
            location=Location(loaded.file, 1, 1),
            hint="have the file signed again by somebody whom the waiver settings trust",
        )
    raise InputError(
        "waivers_unsigned",
        f"{loaded.file} is not signed, and the waiver settings demand it",
        location=Location(loaded.file, 1, 1),
        hint=f"put the signature beside it, as {Path(loaded.file).name}.sig or .sigstore.json",
    )


def load_demands(path: str | Path) -> Demands:
    """What a YAML file of waiver settings demands; its paths are relative to its folder.

    ``{max_lifetime_days, expiring_soon_days, approvers, approvers_high, require_digest, trust}``,
    all optional.  Raises InputError of reading, ``yaml_*``, ``trust_settings_invalid``, and
    ErrorList with every ``waiver_settings_*`` error.
    """
    from adjudge.trust import parse_trust_settings

    given = Path(path)
    source = Source(given.parent, given.name)
    shown = shown_name(str(given))
    parsed = read_yaml(decode_text(source.read(MIB), shown), shown)
    structure = Structure(parsed, shown, "waiver_settings")
    structure.check(_schema())
    if structure.errors:
        raise ErrorList(structure.errors)
    value: dict[str, Any] = parsed.value
    limits = WaiverSettings(**{k: v for k, v in value.items() if k in _LIMITS})
    trust = value.get("trust")
    return Demands(limits, None if trust is None else parse_trust_settings(trust, given.parent))


def _schema() -> dict[str, Any]:
    release = release_schema()
    return {
        "type": "object",
        "description": "what is demanded of waivers",
        "properties": {
            "apiVersion": {"const": "adjudge/v1", "description": "adjudge/v1"},
            "kind": {"const": "WaiverSettings", "description": "WaiverSettings"},
            **_LIMITS,
            "trust": release["properties"]["trust"],
        },
        "additionalProperties": False,
        "$defs": release["$defs"],
    }
