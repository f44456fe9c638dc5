"""Controls of a framework over decisions: states, every format, two validators of OSCAL."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from adjudge.decision.model import Decision
from adjudge.errors import InputError, UsageError
from adjudge.exports import compliance, oscal
from adjudge.exports.compliance import Matrix, excerpts_of, subject_of
from adjudge.exports.framework import Framework
from adjudge.exports.pdf import pdf
from adjudge.exports.report import Report
from adjudge.gate.frameworks import framework_names, load_framework


def framework(**rules: dict[str, str]) -> Framework:
    """A framework called eu-ai-act: a control for each keyword (``c_1`` is ``c.1``)."""
    controls = [
        {"id": name.replace("_", "."), "title": f"Control {name}", "rules": mapped}
        for name, mapped in rules.items()
    ]
    return Framework.model_validate(
        {
            "apiVersion": "adjudge/v1",
            "kind": "Framework",
            "metadata": {"id": "eu-ai-act", "title": "The Act", "edition": "1"},
            "controls": controls,
        }
    )


def with_outcomes(decision: Decision, **outcomes: str) -> Decision:
    """The decision with one result for each rule named (``A_1`` is ``A-1``)."""
    first = next(r for r in decision.results if r.outcome == "pass")
    waived = next((r.waiver for r in decision.results if r.waiver), None)
    results = tuple(
        first.model_copy(
            update={
                "rule_id": name.replace("_", "-"),
                "outcome": outcome,
                "controls": (),
                "waiver": waived if outcome == "waived" else None,
            }
        )
        for name, outcome in outcomes.items()
    )
    # Built anew, so that its digest is its own.
    members = {**decision.model_dump(by_alias=True), "results": results}
    return Decision.model_validate(members)


def states(matrix: Matrix) -> dict[str, str]:
    return {line.control.id: line.state for line in matrix.lines}


def test_every_control_has_a_state(denied: Report) -> None:
    decision = with_outcomes(
        denied.decision, A_1="pass", A_2="fail", A_3="waived", A_4="not_applicable", A_5="error"
    )
    found = Matrix(
        framework(
            held={"A-1": "supports"},
            broken={"A-2": "evidence-for", "A-1": "supports"},
            waived={"A-3": "implements", "A-1": "supports"},
            idle={"A-4": "supports"},
            error={"A-5": "supports"},
            unseen={"Z-9": "supports"},
            people={},
        ),
        [decision],
    )
    assert states(found) == {
        "held": "evidenced",
        "broken": "failing",
        "waived": "waived",
        "idle": "not_exercised",
        "error": "failing",
        "unseen": "not_exercised",
        "people": "manual",
    }
    assert sum(found.states.values()) == 7


def test_a_rule_of_an_organisation_counts_by_the_controls_it_names(denied: Report) -> None:
    decision = with_outcomes(denied.decision, OWN_1="fail")
    named = decision.results[0].model_copy(update={"controls": ("eu-ai-act/x", "other/x")})
    decision = Decision.model_validate({**decision.model_dump(by_alias=True), "results": (named,)})
    (line,) = Matrix(framework(x={}), [decision]).lines
    assert (line.state, line.rules) == ("failing", {"OWN-1": "evidence-for"})


def test_the_latest_decision_about_a_subject_holds(denied: Report) -> None:
    early = with_outcomes(denied.decision, A_1="fail")
    late = Decision.model_validate(
        {
            **with_outcomes(denied.decision, A_1="pass").model_dump(by_alias=True),
            "time": "2026-11-21T00:00:00Z",
            "decision_id": "01a1fe2c-d6c1-7661-baa5-481dc9d18ae9",
        }
    )
    controls = framework(x={"A-1": "supports"})
    for order in ([early, late], [late, early]):
        found = Matrix(controls, order)
        assert states(found) == {"x": "evidenced"}
        assert found.lines[0].results["fail"] == 1
        assert len(found.lines[0].decisions) == 2
        assert found.latest == [late]
    other = Decision.model_validate(
        {
            **early.model_dump(by_alias=True),
            "subject": tuple(
                s.model_copy(update={"name": "another 1"}) if s.kind == "release" else s
                for s in early.subject
            ),
        }
    )
    assert states(Matrix(controls, [other, late])) == {"x": "failing"}


def test_the_version_is_no_part_of_a_subject(denied: Report) -> None:
    def called(name: str) -> str:
        subjects = tuple(
            s.model_copy(update={"name": name}) if s.kind == "release" else s
            for s in denied.decision.subject
        )
        return subject_of(denied.decision.model_copy(update={"subject": subjects}))

    assert called("bot@1.0.0") == called("bot@2.0.0") == "bot"
    assert called("@scope/bot") == "@scope/bot"


@pytest.fixture(params=["ordinary", "hostile", "none"])
def matrix(request: pytest.FixtureRequest, denied: Report, hostile: Report) -> Matrix:
    """Matrices over shipped controls: an ordinary one, a hostile one, one without decisions."""
    report = {"ordinary": denied, "hostile": hostile, "none": None}[request.param]
    decisions = [] if report is None else [report.decision]
    excerpts = {} if report is None else excerpts_of([report])
    return Matrix(load_framework("eu-ai-act"), decisions, excerpts)


def test_oscal_is_valid_for_two_libraries(matrix: Matrix) -> None:
    bindings = pytest.importorskip("oscal_bindings")
    trestle = pytest.importorskip("trestle.oscal.assessment_results")
    document = oscal.assessment_results(matrix)
    assert bindings.validate_oscal(json.dumps(document))
    trestle.Model.model_validate(document)


def test_oscal_ties_findings_to_decisions_by_digest(denied: Report) -> None:
    document = oscal.assessment_results(Matrix(load_framework("eu-ai-act"), [denied.decision]))
    results = document["assessment-results"]
    resources = {r["uuid"]: r for r in results["back-matter"]["resources"]}
    (result,) = results["results"]
    known = {o["uuid"] for o in result["observations"]}
    assert result["findings"]
    for observation in result["observations"]:
        (evidence,) = observation["relevant-evidence"]
        (link,) = resources[evidence["href"][1:]]["rlinks"]
        assert link["hashes"] == [{"algorithm": "SHA-256", "value": denied.decision.digest}]
    for finding in result["findings"]:
        assert {o["observation-uuid"] for o in finding["related-observations"]} <= known


def test_oscal_is_the_same_each_time(denied: Report) -> None:
    controls = load_framework("soc2")
    first, second = (
        json.dumps(oscal.assessment_results(Matrix(controls, [denied.decision]))) for _ in "ab"
    )
    assert first == second


def test_waived_is_not_satisfied(denied: Report) -> None:
    decision = with_outcomes(denied.decision, A_1="waived")
    document: Any = oscal.assessment_results(Matrix(framework(x={"A-1": "implements"}), [decision]))
    (finding,) = document["assessment-results"]["results"][0]["findings"]
    assert finding["target"]["status"]["state"] == "not-satisfied"
    assert finding["target"]["status"]["reason"] == "other"


def test_csv_has_every_control_and_no_formula(matrix: Matrix) -> None:
    read = list(csv.reader(io.StringIO(compliance.rows(matrix))))
    assert len(read) == 1 + len(matrix.framework.controls)
    assert not any(cell.startswith(("=", "+", "-", "@", "\t")) for row in read for cell in row)


def test_json_counts_what_it_lists(matrix: Matrix) -> None:
    value = json.loads(compliance.data(matrix))
    assert value["schema"] == "adjudge.compliance/v1"
    assert sum(value["states"].values()) == len(value["controls"])
    assert len(value["decisions"]) == len(matrix.decisions)


def test_html_shows_every_control_and_runs_nothing(matrix: Matrix) -> None:
    page = compliance.html(matrix)
    for control in matrix.framework.controls:
        assert f">{control.id}<" in page
    assert "<script>alert" not in page
    assert page.count("<script") == 1  # the data
    assert "javascript:" not in page.split("<script")[0].replace("](javascript:1)", "")


def test_findings_quote_their_line(denied: Report) -> None:
    quoted = [
        r
        for r in denied.findings
        if denied.excerpt(r.source) is not None and r.outcome in ("fail", "error")
    ]
    assert quoted
    controls = framework(x={r.rule_id: "supports" for r in quoted})
    page = compliance.html(Matrix(controls, [denied.decision], excerpts_of([denied])))
    assert page.count('<div class="source">') >= len(quoted)


def test_a_report_without_framework_says_so(denied: Report) -> None:
    for render in (compliance.render, oscal.render):
        with pytest.raises(UsageError) as raised:
            render(denied)
        assert raised.value.code == "framework_missing"


def test_pdf_has_the_text_of_the_page(denied: Report) -> None:
    try:
        import weasyprint  # noqa: F401
    except (ImportError, OSError):
        pytest.skip("WeasyPrint, or Pango, is not installed")
    pypdf = pytest.importorskip("pypdf")
    matrix = Matrix(load_framework("owasp-llm-2025"), [denied.decision], excerpts_of([denied]))
    made = pdf(compliance.html(matrix))
    assert made.startswith(b"%PDF-")
    text = " ".join(p.extract_text() for p in pypdf.PdfReader(io.BytesIO(made)).pages)
    for control in matrix.framework.controls:
        assert control.id in text


# --- frameworks -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", framework_names())
def test_shipped_frameworks_load(name: str) -> None:
    assert load_framework(name).id == name


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "framework_invalid"),
        ("kind: Framework", "framework_invalid"),
        ("a: [", "yaml_syntax"),
        (
            "apiVersion: adjudge/v1\nkind: Framework\nmetadata: {id: x, title: t, edition: e}\n"
            "controls: [{id: a, title: t, rules: {R-1: proves}}]\n",
            "framework_invalid",
        ),
        (
            "apiVersion: adjudge/v1\nkind: Framework\nmetadata: {id: x, title: t, edition: e}\n"
            "controls: [{id: a, title: t}, {id: a, title: u}]\n",
            "framework_invalid",
        ),
    ],
)
def test_broken_frameworks(tmp_path: Path, text: str, code: str) -> None:
    path = tmp_path / "f.yaml"
    path.write_text(text)
    with pytest.raises(InputError) as raised:
        load_framework(str(path))
    assert raised.value.code == code


def test_an_unknown_framework_lists_the_known() -> None:
    with pytest.raises(InputError) as raised:
        load_framework("soc3")
    assert raised.value.code == "framework_unknown"
    assert "soc2" in (raised.value.hint or "")
