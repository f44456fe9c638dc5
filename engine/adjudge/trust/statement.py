"""In-toto statements: a payload that was verified in, its subjects and predicate out.

in-toto Attestation Framework, Statement v1 (and v0.1, which has the same fields).  A statement
is about files by their digests only; names are the signer's labels.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from adjudge.trust.artifact import Artifact
from adjudge.trust.parsing import field, optional, parse_json
from adjudge.trust.reasons import Refused

IN_TOTO = "application/vnd.in-toto+json"
"""The payload type of statements in general; predicates may have types of their own."""

_PAYLOAD_TYPE = re.compile(r"application/vnd\.in-toto(?:\.[\w.-]+)?\+json")
_STATEMENT_TYPES = ("https://in-toto.io/Statement/v1", "https://in-toto.io/Statement/v0.1")
_MAX_SUBJECTS = 100_000
STRONG_DIGESTS = ("sha256", "sha384", "sha512")
"""The digests that bind a statement to bytes; weaker and unknown ones decide nothing."""


@dataclass(frozen=True)
class Subject:
    """One thing a statement is about."""

    name: str | None
    digest: Mapping[str, str]

    def strong(self) -> dict[str, str]:
        """The digests that count, in lower case."""
        return {k: v.lower() for k, v in self.digest.items() if k in STRONG_DIGESTS}

    def fits(self, artifact: Artifact) -> bool:
        """Whether every digest that counts is the artifact's, and there is one."""
        strong = self.strong()
        return bool(strong) and all(artifact.digest(k).hex() == v for k, v in strong.items())


@dataclass(frozen=True)
class Statement:
    """A signed statement."""

    type: str
    predicate_type: str
    subjects: tuple[Subject, ...]
    predicate: Any

    def as_document(self) -> dict[str, Any]:
        """The statement as it is written."""
        return {
            "_type": self.type,
            "subject": [
                ({"name": s.name} if s.name is not None else {}) | {"digest": dict(s.digest)}
                for s in self.subjects
            ],
            "predicateType": self.predicate_type,
            "predicate": self.predicate,
        }


def read_statement(payload_type: str, payload: bytes) -> Statement:
    """The statement in a verified payload.

    Raises :class:`Refused` (``payload_type_unsupported``, ``statement_invalid``).
    """
    if not _PAYLOAD_TYPE.fullmatch(payload_type):
        raise Refused("payload_type_unsupported", payload_type[:100])
    try:
        value = parse_json(payload)
    except Refused as refused:
        raise Refused("statement_invalid", refused.reason) from None
    kind = field(value, str, "_type", code="statement_invalid")
    if kind not in _STATEMENT_TYPES:
        raise Refused("statement_invalid", "its _type is not an in-toto statement")
    listed = field(value, list, "subject", code="statement_invalid")
    if not 0 < len(listed) <= _MAX_SUBJECTS:
        raise Refused("statement_invalid", f"it has {len(listed)} subjects")
    return Statement(
        type=kind,
        predicate_type=field(value, str, "predicateType", code="statement_invalid"),
        subjects=tuple(_subject(item) for item in listed),
        predicate=optional(value, dict, "predicate", code="statement_invalid"),
    )


def _subject(item: Any) -> Subject:
    digest = field(item, dict, "digest", code="statement_invalid")
    if not digest or not all(isinstance(v, str) for v in digest.values()):
        raise Refused("statement_invalid", "a subject has no digest")
    return Subject(optional(item, str, "name", code="statement_invalid"), digest)
