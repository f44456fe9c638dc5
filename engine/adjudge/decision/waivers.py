"""Rule results and waivers in; results with covered failures marked, and a report, out.

This is the one place where waivers are matched, with one clock: the evaluation time.
A waived failure is ``waived``, never ``pass``; errors and warnings cannot be waived.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from adjudge.decision.model import (
    AppliedWaiver,
    Model,
    RuleResult,
    Source,
    Subject,
    Text,
    Timestamp,
)
from adjudge.decision.times import format_time
from adjudge.decision.waiver_file import DAY_NS, SECOND_NS, MalformedWaiver, Waiver, WaiverSet


class WaiverCode(StrEnum):
    """Why a waiver stands where it does in the report: a closed list."""

    APPLIED = "applied"
    UNUSED = "unused"
    EXPIRED = "expired"
    MALFORMED = "malformed"
    UNDATED = "undated"
    DUPLICATE_ID = "duplicate_id"
    NOT_YET_VALID = "not_yet_valid"
    LIFETIME_TOO_LONG = "lifetime_too_long"
    APPROVAL_MISSING = "approval_missing"
    DIGEST_MISMATCH = "digest_mismatch"
    DIGEST_REQUIRED = "digest_required"


@dataclass(frozen=True, slots=True)
class WaiverSettings:
    """What an organisation demands of waivers."""

    max_lifetime_days: int = 180
    expiring_soon_days: int = 14
    approvers: int = 1
    """Distinct approvers besides the owner."""
    approvers_high: int = 2
    """The same, for findings of high or critical severity."""
    require_digest: bool = False
    """Refuse waivers that name an artifact without binding its digest."""


class WaiverNote(Model):
    """One waiver in the report."""

    id: Text | None
    rule: Text | None
    code: WaiverCode
    message: Text
    owner: Text | None = None
    ticket: Text | None = None
    expires: Timestamp | None = None
    days_left: int | None = None
    """Whole days until it expires, rounded down; negative once it has."""
    findings: int = 0
    """How many findings it covers, or would cover if it were valid."""
    source: Source | None = None


class WaiverReport(Model):
    """What became of every waiver.  ``expiring_soon`` repeats notes of other lists."""

    applied: tuple[WaiverNote, ...] = ()
    unused: tuple[WaiverNote, ...] = ()
    expired: tuple[WaiverNote, ...] = ()
    malformed: tuple[WaiverNote, ...] = ()
    refused: tuple[WaiverNote, ...] = ()
    expiring_soon: tuple[WaiverNote, ...] = ()


Group = Literal["applied", "unused", "expired", "malformed", "refused"]


@dataclass(slots=True)
class _Tally:
    """What happened to one waiver over all results."""

    applied: int = 0
    """Findings it covers."""
    matched: int = 0
    """Findings it would cover if it were valid."""
    refusals: dict[WaiverCode, str] = field(default_factory=dict)


def apply_waivers(
    results: Iterable[RuleResult],
    waivers: WaiverSet,
    now_ns: int,
    *,
    subjects: Sequence[Subject] = (),
    settings: WaiverSettings | None = None,
) -> tuple[tuple[RuleResult, ...], WaiverReport]:
    """The results with every covered ``fail`` turned into ``waived``, and the report.

    ``now_ns`` is the evaluation time.  ``subjects`` give the digest and name of each
    artifact path, and of the release, which rules about the whole release are about.
    Of several waivers that cover a failure the first by id is recorded.
    """
    evaluator = _Evaluator(waivers, now_ns, subjects, settings or WaiverSettings())
    return tuple(evaluator.apply(result) for result in results), evaluator.report()


class _Evaluator:
    def __init__(
        self, waivers: WaiverSet, now_ns: int, subjects: Sequence[Subject], settings: WaiverSettings
    ) -> None:
        self.settings = settings
        self.now = now_ns
        self.set = waivers
        self.tallies = {waiver.id: _Tally() for waiver in waivers.waivers}
        self.by_rule: dict[str, list[Waiver]] = {}
        for waiver in waivers.waivers:
            self.by_rule.setdefault(waiver.rule, []).append(waiver)
        self.names: dict[str | None, set[str]] = {}
        self.digests: dict[str | None, set[str]] = {}
        for subject in subjects:
            key = None if subject.kind == "release" else subject.path
            if key is None and subject.kind != "release":
                continue
            self.names.setdefault(key, set()).add(subject.name)
            if subject.digest:
                self.digests.setdefault(key, set()).add(subject.digest.sha256)

    def apply(self, result: RuleResult) -> RuleResult:
        """The result, waived when a valid waiver covers it."""
        if result.outcome != "fail":
            return result
        covering: list[Waiver] = []
        for waiver in self.by_rule.get(result.rule_id, ()):
            tally = self.tallies[waiver.id]
            refusal = self._refusal(waiver, result)
            if refusal is None:
                tally.applied += 1
                covering.append(waiver)
            else:
                tally.matched += refusal[0] != WaiverCode.UNUSED
                tally.refusals.setdefault(*refusal)
        if not covering:
            return result
        return result.model_copy(update={"outcome": "waived", "waiver": _recorded(covering[0])})

    def _refusal(self, waiver: Waiver, result: RuleResult) -> tuple[WaiverCode, str] | None:
        """Why the waiver does not cover the failure; ``unused`` when it is about another."""
        names = self.names.get(result.artifact, set()) | {result.artifact}
        digests = self.digests.get(result.artifact, set())
        if waiver.name is not None and waiver.name not in names:
            return WaiverCode.UNUSED, "no finding of this rule has this name"
        if waiver.digest is not None and waiver.digest not in digests:
            if waiver.name is None:
                return WaiverCode.UNUSED, "no finding of this rule has this digest"
            return (
                WaiverCode.DIGEST_MISMATCH,
                f"{waiver.name} has changed since the waiver was written",
            )
        return self._defect(waiver) or self._approval(waiver, result)

    def _defect(self, waiver: Waiver) -> tuple[WaiverCode, str] | None:
        """What keeps the waiver from applying to anything at all."""
        if self.now >= waiver.expires + SECOND_NS:
            return WaiverCode.EXPIRED, "it has expired"
        if self.now < waiver.created:
            return WaiverCode.NOT_YET_VALID, f"it starts on {format_time(waiver.created)}"
        limit = self.settings.max_lifetime_days
        days = (waiver.expires - waiver.created) // DAY_NS
        if days > limit:
            return (
                WaiverCode.LIFETIME_TOO_LONG,
                f"it runs for {days} days; at most {limit} are allowed",
            )
        if self.settings.require_digest and waiver.digest is None:
            return WaiverCode.DIGEST_REQUIRED, "it is not bound to a digest"
        return None

    def _approval(self, waiver: Waiver, result: RuleResult) -> tuple[WaiverCode, str] | None:
        high = result.severity in ("high", "critical")
        needed = self.settings.approvers_high if high else self.settings.approvers
        given = len(waiver.approvers)
        if given >= needed:
            return None
        what = f"a finding of {result.severity} severity" if high else "a waiver"
        return (
            WaiverCode.APPROVAL_MISSING,
            f"{what} needs {needed} approvers besides the owner, it has {given}",
        )

    def report(self) -> WaiverReport:
        """What became of every waiver, once all results were seen."""
        groups: dict[Group, list[WaiverNote]] = {
            "applied": [],
            "unused": [],
            "expired": [],
            "malformed": [],
            "refused": [],
        }
        soon: list[WaiverNote] = []
        for waiver in self.set.waivers:
            group, note = self._note(waiver)
            groups[group].append(note)
            lasts = group in ("applied", "unused") and note.days_left is not None
            if lasts and (note.days_left or 0) < self.settings.expiring_soon_days:
                soon.append(note)
        groups["malformed"] = [_malformed_note(waiver) for waiver in self.set.malformed]
        return WaiverReport(
            **{name: tuple(notes) for name, notes in groups.items()}, expiring_soon=tuple(soon)
        )

    def _note(self, waiver: Waiver) -> tuple[Group, WaiverNote]:
        tally = self.tallies[waiver.id]
        group: Group = "unused"
        defect = self._defect(waiver)
        refused = {k: v for k, v in tally.refusals.items() if k != WaiverCode.UNUSED}
        if defect:
            code, message = defect
            group = "expired" if code == WaiverCode.EXPIRED else "refused"
        elif tally.applied:
            group, code = "applied", WaiverCode.APPLIED
            message = f"covers {tally.applied} finding{'s' if tally.applied != 1 else ''}"
        elif refused:
            group = "refused"
            code, message = min(refused.items())
        else:
            code = WaiverCode.UNUSED
            message = tally.refusals.get(code, "the rule found nothing")
        return group, WaiverNote(
            id=waiver.id,
            rule=waiver.rule,
            code=code,
            message=message,
            owner=waiver.owner,
            ticket=waiver.ticket,
            expires=format_time(waiver.expires),
            days_left=(waiver.expires - self.now) // DAY_NS,
            findings=tally.applied or tally.matched,
            source=waiver.source,
        )


def _recorded(waiver: Waiver) -> AppliedWaiver:
    return AppliedWaiver(
        id=waiver.id,
        reason=waiver.reason,
        ticket=waiver.ticket,
        owner=waiver.owner,
        approved_by=waiver.approved_by,
        expires=format_time(waiver.expires),
    )


def _malformed_note(waiver: MalformedWaiver) -> WaiverNote:
    return WaiverNote(
        id=waiver.id,
        rule=waiver.rule,
        code=WaiverCode(waiver.code),
        message=waiver.message,
        source=waiver.source,
    )
