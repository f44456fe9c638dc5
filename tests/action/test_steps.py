"""The composite steps of action.yml, run with bash as the runner runs them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.action.conftest import (
    ACTION,
    AS_OF,
    BAD_CARD,
    CARD,
    LENIENT,
    POLICY,
    ROOT,
    WAIVERS,
    Finished,
    Repository,
    Runner,
    holds,
    pull_request,
)

FILES = ("decision.json", "adjudge.sarif", "report.html", "junit.xml", "summary.md")


def assert_complete(run: Finished) -> None:
    """Every output is set and every report is there and whole."""
    assert all(run.outputs.values()), run.outputs
    folder = Path(run.step_outputs["check"]["report-directory"])
    assert sorted(p.name for p in folder.iterdir()) == sorted(FILES)
    record = json.loads((folder / "decision.json").read_text())
    assert record["decision_id"] == run.outputs["decision-id"]
    assert record["outcome"] == run.outputs["decision"]
    sarif = json.loads(Path(run.outputs["sarif-path"]).read_text())
    assert sarif["version"] == "2.1.0"
    assert Path(run.outputs["report-path"]).read_text().rstrip().endswith("</html>")
    assert run.summary.startswith("## ")
    assert run.summary == (folder / "summary.md").read_text()


# --- the text of action.yml -----------------------------------------------------------------------


def test_no_script_holds_an_expression() -> None:
    for step in ACTION["runs"]["steps"]:
        if "run" in step:
            assert step["shell"] == "bash"
            assert "${{" not in step["run"]
            assert "$(" not in step["run"]
            # Every variable stands in quotes.
            assert "$" not in re.sub(r'"[^"]*"', "", step["run"])


def test_expressions_name_inputs_and_outputs_that_there_are() -> None:
    text = (ROOT / "action.yml").read_text()
    for name in re.findall(r"inputs\.([\w-]+)", text):
        assert name in ACTION["inputs"], name
    steps = {step["id"] for step in ACTION["runs"]["steps"] if "id" in step}
    for step, _ in re.findall(r"steps\.([\w-]+)\.outputs\.([\w-]+)", text):
        assert step in steps
    assert {"decision", "decision-id", "deny-count", "warn-count", "waived-count"} < set(
        ACTION["outputs"]
    )


# --- outcomes -------------------------------------------------------------------------------------


def test_allow(runner: Runner) -> None:
    run = runner.run(path="release", policies="policies")
    assert (run.code, run.outputs["decision"]) == (0, "allow"), run.log
    assert_complete(run)
    assert [run.outputs[f"{n}-count"] for n in ("deny", "warn", "waived")] == ["0", "0", "0"]
    assert "Allowed" in run.summary
    assert run.commands == []


def test_deny_annotates_the_line(runner: Runner, repository: Repository) -> None:
    repository.write("release/README.md", BAD_CARD)
    run = runner.run(path="release", policies="policies")
    assert (run.code, run.outputs["decision"]) == (1, "deny"), run.log
    assert_complete(run)
    assert run.outputs["deny-count"] == "1"
    ((name, properties, message),) = run.commands
    assert (name, properties["file"], properties["line"]) == ("error", "release/README.md", "2")
    assert message == "licence other is not allowed\nFix: Use another licence."


def test_warnings_and_waivers_are_counted(runner: Runner, repository: Repository) -> None:
    repository.write("release/README.md", BAD_CARD)
    repository.write("policies/warn.rego", 'package own.warn\n\nwarn contains "hm"\n')
    repository.write("waivers.yaml", WAIVERS)
    given = {"path": "release", "policies": "policies", "waivers": "waivers.yaml"}
    run = runner.run(**given, as_of=AS_OF)
    assert (run.code, run.outputs["decision"]) == (0, "allow"), run.log
    assert [run.outputs[f"{n}-count"] for n in ("deny", "warn", "waived")] == ["0", "1", "1"]
    strict = runner.run(**given, as_of=AS_OF, fail_on="warn", annotations="false")
    assert (strict.code, strict.outputs["decision"]) == (1, "deny")
    assert strict.commands == []
    expired = runner.run(**given, as_of="2026-07-01")
    assert (expired.code, expired.outputs["deny-count"]) == (1, "1")


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"path": "nowhere"}, "nowhere does not exist"),
        ({"fail_on": "never"}, "fail-on is deny or warn"),
    ],
)
def test_no_verdict_leaves_the_same_files(runner: Runner, given: dict[str, str], why: str) -> None:
    run = runner.run(**{"path": "release", "policies": "policies", **given})
    assert (run.code, run.outputs["decision"]) == (2, "no_verdict"), run.log
    assert_complete(run)
    assert why in run.log
    assert why in Path(run.outputs["sarif-path"]).read_text()
    assert "No verdict" in run.summary
    (command,) = run.commands
    assert command[0] == "error"
    assert why in command[2]
    assert "Traceback" not in run.log


# --- what is uploaded -----------------------------------------------------------------------------


def upload_steps() -> tuple[dict[str, Any], dict[str, Any]]:
    """The steps that upload SARIF and the reports."""
    sarif = next(s for s in ACTION["runs"]["steps"] if "upload-sarif" in s.get("uses", ""))
    report = next(s for s in ACTION["runs"]["steps"] if "upload-artifact" in s.get("uses", ""))
    return sarif, report


def test_reports_are_uploaded_whatever_the_outcome(runner: Runner, repository: Repository) -> None:
    sarif, report = upload_steps()
    given = {"path": "release", "policies": "policies"}
    allowed = runner.run(**given)
    repository.write("release/README.md", BAD_CARD)
    denied = runner.run(**given)
    for run in (allowed, denied):
        assert run.holds(sarif["if"])
        assert run.holds(report["if"])
    undecided = runner.run(**{**given, "path": "nowhere"})
    assert undecided.holds(report["if"])
    # Code scanning would take a report without findings for the end of all of them.
    assert not undecided.holds(sarif["if"])


def test_uploads_can_be_switched_off_and_need_a_report() -> None:
    sarif, report = upload_steps()
    outputs = {"check": {"sarif-path": "x", "report-directory": "x", "decision": "allow"}}
    inputs = {"sarif": "true", "artifact-name": "adjudge"}
    assert holds(sarif["if"], inputs, outputs)
    assert not holds(sarif["if"], {**inputs, "sarif": "false"}, outputs)
    assert not holds(report["if"], {**inputs, "artifact-name": ""}, outputs)
    assert not holds(sarif["if"], inputs, {})
    assert not holds(report["if"], inputs, {})


# --- hostile content ------------------------------------------------------------------------------

NAMES = [
    "a%0A::error::x.cdx.json",
    "b\n::error::y.cdx.json",
    "c`touch canary`.cdx.json",
    "$(touch canary).cdx.json",
    "; touch canary;.cdx.json",
    "'\"quotes\"'.cdx.json",
    "-rf.cdx.json",
    "--help.cdx.json",
    "##[error]z.cdx.json",
    "ünï ☃ \u202ecode.cdx.json",
    "EOF.cdx.json",
]
EVERY = """package own.sbom

