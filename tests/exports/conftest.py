"""Reports to render: an ordinary denied one, an allowed one, and a hostile one."""

from __future__ import annotations

from typing import Any

import pytest

from adjudge.decision.assemble import make_decision
from adjudge.decision.model import (
    AppliedWaiver,
    Context,
    Decision,
    Degradation,
    Digest,
    EngineInfo,
    Evidence,
    GitInfo,
    InputInfo,
    Obligation,
    Pack,
    PolicyInfo,
    RuleLocation,
    RuleResult,
    Source,
    Subject,
)
from adjudge.decision.redaction import MISSING, RedactionPolicy
from adjudge.decision.times import parse_time
from adjudge.decision.waivers import WaiverCode, WaiverNote, WaiverReport
from adjudge.exports.report import Report

NOW = parse_time("2026-11-20T09:30:00Z")

HOSTILE = (
    "a%0Ab::error::x\n::error file=x::pwned\n##[error]pwned <script>alert(1)</script>|`cell`"
    " \x1b[31mred\x1b[0m \x1b]8;;http://evil\x07 =cmd() \u202eabc\u2066 \x00 \udc80 \u2028"
    " ]]> --> </pre></script> {{7*7}} [x](javascript:1) @team 'q' \"q\" & \x9b31m"
)
"""Everything that means something to something that reads our output."""


def _decision(results: tuple[RuleResult, ...], **changes: Any) -> Decision:
    members: dict[str, Any] = {
        "time_ns": NOW,
        "results": results,
        "subject": (
            Subject(name="support-assistant 1.4.0", kind="release", digest=_digest("e")),
            Subject(name="card", kind="model_card", path="model/README.md", digest=_digest("c")),
            Subject(name="prompt", kind="prompt_bundle", path="prompts/triage/2.1.0"),
            Subject(name="sbom", kind="sbom", path="sbom.cdx.json", digest=_digest("d")),
        ),
        "policy": PolicyInfo(
            name="baseline",
            digest="a1b2" * 16,
            revision="2026.11",
            packs=(Pack(name="model-card", version="0.3.0", digest="9" * 64),),
        ),
        "engine": EngineInfo(name="adjudge", version="0.1.0"),
        "input": InputInfo(digest="b" * 64),
        "context": Context(
            environment="production",
            tenant="acme",
            event="pull_request",
            git=GitInfo(commit="4f1d2a9c" * 5, ref="refs/heads/main"),
        ),
        "entropy": bytes(range(10)),
        "timings": {"total": 182_000_000},
    }
    return make_decision(**{**members, **changes})


def _digest(letter: str) -> Digest:
    return Digest(sha256=letter * 64)


def _result(**changes: Any) -> RuleResult:
    members: dict[str, Any] = {
        "rule_id": "MC-05",
        "package": "adjudge.model_card",
        "title": "Intended purpose is written",
        "severity": "high",
        "outcome": "fail",
        "message": "README.md does not say what the model is for",
        "remediation": "Write an “Intended use” section: who uses the model, for what,"
        " and in which setting.",
        "controls": ("eu-ai-act/13.3.b.i", "nist-ai-rmf/map-1.1", "iso-42001/A.9.4"),
        "location": RuleLocation(file="model_card/purpose.rego", row=14),
        "artifact": "model/README.md",
    }
    return RuleResult(**{**members, **changes})


def _read(artifact: str, pointer: str, value: Any, *at: int) -> Evidence:
    source = Source(file=artifact, line=at[0], column=at[1]) if at else None
    return RedactionPolicy().evidence(artifact, pointer, value, source)


CARD, SBOM, CONFIG = "model/README.md", "sbom.cdx.json", "prompts/triage/2.1.0/config.yaml"

EXCERPTS = {
    (CARD, 31): "[More Information Needed]",
    (CARD, 4): "license: cc-by-nc-4.0",
    (SBOM, 118): '      "hashes": [{"alg": "MD5", "content": "0cc175b9c0f1b6a831c399e269772661"}]',
    (CONFIG, 6): "model: support-7b:latest",
    (CONFIG, 9): "api_key: not-a-real-key",
}


