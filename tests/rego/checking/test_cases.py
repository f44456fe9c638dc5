"""Each folder of ``cases`` holds modules and what is wrong with them, as OPA words it.

The name of a folder begins with how it is checked: ``strict-``, ``v0-`` or both.  A folder
``schemas`` holds JSON schemas.  ``expected.txt`` is made by ``ADJUDGE_GOLDEN=1``; look at
the difference before it is kept.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from adjudge.errors import AdjudgeError
from adjudge.rego.checking import check_modules

CASES = Path(__file__).parent / "cases"
FOLDERS = sorted(folder.name for folder in CASES.iterdir())
OPA = shutil.which("opa") or str(Path.home() / "go/bin/opa")

OWN_PLACES = {"types-references"}
"""OPA 1.22 puts all errors in heads of rules without a body where the last of them is."""

RECOVERED = {"parse-rules", "parse-tokens", "v0-keywords"}
"""OPA stops at the first statement that is wrong, and says some things about it twice."""


def options(folder: str) -> tuple[bool, int]:
    """Whether to be strict, and the Rego version."""
    words = folder.split("-")[:2]
    return "strict" in words, 0 if "v0" in words else 1


def found(folder: str) -> list[AdjudgeError]:
    root = CASES / folder
    strict, version = options(folder)
    modules = {p.name: p.read_text(encoding="utf-8") for p in root.glob("*.rego")}
    below = root / "schemas"
    schemas: dict[str, Any] = {
        path.relative_to(below).with_suffix("").as_posix(): json.loads(path.read_bytes())
        for path in below.rglob("*.json")
    }
    return check_modules(
        modules, strict=strict, rego_version=version, schemas=schemas if schemas else None
    )


def line(error: AdjudgeError) -> str:
    at = error.location
    place = f"{at.file}:{at.row}:{at.col} " if at else ""
    return f"{place}{error.code}: {error.message}\n"


@pytest.mark.parametrize("folder", FOLDERS)
def test_errors_are_those_expected(folder: str) -> None:
    text = "".join(map(line, found(folder)))
    expected = CASES / folder / "expected.txt"
    if os.environ.get("ADJUDGE_GOLDEN"):
        expected.write_text(text, encoding="utf-8")
    assert text == expected.read_text(encoding="utf-8")


@pytest.mark.skipif(not Path(OPA).exists(), reason="no opa to compare with")
@pytest.mark.parametrize("folder", sorted(set(FOLDERS) - RECOVERED))
def test_opa_finds_the_same_errors(folder: str) -> None:
    strict, version = options(folder)
    root = CASES / folder
    command = [OPA, "check", "--format", "json", "--max-errors", "0"]
    command += ["--strict"] if strict else []
    command += ["--v0-compatible"] if version == 0 else []
    command += ["--schema", "schemas"] if (root / "schemas").exists() else []
    command += sorted(p.name for p in root.glob("*.rego"))
    done = subprocess.run(command, cwd=root, capture_output=True, check=False, timeout=60)
    theirs = json.loads(done.stderr or b"{}").get("errors") or []
    assert sorted(_seen(folder, e) for e in theirs) == sorted(
        _seen(folder, _plain(e)) for e in found(folder)
    )


def _plain(error: AdjudgeError) -> dict[str, Any]:
    at = error.location
    assert at is not None
    place = {"file": at.file, "row": at.row, "col": at.col}
    return {"code": error.code, "message": error.message, "location": place}


def _seen(folder: str, error: dict[str, Any]) -> tuple[Any, ...]:
    """What can be compared: details and hints stand elsewhere in OPA's output."""
    message = re.sub(r" \(hint: `.*", "", error["message"].split("\n\t")[0])
    at = error["location"]
    place = () if folder in OWN_PLACES else (at["file"], at["row"], at["col"])
    return (*place, error["code"], message)
