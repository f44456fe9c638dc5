"""Rule results in, the record ``adjudge.decision/v1`` out: its shape, canonical form and digest.

Names in the JSON form are the attribute names below, in snake case; the one exception
is ``schema``, called ``schema_id`` here.  Every member is always present; what does not
apply is ``null`` or empty.  Digests are SHA-256 in lower-case hexadecimal.  Lines, rows
and columns count from 1, columns in characters.  Times are RFC 3339 in UTC.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic_core import from_json

from adjudge.canonical import canonical_bytes, sha256_hex
from adjudge.decision.times import parse_time
from adjudge.decision.values import check_recorded, spell_surrogates
from adjudge.errors import AdjudgeError, InputError

SCHEMA_ID: Literal["adjudge.decision/v1"] = "adjudge.decision/v1"

Severity = Literal["low", "medium", "high", "critical"]
RuleOutcome = Literal["pass", "fail", "warn", "waived", "not_applicable", "error"]
Verdict = Literal["allow", "deny", "no_verdict"]
FailOn = Literal["deny", "warn"]

EXIT_CODES: Mapping[str, int] = {"allow": 0, "deny": 1, "no_verdict": 2}


def _clean(value: object) -> object:
    return spell_surrogates(value) if isinstance(value, str) else value


def _check_time(value: str) -> str:
    try:
        parse_time(value)
    except AdjudgeError as error:
        raise ValueError(error.message) from None
    return value


Text = Annotated[str, BeforeValidator(_clean)]
"""Text in which lone surrogates are spelled out, whoever builds the record."""
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Timestamp = Annotated[
    str,
    StringConstraints(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$"),
    AfterValidator(_check_time),
]
Recorded = Annotated[JsonValue, AfterValidator(check_recorded)]
"""A JSON value in the form of :mod:`adjudge.decision.values`."""
Count = Annotated[int, Field(ge=0)]
Ordinal = Annotated[int, Field(ge=1)]


class Model(BaseModel):
    """What all parts of the record share: strict types, no unknown members, no changes."""

    model_config = ConfigDict(
        strict=True,
        frozen=True,
        extra="forbid",
        json_schema_serialization_defaults_required=True,
        use_attribute_docstrings=True,
    )


class Source(Model):
    """A place in a judged file."""

    file: Text
    line: Ordinal
    column: Ordinal


class RuleLocation(Model):
    """Where a rule stands in its policy."""

    file: Text
    row: Ordinal


class Digest(Model):
    """A digest set with the one algorithm in use, as in-toto writes it."""

    sha256: Sha256


class Subject(Model):
    """One thing the decision is about; the release itself has the kind ``release``."""

    name: Text
    kind: Text
    path: Text | None = None
    """The path relative to the judged root; null for the release itself."""
    digest: Digest | None = None
    """Null only for what has no bytes, such as the subject of a runtime request."""


class Pack(Model):
    """A named part of the policy set."""

    name: Text
    version: Text | None = None
    digest: Sha256 | None = None


class PolicyInfo(Model):
    """The policies that decided."""

    name: Text
    digest: Sha256
    revision: Text | None = None
    packs: tuple[Pack, ...] = ()
    signer: Text | None = None
    """The verified signer; null when no signature was verified."""


class EngineInfo(Model):
    """The program that decided."""

    name: Text
    version: Text
    backend: Literal["embedded", "opa"] = "embedded"
    capabilities_digest: Sha256 | None = None


class InputInfo(Model):
    """Digests of everything besides the policies that the decision depends on."""

    digest: Sha256
    data_digest: Sha256 | None = None
    waivers_digest: Sha256 | None = None
    trust_root_digest: Sha256 | None = None


class GitInfo(Model):
    """The checkout the judged files came from."""

    commit: Text
    ref: Text | None = None
    dirty: bool = False


class Context(Model):
    """Circumstances of the decision."""

    fail_on: FailOn = "deny"
    """The weakest result that blocks."""
    tenant: Text | None = None
    environment: Text | None = None
    event: Text | None = None
    git: GitInfo | None = None


class Evidence(Model):
    """One value a rule read.

    ``recorded`` says in which form: ``value`` (``value`` is it), ``digest`` (too large:
    ``digest`` is over its canonical JSON), ``redacted`` (``redacted`` names the reason,
    nothing of the value is kept) or ``absent`` (nothing stands at the pointer).
    """

    artifact: Text | None
    """Path of the artifact read; null for the release, the data or the context."""
    pointer: Text
    """JSON pointer, into ``{"document", "facts", ...}`` of the artifact."""
    recorded: Literal["value", "digest", "redacted", "absent"]
    value: Recorded = None
    redacted: Text | None = None
    digest: Sha256 | None = None
    source: Source | None = None

    @model_validator(mode="after")
    def _one_form(self) -> Evidence:
        if (self.recorded == "digest") != (self.digest is not None):
            raise ValueError("digest is for evidence recorded by digest, and needed there")
        if (self.recorded == "redacted") != (self.redacted is not None):
            raise ValueError("redacted is for redacted evidence, and needed there")
        if self.recorded != "value" and self.value is not None:
            raise ValueError("value is for evidence recorded by value")
        return self


class AppliedWaiver(Model):
    """What the record keeps of the waiver that covers a failure."""

    id: Text
    reason: Text
    ticket: Text
    owner: Text
    approved_by: tuple[Text, ...]
    expires: Timestamp


class RuleResult(Model):
    """One answer of one rule: about the release, or about one artifact."""

    rule_id: Text
    package: Text
    title: Text
    severity: Severity | None
    """Null when the rule declares none."""
    outcome: RuleOutcome
    message: Text = ""
    remediation: Text = ""
    controls: tuple[Text, ...] = ()
    location: RuleLocation | None = None
    artifact: Text | None = None
    """Path of the artifact judged; null for rules about the whole release."""
    pointer: Text | None = None
    """What the finding is about, as the rule says it."""
    source: Source | None = None
    """Where that stands; the first place to show."""
    details: Recorded = None
    evidence: tuple[Evidence, ...] = ()
    evidence_omitted: Count = 0
    """How many further values were read and not recorded."""
    waiver: AppliedWaiver | None = None

    @model_validator(mode="after")
    def _waiver_fits(self) -> RuleResult:
        if (self.outcome == "waived") != (self.waiver is not None):
            raise ValueError("a waived result has a waiver, and no other result has one")
        return self


class Degradation(Model):
    """Something skipped, overridden, injected or done offline."""

    code: Text
    message: Text
    detail: Recorded = None


class Obligation(Model):
    """Something the caller must do when it acts on the decision."""

    rule_id: Text
    action: Text
    parameters: Recorded = None


class Nondeterminism(Model):
    """The recorded answer of a builtin that is not a function of its arguments."""

    builtin: Text
    arguments: Recorded
    result: Recorded


class Decision(Model):
    """The record of one decision.  Everything but ``timings`` is covered by the digest."""

    schema_id: Literal["adjudge.decision/v1"] = Field(default=SCHEMA_ID, alias="schema")
    decision_id: Annotated[
        str,
        StringConstraints(
            pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"
        ),
    ]
    time: Timestamp
    """The evaluation time, which is an input, not the clock of the machine."""
    outcome: Verdict
    reason_codes: tuple[Text, ...]
    subject: tuple[Subject, ...]
    policy: PolicyInfo
    engine: EngineInfo
    input: InputInfo
    context: Context
    results: tuple[RuleResult, ...]
    degradations: tuple[Degradation, ...] = ()
    obligations: tuple[Obligation, ...] = ()
    nondeterminism: tuple[Nondeterminism, ...] = ()
    timings: dict[str, Count] = Field(default_factory=dict)
    """Nanoseconds by phase; not covered by the digest."""

    model_config = ConfigDict(populate_by_name=True)

    @cached_property
    def canonical(self) -> bytes:
        """The RFC 8785 bytes of the record without its timings: what is hashed and logged."""
        return canonical_bytes(self.model_dump(mode="json", by_alias=True, exclude={"timings"}))

    @cached_property
    def digest(self) -> str:
        """The decision digest: SHA-256 of :attr:`canonical`."""
        return sha256_hex(self.canonical)

    @property
    def exit_code(self) -> int:
        """0 for allow, 1 for deny, 2 for no verdict."""
        return EXIT_CODES[self.outcome]

    def document(self) -> dict[str, Any]:
        """The record as JSON-like data, with ``digest`` as its last member."""
        return {**self.model_dump(mode="json", by_alias=True), "digest": self.digest}

    @classmethod
    def from_json(cls, text: str | bytes) -> Decision:
        """The record in a JSON text, with or without ``digest`` and ``timings``.

        Raises :class:`InputError`: ``decision_invalid`` when it is not a record,
        ``decision_digest_mismatch`` when its ``digest`` is not the one of its content.
        """
        try:
            stored = from_json(text)
            digest = stored.pop("digest", None) if isinstance(stored, dict) else None
            # Back to text: only there does strict mode take an array for a tuple.
            decision = cls.model_validate_json(json.dumps(stored))
        except ValidationError as error:
            raise InputError("decision_invalid", _first_problem(error)) from None
        except ValueError as error:
            raise InputError("decision_invalid", f"not a decision record: {error}") from None
        if digest is not None and digest != decision.digest:
            raise InputError(
                "decision_digest_mismatch",
                f"decision {decision.decision_id} has the digest {decision.digest},"
                f" not {str(digest)[:80]} as it says",
                hint="the record was changed after it was made",
            )
        return decision


def _first_problem(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    where = "/".join(str(part) for part in first["loc"])
    return f"not a decision record: {where + ': ' if where else ''}{first['msg']}"
