"""What findings say: messages, pointers, details, remediation, severity, and metadata."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.yamlpolicy.support import compiled, findings, findings_by_opa, policy

from adjudge.rego import RegoEvalError
from adjudge.rego.syntax import Annotations
from adjudge.yamlpolicy import package_name

A: dict[str, Any] = {"name": "a", "hashes": []}
B: dict[str, Any] = {"name": "b", "hashes": ["x"], "parts": [A, A]}
MISSING = {"path": "facts.purpose", "is": "missing"}
EACH: Any = {"for_each": {"path": "facts.components", "as": "c"}}


def card(document: Any = None, **facts: Any) -> dict[str, Any]:
    """The input of a card."""
    return {
        "path": "a/card.md",
        "facts": {"title": "T", "tags": [], "components": [], **facts},
        "document": document if document is not None else {},
    }


def loop(path: str, name: str, when: Any = None, **more: Any) -> dict[str, Any]:
    """A loop condition."""
    inner = {"path": path, "as": name, **more}
    return {"for_each": {**inner, "when": when} if when else inner}


# id, condition, entry, input, data, expected findings
CASES: list[tuple[str, Any, dict[str, Any], Any, Any, list[Any]]] = [
    (
        "a path in the message",
        MISSING,
        {"message": "{input.path}: {facts.title} and {{braces}}"},
        card(),
        {},
        [{"msg": "a/card.md: T and {braces}", "pointer": "/facts/purpose"}],
    ),
    (
        "a missing value loses no finding",
        MISSING,
        {
            "message": "{facts.purpose} {facts.license.id} {document.a.b} {data.nothing}",
            "remediation": "see {facts.purpose}",
            "details": {"a": {"path": "facts.license.id"}, "b": "{facts.purpose}"},
        },
        card("not an object"),
        {},
        [
            {
                "msg": "<undefined> <undefined> <undefined> <undefined>",
                "pointer": "/facts/purpose",
                "remediation": "see <undefined>",
                "details": {"a": None, "b": "<undefined>"},
            }
        ],
    ),
    (
        "details keep types",
        MISSING,
        {
            "details": {
                "tags": {"path": "facts.tags"},
                "limit": {"data": "limit"},
                "gone": {"data": "gone"},
                "fixed": [1, True, None, {"x": "y"}, ""],
                "path": "p",
            }
        },
        card(tags=["x"]),
        {"limit": 3},
        [
            {
                "msg": "found",
                "pointer": "/facts/purpose",
                "details": {
                    "tags": ["x"],
                    "limit": 3,
                    "gone": None,
                    "fixed": [1, True, None, {"x": "y"}, ""],
                    "path": "p",
                },
            }
        ],
    ),
    (
        "one finding for each element",
        EACH,
        {"message": "{c.name}", "details": {"version": {"path": "c.version"}}},
        card(components=[A, B]),
        {},
        [
            {"msg": "a", "pointer": "/facts/components/0", "details": {"version": None}},
            {"msg": "b", "pointer": "/facts/components/1", "details": {"version": None}},
        ],
    ),
    (
        "loops in loops",
        loop("facts.components", "c", loop("c.parts", "p", {"path": "p.hashes", "count": 0})),
        {"message": "{c.name}/{p.name}"},
        card(components=[A, B]),
        {},
        [
            {"msg": "b/a", "pointer": "/facts/components/1/parts/0"},
            {"msg": "b/a", "pointer": "/facts/components/1/parts/1"},
        ],
    ),
    (
        "loops side by side",
        {"all": [EACH, loop("facts.tags", "t", {"path": "t", "equals": "x"})]},
        {"message": "{c.name} {t}"},
        card(components=[A], tags=["y", "x"]),
        {},
        [{"msg": "a x", "pointer": "/facts/tags/1"}],
    ),
    (
        "a loop that is only tested points at its list",
        {"any": [EACH]},
        {},
        card(components=[A, B]),
        {},
        [{"msg": "found", "pointer": "/facts/components"}],
    ),
    (
        "a tested loop in a loop points at the element",
        loop("facts.components", "c", {"not": loop("c.parts", "p")}),
        {},
        card(components=[B, A]),
        {},
        [{"msg": "found", "pointer": "/facts/components/1"}],
    ),
    (
        "the first path below facts or document",
        {
            "all": [
                {"path": "release.name", "is": "missing"},
                {"path": 'document["a/b~"]', "equals": 1},
            ]
        },
        {},
        card({"a/b~": 1}),
        {},
        [{"msg": "found", "pointer": "/document/a~1b~0"}],
    ),
    (
        "no pointer without such a path",
        {"any": [{"path": "data.x", "equals": 1}, {"path": "release.name", "is": "missing"}]},
        {},
        card(),
        {},
        [{"msg": "found"}],
    ),
    (
        "a pointer as written",
        loop("facts.components", "c", index="i"),
        {"pointer": "/facts/components/{i}/version", "message": "{i}"},
        card(components=[A]),
        {},
        [{"msg": "0", "pointer": "/facts/components/0/version"}],
    ),
    (
        "keys in pointers are escaped",
        loop("facts.labels", "v", index="k"),
        {"pointer": "/facts/labels/{k}", "message": "{k}={v}"},
        card(labels={"a/b~c": "x"}),
        {},
        [{"msg": "a/b~c=x", "pointer": "/facts/labels/a~1b~0c"}],
    ),
    (
        "keys in pointers that were not written",
        loop("document.x", "v"),
        {},
        card({"x": {"a/b": 1}}),
        {},
        [{"msg": "found", "pointer": "/document/x/a~1b"}],
    ),
    (
        "loops over data have no pointer",
        loop("data.names", "n", {"path": "facts.title", "not_equals": {"path": "n"}}),
        {"message": "{n}", "details": {"n": {"path": "n.x"}}},
        card(),
        {"names": ["U"]},
        [{"msg": "U", "pointer": "/facts/title", "details": {"n": None}}],
    ),
    (
        "values of elements of any type",
        loop("document.x", "v"),
        {"message": "{v} {v.y}", "details": {"y": {"path": "v.y"}, "v": {"path": "v"}}},
        card({"x": [1, {"y": 2}]}),
        {},
        [
            {"msg": "1 <undefined>", "pointer": "/document/x/0", "details": {"y": None, "v": 1}},
            {"msg": '{"y": 2} 2', "pointer": "/document/x/1", "details": {"y": 2, "v": {"y": 2}}},
        ],
    ),
    (
        "names that the compiler would use",
        {"all": [loop("facts.components", "c"), loop("facts.tags", "c_index")]},
        {"message": "{c_index}"},
        card(components=[A], tags=["x"]),
        {},
        [{"msg": "x", "pointer": "/facts/tags/0"}],
    ),
    (
        "quotes, backslashes and line ends",
        MISSING,
        {"message": 'a "b" \\ \\n {facts.title}\n{{x}} ${facts.title} é'},
        card(),
        {},
        [{"msg": 'a "b" \\ \\n T\n{x} $T é', "pointer": "/facts/purpose"}],
    ),
]


def ordered(found: list[Any]) -> list[str]:
    """Findings in an order that does not depend on the engine."""
    return sorted(json.dumps(f, sort_keys=True, ensure_ascii=False) for f in found)


@pytest.mark.parametrize(
    ("condition", "entry", "input_", "data", "expected"),
    [c[1:] for c in CASES],
    ids=[c[0] for c in CASES],
)
def test_findings(
    condition: Any, entry: dict[str, Any], input_: Any, data: Any, expected: list[Any]
) -> None:
    module = compiled(policy(condition, **entry))
    assert ordered(findings(module, input_, data)) == ordered(expected)


def test_opa_finds_the_same(tmp_path: Path) -> None:
    data = {"limit": 3, "names": ["U"]}
    modules = [(compiled(policy(c[1], **c[2])), c[3]) for c in CASES]
    results = findings_by_opa(modules, tmp_path, data)
    expected = [c[5] for c in CASES]
    assert [ordered(r) for r in results] == [ordered(e) for e in expected]


def test_a_policy_that_does_not_apply_finds_nothing() -> None:
    text = policy(MISSING, {"when": {"path": "facts.open", "equals": True}})
    module = compiled(text)
    assert module.conditional
    assert findings(module, card()) == []
    assert findings(module, card(open=False)) == []
    assert len(findings(module, card(open=True))) == 1
    assert not compiled(policy(MISSING)).conditional


def test_deny_and_warn_are_separate_sets() -> None:
    entry = {"message": "w", "when": MISSING}
    module = compiled(policy(MISSING, {"warn": [entry, entry]}))
    names = [getattr(r.head.ref, "name", "") for r in module.module.rules]
    assert names == ["deny", "warn", "warn"]


METADATA = {
    "id": "MC-05",
    "title": "Purpose",
    "description": "Why",
    "severity": "high",
    "controls": ["eu-ai-act/13.3.b.i"],
    "remediation": "Write it.",
    "effective_from": "2026-12-02",
    "owner": "ML governance",
    "links": ["guide/purpose"],
}


def test_metadata_is_the_annotation_of_the_package() -> None:
    module = compiled(policy(MISSING, {"metadata": METADATA}))
    custom = {k: v for k, v in METADATA.items() if k not in ("title", "description", "links")}
    (annotation,) = module.module.annotations
    assert annotation == Annotations(
        {
            "scope": "package",
            "title": "Purpose",
            "description": "Why",
            "related_resources": [{"ref": "guide/purpose"}],
            "custom": {**custom, "applies_to": "card"},
        },
        "package",
    )
    assert module.module.package == ("adjudge", "yaml", "mc_05")
    told = module.metadata
    assert (told.id, told.title, told.severity, told.applies_to) == (
        "MC-05",
        "Purpose",
        "high",
        "card",
    )
    assert (told.controls, told.links) == (("eu-ai-act/13.3.b.i",), ("guide/purpose",))
    assert (told.effective_from, told.owner, told.remediation) == (
        "2026-12-02",
        "ML governance",
        "Write it.",
    )


def test_an_entry_may_have_its_own_severity() -> None:
    module = compiled(policy(MISSING, severity="low")).module
    (rule,) = module.rules
    assert [a.fields for a in rule.annotations] == [
        {"scope": "rule", "custom": {"severity": "low"}}
    ]
    assert rule.annotations[0] in module.annotations


@pytest.mark.parametrize(
    ("policy_id", "package"),
    [("MC-05", "mc_05"), ("a.b_C-9", "a_b_c_9"), ("Not", "not_"), ("with", "with_"), ("x", "x")],
)
def test_the_package_is_named_after_the_id(policy_id: str, package: str) -> None:
    assert package_name(policy_id) == package
    module = compiled(policy(MISSING, {"metadata": {"id": policy_id, "title": "t"}}))
    assert module.module.package == ("adjudge", "yaml", package)


def test_the_data_a_policy_reads_is_told() -> None:
    text = policy(
        {
            "any": [
                {"path": "facts.title", "in": {"data": "names"}},
                {"path": "data.limits.score", "is": "missing"},
                {"rego": "data.more.names[_] == input.facts.title"},
            ]
        },
        message="{data.contact}",
        details={"x": {"data": "extra[0]"}},
    )
    steps = {d.steps for d in compiled(text).data_paths}
    assert steps == {
        ("names",),
        ("limits", "score"),
        ("more", "names"),
        ("contact",),
        ("extra", 0),
    }


SILENT = [
    ({"path": "facts.score", "lt": 1}, True),
    ({"path": "document.x", "before": "now"}, True),
    ({"path": "facts.version", "semver": "<1"}, True),
    ({"not": {"path": "facts.score", "gte": 1}}, False),
    ({"none": [{"path": "facts.score", "gte": 1}]}, False),
    ({"not": {"not": {"path": "facts.score", "gte": 1}}}, True),
    ({"any": [{"path": "facts.score", "lt": 1}, {"path": "facts.score", "is": "missing"}]}, False),
    ({"path": "facts.components[0].size", "gt": 1}, True),
    ({"path": "facts.purpose", "length": {"lt": 3}}, False),
    ({"path": "facts.score", "equals": 3}, False),
]


@pytest.mark.parametrize(("condition", "warned"), SILENT)
def test_a_test_that_lets_missing_values_pass_is_pointed_out(condition: Any, warned: bool) -> None:
    codes = [w.code for w in compiled(policy(condition)).warnings]
    assert codes == (["yaml_policy_missing_not_noticed"] if warned else [])


def test_what_always_exists_is_not_pointed_out() -> None:
    condition = {"path": "size", "gt": 1}
    assert compiled(policy(condition)).warnings == ()


def test_a_policy_may_judge_requests() -> None:
    condition = {"path": "resource.id", "not_in": {"path": "context.models"}}
    module = compiled(policy(condition, {"applies_to": "runtime"}, message="{subject.id}"))
    request = {"subject": {"id": "u"}, "resource": {"id": "m"}, "context": {"models": ["n"]}}
    assert findings(module, request) == [{"msg": "u", "pointer": "/resource/id"}]


def test_a_date_that_no_calendar_has_is_an_error_and_no_pass() -> None:
    module = compiled(policy({"path": "facts.reviewed", "before": "now"}))
    with pytest.raises(RegoEvalError):
        findings(module, card(reviewed="2025-02-30"))
