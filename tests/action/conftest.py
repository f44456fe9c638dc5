"""An emulated Actions runner: the composite steps of action.yml, run with bash."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))

CARD = "---\nlicense: mit\n---\n# Card\n\n## Intended use\n\nAnswering questions.\n"
BAD_CARD = CARD.replace("mit", "other")

POLICY = """package own.card

# METADATA
# title: The licence is allowed
# custom:
#   id: OWN-1
#   severity: high
#   remediation: Use another licence.
#   applies_to: model_card
deny contains {"msg": msg, "pointer": "/facts/license"} if {
    input.facts.license.id != "mit"
    msg := sprintf("licence %s is not allowed", [input.facts.license.id])
}
"""
LENIENT = POLICY.replace('!= "mit"', '== "nothing"')

WAIVERS = """apiVersion: adjudge/v1
kind: Waivers
waivers:
  - id: W-1
    rule: OWN-1
    subject: {name: README.md}
    reason: agreed
    ticket: T-1
    owner: o
    approved_by: [a, b]
    created: 2026-01-01
    expires: 2026-06-01
"""
AS_OF = "2026-03-01"


class Repository:
    """A Git repository for tests."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *args: str, cwd: Path | None = None) -> str:
        """Run git with a fixed author and without the user's configuration."""
        environ = {
            "PATH": os.environ["PATH"],
            "HOME": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_DATE": "2026-01-01T00:00:00Z",
            "GIT_COMMITTER_DATE": "2026-01-01T00:00:00Z",
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "protocol.file.allow",
            "GIT_CONFIG_VALUE_0": "always",
        }
        for who in ("AUTHOR", "COMMITTER"):
            environ[f"GIT_{who}_NAME"] = "A"
            environ[f"GIT_{who}_EMAIL"] = "a@example.org"
        done = subprocess.run(
            ["git", *args], cwd=cwd or self.path, env=environ, capture_output=True, check=True
        )
        return done.stdout.decode().strip()

    def write(self, name: str, content: str) -> Path:
        """Write a file of the checkout."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
        return path

    def commit(self, message: str = "change") -> str:
        """Commit everything and give the commit."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A repository with a release and policies that allow it."""
    made = Repository(tmp_path / "work" / "repo")
    made.write("release/README.md", CARD)
    made.write("policies/card.rego", POLICY)
    made.commit("base")
    return made


@dataclass
class Finished:
    """What a run of the action left behind."""

    code: int
    log: str
    outputs: dict[str, str]
    summary: str
    step_outputs: dict[str, dict[str, str]]
    inputs: dict[str, str]

    @property
    def commands(self) -> list[tuple[str, dict[str, str], str]]:
        """The workflow commands that the runner would find in the log."""
        return [c for line in self.log.splitlines() if (c := command_in(line)) is not None]

    def decision(self) -> dict[str, Any]:
        """The record."""
        path = Path(self.outputs["report-path"]).with_name("decision.json")
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return record

    def holds(self, condition: str) -> bool:
        """Whether the ``if`` of a step is true after this run."""
        return holds(condition, self.inputs, self.step_outputs)


@dataclass
class Runner:
    """Runs the action in a workspace."""

    workspace: Path
    temp: Path
    environ: dict[str, str] = field(default_factory=dict)
    skip: tuple[str, ...] = ("install",)

    def run(self, event: str = "push", payload: Any = None, **given: str) -> Finished:
        """Run every ``run`` step until one fails, with inputs (``_`` for ``-``)."""
        inputs = {name: str(i.get("default", "")) for name, i in ACTION["inputs"].items()}
        inputs |= {name.replace("_", "-"): value for name, value in given.items()}
        log, code = "", 0
        outputs: dict[str, dict[str, str]] = {}
        summary = self.temp / "summary.md"
        summary.write_text("")
        for number, step in enumerate(ACTION["runs"]["steps"]):
            if "run" not in step or code:
                continue
            file = self.temp / f"output-{number}"
            file.write_text("")
            if step["id"] in self.skip:
                continue
            env = {
                **self._environ(event, payload),
                "GITHUB_OUTPUT": str(file),
                "GITHUB_STEP_SUMMARY": str(summary),
                **{k: expand(v, inputs, {}) for k, v in step.get("env", {}).items()},
            }
            script = self.temp / f"step-{number}.sh"
            script.write_text(step["run"])
            done = subprocess.run(
                ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
                cwd=self.workspace,
                env=env,
                capture_output=True,
                timeout=120,
            )
            log += (done.stdout + done.stderr).decode("utf-8", "replace")
            code = done.returncode
            outputs[step["id"]] = read_outputs(file.read_text(encoding="utf-8"))
        declared = {
            name: expand(o["value"], inputs, outputs) for name, o in ACTION["outputs"].items()
        }
        return Finished(code, log, declared, summary.read_text("utf-8"), outputs, inputs)

    def _environ(self, event: str, payload: Any) -> dict[str, str]:
        path = self.temp / "event.json"
        path.write_text(json.dumps(payload or {}))
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.temp),
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTION_PATH": str(ROOT),
            "GITHUB_WORKSPACE": str(self.workspace),
            "GITHUB_EVENT_NAME": event,
            "GITHUB_EVENT_PATH": str(path),
            "RUNNER_TEMP": str(self.temp),
            **self.environ,
        }


