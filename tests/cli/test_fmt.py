"""``adjudge fmt``: printing, rewriting, checking; standard input; files that are no Rego."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from adjudge.cli import main

ROOT = Path(__file__).resolve().parents[2]
UGLY = "package  a\np:=1\nq   if { true }"
PRETTY = "package a\n\np := 1\nq := true\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ugly.rego").write_text(UGLY)
    (tmp_path / "pretty.rego").write_text(PRETTY)
    return tmp_path


def test_a_file_is_printed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fmt", "ugly.rego"]) == 0
    assert capsys.readouterr().out == PRETTY
    assert (folder / "ugly.rego").read_text() == UGLY


@pytest.mark.parametrize("arguments", [["fmt"], ["fmt", "-"]])
def test_standard_input(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(UGLY))
    assert main(arguments) == 0
    assert capsys.readouterr().out == PRETTY
    monkeypatch.setattr("sys.stdin", io.StringIO(UGLY))
    assert main([*arguments, "--check"]) == 1
    assert capsys.readouterr().out == "-\n"


@pytest.mark.parametrize(
    ("arguments", "out", "code"),
    [
        (["--check"], "ugly.rego\n", 1),
        (["-l"], "ugly.rego\n", 0),
        (["-l", "--fail"], "ugly.rego\n", 1),
        (["-w"], "", 0),
        (["-w", "-l"], "ugly.rego\n", 0),
    ],
)
def test_folders_are_searched(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    out: str,
    code: int,
) -> None:
    assert main(["fmt", *arguments, "."]) == code
    assert capsys.readouterr().out == out
    assert (folder / "ugly.rego").read_text() == (PRETTY if "-w" in arguments else UGLY)


def test_a_diff(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fmt", "-d", "."]) == 0
    out = capsys.readouterr().out
    assert out.startswith("--- ugly.rego.orig\n+++ ugly.rego\n")
    assert "\n-package  a\n" in out
    assert "\n+package a\n" in out
    assert "\n\\ No newline at end of file\n" in out
    assert main(["fmt", "-d", "--check", "."]) == 1
    assert capsys.readouterr().out == out


def test_formatted_files_pass(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fmt", "--check", "pretty.rego"]) == 0
    assert main(["fmt", "-d", "--fail", "pretty.rego"]) == 0
    assert capsys.readouterr().out == ""


def test_a_broken_file_does_not_keep_the_others(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "broken.rego").write_text("package a\np := {\n")
    (folder / "binary.rego").write_bytes(b"\xff\xfe\x00")
    assert main(["fmt", "-w", "."]) == 2
    captured = capsys.readouterr()
    assert "broken.rego:3:1: rego_parse_error" in captured.err
    assert "binary.rego" in captured.err
    assert (folder / "ugly.rego").read_text() == PRETTY
    assert (folder / "broken.rego").read_text() == "package a\np := {\n"


def test_a_missing_file_is_an_error(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fmt", "-w", "ugly.rego", "gone.rego"]) == 2
    assert "gone.rego: no such file" in capsys.readouterr().err


def test_the_shipped_policies_are_formatted(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["fmt", "--check", str(ROOT / "policies"), str(ROOT / "examples")])
    assert code == 0, capsys.readouterr().out
