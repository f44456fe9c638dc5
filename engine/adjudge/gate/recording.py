"""What a decision was made of in, a content-addressed folder out, and back: for replays.

A recording keeps what rules saw (documents as parsed, facts, the release), the policies, the
data, the waivers and the settings.  It does not keep artifacts: weights stay where they are.
Everything is kept under the SHA-256 of its bytes, so equal parts are kept once, and a part that
was changed is found out.  What was judged may be secret: only the owner can read the folder.
"""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from adjudge.canonical import canonical_bytes, sha256_hex
from adjudge.decision.model import Decision, Degradation
from adjudge.decision.values import decode_value, encode_value
from adjudge.decision.waivers import WaiverSettings
from adjudge.documents.model import MIB, Document, Position
from adjudge.errors import AdjudgeError, InputError
from adjudge.evaluation import Case, Settings
from adjudge.policyset.model import PolicySet
from adjudge.policyset.restoring import describe, restore
from adjudge.policyset.waivers import LoadedWaivers, read_waivers
from adjudge.rego.runtime.limits import Limits

SCHEMA_ID: Final = "adjudge.recording/v1"
MAX_PART: Final = 512 * MIB
"""The largest part that is read back."""

_ID: Final = re.compile(r"[0-9a-f-]{36}")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


class RecordingError(AdjudgeError):
    """A recording cannot be written."""


@dataclass(frozen=True)
class Recording:
    """A decision with what it was made of."""

    decision: Decision
    policies: PolicySet
    case: Case
    settings: Settings


