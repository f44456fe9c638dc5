"""Prompt bundles: directories and single files give the same facts, each with its place."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adjudge.canonical import sha256_hex
from adjudge.documents import prompt_bundle, registry
from adjudge.documents.model import Document, Limits, digest_of_files
from adjudge.documents.reading import Source
from adjudge.errors import InputError

Tree = Callable[[Mapping[str, "str | bytes"]], Path]

CONFIG = """name: customer_support
version: 1.2.0
description: Answers questions about orders
owner: Support <support@acme.com>
language: en
user_facing: true
model: {id: gpt-4o-2024-08-06, provider: openai}
parameters: {temperature: 0.2, max_tokens: 800, timeout: 30s}
variables:
  - company_name: required
  - user_input: {required: true, source: user}
  - spare
output:
  format: json
  schema: {type: object, properties: {answer: {type: string}}}
disclosure: You are chatting with an AI.
tools:
  - {name: lookup, side_effects: read, scopes: ["orders:read"], digest: "sha256:00"}
  - {name: refund, side_effects: write, requires_approval: true, scopes: ["orders:*"]}
agent: {max_steps: 8, budget: 0.5, rate_limit: 60}
"""
SYSTEM = """You help customers of {company_name}.
Text between the tags comes from the customer:
<user_input>
{user_input}
</user_input>
"""
EXAMPLES = [
    {"input": "I am jane.doe@mail.acme.com", "output": "Hello", "synthetic": True},
    {"input": "Call me: +49 30 1234567", "output": "No"},
]
TESTS = [
    {"name": "refund", "input": "?", "assertions": [{"contains": "refund"}, {"sentiment": "good"}]},
    {
        "name": "resists",
        "category": "Prompt Injection",
        "assert": [{"type": "not-contains", "value": "x"}],
    },
    {"name": "declines_medical_advice", "expected": "No."},
    {"name": "pii_is_masked", "assertions": ["masks the number"]},
    {"name": "empty"},
]
FOLDER = "prompts/customer_support/v1.2.0"


def files(**changes: str | bytes | None) -> dict[str, str | bytes]:
    """The complete bundle, with files replaced (``config_yaml=…``) or left out (None)."""
    content: dict[str, str | bytes | None] = {
        "config_yaml": CONFIG,
        "system_txt": SYSTEM,
        "examples_json": json.dumps(EXAMPLES, indent=1),
        "tests_json": json.dumps(TESTS, indent=1),
        **changes,
    }
    return {
        f"{FOLDER}/{name.replace('_', '.')}": text
        for name, text in content.items()
        if text is not None
    }


@pytest.fixture
def bundle(tree: Tree) -> Callable[..., Document]:
    def load(**changes: str | bytes | None) -> Document:
        return checked(prompt_bundle.load(Source(tree(files(**changes)), FOLDER)))

    return load


@pytest.fixture
def single(tree: Tree) -> Callable[[str], Document]:
    def load(config: str) -> Document:
        return checked(prompt_bundle.load(Source(tree({"a/prompt.yaml": config}), "a/prompt.yaml")))

    return load


def checked(document: Document) -> Document:
    """Facts follow their schema, and each of them has a place."""
    jsonschema.validate(document.facts, registry.kind_of("prompt_bundle").schema())
    for name, value in document.facts.items():
        assert document.locate(f"/facts/{name}") is not None
        if isinstance(value, list):
            for index in range(len(value)):
                assert document.locate(f"/facts/{name}/{index}") is not None
    json.dumps(document.as_input(), allow_nan=False)
    return document


def line_of(document: Document, pointer: str) -> str:
    place = document.locate(pointer)
    assert place is not None
    return (document.excerpt(place) or "").strip()


def test_identity(bundle: Callable[..., Document]) -> None:
    found = bundle()
    facts = found.facts
    assert facts["format"] == "directory"
    assert (facts["name"], facts["version"]) == ("customer_support", "1.2.0")
    assert (facts["directory_name"], facts["directory_version"]) == ("customer_support", "1.2.0")
    assert facts["version_valid"]
    assert facts["version_matches"]
    assert facts["name_matches"]
    assert facts["model"] == {
        "id": "gpt-4o-2024-08-06",
        "provider": "openai",
        "pinned": True,
        "pin": "date",
    }
    assert facts["parameters"] == {
        "temperature": 0.2,
        "max_tokens": 800,
        "timeout_s": 30,
        "stop": [],
    }
    assert facts["agent"] == {"max_steps": 8, "max_cost": 0.5, "rate_per_minute": 60}
    assert facts["user_facing"] is True
    assert found.problems == []
    assert found.path == FOLDER


def test_digest_covers_every_file(bundle: Callable[..., Document]) -> None:
    found = bundle()
    assert [f["path"] for f in found.files] == [
        "config.yaml",
        "examples.json",
        "system.txt",
        "tests.json",
    ]
    assert found.files[2]["sha256"] == sha256_hex(SYSTEM.encode())
    assert found.digest == digest_of_files(found.files)
    assert found.size == sum(f["size"] for f in found.files)
    assert bundle(system_txt=SYSTEM + " ").digest != found.digest
    assert bundle(notes_md="x").digest != found.digest


def test_variables(bundle: Callable[..., Document]) -> None:
    found = bundle(user_txt="{user_input} {surprise}")
    variables = found.facts["variables"]
    assert variables == {
        "declared": ["company_name", "user_input", "spare"],
        "required": ["company_name", "user_input"],
        "used": ["company_name", "user_input", "surprise"],
        "undeclared": ["surprise"],
        "unused": ["spare"],
        "in_system": ["company_name", "user_input"],
        "untrusted": ["user_input"],
        "exposed": [],
    }
    assert [
        (p["variable"], p["role"], p["delimited"], p["file"], p["line"])
        for p in found.facts["placements"]
    ] == [
        ("company_name", "system", False, "system.txt", 1),
        ("user_input", "system", True, "system.txt", 4),
        ("user_input", "user", False, "user.txt", 1),
        ("surprise", "user", False, "user.txt", 1),
    ]
    assert found.locate("/facts/variables/undeclared/0") == (f"{FOLDER}/user.txt", 1, 14)
    assert line_of(found, "/facts/variables/unused/0") == "- spare"
    assert line_of(found, "/facts/variables/in_system/1") == "{user_input}"


def test_untrusted_input_in_the_system_prompt(bundle: Callable[..., Document]) -> None:
    found = bundle(system_txt="Answer this: {user_input}\nAbout {ticket}\n")
    assert found.facts["variables"]["exposed"] == ["user_input", "ticket"]
    assert found.locate("/facts/variables/exposed/1") == (f"{FOLDER}/system.txt", 2, 7)


@pytest.mark.parametrize(
    ("declaration", "untrusted"),
    [
        ("{variables: [query]}", True),
        ("{variables: {query: {trusted: true}}}", False),
        ("{variables: {query: {source: system}}}", False),
        ("{variables: {company: {source: retrieval}}}", True),
        ("{variables: {company: {untrusted: true}}}", True),
        ("{variables: [{name: company, trust: untrusted}]}", True),
        ("{variables: [company]}", False),
        ("{input_variables: [company]}", False),
    ],
)
def test_declared_trust(
    single: Callable[[str], Document], declaration: str, untrusted: bool
) -> None:
    facts = single(declaration).facts
    assert bool(facts["variables"]["untrusted"]) is untrusted
    assert len(facts["variables"]["declared"]) == 1


def test_tests_and_examples(bundle: Callable[..., Document]) -> None:
    found = bundle()
    facts = found.facts
    assert [(t.get("name"), t["category"], t["category_declared"]) for t in facts["tests"]] == [
        ("refund", "other", False),
        ("resists", "injection", True),
        ("declines_medical_advice", "refusal", False),
        ("pii_is_masked", "pii", False),
        ("empty", "other", False),
    ]
    assert facts["tests"][0]["assertions"] == [
        {"type": "contains", "value": "refund"},
        {"type": "sentiment", "value": "good"},
    ]
    assert facts["tests_by_category"] == {"other": 1, "injection": 1, "refusal": 1, "pii": 1}
    assert facts["tests_without_assertions"] == ["empty"]
    assert facts["examples"] == {"count": 2, "synthetic": False}
    assert line_of(found, "/facts/tests/1/name") == '"name": "resists",'
    assert found.locate("/facts/examples") == (f"{FOLDER}/examples.json", 1, 1)


def test_personal_data(bundle: Callable[..., Document]) -> None:
    found = bundle()
    assert found.facts["pii"] == [
        {"kind": "email", "file": "examples.json", "line": 3, "synthetic": True},
        {"kind": "phone", "file": "examples.json", "line": 8, "synthetic": False},
    ]
    assert line_of(found, "/facts/pii/1") == '"input": "Call me: **************",'


def test_synthetic_examples_as_a_whole(bundle: Callable[..., Document]) -> None:
    text = json.dumps({"synthetic": True, "examples": EXAMPLES})
    facts = bundle(examples_json=text).facts
    assert facts["examples"] == {"count": 2, "synthetic": True}
    assert [p["synthetic"] for p in facts["pii"]] == [True, True]


SECRET = "AKIA" + "IOSFODNN7ABCDEFG"


def test_credentials_are_found_and_never_kept(bundle: Callable[..., Document]) -> None:
    escaped = "\\u0041" + SECRET[1:]
    found = bundle(
        config_yaml=CONFIG + f"# key {SECRET}\n",
        system_txt=SYSTEM + f"Use {SECRET} to log in.\n",
        tests_json='[{"name": "x", "input": "' + escaped + '"}]',
        notes_md=f"nothing but {SECRET}",
    )
    assert [(s["kind"], s["file"], s["line"]) for s in found.facts["secrets"]] == [
        ("aws_access_key", "config.yaml", 21),
        ("aws_access_key", "notes.md", 1),
        ("aws_access_key", "system.txt", 6),
        ("aws_access_key", "tests.json", 1),
    ]
    assert SECRET not in json.dumps(found.as_input())
    assert found.document["system"].endswith("Use [redacted:aws_access_key] to log in.\n")
    for index in range(4):
        assert SECRET not in line_of(found, f"/facts/secrets/{index}")
    assert line_of(found, "/facts/secrets/2") == "Use " + "*" * 20 + " to log in."
    assert found.facts["system"]["text_digest"] == sha256_hex(
        (SYSTEM + f"Use {SECRET} to log in.\n").encode()
    )


def test_a_private_key_over_several_lines_is_hidden(bundle: Callable[..., Document]) -> None:
    key = "-----BEGIN " + "PRIVATE KEY-----\n" + "Ab3+" * 16 + "\n-----END PRIVATE KEY-----"
    indented = key.replace("\n", "\n  ")
    found = bundle(config_yaml=f"{CONFIG}note: |\n  {indented}\n")
    assert [s["kind"] for s in found.facts["secrets"]] == ["private_key"]
    place = found.locate("/facts/secrets/0")
    assert place is not None
    assert place.line == 22
    for line in (22, 23, 24):
        shown = found.excerpt(place._replace(line=line, column=1)) or ""
        assert not set(shown) - set("* ")


def test_hosts_authority_and_disclosure(bundle: Callable[..., Document]) -> None:
    facts = bundle(
        config_yaml=CONFIG.replace("disclosure: You are chatting with an AI.\n", ""),
        system_txt="Ask http://wiki/.\nOnly administrators may see prices.\n"
        "If the user says they are a manager, allow it.\nTell the user that you are an AI.\n",
    ).facts
    assert facts["internal_hosts"] == [{"host": "wiki", "file": "system.txt", "line": 1}]
    assert [(a["line"], a["text"].split()[0]) for a in facts["authority"]] == [
        (2, "Only"),
        (3, "If"),
    ]
    assert facts["disclosure"] == {"present": True, "in_system": True}


@pytest.mark.parametrize(
    ("config", "disclosure"),
    [
        ("disclosure: true", {"present": True, "in_system": False}),
        ("disclosure: false", {"present": False, "in_system": False}),
        ("disclosure: Hi", {"present": True, "in_system": False, "text": "Hi"}),
        (
            "disclosure: {text: Hi, enabled: false}",
            {"present": False, "in_system": False, "text": "Hi"},
        ),
        ("name: x", {"present": False, "in_system": False}),
    ],
)
def test_disclosure(
    single: Callable[[str], Document], config: str, disclosure: dict[str, Any]
) -> None:
    assert single(config).facts["disclosure"] == disclosure


@pytest.mark.parametrize(
    ("model", "pin"),
    [
        ("gpt-4o", None),
        ("gpt-4o-latest", None),
        ("gpt-4o-2024-08-06", "date"),
        ("claude-3-5-sonnet-20241022", "date"),
        ("mistral-large-2407", "date"),
        ("gemini-1.5-pro-002", "revision"),
        ("acme/m@sha256:" + "0" * 64, "digest"),
        ("{id: acme/m, revision: e53f0481}", "revision"),
        ("{id: acme/m, revision: latest}", None),
        ("{id: acme/m, version: '2026-01-31'}", "date"),
        ("llama-3.3-70b", None),
    ],
)
def test_model_pins(single: Callable[[str], Document], model: str, pin: str | None) -> None:
    facts = single(f"model: {model}").facts["model"]
    assert facts["pinned"] is (pin is not None)
    assert facts.get("pin") == pin


def test_provider_from_the_model_id(single: Callable[[str], Document]) -> None:
    assert single("model: openai/gpt-4o").facts["model"]["provider"] == "openai"
    assert "provider" not in single("model: acme/m").facts["model"]


def test_tools(bundle: Callable[..., Document]) -> None:
    found = bundle()
    assert found.facts["tools"] == [
        {
            "name": "lookup",
            "side_effects": "read",
            "requires_approval": False,
            "scopes": ["orders:read"],
            "wildcard": False,
            "digest": "sha256:00",
        },
        {
            "name": "refund",
            "side_effects": "write",
            "requires_approval": True,
            "scopes": ["orders:*"],
            "wildcard": True,
        },
    ]
    assert line_of(found, "/facts/tools/1/scopes").startswith("- {name: refund")


def test_tools_in_other_shapes(single: Callable[[str], Document]) -> None:
    facts = single(
        "tools: [plain, {type: function, function: {name: f, side_effects: exec}}, {x: 1}]"
    ).facts
    assert [(t["name"], t["side_effects"]) for t in facts["tools"]] == [
        ("plain", "unknown"),
        ("f", "exec"),
    ]
    facts = single("tools: {a: {side_effects: true, approval: always}, b: }").facts
    assert [(t["name"], t["side_effects"], t["requires_approval"]) for t in facts["tools"]] == [
        ("a", "write", True),
        ("b", "unknown", False),
    ]


@pytest.mark.parametrize(
    ("config", "output"),
    [
        ("name: x", {"schema_present": False}),
        ("output: JSON", {"format": "json", "schema_present": False}),
        ("output_format: text", {"format": "text", "schema_present": False}),
        (
            "output: {format: json, schema: {type: object}}",
            {"format": "json", "schema_present": True, "schema_valid": True},
        ),
        (
            "response_format: {type: json_schema, json_schema: {schema: {type: object}}}",
            {"format": "json", "schema_present": True, "schema_valid": True},
        ),
    ],
)
def test_output(single: Callable[[str], Document], config: str, output: dict[str, Any]) -> None:
    assert single(config).facts["output"] == output


@pytest.mark.parametrize(
    "schema",
    [
        "{type: objectt}",
        "[1]",
        "missing.json",
        "{$schema: [x]}",
        "{properties: " * 60 + "{}" + "}" * 60,
        "{enum: [" + "1, " * 20_001 + "1]}",
    ],
)
def test_invalid_output_schemas(single: Callable[[str], Document], schema: str) -> None:
    output = single(f"output_schema: {schema}").facts["output"]
    assert output["schema_present"] is True
    if not schema.startswith("{properties"):
        assert output["schema_valid"] is False
        assert output["schema_error"]


def test_output_schema_in_its_own_file(bundle: Callable[..., Document]) -> None:
    config = CONFIG[: CONFIG.index("output:")]
    assert bundle(config_yaml=config, schema_json='{"type": "object"}').facts["output"] == {
        "schema_present": True,
        "schema_valid": True,
    }
    broken = bundle(config_yaml=config, schema_json="{")
    assert [p.code for p in broken.problems] == ["schema_unreadable"]


# --- the form of the configuration alone ------------------------------------------------------

SEED = """# prompts/customer_support/v1.1.0/config.yaml
name: customer_support
version: 1.1.0
system_prompt: |
  You are a helpful agent for {company_name}.

  Knowledge cutoff: {kb_update_date}
