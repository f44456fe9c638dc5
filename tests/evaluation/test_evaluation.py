"""What evaluation makes of policies and documents: outcomes, places, evidence, sameness."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.evaluation.conftest import CARD, NOW, JudgeIt, write

from adjudge.decision.model import RuleResult
from adjudge.decision.waiver_file import parse_waivers
from adjudge.evaluation import Judge, Judgement
from adjudge.policyset import load_policy_set
from adjudge.rego.capabilities import all_capabilities
from adjudge.rego.errors import RegoErrors
from adjudge.rego.runtime.limits import Limits

SBOM = json.dumps(
    {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "components": [{"type": "library", "name": "left-pad", "version": "1.0"}],
    },
    indent=1,
)


def rego(
    body: str,
    *,
    rule: str = "R-1",
    applies_to: str = "model_card",
    package: str = "t",
    more: str = "",
) -> str:
    """A module with one rule and its METADATA."""
    head = [
        "# METADATA",
        "# title: The rule",
        "# custom:",
        f"#   id: {rule}",
        "#   severity: high",
        "#   remediation: Mend it.",
        f"#   applies_to: {applies_to}",
        *(f"#   {line}" for line in more.splitlines()),
    ]
    return f"package {package}\n\n" + "\n".join(head) + f"\n{body}\n"


def only(judgement: Judgement) -> RuleResult:
    """The one result."""
    (result,) = judgement.decision.results
    return result


def place(result: RuleResult) -> tuple[str, int, int]:
    """Where a result stands."""
    assert result.source is not None
    return result.source.file, result.source.line, result.source.column


# --- outcomes -------------------------------------------------------------------------------------


def test_a_finding_is_a_failure_with_everything_its_policy_says(judge: JudgeIt) -> None:
    policy = rego(
        'deny contains {"msg": "no", "details": {"n": 1}} if input.facts.license.spdx == "MIT"',
        more="controls: [eu-ai-act/13.3]",
    )
    judgement = judge(policy, {"README.md": CARD})
    result = only(judgement)
    assert judgement.decision.outcome == "deny"
    assert judgement.decision.reason_codes == ("denied_by_rule",)
    assert (result.rule_id, result.package, result.title) == ("R-1", "t", "The rule")
    assert (result.outcome, result.message, result.severity) == ("fail", "no", "high")
    assert (result.remediation, result.controls) == ("Mend it.", ("eu-ai-act/13.3",))
    assert result.artifact == "README.md"
    assert result.details == {"n": 1}
    assert result.location is not None
    assert (result.location.file, result.location.row) == ("policies/p.rego", 11)


def test_a_rule_that_finds_nothing_passes_with_what_it_looked_at(judge: JudgeIt) -> None:
    policy = rego('deny contains "no" if input.facts.license.spdx == "GPL-3.0-only"')
    judgement = judge(policy, {"README.md": CARD})
    result = only(judgement)
    assert (judgement.decision.outcome, result.outcome) == ("allow", "pass")
    (evidence,) = result.evidence
    assert (evidence.artifact, evidence.pointer) == ("README.md", "/facts/license/spdx")
    assert (evidence.recorded, evidence.value) == ("value", "MIT")
    assert evidence.source is not None
    assert evidence.source.line == 2


def test_a_warning_is_reported_and_blocks_only_when_asked(judge: JudgeIt) -> None:
    policy = rego('warn contains "hm" if input.facts.license')
    assert judge(policy, {"README.md": CARD}).decision.outcome == "allow"
    asked = judge(policy, {"README.md": CARD}, fail_on="warn").decision
    assert (asked.outcome, asked.reason_codes) == ("deny", ("denied_by_warning",))
    assert asked.results[0].outcome == "warn"


def test_a_kind_that_the_release_lacks_is_not_applicable_and_no_verdict(judge: JudgeIt) -> None:
    judgement = judge(rego('deny contains "no"', applies_to="[sbom, weights]"), {"README.md": CARD})
    result = only(judgement)
    assert (result.outcome, result.artifact) == ("not_applicable", None)
    assert result.message == "the release has no sbom or weights"
    assert judgement.decision.outcome == "no_verdict"
    assert judgement.decision.reason_codes == ("no_rules_evaluated",)
    assert judgement.decision.exit_code == 2


def test_rules_about_calls_are_not_asked_about_a_release(judge: JudgeIt) -> None:
    judgement = judge(rego('deny contains "no"', applies_to="runtime"), {"README.md": CARD})
    assert judgement.decision.results == ()
    assert judgement.decision.outcome == "no_verdict"


@pytest.mark.parametrize(
    ("condition", "outcome"),
    [
        ('applicable if input.facts.format == "huggingface"', "fail"),
        ('applicable if input.facts.format == "other"', "not_applicable"),
        ("applicable := false", "not_applicable"),
        ("applicable := 1", "not_applicable"),
        # What cannot be told does not excuse the rule.
        ("applicable if 1 / input.facts.zero == 1", "not_applicable"),
        ("applicable if 1 / (input.size - input.size) == 1", "fail"),
    ],
)
def test_a_package_says_when_its_rules_apply(judge: JudgeIt, condition: str, outcome: str) -> None:
    policy = rego('deny contains "no"') + f"\n{condition}\n"
    assert only(judge(policy, {"README.md": CARD})).outcome == outcome


def test_a_rule_runs_for_the_release_and_each_artifact_of_its_kinds(judge: JudgeIt) -> None:
    policy = rego("deny contains input.path", applies_to="[sbom, model_card]")
    policy += (
        '\n# METADATA\n# custom: {id: R-2}\ndeny contains "all" if count(input.artifacts) == 2\n'
    )
    results = judge(policy, {"README.md": CARD, "bom.json": SBOM}).decision.results
    assert [(r.rule_id, r.artifact, r.message) for r in results] == [
        ("R-1", "README.md", "README.md"),
        ("R-1", "bom.json", "bom.json"),
        ("R-2", None, "all"),
    ]


def test_an_evaluation_error_blocks_and_hides_no_other_result(judge: JudgeIt) -> None:
    policy = rego('deny contains "x" if 1 / (input.size - input.size) == 1')
    policy += rego('deny contains "y"', rule="R-2").removeprefix("package t\n")
    judgement = judge(policy, {"README.md": CARD})
    error, fail = judgement.decision.results
    assert (error.outcome, fail.outcome) == ("error", "fail")
    assert error.message == "policies/p.rego:10:22: eval_builtin_error: div: divide by zero"
    assert judgement.decision.reason_codes == ("denied_by_rule", "evaluation_error")


def test_builtin_errors_may_be_undefined_as_in_opa(judge: JudgeIt) -> None:
    policy = rego('deny contains "x" if 1 / (input.size - input.size) == 1')
    judgement = judge(policy, {"README.md": CARD}, strict_builtin_errors=False)
    assert only(judgement).outcome == "pass"


def test_conflicts_and_limits_are_errors(judge: JudgeIt) -> None:
    policy = rego('deny contains "x" if one == 1') + "\none := n if some n in [1, 2]\n"
    assert "eval_conflict_error" in only(judge(policy, {"README.md": CARD})).message
    slow = rego(
        'deny contains "x" if { some a in numbers.range(1, 9999); '
        "some b in numbers.range(1, 9999); a * b == -1 }"
    )
    result = only(judge(slow, {"README.md": CARD}, limits=Limits(steps=50_000)))
    assert result.outcome == "error"
    assert "eval_limit_error: evaluation took more than 50000 steps" in result.message


def test_the_time_limit_is_one_for_all_artifacts(judge: JudgeIt) -> None:
    slow = rego(
        'deny contains "x" if { some a in numbers.range(1, 99999); '
        "some b in numbers.range(1, 99999); a * b == -1 }",
        applies_to="sbom",
    )
    files = {f"{n}/bom.json": SBOM for n in range(30)}
    results = judge(slow, files, limits=Limits(seconds=0.1)).decision.results
    assert len(results) == 30
    assert {r.outcome for r in results} == {"error"}
    # Each of them would have taken the whole time.
    assert all("longer than 0.1 s" in r.message for r in results)


def test_waived_is_neither_pass_nor_fail(judge: JudgeIt) -> None:
    waiver = {
        "id": "W-1",
        "rule": "R-1",
        "subject": {"name": "README.md"},
        "reason": "r",
        "ticket": "T-1",
        "owner": "o",
        "approved_by": ["a", "b"],
        "created": "2025-12-01",
        "expires": "2026-02-01",
    }
    given: Any = {"waivers": [waiver]}
    judgement = judge(
        rego('deny contains "no"'),
        {"README.md": CARD},
        waivers=parse_waivers(given, "w.yaml", lambda _: None),
        waivers_digest="0" * 64,
    )
    result = only(judgement)
    assert (result.outcome, judgement.decision.outcome) == ("waived", "allow")
    assert result.waiver is not None
    assert result.waiver.id == "W-1"
    assert judgement.decision.input.waivers_digest == "0" * 64
    assert judgement.waivers is not None


# --- when a rule is in force ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "outcome"),
    [
        (NOW - 1, "warn"),
        (NOW, "fail"),
        (NOW + 1, "fail"),
    ],
)
@pytest.mark.parametrize("name", ["deny", "violation"])
def test_a_denial_warns_until_its_time_has_come(
    judge: JudgeIt, name: str, now: int, outcome: str
) -> None:
    policy = rego(f'{name} contains "no"', more="effective_from: 2026-01-01")
    assert only(judge(policy, {"README.md": CARD}, now_ns=now)).outcome == outcome


# --- what policies may say ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "found"),
    [
        ('deny contains "text"', [("fail", "text")]),
        ('deny contains {"msg": "m"}', [("fail", "m")]),
        ('deny contains {"message": "m"}', [("fail", "m")]),
        ('deny contains ""', [("fail", "The rule")]),
        ('deny contains {"msg": ""}', [("fail", "The rule")]),
        ("deny if input.size > 0", [("fail", "The rule")]),
        ("deny if input.size < 0", [("pass", "")]),
        ("deny := false", [("pass", "")]),
        ("deny := []", [("pass", "")]),
        ('deny := ["a", {"msg": "b"}]', [("fail", "a"), ("fail", "b")]),
        ('deny := {"a", "b"}', [("fail", "a"), ("fail", "b")]),
        ('warn := "w"', [("warn", "w")]),
        ('deny_more contains "x"', [("fail", "x")]),
        ('violation contains {"msg": "v", "details": {}}', [("fail", "v")]),
        ("deny contains 1", [("error", "an element of deny must be a string, or an object")]),
        ("deny contains null", [("error", "an element of deny must be")]),
        ('deny contains {"no": "msg"}', [("error", "an element of deny must be")]),
        ('deny contains {"msg": 1}', [("error", "an element of deny must be")]),
        ("violation := 7", [("error", "an element of violation must be")]),
        ('warn["k"] := "v"', []),
    ],
)
def test_entries(judge: JudgeIt, rule: str, found: list[tuple[str, str]]) -> None:
    results = judge(rego(rule), {"README.md": CARD}).decision.results
    assert [r.outcome for r in results] == [outcome for outcome, _ in found]
    for result, (_, message) in zip(results, found, strict=True):
        assert result.message.startswith(message)


def test_an_entry_brings_its_own_remediation_and_details(judge: JudgeIt) -> None:
    result = only(
        judge(
            rego('deny contains {"msg": "m", "remediation": "Else.", "limit": 3, "found": [1]}'),
            {"README.md": CARD},
        )
    )
    assert result.remediation == "Else."
    assert result.details == {"limit": 3, "found": [1]}


def test_several_clauses_on_one_line_all_run(judge: JudgeIt) -> None:
    policy = 'package t\n\ndeny contains "a" if { input.artifacts } { input.release }\n'
    policy += 'deny contains "b" if { true } { false }\n'
    results = judge(policy, {"README.md": CARD}).decision.results
    assert sorted(r.outcome for r in results) == ["fail", "fail", "fail", "pass"]


def test_clauses_of_a_yaml_policy_on_one_line_all_run(judge: JudgeIt) -> None:
    policy = (
        "apiVersion: adjudge/v1\nkind: Policy\nmetadata: {id: Y-1, title: T, severity: low}\n"
        "applies_to: model_card\n"
        "deny: [{message: a, when: {path: facts.license.spdx, equals: MIT}},"
        " {message: b, when: {path: facts.license.spdx, equals: MIT}}]\n"
    )
    results = judge({"y.yaml": policy}, {"README.md": CARD}).decision.results
    assert [(r.outcome, r.message) for r in results] == [("fail", "a"), ("fail", "b")]


# --- places ---------------------------------------------------------------------------------------

YAML_FILE = "a:\n  b:\n    - x\n    - y: 1\n"
JSON_FILE = '{\n "a": {\n  "b": ["x",\n   "y"]}}\n'
RELEASE = """\
apiVersion: adjudge/v1
kind: Release
metadata:
  name: bot
  version: 1.0.0

