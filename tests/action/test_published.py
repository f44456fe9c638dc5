"""What is published beside action.yml agrees with it: the page, the workflow, the hooks."""

from __future__ import annotations

import re
import shlex

import click
import yaml
from tests.action.conftest import ACTION, ROOT

from adjudge.cli.app import COMMANDS, app

PAGE = (ROOT / "docs" / "reference" / "github-action.md").read_text("utf-8")


def test_the_page_names_every_input_with_its_default() -> None:
    for name, spec in ACTION["inputs"].items():
        row = next(line for line in PAGE.splitlines() if line.startswith(f"| `{name}` |"))
        default = str(spec["default"])
        assert (f"| `{default}` |" if default else "| |") in row, name


def test_the_page_names_every_output_and_error() -> None:
    for name in ACTION["outputs"]:
        assert f"`{name}`" in PAGE, name
    for module in ("action", "gittree"):
        text = (ROOT / "engine" / "adjudge" / "gate" / f"{module}.py").read_text("utf-8")
        for code in re.findall(r'(?:UsageError|InputError)\(\s*"(\w+)"', text):
            assert f"`{code}`" in PAGE, code


def test_the_workflow_uses_the_action_as_it_is() -> None:
    workflow = yaml.safe_load((ROOT / "examples" / "workflows" / "adjudge.yml").read_text("utf-8"))
    assert workflow["permissions"] == {"contents": "read", "security-events": "write"}
    for job in workflow["jobs"].values():
        for step in job["steps"]:
            assert "${{" not in step.get("run", "")
            if "adjudge" in step.get("uses", ""):
                assert set(step["with"]) <= set(ACTION["inputs"])


def test_the_hooks_are_commands_with_options_that_there_are() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    names = ("check", "test", "lint", "fmt")
    assert [h["id"] for h in hooks] == [f"adjudge-{name}" for name in names]
    for hook in hooks:
        assert hook["language"] == "python"
        # Only formatting is about the files that change.
        assert hook.get("pass_filenames", True) is (hook["id"] == "adjudge-fmt")
        program, name, *words = shlex.split(hook["entry"])
        assert (program, name in COMMANDS) == ("adjudge", True)
        command = app.get_command(click.Context(app), name)
        assert command is not None
        with app.make_context("adjudge", [name], resilient_parsing=True) as above:
            command.make_context(name, words, parent=above, resilient_parsing=True)