class Recordings:
    """A folder of recordings."""

    def __init__(self, root: Path) -> None:
        self.root = root

    # --- parts ------------------------------------------------------------------------------

    def put(self, data: bytes) -> str:
        """Keep bytes; their SHA-256.  Raises :class:`RecordingError`."""
        digest = sha256_hex(data)
        self._write(self._part(digest), data)
        return digest

    def get(self, digest: str) -> bytes:
        """The bytes with a SHA-256.

        Raises InputError ``recording_part_missing``, ``recording_part_changed``,
        ``recording_invalid``.
        """
        if not _SHA256.fullmatch(digest):
            raise _invalid("it names a part by something that is no SHA-256")
        data = _read(self._part(digest), "recording_part_missing")
        if sha256_hex(data) != digest:
            raise InputError(
                "recording_part_changed",
                f"the recorded part {digest[:16]}… is not what was recorded",
                hint="the folder was changed from outside; restore it from a copy",
            )
        return data

    def _part(self, digest: str) -> Path:
        return self.root / "parts" / digest[:2] / digest[2:]

    # --- recordings -------------------------------------------------------------------------

    def add(
        self,
        decision: Decision,
        policies: PolicySet,
        case: Case,
        settings: Settings,
        waivers: LoadedWaivers | None,
    ) -> Path:
        """Keep a decision and what it was made of; its file.  Raises :class:`RecordingError`."""
        document = {
            "schema": SCHEMA_ID,
            "decision": self.put(json.dumps(decision.document()).encode()),
            "policies": describe(policies, self.put),
            "data": self._put_value(policies.data),
            "case": self._describe_case(case),
            "settings": self._describe_settings(settings, waivers),
        }
        place = self.root / "decisions" / f"{decision.decision_id}.json"
        self._write(place, canonical_bytes(encode_value(document)) + b"\n")
        return place

    def ids(self) -> Iterator[str]:
        """The ids of the decisions that were recorded, oldest first."""
        try:
            names = sorted(os.listdir(self.root / "decisions"))
        except OSError:
            raise InputError(
                "recordings_not_found",
                f"{self.root} holds no recordings",
                hint="`adjudge check --record DIR` makes them",
            ) from None
        for name in names:
            if _ID.fullmatch(name.removesuffix(".json")):
                yield name.removesuffix(".json")

    def describe(self, decision_id: str) -> bytes:
        """What a recording is made of: JSON that names its parts.

        Raises InputError ``recording_not_found``, ``recording_invalid``.
        """
        if not _ID.fullmatch(decision_id):
            raise _invalid(f"{decision_id[:50]!r} is not the id of a decision")
        return _read(self.root / "decisions" / f"{decision_id}.json", "recording_not_found")

    def load(self, decision_id: str) -> Recording:
        """What a decision was made of.

        Raises InputError ``recording_not_found``, ``recording_invalid`` and those of
        :meth:`get`.
        """
        raw = self.describe(decision_id)
        try:
            document = decode_value(json.loads(raw))
            if document["schema"] != SCHEMA_ID:
                raise _invalid("it is of another version")
            decision = Decision.from_json(self.get(document["decision"]))
            policies = restore(document["policies"], self.get, self._value(document["data"]))
            return Recording(
                decision,
                policies,
                self._case(document["case"]),
                self._settings(document["settings"]),
            )
        except AdjudgeError:
            raise
        except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
            raise _invalid(f"{type(error).__name__}: {error}") from None
        except RecursionError:
            raise _invalid("it nests too deep") from None

    # --- values -----------------------------------------------------------------------------

    def _put_value(self, value: Any) -> str:
        # Not canonical: order and the spelling of numbers are what rules saw.
        return self.put(json.dumps(value, separators=(",", ":")).encode())

    def _value(self, digest: str) -> Any:
        return json.loads(self.get(digest))

    def _describe_case(self, case: Case) -> dict[str, Any]:
        inputs = [d.as_input() for d in case.documents]
        numbers = {id(value): n for n, value in enumerate(inputs)}
        plain, groups = {}, {}
        for name, value in case.release_input.items():
            if isinstance(value, list) and all(id(item) in numbers for item in value):
                groups[name] = [numbers[id(item)] for item in value]
            else:
                plain[name] = value
        places = case.locate_release
        seen = places.seen if isinstance(places, _Remembered) else {}
        return {
            "documents": [
                {"input": self._put_value(value), "places": _places(document.located)}
                for document, value in zip(case.documents, inputs, strict=True)
            ],
            "order": list(case.release_input),
            "groups": groups,
            "release_input": self._put_value(plain),
            "release": self._put_value(dict(case.release)),
            "release_places": _places(seen),
            "release_digest": case.release_digest,
            "git": self._put_value(None if case.git is None else dict(case.git)),
            "event": case.event,
            "degradations": [d.model_dump(mode="json") for d in case.degradations],
            "raw": case.raw,
        }

    def _case(self, described: dict[str, Any]) -> Case:
        documents = [self._document(item) for item in described["documents"]]
        inputs = [d.as_input() for d in documents]
        plain = self._value(described["release_input"])
        groups = {
            name: [inputs[n] for n in members] for name, members in described["groups"].items()
        }
        places = _positions(described["release_places"])
        return Case(
            documents=documents,
            release=self._value(described["release"]),
            release_input={n: groups.get(n, plain.get(n)) for n in described["order"]},
            release_digest=described["release_digest"],
            locate_release=places.get,
            git=self._value(described["git"]),
            event=described["event"],
            degradations=[Degradation.model_validate(d) for d in described["degradations"]],
            raw=described["raw"],
        )

    def _document(self, described: dict[str, Any]) -> Document:
        value = self._value(described["input"])
        return Document.recorded(value, _positions(described["places"]))

    def _describe_settings(
        self, settings: Settings, waivers: LoadedWaivers | None
    ) -> dict[str, Any]:
        return {
            "now_ns": str(settings.now_ns),
            "fail_on": settings.fail_on,
            "strict_builtin_errors": settings.strict_builtin_errors,
            "trust_root_digest": settings.trust_root_digest,
            "limits": asdict(settings.limits),
            "waiver_settings": asdict(settings.waiver_settings or WaiverSettings()),
            "waivers": None
            if waivers is None
            else {"file": waivers.file, "data": self.put(waivers.data)},
        }

    def _settings(self, described: dict[str, Any]) -> Settings:
        given = described["waivers"]
        waivers = None if given is None else read_waivers(self.get(given["data"]), given["file"])
        return Settings(
            now_ns=int(described["now_ns"]),
            fail_on=described["fail_on"],
            waivers=waivers.waivers if waivers else None,
            waivers_digest=waivers.sha256 if waivers else None,
            waiver_settings=WaiverSettings(**described["waiver_settings"]),
            limits=Limits(**described["limits"]),
            strict_builtin_errors=described["strict_builtin_errors"],
            trust_root_digest=described["trust_root_digest"],
        )

    # --- files ------------------------------------------------------------------------------

    def _write(self, place: Path, data: bytes) -> None:
        beside = place.parent / f".{secrets.token_hex(8)}.tmp"
        try:
            if os.path.lexists(place):
                return
            for folder in reversed(place.relative_to(self.root).parents):
                (self.root / folder).mkdir(mode=0o700, exist_ok=True)
            with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(beside, place)
        except OSError as error:
            if beside.is_file():
                beside.unlink()
            raise RecordingError(
                "recording_write_failed",
                f"cannot record in {self.root}: {error.strerror or error}",
                hint="check the permissions and the space left",
            ) from None


class _Remembered:
    """A locator that remembers what it was asked."""

    def __init__(self, locate: Callable[[str], Position | None]) -> None:
        self._locate = locate
        self.seen: dict[str, Position | None] = {}

    def __call__(self, pointer: str) -> Position | None:
        if pointer not in self.seen:
            self.seen[pointer] = self._locate(pointer)
        return self.seen[pointer]


def remembered(locate: Callable[[str], Position | None]) -> Callable[[str], Position | None]:
    """The locator of a release, such that a recording can keep the places that were asked for."""
    return _Remembered(locate)


def _places(places: Mapping[str, Position | None]) -> dict[str, Any]:
    return {pointer: None if place is None else list(place) for pointer, place in places.items()}


def _positions(places: Mapping[str, Any]) -> dict[str, Position | None]:
    return {
        pointer: None if place is None else Position(str(place[0]), int(place[1]), int(place[2]))
        for pointer, place in places.items()
    }


def _read(path: Path, code: str) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_PART + 1)
    except OSError as error:
        raise InputError(
            code,
            f"{path} cannot be read: {(error.strerror or str(error)).lower()}",
            hint="`adjudge check --record DIR` records what a decision is made of",
        ) from None
    if len(data) > MAX_PART:
        raise _invalid(f"{path.name} is too large")
    return data


def _invalid(why: str) -> InputError:
    return InputError("recording_invalid", f"the recording cannot be used: {why}")