def _failures() -> tuple[RuleResult, ...]:
    component = '      {"type": "library", "name": "package-%d", "version": "1.%d"}'
    hashes = tuple(
        _result(
            rule_id="SB-03",
            package="adjudge.sbom",
            title="Every component has a strong hash",
            severity="medium",
            message=f"package-{n} has no SHA-256 or stronger hash",
            remediation="Generate the SBOM from the lock file, with hashes.",
            controls=("owasp-llm-2025/LLM03", "mitre-atlas/AML.M0014"),
            artifact=SBOM,
            pointer=f"/facts/components/{n}/hashes",
            source=Source(file=SBOM, line=118 + n, column=7),
            evidence=(_read(SBOM, f"/facts/components/{n}/hashes", [], 118 + n, 7),),
        )
        for n in range(9)
    )
    EXCERPTS.update({(SBOM, 118 + n): component % (n, n) for n in range(1, 9)})
    return (
        _result(
            pointer="/facts/intended_use",
            source=Source(file=CARD, line=31, column=1),
            evidence=(
                _read(CARD, "/facts/intended_use", "[More Information Needed]", 31, 1),
                _read(CARD, "/facts/sections/7/title", "Intended use", 29, 4),
            ),
        ),
        _result(
            rule_id="SG-01",
            package="adjudge.signed_artifact",
            title="The model is signed by an allowed identity",
            severity="critical",
            message="model/weights.safetensors has no signature",
            remediation="Sign the model in the release workflow, and commit the bundle beside it.",
            controls=("eu-ai-act/15.5", "mitre-atlas/AML.M0013"),
            artifact="model/weights.safetensors",
            evidence=(_read("model/weights.safetensors", "/signatures", MISSING),),
        ),
        _result(
            rule_id="PB-05",
            package="adjudge.prompt_bundle",
            title="The model is pinned",
            severity="high",
            message="“support-7b:latest” is a moving target",
            remediation="Name the model with its date or digest.",
            controls=("nist-ai-600-1/GV-1.6-003",),
            artifact="prompts/triage/2.1.0",
            pointer="/facts/model",
            source=Source(file=CONFIG, line=6, column=8),
            evidence=(
                _read(CONFIG, "/facts/model", "support-7b:latest", 6, 8),
                _read(CONFIG, "/document/api_key", "not-a-real-key", 9, 10),
            ),
        ),
        *hashes,
    )


def _others() -> tuple[RuleResult, ...]:
    return (
        _result(
            rule_id="MC-18",
            title="The card is fresh",
            severity="low",
            outcome="warn",
            message="The card was last reviewed 204 days ago",
            remediation="Review the card and set review_date.",
            controls=(),
            source=Source(file=CARD, line=4, column=10),
        ),
        _result(
            rule_id="MC-04",
            title="The licence is allowed",
            severity="medium",
            outcome="waived",
            message="cc-by-nc-4.0 is not on the list of allowed licences",
            source=Source(file=CARD, line=4, column=10),
            waiver=AppliedWaiver(
                id="W-2026-012",
                reason="Internal pilot without revenue; legal agreed in writing.",
                ticket="LEGAL-88",
                owner="dana",
                approved_by=("bo", "kim"),
                expires="2026-12-01T23:59:59Z",
            ),
        ),
        _result(
            rule_id="PB-10",
            package="adjudge.prompt_bundle",
            title="Prompt tests cover injection, refusal, personal data and format",
            severity="high",
            outcome="error",
            message="tests.json: count() was given null",
            location=RuleLocation(file="prompt_bundle/tests.rego", row=31),
            artifact="prompts/triage/2.1.0",
            remediation="",
            controls=(),
        ),
        *(
            _result(
                rule_id=f"MC-{n:02}",
                outcome="pass",
                title=title,
                message="",
                evidence=(_read(CARD, "/facts/name", "support-7b", 2, 7),),
            )
            for n, title in ((1, "The card parses"), (2, "Name and version are stated"))
        ),
        _result(
            rule_id="DT-01",
            outcome="not_applicable",
            title="Dataset licences are allowed",
            artifact=None,
            message="no dataset in this release",
        ),
    )