owner: me
"""


@pytest.mark.parametrize(
    ("kind", "file", "text", "pointer", "expected"),
    [
        ("model_card", "README.md", CARD, "/facts/license/spdx", (2, 10)),
        ("model_card", "README.md", CARD, "/document/front_matter/owner", (3, 8)),
        ("model_card", "README.md", CARD, "/facts/intended_use", (7, 1)),
        ("model_card", "README.md", CARD, "facts/license", (2, 10)),
        ("generic", "x.json", JSON_FILE, "/document/a/b/1", (4, 4)),
        ("generic", "x.json", JSON_FILE, "/document/a/b/7", (3, 8)),
        ("generic", "x.yaml", YAML_FILE, "/document/a/b/1/y", (4, 10)),
        ("generic", "x.yaml", YAML_FILE, "/document/nothing/here", (1, 1)),
        ("sbom", "bom.json", SBOM, "/document/components/0/name", (8, 12)),
    ],
)
def test_pointers_lead_to_file_line_and_column(
    judge: JudgeIt, kind: str, file: str, text: str, pointer: str, expected: tuple[int, int]
) -> None:
    policy = rego(f'deny contains {{"msg": "m", "pointer": "{pointer}"}}', applies_to=kind)
    judgement = judge(policy, {file: text}, kinds={file: kind})
    result = only(judgement)
    assert place(result) == (file, *expected)
    assert result.artifact == file
    assert result.pointer == f"/{pointer.removeprefix('/')}"
    assert judgement.excerpts[file, expected[0]] == text.splitlines()[expected[0] - 1]


@pytest.mark.parametrize(
    ("pointer", "artifact", "inner", "expected"),
    [
        ("/artifacts/0/facts/license", "README.md", "/facts/license", ("README.md", 2, 10)),
        ("/model_cards/0/facts/license", "README.md", "/facts/license", ("README.md", 2, 10)),
        ("/artifacts/0", "README.md", "", ("README.md", 1, 1)),
        ("/release/owner", None, "/release/owner", ("release.yaml", 7, 8)),
        ("/artifacts/99999999999999999999/x", None, "/artifacts/99999999999999999999/x", None),
        ("/model_cards/7/x", None, "/model_cards/7/x", None),
        ("/git/commit", None, "/git/commit", None),
    ],
)
def test_pointers_of_release_rules_lead_into_artifacts_and_the_manifest(
    judge: JudgeIt,
    pointer: str,
    artifact: str | None,
    inner: str,
    expected: tuple[str, int, int] | None,
) -> None:
    policy = rego(f'deny contains {{"msg": "m", "pointer": "{pointer}"}}', applies_to="release")
    result = only(judge(policy, {"README.md": CARD, "release.yaml": RELEASE}))
    assert (result.artifact, result.pointer) == (artifact, inner)
    if expected is not None:
        assert place(result) == expected


def test_a_kinds_rule_may_point_into_the_manifest(judge: JudgeIt) -> None:
    policy = rego(
        'deny contains {"msg": "m", "pointer": "/release/owner"} if input.release.owner == "me"'
    )
    result = only(judge(policy, {"README.md": CARD, "release.yaml": RELEASE}))
    assert place(result) == ("release.yaml", 7, 8)
    assert result.artifact == "README.md"
    assert [(e.artifact, e.pointer) for e in result.evidence] == [(None, "/release/owner")]


def test_reads_of_a_release_rule_are_evidence_of_their_artifacts(judge: JudgeIt) -> None:
    policy = rego(
        "deny contains c.path if { some c in input.model_cards; not c.facts.nothing }\n",
        applies_to="release",
    )
    result = only(judge(policy, {"README.md": CARD, "bom.json": SBOM}))
    assert result.artifact == "README.md"
    assert {(e.artifact, e.pointer, e.recorded) for e in result.evidence} == {
        ("README.md", "/path", "value"),
        ("README.md", "/facts/nothing", "absent"),
    }


def test_two_artifacts_with_one_path_keep_their_own_evidence(judge: JudgeIt) -> None:
    """Weights, and the same file as something that is signed."""
    policy = rego("deny contains input.kind", applies_to="[weights, signed_artifact]")
    policy += rego(
        "deny contains a.kind if some a in input.artifacts", rule="R-2", applies_to="release"
    ).removeprefix("package t\n")
    header = '{"__metadata__":{"format":"pt"}}'
    weights = len(header).to_bytes(8, "little").decode("latin-1") + header
    files = {"m.safetensors": weights, "m.safetensors.sig": "bm8="}
    results = judge(policy, files).decision.results
    assert [(r.rule_id, r.message) for r in results] == [
        ("R-1", "signed_artifact"),
        ("R-1", "weights"),
        ("R-2", "signed_artifact"),
        ("R-2", "weights"),
    ]
    for result in results:
        assert [(e.artifact, e.pointer, e.value) for e in result.evidence] == [
            ("m.safetensors", "/kind", result.message)
        ]


def test_reads_of_data_are_evidence(judge: JudgeIt) -> None:
    policy = rego("deny contains input.path if input.size > data.limits.size")
    result = only(
        judge(policy, {"README.md": CARD}, data={"limits.json": '{"limits": {"size": 3}}'})
    )
    found = {(e.artifact, e.pointer): e.value for e in result.evidence}
    assert found[None, "/data/limits/size"] == 3
    assert found["README.md", "/size"] == len(CARD)


# --- evidence -------------------------------------------------------------------------------------


def test_secrets_reach_neither_evidence_nor_messages_nor_details(judge: JudgeIt) -> None:
    secret = "ghp_" + "a1B2" * 9
    text = json.dumps({"api_key": "hunter2hunter2", "note": f"use {secret}"}, indent=1)
    policy = rego(
        'deny contains {"msg": input.document.note, "details": {"k": input.document.note}} '
        "if input.document.api_key",
        applies_to="generic",
    )
    judgement = judge(policy, {"x.json": text}, kinds={"x.json": "generic"})
    result = only(judgement)
    by_pointer = {e.pointer: e for e in result.evidence}
    assert by_pointer["/document/api_key"].redacted == "secret_name"
    assert by_pointer["/document/note"].recorded == "redacted"
    assert result.message.startswith("use [redacted: ")
    record = judgement.decision.model_dump_json()
    assert secret not in record
    assert "hunter2" not in record


def test_large_values_are_recorded_by_digest(judge: JudgeIt) -> None:
    text = json.dumps({"long": "word " * 1000})
    policy = rego('deny contains "m" if count(input.document.long) > 10', applies_to="generic")
    (evidence,) = only(judge(policy, {"x.json": text}, kinds={"x.json": "generic"})).evidence
    assert (evidence.recorded, evidence.value) == ("digest", None)
    assert evidence.digest is not None


def test_evidence_is_bounded_and_what_the_finding_is_about_is_kept(judge: JudgeIt) -> None:
    text = json.dumps({"xs": [{"v": n} for n in range(30)]})
    policy = rego(
        'deny contains {"msg": "m", "pointer": "/document/xs/29/v"} '
        "if sum([x.v | some x in input.document.xs]) > 1",
        applies_to="generic",
    )
    result = only(judge(policy, {"x.json": text}, kinds={"x.json": "generic"}))
    assert len(result.evidence) == 20
    assert result.evidence_omitted == 10
    assert "/document/xs/29/v" in {e.pointer for e in result.evidence}


# --- the file itself as input ---------------------------------------------------------------------


def test_raw_rules_see_the_file_whatever_they_apply_to(judge: JudgeIt) -> None:
    policy = (
        'package main\n\ndeny contains {"msg": "m", "pointer": "/a/b/0"} if input.a.b[0] == "x"\n'
    )
    judgement = judge(policy, {"x.json": JSON_FILE}, kinds={"x.json": "generic"}, raw=True)
    result = only(judgement)
    assert (result.outcome, result.artifact) == ("fail", "x.json")
    assert result.pointer == "/document/a/b/0"
    assert place(result) == ("x.json", 3, 9)
    assert [e.pointer for e in result.evidence] == ["/document/a/b/0"]


def test_raw_files_may_be_anything(judge: JudgeIt) -> None:
    policy = 'package main\n\ndeny contains "list" if is_array(input)\n'
    policy += 'deny contains "n" if input == 1\n'
    kinds = {"*.json": "generic"}
    files = {"a.json": "[]", "b.json": "1", "c.json": '{"document": 1, "release": 2}'}
    results = judge(policy, files, kinds=kinds, raw=True).decision.results
    assert {(r.artifact, r.message) for r in results if r.outcome == "fail"} == {
        ("a.json", "list"),
        ("b.json", "n"),
    }


def test_raw_pointers_to_members_called_document_or_release(judge: JudgeIt) -> None:
    policy = 'package main\n\ndeny contains {"msg": p, "pointer": p} if '
    policy += 'some p in ["/document/x", "/release/y"]\n'
    text = '{"document": {"x": 1},\n "release": {"y": 2}}'
    results = judge(
        policy, {"a.json": text}, kinds={"a.json": "generic"}, raw=True
    ).decision.results
    assert [(r.pointer, r.source.line) for r in results if r.source] == [
        ("/document/document/x", 1),
        ("/document/release/y", 2),
    ]


# --- sameness -------------------------------------------------------------------------------------

BUSY = {
    "a.rego": rego(
        'deny contains {"msg": c.name, "pointer": sprintf("/document/components/%d", [i])} '
        "if some i, c in input.document.components",
        applies_to="sbom",
    ),
    "b.rego": rego(
        'warn contains sprintf("%v", [time.now_ns()]) if rand.intn("x", 1000) >= 0',
        rule="R-2",
        applies_to="release",
        package="u",
    ),
}
FILES = {"README.md": CARD, "bom.json": SBOM, "other/bom.json": SBOM.replace("left", "right")}


def test_the_same_inputs_give_the_same_bytes(judge: JudgeIt) -> None:
    first = judge(BUSY, FILES).decision
    second = judge(BUSY, FILES).decision
    assert first.model_dump_json() == second.model_dump_json()
    assert first.digest == second.digest
    assert judge(BUSY, FILES, now_ns=NOW + 1).decision.digest != first.digest
    assert judge(BUSY, FILES, entropy=b"0123456789").decision.digest != first.digest


def test_the_order_of_files_does_not_matter(judge: JudgeIt) -> None:
    first = judge(BUSY, FILES).decision
    second = judge(BUSY, FILES, order=lambda found: list(reversed(found))).decision
    assert first.digest == second.digest


def test_timings_are_outside_the_digest(judge: JudgeIt) -> None:
    first = judge(BUSY, FILES, timings={"evaluation": 1}).decision
    second = judge(BUSY, FILES, timings={"evaluation": 2}).decision
    assert first.digest == second.digest
    assert first.timings != second.timings


def test_answers_of_clock_and_chance_are_recorded(judge: JudgeIt) -> None:
    decision = judge(BUSY, FILES).decision
    recorded = {n.builtin: (n.arguments, n.result) for n in decision.nondeterminism}
    assert recorded["time.now_ns"] == ([], {"$number": str(NOW)})
    arguments, result = recorded["rand.intn"]
    assert arguments == ["x", 1000]
    assert isinstance(result, int)


def test_rules_ask_for_the_time_of_the_judgement(judge: JudgeIt) -> None:
    policy = rego("deny contains time.format(time.now_ns()) if input.context", applies_to="release")
    result = only(judge(policy, {"README.md": CARD}, now_ns=0))
    assert result.message == "1970-01-01T00:00:00Z"


def test_what_was_judged_is_in_the_record(judge: JudgeIt) -> None:
    git = {"commit": "c" * 40, "ref": "refs/heads/main", "dirty": True}
    decision = judge(
        rego('deny contains "m"'), {"README.md": CARD, "release.yaml": RELEASE}, git=git
    )
    record = decision.decision
    assert [(s.name, s.kind, s.path) for s in record.subject] == [
        ("bot@1.0.0", "release", None),
        ("README.md", "model_card", "README.md"),
    ]
    assert record.context.git is not None
    assert (record.context.git.commit, record.context.git.dirty) == ("c" * 40, True)
    assert record.policy.name == "policies"
    assert record.engine.backend == "embedded"


@pytest.mark.parametrize("change", ["policy", "file", "data"])
def test_every_input_has_its_digest(judge: JudgeIt, change: str) -> None:
    policy, card, data = rego('deny contains "m"'), CARD, '{"a": 1}'
    first = judge(policy, {"README.md": card}, data={"d.json": data}).decision
    policy += "\n# changed\n" if change == "policy" else ""
    card += "\nMore.\n" if change == "file" else ""
    data = '{"a": 2}' if change == "data" else data
    second = judge(policy, {"README.md": card}, data={"d.json": data}).decision
    digests = [(d.policy.digest, d.input.digest, d.input.data_digest) for d in (first, second)]
    differ = [a != b for a, b in zip(*digests, strict=True)]
    assert differ == [change == "policy", change == "file", change == "data"]


# --- policies that do not compile -----------------------------------------------------------------


def test_policies_that_do_not_compile_are_refused_with_their_place(tmp_path: Path) -> None:
    folder = write(tmp_path, {"p.rego": "package t\n\ndeny contains x if y == 1\n"})
    with pytest.raises(RegoErrors) as e:
        Judge(load_policy_set([folder]))
    assert e.value.location is not None
    assert e.value.location.row == 3


def test_withheld_builtins_do_not_compile_unless_granted(tmp_path: Path) -> None:
    body = (
        'deny contains "m" if http.send({"method": "get", "url": "http://x.invalid"}).status_code'
    )
    loaded = load_policy_set([write(tmp_path, {"p.rego": rego(body)})])
    with pytest.raises(RegoErrors) as e:
        Judge(loaded)
    assert "http.send" in str(e.value)
    assert Judge(loaded, all_capabilities()).entries


def test_progress_is_told_by_rules(judge: JudgeIt) -> None:
    told: list[tuple[int, int]] = []
    policy = rego('deny contains "a"\n\ndeny contains "b"')
    judge(policy, {"README.md": CARD}, progress=lambda done, of: told.append((done, of)))
    assert told == [(0, 2), (1, 2)]


def test_a_judge_is_reusable(judge: JudgeIt, tmp_path: Path) -> None:
    """Nothing of one judgement shows in the next: the compiled policies hold no state."""
    policy = rego("deny contains input.facts.license.spdx")
    assert only(judge(policy, {"README.md": CARD})).message == "MIT"
    other = CARD.replace("mit", "apache-2.0")
    assert only(judge(policy, {"README.md": other})).message == "Apache-2.0"
