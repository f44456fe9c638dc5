"""Model cards in all their formats give the same facts, each with its place."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adjudge.documents import model_card, registry
from adjudge.documents.model import DEFAULT_LIMITS, Document, Limits
from adjudge.documents.model_card_huggingface import load_markdown
from adjudge.documents.model_card_toolkit import load_toolkit
from adjudge.documents.reading import Source, read_json
from adjudge.errors import InputError

SourceOf = Callable[[str, "str | bytes"], Source]
Tree = Callable[[Mapping[str, "str | bytes"]], Path]

CARD = """---
# what the hub shows
license: apache-2.0
language: [en, de]
library_name: transformers
pipeline_tag: text-classification
tags: [support]
datasets:
- acme/tickets@v3
- {name: acme/chat, revision: abc, url: "https://data.example/chat"}
metrics: [accuracy]
base_model: acme/base
base_model_relation: finetune
version: "1.10.0"
owners:
- {name: Acme, contact: ml@acme.example}
co2_eq_emissions: {emissions: 1500, hardware_used: 8xA100, source: CodeCarbon}
review_date: 2026-10-01
support_until: "2028-01-01"
risks:
- {risk: It may invent facts., mitigation: Answers cite their source.}
- It may be rude.
oversight: {role: agent lead, stop: the red button}
use_case_tags: [customer_service]
model-index:
- name: acme-support
  results:
  - task: {type: text-classification}
    dataset: {type: acme/tickets, name: Tickets, split: test, revision: v3}
    metrics:
    - {type: accuracy, value: 0.93, confidence_interval: [0.91, 0.95], verified: true}
    - {type: f1, value: "high", slice: "language=de"}
    source: {name: lab, url: "https://lab.example"}
---
# Model Card for acme-support

A classifier of support tickets.

## Uses

<!-- a hidden heading
### Out-of-Scope Use
-->

### Direct Use

Sorting tickets.

```md
## Not a heading
```

Out-of-Scope Use
----------------

Medical advice.

## Bias, Risks, and Limitations ##

Short texts are hard.

### Recommendations

Read the answer before sending it.

## Input format

