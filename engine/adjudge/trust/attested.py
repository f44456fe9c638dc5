"""Signed or bare in-toto statements that are about anything: bytes in, statement and proof out.

What a statement is about is compared with artifacts by whoever has them; see
:mod:`adjudge.trust.verify` for signatures of an artifact that is at hand.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from adjudge.trust.bundle import is_bundle
from adjudge.trust.dsse import read_envelope
from adjudge.trust.facts import Verification
from adjudge.trust.parsing import optional, parse_json
from adjudge.trust.reasons import Refused
from adjudge.trust.settings import Trust
from adjudge.trust.statement import IN_TOTO, Statement, read_statement
from adjudge.trust.verify import Subject, verify_one


@dataclass(frozen=True)
class Attested:
    """A statement; nothing in it is proved unless ``result`` is verified."""

    statement: Statement
    result: Verification


def read_attested(raw: bytes, trust: Trust) -> Attested:
    """The statement in an envelope or bundle, or a bare one, with what is known of its signer.

    Raises :class:`Refused` when no statement can be read, and InputError for trust files of the
    operator that cannot be used.
    """
    value = parse_json(raw)
    if isinstance(value, dict) and "predicateType" in value:
        unsigned = Verification().refuse(Refused("no_signature"))
        return Attested(read_statement(IN_TOTO, raw), unsigned)
    envelope = read_envelope(_envelope(value))
    statement = read_statement(envelope.payload_type, envelope.payload)
    about_anything = Subject(None, lambda _statement: None)
    return Attested(statement, verify_one(raw, about_anything, trust))


def _envelope(value: Any) -> Any:
    if is_bundle(value):
        value = optional(value, dict, "dsseEnvelope")
    if not isinstance(value, dict) or "payload" not in value:
        raise Refused("unsupported_format", "it holds no statement")
    return value