# METADATA
# title: "::error::title %0A ##[error]title"
# custom: {id: OWN-2, severity: low, applies_to: sbom}
deny contains msg if {
    some c in input.document.components
    msg := sprintf("%s: %s", [c.name, input.path])
}
"""
MESSAGES = [
    "::error::m",
    "x\n::set-output name=decision::allow",
    "##[error]m",
    "%0A::warning::m",
    "`touch canary` $(touch canary) ; touch canary",
    "\r::stop-commands::x",
    "\u2028::error::line separator",
    "x\n\t \x1b[31m::add-mask::adjudge",
]


def test_hostile_names_and_messages_stay_text(runner: Runner, repository: Repository) -> None:
    components = [{"type": "library", "name": m, "version": "1"} for m in MESSAGES]
    bom = {"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "components": components}
    for name in NAMES:
        repository.write(f"release/{name}", json.dumps(bom))
    repository.write("policies/sbom.rego", EVERY)
    run = runner.run(path="release", policies="policies")
    assert (run.code, run.outputs["decision"]) == (1, "deny"), run.log
    assert run.outputs["deny-count"] == str(len(NAMES) * len(MESSAGES))
    assert_complete(run)
    assert not list(repository.path.rglob("canary"))
    assert len(run.commands) == 10  # as many as GitHub shows
    for name, properties, message in run.commands:
        assert name == "error"
        assert set(properties) <= {"file", "line", "col", "title"}
        assert properties["file"].startswith("release/")
        assert any(m.split("\n")[0].strip()[:5] in message for m in MESSAGES)
    for line in run.summary.splitlines():
        assert not line.startswith("::")


@pytest.mark.parametrize("path", ["--help", "$(touch canary);`touch canary`\n'x\"%0A::error::x"])
def test_inputs_are_never_code(runner: Runner, repository: Repository, path: str) -> None:
    repository.write(f"{path}/README.md", BAD_CARD)
    run = runner.run(path=path, policies="policies")
    assert (run.code, run.outputs["decision"]) == (1, "deny"), run.log
    assert not list(repository.path.rglob("canary"))


def lay_traps(repository: Repository) -> None:
    """Modules in the working directory, which Python would find before its own."""
    for name in ("adjudge", "click", "json", "venv", "pip", "sitecustomize", "re", "yaml"):
        repository.write(f"{name}.py", "open('canary', 'w')\nraise SystemExit(0)\n")
    repository.write("pyproject.toml", "[build-system]\nrequires = []\nbuild-backend = 'x'\n")
    repository.write("pip.conf", "[global]\nindex-url = http://x.invalid\n")


def test_no_module_of_the_checkout_is_imported(runner: Runner, repository: Repository) -> None:
    lay_traps(repository)
    run = runner.run(path="release", policies="policies")
    assert run.outputs["decision"] == "allow", run.log
    assert not list(repository.path.rglob("canary"))


# --- pull requests --------------------------------------------------------------------------------


def test_a_pull_request_cannot_swap_what_judges_it(runner: Runner, repository: Repository) -> None:
    repository.write("waivers.yaml", "waivers: []\n")
    base = repository.commit("base")
    repository.write("release/README.md", BAD_CARD)
    repository.write("policies/card.rego", LENIENT)
    repository.write("waivers.yaml", WAIVERS)
    repository.commit("change")
    given = {"path": "release", "policies": "policies", "waivers": "waivers.yaml", "as_of": AS_OF}
    run = runner.run("pull_request", pull_request(base), **given)
    assert (run.code, run.outputs["decision"]) == (1, "deny"), run.log
    assert run.outputs["waived-count"] == "0"
    codes = {d["code"] for d in run.decision()["degradations"]}
    assert "policies_from_checkout" not in codes
    # Without a pull request it is what stands there that counts, and the record says so.
    pushed = runner.run("push", **given)
    assert pushed.outputs["decision"] == "allow"
    codes = {d["code"] for d in pushed.decision()["degradations"]}
    assert "policies_from_checkout" in codes


def test_a_shallow_checkout_fetches_the_base(
    runner: Runner, repository: Repository, tmp_path: Path
) -> None:
    base = repository.git("rev-parse", "HEAD")
    repository.git("checkout", "--quiet", "-b", "change")
    repository.write("release/README.md", BAD_CARD)
    repository.write("policies/card.rego", LENIENT)
    repository.commit("change")
    clone = tmp_path / "work" / "clone"
    origin = f"file://{repository.path}"
    repository.git("clone", "--quiet", "--depth=1", "--branch=change", origin, str(clone))
    runner.workspace = clone
    run = runner.run("pull_request", pull_request(base), path="release", policies="policies")
    assert (run.code, run.outputs["decision"]) == (1, "deny"), run.log
    assert (clone / ".git" / "shallow").exists()


# --- installation ---------------------------------------------------------------------------------


def test_the_install_step_installs(runner: Runner, repository: Repository, tmp_path: Path) -> None:
    """The real step, in a hostile checkout; pip is given our own wheel and no registry."""
    lay_traps(repository)
    wheels = tmp_path / "wheels"
    options = ("--quiet", "--no-deps", "--no-build-isolation", "--no-index")
    built = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", *options, "--wheel-dir", str(wheels), str(ROOT)],
        capture_output=True,
        cwd=tmp_path,
    )
    if built.returncode:
        pytest.skip("the wheel cannot be built here: hatchling is not installed")
    (wheel,) = wheels.glob("*.whl")
    runner.skip = ("check",)
    (runner.temp / "adjudge-venv").unlink()
    runner.environ |= {"PIP_NO_INDEX": "1", "PIP_NO_DEPS": "1"}
    run = runner.run(package=str(wheel))
    assert run.code == 0, run.log
    assert (runner.temp / "adjudge-venv" / "bin" / "adjudge").exists()
    assert not list(repository.path.rglob("canary"))
    found = list((runner.temp / "adjudge-venv").rglob("adjudge/_policies/collections"))
    assert found, "the wheel has no policies"


def test_an_old_python_is_told(runner: Runner) -> None:
    runner.skip = ()
    fake = runner.temp / "bin"
    fake.mkdir()
    (fake / "python3").write_text("#!/bin/sh\nexit 1\n")
    (fake / "python3").chmod(0o755)
    runner.environ["PATH"] = f"{fake}:/usr/bin:/bin"
    run = runner.run(path="release", policies="policies")
    assert run.code == 2
    assert run.commands == [
        ("error", {"title": "adjudge"}, "Python 3.11 or later is needed (actions/setup-python)")
    ]


def test_the_examples_are_as_assumed() -> None:
    assert CARD != BAD_CARD
    assert POLICY != LENIENT