UTF-8 text.
"""


@pytest.fixture
def card(source: SourceOf) -> Callable[[str], Document]:
    def load(text: str) -> Document:
        return checked(model_card.load(source("README.md", text)))

    return load


def checked(document: Document) -> Document:
    """Facts follow their schema, and every one of them has a place in the file."""
    jsonschema.validate(document.facts, registry.kind_of("model_card").schema())
    for name, value in document.facts.items():
        place = document.locate(f"/facts/{name}")
        assert place is not None
        if isinstance(value, list):
            for index in range(len(value)):
                assert document.locate(f"/facts/{name}/{index}") is not None
    json.dumps(document.as_input(), allow_nan=False)
    return document


def line_of(document: Document, pointer: str) -> str:
    place = document.locate(pointer)
    assert place is not None
    return document.excerpt(place) or ""


def test_front_matter(card: Callable[[str], Document]) -> None:
    found = card(CARD)
    facts = found.facts
    assert facts["format"] == "huggingface"
    assert facts["front_matter"] is True
    assert facts["name"] == "acme-support"
    assert facts["version"] == "1.10.0"
    assert facts["license"] == {"ids": ["apache-2.0"], "id": "apache-2.0", "spdx": "Apache-2.0"}
    assert facts["language"] == ["en", "de"]
    assert facts["datasets"] == [
        {"name": "acme/tickets", "revision": "v3"},
        {"name": "acme/chat", "revision": "abc", "link": "https://data.example/chat"},
    ]
    assert facts["base_models"] == [{"name": "acme/base", "relation": "finetune"}]
    assert facts["owners"] == ["Acme"]
    assert facts["contact"] == "ml@acme.example"
    assert facts["environmental"] == {
        "co2_kg": 1.5,
        "hardware": "8xA100",
        "source": "CodeCarbon",
    }
    assert facts["review_date"] == "2026-10-01"
    assert facts["maintenance"] == {"support_until": "2028-01-01"}
    assert facts["risks"] == "It may invent facts.\nIt may be rude."
    assert facts["mitigations"] == "Answers cite their source."
    assert facts["oversight"] == "role: agent lead\nstop: the red button"
    assert facts["use_case_tags"] == ["customer_service"]
    assert facts["placeholders"] == []
    assert found.document["front_matter"]["license"] == "apache-2.0"


def test_metrics(card: Callable[[str], Document]) -> None:
    found = card(CARD)
    shared = {
        "task": "text-classification",
        "dataset": "acme/tickets",
        "dataset_revision": "v3",
        "split": "test",
        "source": "https://lab.example",
        "file": "README.md",
    }
    assert found.facts["metrics"] == [
        {
            **shared,
            "type": "accuracy",
            "value": 0.93,
            "ci": {"lower": 0.91, "upper": 0.95},
            "verified": True,
        },
        {**shared, "type": "f1", "text": "high", "slice": "language=de", "verified": False},
    ]
    assert [p.code for p in found.problems] == ["metric_not_a_number"]
    value = found.locate("/facts/metrics/0/value")
    assert value is not None
    assert found.excerpt_at(value) == (
        "    - {type: accuracy, value: 0.93, confidence_interval: [0.91, 0.95], verified: true}",
        31,
    )
    assert "revision: v3" in line_of(found, "/facts/metrics/1/dataset_revision")


def test_sections(card: Callable[[str], Document]) -> None:
    found = card(CARD)
    facts = found.facts
    assert facts["intended_use"] == "Sorting tickets.\n\n```md\n## Not a heading\n```"
    assert facts["out_of_scope"] == "Medical advice."
    assert facts["limitations"] == "Short texts are hard."
    assert facts["input_format"] == "UTF-8 text."
    assert facts["overview"] == "A classifier of support tickets."
    assert [s["title"] for s in facts["sections"]] == [
        "Model Card for acme-support",
        "Uses",
        "Direct Use",
        "Out-of-Scope Use",
        "Bias, Risks, and Limitations",
        "Recommendations",
        "Input format",
    ]
    recommendations = facts["sections"][5]
    assert recommendations["path"] == (
        "Model Card for acme-support / Bias, Risks, and Limitations / Recommendations"
    )
    assert recommendations["level"] == 3
    assert recommendations["topics"] == ["mitigations"]
    assert recommendations["length"] == len("Read the answer before sending it.")
    assert line_of(found, "/facts/intended_use") == "### Direct Use"
    assert line_of(found, "/facts/out_of_scope") == "Out-of-Scope Use"
    assert line_of(found, "/facts/license/id") == "license: apache-2.0"
    assert line_of(found, "/facts/oversight").startswith("oversight:")
    assert line_of(found, "/document/sections/2/text") == "## Uses"
    assert line_of(found, "/document/front_matter/tags/0") == "tags: [support]"


TEMPLATE = """---
license: mit
tags: [TODO]
---
# Model Card for {{ model_id | default("Model ID", true) }}

<!-- [More Information Needed] in a comment does not count -->

- **Developed by:** [More Information Needed]
- **License:** MIT
- **Carbon Emitted:** 12.5 kg
- **Hours used:** 1,200
- **Language(s) (NLP):** German, French and Spanish
- **Finetuned from model [optional]:** acme/base

## Uses

### Direct Use

[More Information Needed]

`TODO` and ```{{ this }}``` are code.

```
TODO
```

### Out-of-Scope Use

Lorem ipsum dolor

## Model Card Contact

