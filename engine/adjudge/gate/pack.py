"""A decision and all that proves it in, one signed archive out: an evidence pack.

``pack.intoto.json`` is a signed statement whose subjects are all other members, by digest.  So a
reader with the public key knows that nothing was changed, added or left out.  The members prove
one another besides: the attestation and the receipt name the digest of the decision, the decision
those of policies, waivers and trust root.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from adjudge.canonical import canonical_bytes, sha256_hex
from adjudge.decision.model import Decision
from adjudge.errors import InputError
from adjudge.exports import compliance
from adjudge.exports.framework import Framework
from adjudge.exports.html import render as render_html
from adjudge.exports.intoto import EXTENSION, STATEMENT_TYPE
from adjudge.exports.report import Report
from adjudge.gate.archive import write_archive
from adjudge.gate.recording import Recordings
from adjudge.ledger import Receipt
from adjudge.trust.signing import Signer

PREDICATE: Final = "urn:adjudge:predicate:evidence-pack:v1"
STATEMENT: Final = "pack.intoto.json"
DECISION: Final = "decision.json"
ATTESTATION: Final = "attestation.intoto.jsonl"
RECEIPT: Final = "receipt.tlog-proof"
RECORDING: Final = "recording.json"
WAIVERS: Final = "waivers.yaml"
REPORT: Final = "report.html"


@dataclass(frozen=True)
class Contents:
    """What goes into a pack besides the decision.

    ``attestation`` are signed statements about it, ``receipt`` proves it to be in a ledger.
    ``recordings`` holds its inputs and policies.  ``trust`` are files that say whom to trust
    (public keys, roots), by name.
    """

    attestation: bytes | None = None
    receipt: bytes | None = None
    recordings: Recordings | None = None
    frameworks: Sequence[Framework] = ()
    trust: Mapping[str, bytes] | None = None
    waivers: bytes | None = None


def make_pack(decision: Decision, contents: Contents, signer: Signer) -> bytes:
    """The archive.

    The same contents and signature give the same bytes; Ed25519 signatures are always the same.
    Raises InputError ``pack_contradicts`` when a part is about another decision, and those of
    recordings.
    """
    members = {DECISION: decision.canonical}
    report = Report(decision)
    members[REPORT] = render_html(report).encode()
    for framework in contents.frameworks:
        matrix = compliance.Matrix(framework, [decision])
        members[f"controls/{framework.id}.json"] = compliance.data(matrix).encode()
        members[f"controls/{framework.id}.html"] = compliance.html(matrix).encode()
    for name, data in (contents.trust or {}).items():
        members[f"trust/{_plain(name)}"] = data
    if contents.attestation is not None:
        members[ATTESTATION] = contents.attestation
    if contents.receipt is not None:
        members[RECEIPT] = _receipt(contents.receipt, decision)
    if contents.recordings is not None:
        members |= _recording(contents.recordings, decision)
    if contents.waivers is not None:
        members[WAIVERS] = _waivers(contents.waivers, decision)
    members[STATEMENT] = signer.sign(_statement(decision, members))
    return write_archive(members)


def _statement(decision: Decision, members: Mapping[str, bytes]) -> bytes:
    return canonical_bytes(
        {
            "_type": STATEMENT_TYPE,
            "subject": [
                {"name": name, "digest": {"sha256": sha256_hex(members[name])}}
                for name in sorted(members)
            ],
            "predicateType": PREDICATE,
            "predicate": {
                EXTENSION: {
                    "id": decision.decision_id,
                    "digest": {"sha256": decision.digest},
                    "outcome": decision.outcome,
                    "time": decision.time,
                }
            },
        }
    )


def _receipt(data: bytes, decision: Decision) -> bytes:
    receipt = Receipt.parse(data)
    if receipt.leaf.record != decision.digest:
        raise _contradiction("the receipt is for another record")
    return data


def _waivers(data: bytes, decision: Decision) -> bytes:
    if sha256_hex(data) != decision.input.waivers_digest:
        raise _contradiction("these are not the waivers that were applied")
    return data


def _recording(recordings: Recordings, decision: Decision) -> dict[str, bytes]:
    """The recording and its parts, the waivers under their name."""
    recording = recordings.load(decision.decision_id)
    if recording.decision.digest != decision.digest:
        raise _contradiction("another record was recorded under its id")
    described = recordings.describe(decision.decision_id)
    members = {RECORDING: described}
    for digest in parts_of(json.loads(described)):
        members[f"parts/{digest}"] = recordings.get(digest)
    waivers = decision.input.waivers_digest
    if waivers is not None:
        members[WAIVERS] = recordings.get(waivers)
    return members


def parts_of(described: Mapping[str, Any]) -> list[str]:
    """The digests of all parts that a recording names, sorted."""
    case, settings = described["case"], described["settings"]
    found = {described["decision"], described["data"]}
    found |= {file["text"] for file in described["policies"]["files"]}
    found |= {document["input"] for document in case["documents"]}
    found |= {case["release_input"], case["release"], case["git"]}
    if settings["waivers"] is not None:
        found.add(settings["waivers"]["data"])
    return sorted(found)


def _plain(name: str) -> str:
    """A name that can stand in an archive."""
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "_" for c in name)
    return plain.lstrip(".-")[:80] or "_"


def _contradiction(why: str) -> InputError:
    return InputError(
        "pack_contradicts", f"a pack holds what belongs together: {why}", hint="check the files"
    )