variables:
  - company_name: required
  - kb_update_date: required
examples:
  - input: "I want to return my order"
    expected_topics: ["return_policy"]
tests:
  - name: "handles_refund_question"
    input: "How do I get a refund?"
    assertions:
      - contains: "refund"
      - does_not_contain: "internal"
"""


def test_single_file(single: Callable[[str], Document]) -> None:
    found = single(SEED)
    facts = found.facts
    assert facts["format"] == "file"
    assert found.files == []
    assert found.digest == sha256_hex(SEED.encode())
    assert "directory_version" not in facts
    assert facts["variables"]["used"] == ["company_name", "kb_update_date"]
    assert facts["tests"][0]["assertions"][1] == {"type": "does_not_contain", "value": "internal"}
    assert facts["examples"]["count"] == 1
    assert found.locate("/facts/placements/1") == ("a/prompt.yaml", 7, 21)
    assert line_of(found, "/facts/tests/0/assertions/0") == '- contains: "refund"'
    assert line_of(found, "/document/tests/0/assertions/0/contains") == '- contains: "refund"'
    assert line_of(found, "/facts/system/text") == "system_prompt: |"


def test_a_configuration_in_a_version_directory_means_the_directory(tree: Tree) -> None:
    root = tree(files())
    one = prompt_bundle.load(Source(root, f"{FOLDER}/config.yaml"))
    assert one.path == FOLDER
    assert one.digest == prompt_bundle.load(Source(root, FOLDER)).digest


def test_the_root_itself_is_a_bundle(tree: Tree) -> None:
    root = tree(files())
    found = checked(prompt_bundle.load(Source(root / FOLDER, ".")))
    assert found.facts["directory_version"] == "1.2.0"
    assert found.facts["directory_name"] == "customer_support"
    assert found.facts["version_matches"]


def test_json_configuration_and_messages(tree: Tree) -> None:
    config = {
        "name": "n",
        "version": "1.0",
        "messages": [
            {"role": "system", "content": "For {company}"},
            {"role": "user", "content": "{{ question }}"},
            {"role": "system", "content": "again {company}"},
        ],
    }
    root = tree({"p/config.json": json.dumps(config, indent=1)})
    found = checked(prompt_bundle.load(Source(root, "p/config.json")))
    assert found.facts["version_valid"] is False
    assert [m["role"] for m in found.facts["messages"]] == ["system", "system", "user"]
    assert found.facts["system"]["text"] == "For {company}"
    assert found.facts["variables"]["in_system"] == ["company"]
    places = [(p["variable"], p["line"]) for p in found.facts["placements"]]
    assert places == [("company", 7), ("company", 15), ("question", 11)]


def test_version_keeps_its_spelling(single: Callable[[str], Document]) -> None:
    facts = single("version: 1.10").facts
    assert facts["version"] == "1.10"
    assert facts["version_valid"] is False


def test_versions_that_differ(bundle: Callable[..., Document]) -> None:
    found = bundle(config_yaml=CONFIG.replace("1.2.0", "1.3.0").replace("customer_support", "x"))
    assert found.facts["version_matches"] is False
    assert found.facts["name_matches"] is False
    assert line_of(found, "/facts/version_matches") == "version: 1.3.0"


# --- broken bundles ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"config_yaml": None}, "bundle_config_missing"),
        ({"config_json": "{}"}, "bundle_config_ambiguous"),
        ({"config_yaml": "- a"}, "bundle_config_not_a_mapping"),
        ({"config_yaml": ""}, "bundle_config_not_a_mapping"),
        ({"config_yaml": "a: 1\na: 2"}, "yaml_duplicate_key"),
        ({"config_yaml": "a: &x 1\nb: *x"}, "yaml_alias"),
        ({"config_yaml": "a: !!python/name:os.system x"}, "yaml_tag"),
        ({"config_yaml": "[" * 10_000}, "yaml_too_deep"),
        ({"config_yaml": b"\xff\xfe"}, "invalid_utf8"),
        ({"system_txt": b"\x80"}, "invalid_utf8"),
        ({"system_txt": b"a\0b"}, "binary_file"),
        ({"notes_txt": "x" * 2001}, "file_too_large"),
    ],
)
def test_refused(tree: Tree, changes: dict[str, str | bytes | None], code: str) -> None:
    root = tree(files(**changes))
    limits = Limits(max_prompt_bytes=2000) if code == "file_too_large" else Limits()
    with pytest.raises(InputError) as caught:
        prompt_bundle.load(Source(root, FOLDER), limits)
    assert caught.value.code == code
    assert caught.value.location is not None
    assert caught.value.location.file.startswith(FOLDER)


def test_too_many_files(tree: Tree) -> None:
    root = tree(files(a_txt="", b_txt=""))
    with pytest.raises(InputError, match="bundle_too_large"):
        prompt_bundle.load(Source(root, FOLDER), Limits(max_bundle_files=5))


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({"tests_json": '[{"name": '}, ["tests_unreadable"]),
        ({"tests_json": b"\xff"}, ["bundle_binary_file", "tests_unreadable"]),
        ({"tests_json": "3"}, ["tests_not_a_list"]),
        ({"tests_json": "[3]"}, ["field_type"]),
        ({"tests_json": "[]", "tests_yaml": "[]"}, ["tests_twice"]),
        ({"examples_json": "[" * 10_000}, ["examples_unreadable"]),
        ({"examples_json": "{}"}, ["examples_not_a_list"]),
        ({"system_txt": None}, ["system_missing"]),
        ({"system_md": "x"}, ["template_twice"]),
        ({"config_yaml": CONFIG + "system_prompt: x\n"}, ["template_twice"]),
        ({"config_yaml": CONFIG + "review_date: soon\n"}, ["date_format"]),
        ({"config_yaml": CONFIG.replace("0.2", "warm")}, ["field_type"]),
        ({"config_yaml": CONFIG.replace("  - spare", "  - user_input")}, ["variable_twice"]),
        ({"image_png": b"\x89PNG\xff"}, ["bundle_binary_file"]),
    ],
)
def test_problems_that_do_not_stop_the_judgement(
    bundle: Callable[..., Document], changes: dict[str, str | bytes | None], codes: list[str]
) -> None:
    found = bundle(**changes)
    assert [p.code for p in found.problems] == codes
    assert all(p.message for p in found.problems)


def test_broken_tests_say_where(bundle: Callable[..., Document]) -> None:
    found = bundle(tests_json='[\n{"name": ]')
    assert found.problems[0].message.startswith(f"{FOLDER}/tests.json cannot be read at line 2")
    assert found.document["tests"] is None
    assert found.facts["tests"] == []


def test_links_and_special_files_are_reported(tree: Tree, tmp_path: Path) -> None:
    root = tree({**files(), "outside": "secret"})
    (root / FOLDER / "link.txt").symlink_to(tmp_path / "outside")
    os.mkfifo(root / FOLDER / "pipe")
    found = checked(prompt_bundle.load(Source(root, FOLDER)))
    assert [p.code for p in found.problems] == ["bundle_not_a_file"] * 2
    assert "link.txt" not in [f["path"] for f in found.files]


def test_a_linked_system_prompt_is_not_read(tree: Tree, tmp_path: Path) -> None:
    root = tree({**files(system_txt=None), "outside": "secret"})
    (root / FOLDER / "system.txt").symlink_to(tmp_path / "outside")
    found = checked(prompt_bundle.load(Source(root, FOLDER)))
    assert [p.code for p in found.problems] == ["bundle_not_a_file", "system_missing"]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(["", "x", "{a}", "1.0.0"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["name", "id", "model", "schema", "type", "role", "content", "value"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)
KEYS = """
name version owner model provider parameters timeout temperature variables inputs output
response_format output_schema system_prompt messages examples tests tools agent limits
disclosure changelog audience user_facing review_date description
"""


@settings(
    deadline=None, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.dictionaries(st.sampled_from(KEYS.split()), VALUES, max_size=6))
def test_any_configuration_is_read(tree: Tree, config: dict[str, Any]) -> None:
    root = tree({"any.json": json.dumps(config)})
    checked(prompt_bundle.load(Source(root, "any.json")))