WAIVERS = WaiverReport(
    applied=(
        WaiverNote(
            id="W-2026-012",
            rule="MC-04",
            code=WaiverCode.APPLIED,
            message="covers 1 finding",
            owner="dana",
            ticket="LEGAL-88",
            expires="2026-12-01T23:59:59Z",
            days_left=11,
            findings=1,
        ),
    ),
    expired=(
        WaiverNote(
            id="W-2026-003",
            rule="SG-01",
            code=WaiverCode.EXPIRED,
            message="it has expired",
            owner="dana",
            ticket="SEC-4",
            expires="2026-10-31T23:59:59Z",
            days_left=-20,
            findings=1,
            source=Source(file="waivers.yaml", line=12, column=3),
        ),
    ),
    unused=(
        WaiverNote(
            id="W-2026-009",
            rule="MC-10",
            code=WaiverCode.UNUSED,
            message="the rule found nothing",
            owner="kim",
            ticket="RISK-2",
            expires="2027-01-31T23:59:59Z",
            days_left=72,
        ),
    ),
)

DEGRADED = (
    Degradation(code="offline", message="The transparency log was not asked; proofs were checked."),
    Degradation(code="clock_overridden", message="The evaluation time was given with --as-of."),
)


def denied_report() -> Report:
    """A release with findings of every kind."""
    decision = _decision((*_failures(), *_others()), degradations=DEGRADED)
    return Report(decision=decision, waivers=WAIVERS, excerpts=EXCERPTS)


def allowed_report() -> Report:
    """A release with nothing to say against it."""
    passes = tuple(r for r in _others() if r.outcome in ("pass", "not_applicable"))
    return Report(decision=_decision(passes))


def empty_report() -> Report:
    """No rule was evaluated."""
    return Report(decision=_decision(()))


def hostile_report() -> Report:
    """Every text that comes from judged files or policies is hostile."""
    waiver = AppliedWaiver(
        id=HOSTILE,
        reason=HOSTILE,
        ticket=HOSTILE,
        owner=HOSTILE,
        approved_by=(HOSTILE,),
        expires="2026-12-01T23:59:59Z",
    )
    common: dict[str, Any] = {
        "rule_id": HOSTILE,
        "package": HOSTILE,
        "title": HOSTILE,
        "message": HOSTILE,
        "remediation": HOSTILE,
        "controls": (HOSTILE, f"eu-ai-act/{HOSTILE}"),
        "location": RuleLocation(file=HOSTILE, row=3),
        "artifact": HOSTILE,
        "pointer": f"/{HOSTILE}",
        "source": Source(file=HOSTILE, line=1, column=5),
        "evidence": (_read(HOSTILE, f"/{HOSTILE}", {HOSTILE: HOSTILE}, 1, 5),),
    }
    results = (
        *(_result(**{**common, "outcome": o}) for o in ("fail", "warn", "error", "pass")),
        _result(**{**common, "outcome": "waived", "waiver": waiver}),
        _result(**{**common, "outcome": "not_applicable"}),
    )
    note = WaiverNote(
        id=HOSTILE,
        rule=HOSTILE,
        code=WaiverCode.MALFORMED,
        message=HOSTILE,
        owner=HOSTILE,
        ticket=HOSTILE,
        source=Source(file=HOSTILE, line=2, column=1),
    )
    decision = _decision(
        results,
        subject=(Subject(name=HOSTILE, kind="release"), Subject(name=HOSTILE, kind=HOSTILE)),
        policy=PolicyInfo(name=HOSTILE, digest="a" * 64, revision=HOSTILE, signer=HOSTILE),
        engine=EngineInfo(name="adjudge", version="0.1.0"),
        context=Context(
            environment=HOSTILE,
            tenant=HOSTILE,
            event=HOSTILE,
            git=GitInfo(commit=HOSTILE, ref=HOSTILE),
        ),
        degradations=(Degradation(code=HOSTILE, message=HOSTILE, detail=HOSTILE[:20]),),
        obligations=(Obligation(rule_id=HOSTILE, action=HOSTILE),),
    )
    file = decision.results[0].source
    assert file is not None
    return Report(
        decision=decision,
        waivers=WaiverReport(malformed=(note,), unused=(note,), refused=(note,)),
        excerpts={(file.file, 1): HOSTILE},
    )


@pytest.fixture
def denied() -> Report:
    """A release with findings of every kind."""
    return denied_report()


@pytest.fixture
def allowed() -> Report:
    """A release with nothing to say against it."""
    return allowed_report()


@pytest.fixture
def empty() -> Report:
    """No rule was evaluated."""
    return empty_report()


@pytest.fixture
def hostile() -> Report:
    """Every text that comes from judged files or policies is hostile."""
    return hostile_report()


@pytest.fixture
def hostile_text() -> str:
    """The text that the hostile report is made of."""
    return HOSTILE