@pytest.fixture
def runner(tmp_path: Path, repository: Repository) -> Runner:
    """A runner over ``repository``; the environment of this process stands for an install."""
    temp = tmp_path / "runner's temp"
    temp.mkdir()
    (temp / "adjudge-venv").symlink_to(sys.prefix)
    return Runner(repository.path, temp)


def pull_request(base: str, head: str = "o/r", into: str = "o/r") -> dict[str, Any]:
    """What matters of the payload of a pull request event."""
    return {
        "pull_request": {
            "base": {"sha": base, "ref": "main", "repo": {"full_name": into}},
            "head": {"repo": {"full_name": head}},
        }
    }


# --- what the runner does -------------------------------------------------------------------------

_EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}", re.DOTALL)


def expand(text: Any, inputs: Mapping[str, str], steps: Mapping[str, Mapping[str, str]]) -> str:
    """A text with its expressions evaluated."""
    return _EXPRESSION.sub(lambda m: _value(m[1], inputs, steps), str(text))


def holds(
    condition: str, inputs: Mapping[str, str], steps: Mapping[str, Mapping[str, str]]
) -> bool:
    """Whether ``${{ a && b == 'c' && … }}`` is true."""
    match = _EXPRESSION.fullmatch(condition.strip())
    assert match, condition
    for part in match[1].split("&&"):
        words = part.split()
        if words == ["always()"]:
            continue
        left, operator, right = words
        assert operator in ("==", "!=")
        equal = _value(left, inputs, steps) == _value(right, inputs, steps)
        if equal != (operator == "=="):
            return False
    return True


def _value(text: str, inputs: Mapping[str, str], steps: Mapping[str, Mapping[str, str]]) -> str:
    if text.startswith("'"):
        return text[1:-1]
    kind, _, rest = text.partition(".")
    if kind == "inputs":
        return inputs[rest]
    step, _, name = rest.partition(".outputs.")
    assert kind == "steps", text
    return steps.get(step, {}).get(name, "")


def read_outputs(text: str) -> dict[str, str]:
    """The file commands of a step as the runner reads them."""
    found: dict[str, str] = {}
    lines = iter(text.split("\n"))
    for line in lines:
        if not line:
            continue
        equals, heredoc = line.find("="), line.find("<<")
        if heredoc >= 0 and (equals < 0 or heredoc < equals):
            name, _, mark = line.partition("<<")
            assert name
            assert mark
            value = []
            for inner in lines:
                if inner == mark:
                    break
                value.append(inner)
            else:
                raise AssertionError(f"no delimiter {mark}")
            found[name] = "\n".join(value)
        else:
            assert equals > 0, line
            found[line[:equals]] = line[equals + 1 :]
    return found


_ANSI = re.compile(r"\x1b\[[0-9;]*m")


def command_in(line: str) -> tuple[str, dict[str, str], str] | None:
    """The command that the runner finds in a line of the log: name, properties, message."""
    old = re.search(r"##\[([^\]]*)\](.*)", line)
    if old:
        return old[1], {}, old[2]
    stripped = _ANSI.sub("", line).strip()
    if not stripped.startswith("::") or "::" not in stripped[2:]:
        return None
    head, _, message = stripped[2:].partition("::")
    name, _, rest = head.partition(" ")
    properties = {}
    for part in filter(None, rest.split(",")):
        key, _, value = part.partition("=")
        properties[key.strip()] = _unescape(value)
    return name, properties, _unescape(message)


def _unescape(text: str) -> str:
    for code, char in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(code, char)
    return text
