"""Outputs: parsed, rendered first, written whole, or not at all."""

from __future__ import annotations

import io
import json
import os
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from adjudge.decision.model import Decision
from adjudge.errors import AdjudgeError
from adjudge.exports import sarif, writing
from adjudge.exports.report import Options, Report
from adjudge.exports.writing import FORMATS, Target, parse_target, write_outputs
from adjudge.gate.frameworks import load_framework


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("json=out.json", Target("json", "out.json")),
        ("html=a=b.html", Target("html", "a=b.html")),
        ("console", Target("console", "-")),
        ("sarif=-", Target("sarif", "-")),
    ],
)
def test_targets(text: str, target: Target) -> None:
    assert parse_target(text) == target


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "output_format_unknown"),
        ("pdf=x", "output_format_unknown"),
        ("JSON=x", "output_format_unknown"),
        ("json=", "output_path_missing"),
    ],
)
def test_targets_that_are_none(text: str, code: str) -> None:
    with pytest.raises(AdjudgeError) as caught:
        parse_target(text)
    assert caught.value.code == code
    assert caught.value.hint


def test_every_format_at_once(denied: Report, tmp_path: Path) -> None:
    targets = [Target(name, str(tmp_path / name)) for name in FORMATS]
    write_outputs(replace(denied, framework=load_framework("soc2")), targets)
    assert sorted(os.listdir(tmp_path)) == sorted(FORMATS)
    assert Decision.from_json((tmp_path / "json").read_bytes()) == denied.decision
    for name in FORMATS:
        assert (tmp_path / name).read_text("utf-8").endswith("\n")


def test_files_are_plain_whatever_the_terminal_is(denied: Report, tmp_path: Path) -> None:
    report = replace(denied, options=Options(color=True, width=40, unicode=False))
    stdout = io.StringIO()
    file = tmp_path / "log.txt"
    write_outputs(report, [Target("console", str(file)), Target("console", "-")], stdout)
    text = file.read_text("utf-8")
    assert "\x1b" not in text
    assert "│" in text
    assert "\x1b[" in stdout.getvalue()


def test_standard_output_is_utf_8_whatever_the_locale(denied: Report) -> None:
    raw = io.BytesIO()
    stdout = io.TextIOWrapper(raw, encoding="ascii")
    stdout.write("before ")
    write_outputs(denied, [Target("markdown", "-")], stdout)
    assert raw.getvalue().startswith("before ## ❌".encode())


def test_an_existing_file_is_replaced_and_keeps_its_mode(denied: Report, tmp_path: Path) -> None:
    file = tmp_path / "out.json"
    file.write_text("old")
    file.chmod(0o640)
    write_outputs(denied, [Target("json", str(file))])
    assert json.loads(file.read_text("utf-8"))["outcome"] == "deny"
    assert file.stat().st_mode & 0o777 == 0o640


def test_new_files_follow_the_umask(denied: Report, tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_outputs(denied, [Target("json", str(tmp_path / "out.json"))])
    finally:
        os.umask(before)
    assert (tmp_path / "out.json").stat().st_mode & 0o777 == 0o640


def test_a_link_is_written_through(denied: Report, tmp_path: Path) -> None:
    real = tmp_path / "real.json"
    real.write_text("old")
    (tmp_path / "link.json").symlink_to(real)
    write_outputs(denied, [Target("json", str(tmp_path / "link.json"))])
    assert (tmp_path / "link.json").is_symlink()
    assert real.read_text("utf-8").startswith("{")


def test_a_pipe_is_written_to(denied: Report, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()), daemon=True)
    reader.start()
    write_outputs(denied, [Target("json", str(pipe))])
    reader.join(10)
    assert read[0].startswith(b"{")
    assert os.listdir(tmp_path) == ["pipe"]


@pytest.mark.parametrize(
    ("paths", "code"),
    [
        (["good", "missing/out"], "output_directory_missing"),
        (["good", "folder"], "output_is_directory"),
        (["good", "good"], "output_conflict"),
        (["good", "./good"], "output_conflict"),
        (["good", "a\0b"], "output_write_failed"),
        (["good", "x" * 300], "output_write_failed"),
        (["good", "file/out"], "output_directory_missing"),
    ],
)
def test_one_bad_target_and_nothing_is_written(
    denied: Report,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    paths: list[str],
    code: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(AdjudgeError) as caught:
        write_outputs(denied, [Target("json", path) for path in paths])
    assert caught.value.code == code
    assert set(os.listdir(tmp_path)) == {"folder", "file"}


def test_two_outputs_on_standard_output(denied: Report) -> None:
    stdout = io.StringIO()
    with pytest.raises(AdjudgeError) as caught:
        write_outputs(denied, [Target("json", "-"), Target("csv", "-")], stdout)
    assert caught.value.code == "output_conflict"
    assert stdout.getvalue() == ""


def test_nothing_is_written_when_rendering_fails(
    denied: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(report: Report) -> str:
        raise RuntimeError("no")

    monkeypatch.setattr(sarif, "render", fail)
    targets = [Target("json", str(tmp_path / "a")), Target("sarif", str(tmp_path / "b"))]
    with pytest.raises(RuntimeError):
        write_outputs(denied, targets)
    assert os.listdir(tmp_path) == []


def test_nothing_is_left_when_the_disk_is_full(
    denied: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = writing._write
    calls: list[str] = []

    def full(path: str, data: bytes, flags: int) -> None:
        calls.append(path)
        real(path, data[:10], flags)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(writing, "_write", full)
    (tmp_path / "a").write_text("old")
    targets = [Target("json", str(tmp_path / "a")), Target("csv", str(tmp_path / "b"))]
    with pytest.raises(AdjudgeError, match="No space left"):
        write_outputs(denied, targets)
    assert os.listdir(tmp_path) == ["a"]
    assert (tmp_path / "a").read_text() == "old"
