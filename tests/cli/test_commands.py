"""Help, versions, mistakes in commands and options, shell completion."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import click
import pytest
from tests.cli.conftest import POLICY, YAML_POLICY, Run, write

from adjudge.cli.app import COMMANDS, app
from adjudge.version import __version__


@pytest.mark.parametrize("name", sorted(COMMANDS))
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_every_command_has_help_with_examples(run: Run, name: str, flag: str) -> None:
    result = run(name, flag)
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith(f"Usage: adjudge {name}")
    assert f"adjudge {name}" in result.out.partition("Examples:")[2]


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_option_says_what_it_does(name: str) -> None:
    command = app.get_command(click.Context(app), name)
    assert command is not None
    for parameter in command.params:
        if isinstance(parameter, click.Option) and not isinstance(parameter.type, click.Choice):
            assert parameter.help, f"{name} {parameter.opts}"


def test_help_and_version(run: Run) -> None:
    result = run("--help")
    assert result.code == 0
    for name, text in COMMANDS.items():
        assert name in result.out
        assert text.split()[0] in result.out
    assert "action" not in result.out.split()
    assert run("--version").out == f"adjudge, version {__version__}\n"
    assert run().code == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("chek",), "No such command 'chek'. Did you mean 'check'?"),
        (("frobnicate",), "No such command 'frobnicate'."),
        (("--versoin",), "No such option"),
        (("check", "--polices", "x"), "No such option"),
        (("check", "-p"), "requires an argument"),
        (("check", "--fail-on", "info"), "'info' is not one of"),
        (("check", "--timeout", "soon"), "'soon' is not a valid float"),
        (("check", "--timeout", "nan"), "a number of seconds is expected"),
        (("check", "--timeout", "inf"), "a number of seconds is expected"),
        (("check", "--timeout", "0"), "0"),
        (("check", "-p", ""), "is empty"),
        (("check", "-d", " "), "is empty"),
        (("check", "-w", ""), "is empty"),
        (("check", "--as-of", ""), "is empty"),
        (("report", "--format", "docx"), "'docx' is not one of"),
        (("completion", "tcsh"), "'tcsh' is not one of"),
        (("completion",), "Missing argument"),
        (("serve",), "Missing option"),
    ],
)
def test_mistakes_end_in_one_message_and_exit_code_2(
    run: Run, words: tuple[str, ...], said: str
) -> None:
    result = run(*words)
    assert result.code == 2
    assert said in result.err
    assert result.out == ""
    assert "Traceback" not in result.err


# --- completion -----------------------------------------------------------------------------------


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(run: Run, shell: str) -> None:
    script = run("completion", shell)
    assert script.code == 0
    assert "_ADJUDGE_COMPLETE" in script.out
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} is not installed")
    parsed = subprocess.run([program, "-n"], input=script.out.encode(), capture_output=True)
    assert parsed.returncode == 0, parsed.stderr


@pytest.mark.parametrize(
    ("words", "index", "found"),
    [
        ("adjudge ", 1, {"check", "serve", "report"}),
        ("adjudge ch", 1, {"check"}),
        ("adjudge check --fail-on ", 3, {"deny", "warn"}),
        ("adjudge check --out", 2, {"--output"}),
        ("adjudge explain --as ", 3, {"text", "json", "rego"}),
    ],
)
def test_completion_in_bash(process: Run, words: str, index: int, found: set[str]) -> None:
    environ = {
        "_ADJUDGE_COMPLETE": "bash_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": str(index),
    }
    result = process(env=environ)
    assert result.code == 0, result.err
    values = {line.partition(",")[2] for line in result.out.splitlines()}
    assert found <= values
    assert "action" not in values


# --- explain --------------------------------------------------------------------------------------


def test_explain_lists_and_describes(run: Run) -> None:
    listing = run("explain", "policies")
    assert listing.out.splitlines() == [
        "OWN-1  high      The licence is allowed (model_card)",
        "OWN-2  low       The card has tags (model_card)",
    ]
    one = run("explain", "OWN-1", "-p", "policies")
    for text in (
        "OWN-1: The licence is allowed",
        "Only licences that legal knows.",
        "eu-ai-act/13.3",
        "Use another licence.",
        "policies/card.rego:",
    ):
        assert text in one.out
    assert run("explain", "own-1", "policies").out == one.out
    record = run("explain", "policies", "--as", "json").json
    assert [r["id"] for r in record] == ["OWN-1", "OWN-2"]


def test_explain_knows_what_was_meant(run: Run) -> None:
    result = run("explain", "OWN-11", "-p", "policies")
    assert (result.code, result.error) == (2, "unknown_rule")
    assert "did you mean OWN-1" in result.err


def test_explain_shows_a_yaml_policy_as_rego_that_decides_the_same(run: Run, work: Path) -> None:
    write(work, {"y/own.yaml": YAML_POLICY, "release/README.md": "---\nlicense: mit\n---\n# C\n"})
    text = run("explain", "y/own.yaml", "--as", "rego").out
    write(work, {"r/own.rego": text})
    first = run("check", "release", "-p", "y", "--as-of", "2026-01-01", "-o", "json=-").json
    second = run("check", "release", "-p", "r", "--as-of", "2026-01-01", "-o", "json=-").json
    seen = ("rule_id", "outcome", "message", "severity", "artifact", "pointer", "source")
    for a, b in zip(first["results"], second["results"], strict=True):
        assert {k: a[k] for k in seen} == {k: b[k] for k in seen}
    assert first["results"][0]["outcome"] == "fail"


def test_explain_says_what_is_doubtful_about_policies(run: Run, work: Path) -> None:
    write(work, {"policies/card.rego": POLICY.replace("#   id: OWN-1\n", "")})
    result = run("explain", "policies")
    assert result.code == 0
    assert "rule_without_id" in result.err
