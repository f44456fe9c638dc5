"""What a policy may use: capabilities files, versions of OPA, and what the gate withholds."""

from __future__ import annotations

import pytest

from adjudge.rego.capabilities import (
    Capabilities,
    all_capabilities,
    gate_capabilities,
    version_capabilities,
)
from adjudge.rego.checking import check_modules

PRELUDE = "package t\n\n"


def messages(text: str, capabilities: Capabilities, rego_version: int = 1) -> list[str]:
    errors = check_modules(
        {"t.rego": PRELUDE + text}, capabilities=capabilities, rego_version=rego_version
    )
    return [error.message for error in errors]


def test_a_file_grants_what_it_names_and_nothing_else() -> None:
    decl = {"args": [{"type": "string"}], "result": {"type": "number"}}
    granted = Capabilities.from_json(
        {"builtins": [{"name": "weigh", "decl": decl}], "features": ["rego_v1"]}
    )
    assert messages('p := weigh("a")', granted) == []
    assert messages("p := 1 + 1\nq := count([1])", granted) == [
        "undefined function plus",
        "undefined function count",
    ]
    assert messages("p := weigh(1)", granted)[0].startswith("weigh: invalid argument(s)")
    assert messages('p := $"a"', granted) == [
        "template strings are not supported by current capabilities"
    ]


def test_a_file_without_features_reads_no_version_1() -> None:
    granted = Capabilities.from_json({"builtins": []})
    assert messages("p := 1", granted) == [
        "illegal capabilities: rego_v1 feature required for parsing v1 Rego"
    ]
    assert messages("p = 1", granted, rego_version=0) == []
    assert messages("import rego.v1\n\np := 1", granted, rego_version=0) == [
        "invalid import, `rego.v1` is not supported by current capabilities"
    ]


def test_a_version_grants_what_it_had() -> None:
    old = version_capabilities("v0.36.0")
    assert messages("p { crypto.hmac.equal(1, 2) }", old, rego_version=0) == [
        "undefined function crypto.hmac.equal"
    ]
    assert messages("import future.keywords.in\n\np { 1 in [1] }", old, rego_version=0) == []
    assert messages("import future.keywords.every\n\np = 1", old, rego_version=0) == [
        "unexpected keyword, must be one of [in]"
    ]
    assert messages('p := $"a"', version_capabilities("v1.0.0")) != []
    assert messages('p := $"a"', version_capabilities("v1.22.0")) == []


def test_the_latest_version_has_everything() -> None:
    assert version_capabilities("v1.22.0").builtins == all_capabilities().builtins


def test_there_are_versions_that_there_are_not() -> None:
    with pytest.raises(KeyError):
        version_capabilities("v99.0.0")


def test_what_is_withheld_is_named_with_the_rule_that_wants_it() -> None:
    text = 'deny contains "x" if {\n    http.send({"url": input.url}).status_code != 200\n}'
    (error,) = check_modules({"t.rego": PRELUDE + text}, capabilities=gate_capabilities())
    assert error.code == "rego_capability_error"
    assert "http.send" in error.message
    assert "data.t.deny" in error.message
    assert error.location is not None
    assert (error.location.file, error.location.row) == ("t.rego", 4)


def test_the_number_of_errors_may_be_limited() -> None:
    modules = {"t.rego": PRELUDE + "\n".join(f"p{n} := nothing(1)" for n in range(20))}
    found = check_modules(modules, max_errors=10)
    assert len(found) == 11
    assert found[-1].message == "error limit reached"
    assert len(check_modules(modules)) == 20


def test_modules_of_several_versions_are_checked_together() -> None:
    modules = {
        "old.rego": "package old\n\ndeny[x] { x := data.new.names[_] }\n\nq = any([true])",
        "new.rego": 'package new\n\nnames contains "a" if data.old.q',
        "both.rego": "package both\n\nimport rego.v1\n\np contains x if some x in data.old.deny",
    }
    assert check_modules(modules, versions={"old.rego": 0, "both.rego": 0}) == []
    codes = {error.code for error in check_modules(modules)}
    assert codes == {"rego_parse_error"}
