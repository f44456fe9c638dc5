"""Files and folders that cannot be judged: a message with a code, exit code 2, nothing written."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import CARD, POLICY, Result, Run, write

RAW = ("--raw", "-p", "raw.rego")
RAW_POLICY = 'package main\n\ndeny contains "x" if input.x\n'


@pytest.fixture(autouse=True)
def raw_policy(work: Path) -> None:
    """A policy for raw files."""
    write(work, {"raw.rego": RAW_POLICY})


def refused(result: Result, code: str) -> None:
    """Nothing but a message."""
    assert result.code == 2, result.out
    assert result.out == ""
    assert result.error == code
    assert "Traceback" not in result.err
    assert "internal error" not in result.err


# --- what there is to judge, and to judge by ------------------------------------------------------


def test_nothing_to_judge(run: Run, work: Path) -> None:
    (work / "empty").mkdir()
    refused(run("check", "empty", "-p", "policies", "-o", "json=out"), "nothing_to_judge")
    refused(run("check", "nowhere", "-p", "policies"), "file_not_found")
    refused(run("check", "", "-p", "policies"), "file_not_found")
    refused(run("check", "release", "bad", "-p", "policies"), "one_release_at_a_time")
    assert not (work / "out").exists()


def test_nothing_to_judge_by(run: Run, work: Path) -> None:
    (work / "empty").mkdir()
    refused(run("check", "release", "-p", "empty"), "no_policies")
    refused(run("check", "release", "-p", "./nowhere"), "policies_not_found")
    refused(run("check", "release", "-p", "baselin"), "unknown_policies")
    assert "did you mean baseline" in run("check", "release", "-p", "baselin").err
    refused(run("check", "release", "-p", "waivers.yaml"), "not_a_policy")


def test_zero_rules_evaluated_is_no_verdict(run: Run, work: Path) -> None:
    write(work, {"policies/card.rego": POLICY.replace("model_card", "sbom")})
    result = run("check", "release", "-p", "policies", "-o", "json=-")
    assert result.code == 2
    assert result.json["outcome"] == "no_verdict"
    assert result.json["reason_codes"] == ["no_rules_evaluated"]


# --- hostile files --------------------------------------------------------------------------------

BOMB = "a: &a [x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)}, *{chr(97 + n)}]\n" for n in range(20)
)


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("x.json", os.urandom(100_000) + b"\xff", None),
        ("x.json", b"\x00\x01\x02", None),
        ("x.json", b"", "json_empty"),
        ("x.json", b'{"a": 1', "json_syntax"),
        ("x.json", b'{"a": NaN}', "json_number"),
        ("x.json", b'{"a": 1, "a": 2}', "json_duplicate_key"),
        ("x.json", b"[" * 10_000 + b"]" * 10_000, "json_too_deep"),
        ("x.json", b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "json_too_deep"),
        ("x.json", b"[" + b"9" * 10_000 + b"]", "json_number"),
        ("x.json", b'{"a": "\\ud800"}', None),
        ("x.yaml", BOMB.encode(), "yaml_alias"),
        ("x.yaml", b"a: !!python/object/apply:os.system ['touch canary']", "yaml_tag"),
        ("x.yaml", b"a: 1\na: 2\n", "yaml_duplicate_key"),
        ("x.yaml", b"- " * 10_000, "yaml_too_deep"),
        ("x.yaml", b"[" * 100_000, None),
        ("x.yaml", b"a: 1\n---\nb: 2\n", "yaml_multiple_documents"),
        ("x.yaml", b"\xff\xfea\x00:\x00", None),
        ("x.toml", b"a = [", None),
    ],
)
def test_hostile_text(run: Run, work: Path, name: str, content: bytes, code: str | None) -> None:
    write(work, {name: content})
    result = run("check", name, *RAW, "-o", "json=out")
    refused(result, code or result.error)
    assert name in result.err
    assert not (work / "out").exists()
    assert not list(work.rglob("canary"))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.json", b'\xef\xbb\xbf{\r\n "x": 1\r\n}\r\n'),
        ("x.yaml", b"\xef\xbb\xbfx: 1\r\ny:\r\n  - z\r\n"),
        ("x.toml", b"\xef\xbb\xbfx = 1\r\n"),
    ],
)
def test_a_byte_order_mark_and_crlf_are_fine(
    run: Run, work: Path, name: str, content: bytes
) -> None:
    write(work, {name: content})
    result = run("check", name, *RAW, "-o", "json=-")
    assert result.code == 1
    (finding,) = result.json["results"]
    assert finding["evidence"][0]["source"]["line"] == (2 if name == "x.json" else 1)


def test_a_card_with_a_byte_order_mark_and_crlf(run: Run, work: Path) -> None:
    text = "\ufeff" + CARD.replace("mit", "other").replace("\n", "\r\n")
    write(work, {"bad/README.md": text})
    result = run("check", "bad", "-p", "policies")
    assert result.code == 1
    assert "README.md:2:10" in result.out


@pytest.mark.parametrize("kind", ["sbom", "model_card", "prompt_bundle", "weights", "generic"])
@pytest.mark.parametrize("content", [b"", b"\xff" * 1000, b"{", b"null", b"[1]", b"PK\x03\x04"])
def test_no_content_is_too_odd_for_any_kind(
    run: Run, work: Path, kind: str, content: bytes
) -> None:
    """An error, or a decision: never a defect."""
    write(work, {"x.json": content})
    result = run("check", "x.json", "-p", "policies", "--kind", kind)
    assert "internal error" not in result.err
    assert result.code in (0, 1, 2)
    assert result.err or result.out


def test_a_line_of_100_megabytes_is_read_in_bounded_time(process: Run, work: Path) -> None:
    with open(work / "x.json", "wb") as file:
        file.write(b'{"x":"')
        file.write(b"y" * 100_000_000)
        file.write(b'"}')
    result = process("check", "x.json", *RAW, "-o", "json=out", "-q")
    assert result.code == 1
    assert (work / "out").stat().st_size < 100_000
    with open(work / "bad" / "README.md", "ab") as file:
        file.write(b"y" * 100_000_000)
    big = process("check", "bad/README.md", "-p", "policies", "--kind", "model_card")
    assert (big.code, big.error) == (2, "file_too_large")
    os.unlink(work / "x.json")
    os.unlink(work / "bad" / "README.md")


# --- hostile places -------------------------------------------------------------------------------


def test_nothing_outside_the_folder_is_read(run: Run, work: Path) -> None:
    secret = work / "secret.md"
    secret.write_text(CARD.replace("mit", "secret"))
    (work / "release" / "MODEL_CARD.md").symlink_to(secret)
    (work / "release" / "folder").symlink_to(work)
    result = run("check", "release", "-p", "policies", "-o", "json=-")
    assert result.code == 0
    assert "licence secret" not in result.out
    assert "files_skipped" in {d["code"] for d in result.json["degradations"]}


def test_a_link_in_the_manifest_is_an_error(run: Run, work: Path) -> None:
    (work / "release" / "out.md").symlink_to(work / "bad" / "README.md")
    manifest = (
        "apiVersion: adjudge/v1\nkind: Release\nmetadata: {name: b, version: '1'}\n"
        "artifacts: [{path: out.md, kind: model_card}]\n"
    )
    write(work, {"release/release.yaml": manifest})
    result = run("check", "release", "-p", "policies")
    assert result.code == 2
    assert "path_escape" in result.err
    assert "release.yaml:4" in result.err


def test_a_pipe_does_not_hold_anything(run: Run, work: Path) -> None:
    os.mkfifo(work / "release" / "x.cdx.json")
    assert run("check", "release", "-p", "policies").code == 0
    refused(run("check", "release/x.cdx.json", "-p", "policies"), "not_a_file")
    os.mkfifo(work / "policies" / "x.rego")
    assert "internal error" not in run("check", "release", "-p", "policies").err


def test_a_folder_where_a_file_should_be(run: Run, work: Path) -> None:
    write(work, {"release/bom.json/x.txt": "x"})
    assert run("check", "release", "-p", "policies").code == 0
    refused(run("check", "release", "-p", "policies", "-w", "bad"), "waivers_invalid")
    result = run("check", "release", "-p", "policies", "--kind", "bom.json=sbom")
    assert (result.code, result.error) == (2, "not_a_file")


def test_a_file_that_may_not_be_read(run: Run, work: Path) -> None:
    (work / "release" / "README.md").chmod(0)
    if os.access(work / "release" / "README.md", os.R_OK):
        pytest.skip("this user may read everything")
    refused(run("check", "release/README.md", "-p", "policies"), "unreadable_file")


def test_names_that_no_terminal_likes(run: Run, work: Path) -> None:
    names = [
        b"sp ace.md",
        b"quo'te\".md",
        b"new\nline.md",
        b"\xff\xfe.md",
        b"-dash.md",
        b"\x1b[31m.md",
    ]
    folder = os.fsencode(work / "bad")
    for name in names:
        with open(os.path.join(folder, name), "w") as file:
            file.write(CARD.replace("mit", "other"))
    formats = ("json", "sarif", "junit", "github", "markdown", "html", "csv")
    outputs = [word for f in formats for word in ("-o", f"{f}=out-{f}")]
    result = run("check", "bad", "-p", "policies", "--kind", "*.md=model_card", *outputs)
    assert result.code == 1
    assert "\x1b" not in result.out
    record = json.loads((work / "out-json").read_text("utf-8"))
    failed = [r["artifact"] for r in record["results"] if r["rule_id"] == "OWN-1"]
    assert len(failed) == len(names) + 1
    for f in formats:
        text = (work / f"out-{f}").read_text("utf-8")
        assert "\x1b" not in text
        assert "new\nline" not in text


def test_a_name_that_is_no_utf8_can_be_given(run: Run, work: Path) -> None:
    path = os.path.join(os.fsencode(work), b"\xff.md")
    with open(path, "w") as file:
        file.write(CARD.replace("mit", "other"))
    result = run("check", os.fsdecode(b"\xff.md"), "-p", "policies", "--kind", "model_card")
    assert result.code == 1
    missing = run("check", os.fsdecode(b"\xfe\n.md"), "-p", "policies")
    refused(missing, "file_not_found")
    assert missing.err.count("\n") == 1


# --- prompt bundles -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("config.yaml", "name: [\n"),
        ("config.yaml", "- list\n"),
        ("config.yaml", ""),
        ("system.txt", "\xff".encode("latin-1")),
        ("tests.json", "{"),
        ("examples.json", '[{"in'),
    ],
)
def test_a_truncated_bundle(run: Run, work: Path, name: str, content: Any) -> None:
    config = "name: support\nversion: 1.2.0\nmodel: acme-1\n"
    files = {"config.yaml": config, "system.txt": "You help.", "tests.json": "[]", name: content}
    write(work, {f"r/prompts/support/1.2.0/{n}": c for n, c in files.items()})
    policy = "package p\n\n# METADATA\n# custom: {id: P-1, applies_to: prompt_bundle}\n"
    policy += "deny contains p.message if some p in input.problems\n"
    write(work, {"p.rego": policy})
    result = run("check", "r", "-p", "p.rego")
    assert "internal error" not in result.err
    assert result.code in (1, 2), result.out
    assert "Traceback" not in result.err


# --- policies -------------------------------------------------------------------------------------


def test_a_syntax_error_has_a_caret(run: Run, work: Path) -> None:
    write(work, {"policies/x.rego": "package x\n\ndeny contains y if {\n\tinput.a ==\n}\n"})
    result = run("check", "release", "-p", "policies", "-o", "json=out")
    refused(result, "rego_parse_error")
    lines = result.err.splitlines()
    assert lines[0].startswith("error: policies/x.rego:5:1: ")
    assert lines[1:3] == ["  5 | }", "    | ^"]
    assert not (work / "out").exists()


def test_all_errors_of_all_policies_are_told_at_once(run: Run, work: Path) -> None:
    write(
        work,
        {
            "policies/a.rego": "package a\n\np := folly(1)\n",
            "policies/b.rego": "package b\n\np := nonsense(1)\n",
            "policies/c.yaml": "apiVersion: adjudge/v1\nkind: Policy\nmetadata: {}\ndeny: 1\n",
        },
    )
    broken = run("check", "release", "-p", "policies/c.yaml")
    assert broken.code == 2
    assert "c.yaml:3" in broken.err
    (work / "policies" / "c.yaml").unlink()
    result = run("check", "release", "-p", "policies")
    assert result.code == 2
    assert "a.rego:3" in result.err
    assert "b.rego:3" in result.err


SLOW = """package slow

