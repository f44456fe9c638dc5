"""In-toto statements in, signed or not, with what is proved of each, as a document out.

DSSE envelopes, Sigstore bundles, files of such one a line (``.intoto.jsonl``), and bare
statements.  A file of lines is not authenticated as a whole: lines may have been dropped, so
rules must ask for what they need, never rely on what forbids.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from adjudge.canonical import sha256_hex
from adjudge.documents.model import DEFAULT_LIMITS, Document, Limits, LineIndex, Position, Problem
from adjudge.documents.predicates import facts_of, type_of
from adjudge.documents.reading import Source

if TYPE_CHECKING:
    from adjudge.trust import Attested, Trust, TrustSettings, Verification

KIND: Final = "attestation"
APPROVAL_KIND: Final = "approval"
SIGNED: Final = "signed"
SELF_DECLARED: Final = "self_declared"
_LAST_YEAR: Final = 9000
MAX_STATEMENTS: Final = 200
"""Statements in one file."""


def load(
    source: Source, limits: Limits = DEFAULT_LIMITS, trust: TrustSettings | None = None
) -> Document:
    """The statements in the file at ``source``; without ``trust`` nobody's signature counts.

    Raises InputError ``attestation_unreadable`` when no statement can be read,
    ``attestation_too_large``, and those of :class:`Source` and of trust files of the operator.
    """
    return _load(source, KIND, trust)


def load_approval(
    source: Source, limits: Limits = DEFAULT_LIMITS, trust: TrustSettings | None = None
) -> Document:
    """The same as a document of the kind ``approval``."""
    return _load(source, APPROVAL_KIND, trust)


def _load(source: Source, kind: str, settings: TrustSettings | None) -> Document:
    # Loading cryptography takes longer than reading an SBOM; few kinds need it.
    from adjudge.trust import (
        MAX_SIGNATURE_BYTES,
        Refused,
        Trust,
        TrustSettings,
        read_attested,
        split_signatures,
    )

    raw = source.read(MAX_SIGNATURE_BYTES)
    trust = Trust(settings if settings is not None else TrustSettings())
    pieces = split_signatures(raw)
    if len(pieces) > MAX_STATEMENTS:
        raise source.error(
            "attestation_too_large",
            f"{source.shown} holds {len(pieces)} statements, and the limit is {MAX_STATEMENTS}",
            hint="split the file",
        )
    text = raw.decode("utf-8", "replace")
    lines = LineIndex(source.shown, text.removeprefix("\ufeff"))
    found: list[tuple[int, Attested]] = []
    problems: list[Problem] = []
    reason = ""
    for index, piece in enumerate(pieces):
        try:
            found.append((index, read_attested(piece, trust)))
        except Refused as refused:
            reason = refused.reason
            at = f", line {index + 1}" if len(pieces) > 1 else ""
            message = f"a statement cannot be read{at}: {reason}"
            problems.append(Problem("statement_unreadable", message))
    if not found:
        raise source.error(
            "attestation_unreadable",
            f"{source.shown} holds no statement that can be read: {reason}",
            hint="an in-toto statement, alone, in a DSSE envelope or in a Sigstore bundle",
        )
    return _document(source, kind, raw, lines, found, problems, trust)


def _document(
    source: Source,
    kind: str,
    raw: bytes,
    lines: LineIndex,
    found: list[tuple[int, Attested]],
    problems: list[Problem],
    trust: Trust,
) -> Document:
    statements = [_facts(index, attested, trust) for index, attested in found]
    signed = all(s["assurance"] == SIGNED for s in statements) and not problems
    several = len(found) + len(problems) > 1
    return Document(
        kind=kind,
        path=source.shown,
        digest=sha256_hex(raw),
        size=len(raw),
        document={"statements": [attested.statement.as_document() for _, attested in found]},
        facts={
            "assurance": SIGNED if signed else SELF_DECLARED,
            "types": sorted({s["type"] for s in statements}),
            "statements": statements,
        },
        problems=problems,
        origins={
            f"/statements/{n}": Position(source.shown, index + 1 if several else 1, 1)
            for n, (index, _) in enumerate(found)
        },
        sources={source.shown: lines},
    )


def _facts(index: int, attested: Attested, trust: Trust) -> dict[str, Any]:
    """One statement as policies see it."""
    statement, result = attested.statement, attested.result
    facts: dict[str, Any] = {
        "index": index,
        "format": "statement" if result.format == "unknown" else result.format,
        "predicate_type": statement.predicate_type,
        "type": type_of(statement.predicate_type),
        "assurance": SIGNED if result.verified else SELF_DECLARED,
        "verified": result.verified,
        "authentic": result.authentic,
        "reason_code": result.reason_code,
        "reason": result.reason,
        "subjects": [
            ({"name": s.name} if s.name else {}) | {"digest": dict(s.digest)}
            for s in statement.subjects
        ],
        "artifacts": [],
    }
    if result.verified:
        facts["signer"] = signer_of(result)
        facts["key_ids"] = list(result.key_ids)
        if result.signed_at is not None:
            facts["signed_at"] = result.signed_at
    else:
        facts["key_ids"] = []
    facts |= facts_of(statement.predicate_type, statement.predicate)
    _judge(facts, result, trust)
    return facts


def signer_of(result: Verification) -> dict[str, Any]:
    """Who made a verified signature."""
    names = {
        "kind": result.kind,
        "identity": result.identity,
        "issuer": result.issuer,
        "key_id": result.key_id,
        "key_name": result.key_name,
        "source_repository": result.extensions.get("source_repository_uri"),
    }
    return {key: value for key, value in names.items() if value is not None}


def _judge(facts: dict[str, Any], result: Verification, trust: Trust) -> None:
    """Add what follows from the trust settings: level of the builder, roles, expiry."""
    if "provenance" in facts:
        facts["provenance"] |= _level(facts["provenance"], result, trust)
    if "approval" in facts:
        roles = _roles(result, trust)
        stated = facts["approval"].get("role")
        facts["approval"] |= {"roles": roles, "role_confirmed": stated in roles}
    for name in ("summary", "simple_result", "approval"):
        if name in facts:
            facts[name] |= _validity(facts[name], trust)


def _level(provenance: dict[str, Any], result: Verification, trust: Trust) -> dict[str, Any]:
    """The SLSA build level that the settings trust the builder for; 0 for everybody else.

    A document cannot claim a level: the builder must be listed, and the signature verified.
    """
    builder = provenance.get("builder_id", "")
    plain = builder.rpartition("@")[0] or builder
    table = trust.settings.builders
    level = table.get(builder, table.get(plain)) if builder else None
    signer = result.extensions.get("build_signer_uri", "") if result.verified else ""
    return {
        "builder_trusted": level is not None and result.verified,
        "builder_is_signer": bool(signer) and plain == (signer.rpartition("@")[0] or signer),
        "level": level if level is not None and result.verified else 0,
    }


def _roles(result: Verification, trust: Trust) -> list[str]:
    """The roles that the settings give to any of the signers of a verified statement."""
    if not result.verified:
        return []
    names = {*result.identities, *result.key_ids, result.key_name}
    by_id = {key.key_id: key.name for key in trust.keys if key.key_id in result.key_ids}
    names |= set(by_id.values())
    return sorted(role for role, held in trust.settings.roles.items() if names & set(held))


def _validity(stated: dict[str, Any], trust: Trust) -> dict[str, Any]:
    """When a result ends, and whether it has.

    It ends when it says so, and at the latest when it is older than the settings allow for
    signatures.  An end that cannot be read is over.
    """
    ends: list[datetime] = []
    unknown = False
    if "stated_expiry" in stated:
        end = _time(stated["stated_expiry"])
        unknown = end is None
        ends += [end] if end is not None else []
    days = trust.settings.max_age_days
    if days is not None:
        created = _time(stated.get("created"))
        unknown = unknown or created is None or created.year > _LAST_YEAR
        ends += [created + timedelta(days=days)] if created is not None and not unknown else []
    facts: dict[str, Any] = {"expired": unknown or any(end < trust.now for end in ends)}
    if ends:
        facts["expires"] = min(ends).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return facts


def _time(text: Any) -> datetime | None:
    """An RFC 3339 time, or a date; None for anything else."""
    try:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None


def statement_of(raw: bytes) -> bool:
    """Whether the start of a file looks like statements, signed or not."""
    start = raw[:65536]
    bare = b'"predicateType"' in start and b'"subject"' in start
    return bare or (b"in-toto" in start and b'"payload"' in start and b'"signatures"' in start)