Write to [us](https://acme.example/contact).
"""


def test_unfilled_template(card: Callable[[str], Document]) -> None:
    found = card(TEMPLATE)
    assert [(p["text"], p["line"]) for p in found.facts["placeholders"]] == [
        ("TODO", 3),
        ('{{ model_id | default("Model ID", true) }}', 5),
        ("[More Information Needed]", 9),
        ("[More Information Needed]", 20),
        ("Lorem ipsum", 30),
    ]
    assert [s["placeholder"] for s in found.facts["sections"]] == [True, False, True, True, False]
    assert line_of(found, "/facts/placeholders/4") == "Lorem ipsum dolor"
    assert line_of(found, "/facts/placeholders/0") == "tags: [TODO]"
    assert found.facts["intended_use"].startswith("[More Information Needed]")
    assert found.facts["owners"] == []
    assert "name" not in found.facts


def test_labelled_entries(card: Callable[[str], Document]) -> None:
    facts = card(TEMPLATE.replace("license: mit\n", "")).facts
    assert facts["license"] == {"ids": ["MIT"], "id": "MIT", "spdx": "MIT"}
    assert facts["environmental"]["co2_kg"] == 12.5
    assert facts["environmental"]["hours"] == 1200
    assert facts["language"] == ["German", "French", "Spanish"]
    assert facts["base_models"] == [{"name": "acme/base"}]
    assert facts["contact"] == "https://acme.example/contact"


def test_a_label_inside_a_section_on_something_else(card: Callable[[str], Document]) -> None:
    facts = card("## Intended Use\n\n**Out-of-scope:** Medicine.\nAnd law.\n").facts
    assert "intended_use" not in facts
    assert facts["out_of_scope"] == "Medicine.\nAnd law."


def test_tables_are_read(card: Callable[[str], Document]) -> None:
    facts = card(
        "## Model Information\n\n|  | Training Data | License |\n| --- | :-: | --- |\n"
        "| small | Public text | MIT |\n\n## Facts\n\n| Field | Value |\n|---|---|\n"
        "| Developed by | Acme |\n| Last reviewed | 2026-02-03 |\n"
    ).facts
    assert facts["training"] == {"data": "Public text"}
    assert facts["license"]["spdx"] == "MIT"
    assert facts["owners"] == ["Acme"]
    assert facts["review_date"] == "2026-02-03"


def test_version_keeps_its_spelling(card: Callable[[str], Document]) -> None:
    found = card("---\nversion: 1.10\n---\n# m\n")
    assert found.facts["version"] == "1.10"
    assert [(p.code, p.severity) for p in found.problems] == [("version_not_quoted", "warning")]


def test_dates_must_be_dates(card: Callable[[str], Document]) -> None:
    found = card("---\nreview_date: soon\nsupport_until: 2026-02-30\n---\n# m\n")
    assert "review_date" not in found.facts
    assert found.facts["maintenance"] == {}
    assert [p.code for p in found.problems] == ["date_format", "date_format"]
    assert line_of(found, found.problems[0].pointer) == "review_date: soon"


def test_several_licences_hide_none(card: Callable[[str], Document]) -> None:
    facts = card("---\nlicense: [mit, cc-by-nc-4.0]\n---\n# m\n").facts
    assert facts["license"] == {"ids": ["mit", "cc-by-nc-4.0"]}


def test_custom_licence(card: Callable[[str], Document]) -> None:
    facts = card(
        "---\nlicense: other\nlicense_name: acme-1\nlicense_link: LICENSE\n---\n# m\n"
    ).facts
    assert facts["license"] == {
        "ids": ["other"],
        "id": "other",
        "name": "acme-1",
        "link": "LICENSE",
    }


def test_bom_crlf_and_blank_lines_before_front_matter(source: SourceOf) -> None:
    text = "\ufeff\r\n---\r\nlicense: mit\r\n---\r\n\r\n# m\r\n\r\nText\r\n"
    found = checked(model_card.load(source("README.md", text)))
    assert found.facts["license"]["id"] == "mit"
    assert found.facts["overview"] == "Text"
    assert line_of(found, "/facts/license/id") == "license: mit"
    assert line_of(found, "/facts/name") == "# m"


def test_a_rule_above_prose_is_no_front_matter(card: Callable[[str], Document]) -> None:
    found = card("---\n\nJust text below a rule.\n")
    assert found.facts["format"] == "markdown"
    assert found.facts["overview"].endswith("Just text below a rule.")


@pytest.mark.parametrize(
    ("text", "code", "row"),
    [
        ("", "model_card_empty", 1),
        ("  \n\n", "model_card_empty", 1),
        ("---\nlicense: mit\n# no end\n", "front_matter_unclosed", 1),
        ("---\n- a\n---\n", "front_matter_not_a_mapping", 2),
        ("---\nlicense: mit\nlicense: gpl-3.0\n---\n", "yaml_duplicate_key", 3),
        ("---\na: &x [1]\nb: *x\n---\n", "yaml_alias", 2),
        ("---\na: !!python/object/apply:os.system [x]\n---\n", "yaml_tag", 2),
        ("---\na: [1\n---\n", "yaml_syntax", 3),
        ("---\na: " + "[" * 10_000 + "\n---\n", "yaml_too_deep", 2),
        (b"---\nlicense: \xff\n---\n", "invalid_utf8", 2),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "invalid_utf8", 1),
        (b"GGUF\x00\x00\x00", "binary_file", 1),
        ('{"model_details": [', "json_syntax", 1),
        ('{"a": 1}', "model_card_shape", 1),
    ],
)
def test_refused(source: SourceOf, text: str | bytes, code: str, row: int) -> None:
    with pytest.raises(InputError) as caught:
        model_card.load(source("README.md", text))
    assert caught.value.code == code
    assert caught.value.location is not None
    assert caught.value.location[:2] == ("README.md", row)


def test_size_is_bounded(source: SourceOf) -> None:
    with pytest.raises(InputError, match="file_too_large"):
        model_card.load(source("README.md", "x" * 11), Limits(max_text_bytes=10))


def test_model_index_of_the_wrong_shape(card: Callable[[str], Document]) -> None:
    results = "- results:\n  - 3\n  - metrics: x\n  - metrics: [1]\n"
    text = f"---\nmodel-index:\n- name: m\n{results}---\n#m\n"
    found = card(text)
    assert [
        p.pointer.removeprefix("/document/front_matter/model-index") for p in found.problems
    ] == [
        "/0",
        "/1/results/0",
        "/1/results/1",
        "/1/results/2/metrics/0",
    ]
    assert found.facts["metrics"] == []
    assert [p.code for p in card("---\nmodel-index: 3\n---\n").problems] == ["eval_results_shape"]


def test_eval_results_beside_the_card(tree: Tree) -> None:
    root = tree(
        {
            "m/README.md": "# m\n",
            "m/.eval_results/gsm.yaml": (
                "- dataset: {id: openai/gsm8k, task_id: gsm8k, revision: e53f048}\n"
                "  value: 20.9\n  date: '2025-01-15'\n  verifyToken: abc\n"
                "  source: {url: 'https://x.example'}\n"
            ),
            "m/.eval_results/bad.yaml": "a: &x 1\n",
            "m/.eval_results/notes.txt": "ignored",
        }
    )
    found = checked(model_card.load(Source(root, "m/README.md")))
    assert found.facts["metrics"] == [
        {
            "task": "gsm8k",
            "dataset": "openai/gsm8k",
            "dataset_revision": "e53f048",
            "date": "2025-01-15",
            "source": "https://x.example",
            "value": 20.9,
            "verified": True,
            "file": "m/.eval_results/gsm.yaml",
        }
    ]
    assert found.locate("/facts/metrics/0/value") == ("m/.eval_results/gsm.yaml", 2, 10)
    assert [f["path"] for f in found.files] == ["README.md", ".eval_results/gsm.yaml"]
    assert [p.code for p in found.problems] == ["eval_results_unreadable"]
    assert "yaml_alias" in found.problems[0].message


def test_eval_results_do_not_lead_out(tree: Tree, tmp_path: Path) -> None:
    root = tree({"root/README.md": "# m\n", "out/e.yaml": "- {value: 1}\n"}) / "root"
    (root / ".eval_results").symlink_to(tmp_path / "out")
    found = checked(model_card.load(Source(root, "README.md")))
    assert found.facts["metrics"] == []
    assert [p.code for p in found.problems] == ["eval_results_unreadable"]


def test_very_many_items_are_reported(card: Callable[[str], Document]) -> None:
    found = card("---\ntags: [" + "a, " * 1200 + "a]\n---\n# m\n")
    assert len(found.facts["tags"]) == 1000
    found = card("\n".join(f"# s{i}\n" for i in range(1100)))
    assert [p.code for p in found.problems] == ["too_many_items"]


def test_thousands_of_headings_are_refused(source: SourceOf) -> None:
    with pytest.raises(InputError, match="model_card_too_many_sections"):
        model_card.load(source("README.md", "# a\n## b\n" * 1500))


def test_thousands_of_labels_are_cut(card: Callable[[str], Document]) -> None:
    found = card("**License:** MIT\n\n" * 5001)
    assert [p.code for p in found.problems] == ["too_many_labels"]
    assert found.facts["license"]["spdx"] == "MIT"


def test_thousands_of_problems_are_cut(card: Callable[[str], Document]) -> None:
    found = card("---\nmodel-index: [{results: [" + "3, " * 1500 + "3]}]\n---\n# m\n")
    assert len(found.problems) == 1001
    assert found.problems[-1].code == "too_many_problems"


# --- Model Card Toolkit -----------------------------------------------------------------------

TOOLKIT: dict[str, Any] = {
    "schema_version": "0.0.2",
    "model_details": {
        "name": "tickets",
        "overview": "Sorts tickets.",
        "owners": [{"name": "Acme", "contact": "ml@acme.example"}],
        "version": {"name": "2.0.0", "date": "2026-01-01"},
        "licenses": [{"identifier": "Apache-2.0"}],
    },
    "model_parameters": {
        "model_architecture": "transformer",
        "data": [
            {
                "name": "tickets",
                "link": "https://data.example",
                "sensitive": {"sensitive_data": ["names"]},
            }
        ],
        "input_format": "text",
        "output_format": "a class",
    },
    "quantitative_analysis": {
        "performance_metrics": [
            {
                "type": "accuracy",
                "value": "0.93",
                "slice": "language=de",
                "confidence_interval": {"lower_bound": 0.9, "upper_bound": 0.95},
            },
            {"type": "note", "value": "fine"},
        ]
    },
    "considerations": {
        "users": [{"description": "agents"}],
        "use_cases": [{"description": "sorting"}],
        "limitations": [{"description": "short texts"}],
        "ethical_considerations": [{"name": "bias", "mitigation_strategy": "TODO"}],
    },
    "oversight": "a person decides",
    "review_date": "2026-05-05",
}


def test_toolkit_card(source: SourceOf) -> None:
    found = checked(model_card.load(source("card.json", json.dumps(TOOLKIT, indent=1))))
    facts = found.facts
    assert facts["format"] == "model_card_toolkit"
    assert (facts["name"], facts["version"]) == ("tickets", "2.0.0")
    assert facts["license"] == {"ids": ["Apache-2.0"], "id": "Apache-2.0", "spdx": "Apache-2.0"}
    assert (facts["owners"], facts["contact"]) == (["Acme"], "ml@acme.example")
    assert facts["datasets"] == [
        {"name": "tickets", "link": "https://data.example", "sensitive": ["names"]}
    ]
    assert facts["metrics"] == [
        {
            "type": "accuracy",
            "slice": "language=de",
            "value": 0.93,
            "ci": {"lower": 0.9, "upper": 0.95},
            "verified": False,
            "file": "card.json",
        },
        {"type": "note", "text": "fine", "verified": False, "file": "card.json"},
    ]
    assert facts["intended_use"] == "sorting"
    assert facts["risks"] == facts["ethical"] == "bias"
    assert facts["mitigations"] == "TODO"
    assert facts["oversight"] == "a person decides"
    assert facts["review_date"] == "2026-05-05"
    assert facts["placeholders"][0]["text"] == "TODO"
    assert line_of(found, "/facts/metrics/0/value").strip() == '"value": "0.93",'
    assert line_of(found, "/facts/placeholders/0").strip() == '"mitigation_strategy": "TODO"'


def test_toolkit_card_of_the_first_schema(source: SourceOf) -> None:
    card = {
        "model_details": {"name": "m", "license": "MIT", "version": "1"},
        "model_parameters": {"data": {"train": {"name": "t"}, "eval": {"name": "e"}}},
    }
    facts = checked(model_card.load(source("card.json", json.dumps(card)))).facts
    assert facts["datasets"] == [{"name": "t"}]


def test_toolkit_card_with_wrong_parts(source: SourceOf) -> None:
    card = {
        "model_details": {"name": 3, "owners": 5, "licenses": "MIT"},
        "model_parameters": [],
        "quantitative_analysis": {"performance_metrics": ["x", {"value": None}]},
        "considerations": {"limitations": [[1]], "ethical_considerations": 7},
    }
    found = checked(model_card.load(source("card.json", json.dumps(card))))
    assert {p.code for p in found.problems} == {
        "model_card_shape",
        "field_type",
        "metric_not_a_number",
    }


# --- real cards -------------------------------------------------------------------------------


def test_whisper(shared_data: Path) -> None:
    found = checked(model_card.load(Source(shared_data / "model-cards", "whisper.md")))
    facts = found.facts
    assert facts["name"] == "Whisper"
    assert facts["front_matter"] is False
    assert facts["intended_use"].startswith("The primary intended users")
    assert facts["limitations"].startswith("Our studies show")
    assert facts["risks"].startswith("We anticipate")
    assert facts["training"]["data"].startswith("The models are trained on 680,000 hours")
    assert facts["license"] == {"ids": []}
    assert facts["placeholders"] == []


def test_llama(shared_data: Path) -> None:
    found = checked(model_card.load(Source(shared_data / "model-cards", "llama-3.3.md")))
    facts = found.facts
    assert facts["owners"] == ["Meta"]
    assert facts["license"]["link"].endswith("/llama-models/blob/main/models/llama3_3/LICENSE")
    assert facts["language"][-1] == "Thai"
    assert facts["intended_use"].startswith("**Intended Use Cases** Llama 3.3 is intended")
    assert "violates applicable laws" not in facts["intended_use"]
    assert facts["out_of_scope"].startswith("Use in any manner that violates")
    assert facts["environmental"]["co2_kg"] == 11_390_000
    assert facts["environmental"]["hardware"] == "H100-80GB"
    assert facts["limitations"] == facts["ethical"]
    assert facts["input_format"] == "Multilingual Text"
    assert line_of(found, "/facts/out_of_scope").startswith("**Out-of-scope**")


def test_rubert(shared_data: Path) -> None:
    found = checked(model_card.load(Source(shared_data / "model-cards", "rubert-base-cased.md")))
    assert found.facts["name"] == "rubert-base-cased"
    assert found.facts["language"] == ["russian"]
    assert "intended_use" not in found.facts
    assert line_of(found, "/facts/language/0") == "- russian"


# --- any input --------------------------------------------------------------------------------

PIECES = st.lists(
    st.sampled_from(
        [
            "---\n",
            "license: mit\n",
            "model-index: [{results: [{metrics: [{value: 1}]}]}]\n",
            "risks: [{a: [b]}]\n",
            "co2_eq_emissions: x\n",
            "base_model: [1, {name: x}, []]\n",
            "# Title\n",
            "## Uses\n",
            "Text\n",
            "===\n",
            "```\n",
            "<!--",
            "-->",
            "**License:** x\n",
            "| a | b |\n|---|---|\n| c | d |\n",
            "\n",
            "{{ x }}",
            "\t",
            "é",
            "<h2>Limitations</h2>\n",
        ]
    ),
    max_size=12,
).map("".join)


@settings(deadline=None, max_examples=300)
@given(PIECES)
def test_any_markdown_is_read_or_refused(text: str) -> None:
    try:
        found = load_markdown(Source(Path("/nonexistent"), "c.md"), text.encode(), DEFAULT_LIMITS)
    except InputError:
        return
    checked(found)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "x", "TODO", "0.5"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "name",
                    "value",
                    "owners",
                    "licenses",
                    "data",
                    "train",
                    "version",
                    "limitations",
                    "ethical_considerations",
                    "performance_metrics",
                    "sensitive",
                    "identifier",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(deadline=None, max_examples=300)
@given(VALUES, VALUES, VALUES, VALUES)
def test_any_toolkit_card_is_read(details: Any, parameters: Any, analysis: Any, rest: Any) -> None:
    card = {
        "model_details": details if isinstance(details, dict) else {"name": details},
        "model_parameters": parameters,
        "quantitative_analysis": analysis,
        "considerations": rest,
        "risks": rest,
        "environmental": rest,
        "owners": details,
    }
    data = json.dumps(card).encode()
    parsed = read_json(data.decode(), "c.json", DEFAULT_LIMITS)
    checked(load_toolkit(Source(Path("/nonexistent"), "c.json"), data, parsed))