# METADATA
# custom: {id: SLOW, applies_to: model_card}
deny contains "x" if {
    some a in numbers.range(1, 100000)
    some b in numbers.range(1, 100000)
    a * b == -1
}
"""


def test_a_policy_that_takes_too_long_is_an_error_that_blocks(run: Run, work: Path) -> None:
    write(work, {"slow.rego": SLOW})
    result = run("check", "release", "-p", "slow.rego", "--timeout", "0.2", "-o", "json=-")
    assert result.code == 1
    (error,) = result.json["results"]
    assert error["outcome"] == "error"
    assert "longer than 0.2 s" in error["message"]
    assert result.json["reason_codes"] == ["evaluation_error"]


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (
            'deny contains "x" if regex.match("(a+)+$", strings.repeat("a", 5000))',
            "",
        ),
        ('deny contains x if { x := strings.repeat("a", 1000000000) }', ""),
        ('deny contains "x" if f(1)\n\nf(x) if f(x)\n', "rego_recursion_error"),
        ('deny contains "x" if http.send({"method": "get", "url": "http://x"})', "http.send"),
        ('deny contains "x" if opa.runtime().env.HOME', "opa.runtime"),
    ],
)
def test_what_policies_may_not_do(run: Run, work: Path, body: str, word: str) -> None:
    write(work, {"p.rego": f"package p\n\n{body}\n"})
    result = run("check", "release", "-p", "p.rego", "--timeout", "2")
    assert "internal error" not in result.err
    assert result.code != 0 or not word
    assert word in result.err


# --- outputs --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outputs", "code"),
    [
        (("json=missing/x",), "output_directory_missing"),
        (("json=release",), "output_is_directory"),
        (("json=x", "html=./x"), "output_conflict"),
        (("json=-", "sarif"), "output_conflict"),
        (("json=",), "output_path_missing"),
        (("jsn=x",), "output_format_unknown"),
        (("json=/proc/x",), "output_write_failed"),
        (("html=good", "json=/proc/x"), "output_write_failed"),
        (("html=good", "json=missing/x"), "output_directory_missing"),
    ],
)
def test_outputs_that_cannot_be_written(
    run: Run, work: Path, outputs: tuple[str, ...], code: str
) -> None:
    words = [word for o in outputs for word in ("-o", o)]
    refused(run("check", "bad", "-p", "policies", *words), code)
    assert not (work / "good").exists()
    assert not (work / "x").exists()
    assert not list(work.glob(".adjudge*"))


def test_a_folder_that_may_not_be_written(run: Run, work: Path) -> None:
    (work / "closed").mkdir(mode=0o500)
    if os.access(work / "closed", os.W_OK):
        pytest.skip("this user may write everywhere")
    refused(run("check", "bad", "-p", "policies", "-o", "json=closed/x"), "output_write_failed")


# --- what the operator names ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--as-of", "yesterday"), "time_invalid"),
        (("--as-of", "2026-02-30"), "time_invalid"),
        (("--as-of", "99999-01-01"), "time_invalid"),
        (("--as-of", "0001-01-01"), "time_out_of_range"),
        (("-w", "nowhere.yaml"), "waivers_not_found"),
        (("-w", "list.yaml"), "waivers_invalid"),
        (("-w", "broken.yaml"), "yaml_syntax"),
        (("-w", "binary.yaml"), None),
        (("-d", "nowhere.json"), "data_not_found"),
        (("-d", "list.json"), "data_not_an_object"),
        (("-d", "one.json", "-d", "two.json"), "data_conflict"),
        (("-d", "policies/card.rego"), "not_a_data_file"),
        (("--manifest", "nowhere.yaml"), "file_not_found"),
        (("--trust", "nowhere.yaml"), "file_not_found"),
        (("--kind", "nothing"), "unknown_kind"),
        (("--kind", "*.xyz=sbom"), "kind_matches_nothing"),
        (("--log", "waivers.yaml"), "ledger_unavailable"),
        (("--log", "missing/log.db"), "ledger_unavailable"),
    ],
)
def test_options_that_name_what_cannot_be_used(
    run: Run, work: Path, words: tuple[str, ...], code: str | None
) -> None:
    write(
        work,
        {
            "list.yaml": "- x\n",
            "broken.yaml": "waivers: [\n",
            "binary.yaml": b"\x00\xff",
            "list.json": "[1]",
            "one.json": '{"a": 1}',
            "two.json": '{"a": 2}',
        },
    )
    result = run("check", "release", "-p", "policies", "-o", "json=out", *words)
    refused(result, code or result.error)
    assert not (work / "out").exists()


def test_a_malformed_waiver_counts_as_expired(run: Run, work: Path) -> None:
    text = (work / "waivers.yaml").read_text().replace("    expires: 2026-06-01\n", "")
    write(work, {"waivers.yaml": text})
    result = run("check", "bad", "-p", "policies", "-w", "waivers.yaml", "--as-of", "2026-03-01")
    assert result.code == 1
    assert "malformed" in result.out


# --- defects --------------------------------------------------------------------------------------


def test_a_defect_is_one_line_and_no_verdict(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise KeyError("x")

    monkeypatch.setattr("adjudge.gate.run.run", broken)
    result = run("check", "release", "-p", "policies")
    assert result.code == 2
    assert result.err.startswith("error: internal error: KeyError: 'x'\n")
    assert "Traceback" not in result.err
    monkeypatch.setenv("ADJUDGE_DEBUG", "1")
    with pytest.raises(KeyError):
        run("check", "release", "-p", "policies")
