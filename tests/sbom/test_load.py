"""Real SBOMs, files that are none, and hostile ones."""

from __future__ import annotations

import copy
import json
import random
from pathlib import Path
from typing import Any

import pytest
from tests.sbom.conftest import SHARED, Read, checked, cyclonedx, spdx
from tests.sbom.test_cyclonedx import MODEL, component
from tests.sbom.test_spdx import package, relation

from adjudge.documents.reading import Source
from adjudge.documents.sbom import is_sbom, load
from adjudge.errors import InputError

needs_data = pytest.mark.skipif(
    not (SHARED / "data/sbom").is_dir(), reason="the shared data is not there"
)


@needs_data
@pytest.mark.parametrize(
    ("name", "components", "without_hash", "described"),
    [
        ("dropwizard-1.3.15.cdx.json", 167, 0, "dropwizard-parent"),
        ("keycloak-10.0.2.cdx.json", 903, 0, "keycloak-parent"),
        ("laravel-7.12.0.cdx.json", 62, 62, "cyclonedx-php-composer-demo"),
        ("proton-bridge-1.8.0.cdx.json", 201, 0, "github.com/ProtonMail/proton-bridge"),
    ],
)
def test_real_sbom(name: str, components: int, without_hash: int, described: str) -> None:
    document = checked(Source(SHARED / "data/sbom", name))
    facts = document.facts
    assert facts["schema_valid"]
    assert document.problems == []
    assert facts["counts"]["components"] == components
    assert facts["counts"]["without_hash"] == without_hash
    assert facts["described"]["name"] == described
    lines = (SHARED / "data/sbom" / name).read_text("utf-8").splitlines()
    for index in (0, components // 2, components - 1):
        place = document.locate(f"/facts/components/{index}/name")
        assert place is not None
        name_text = json.dumps(facts["components"][index]["name"], ensure_ascii=False)
        assert name_text in lines[place.line - 1].replace("\\/", "/")


@needs_data
def test_real_vex_and_model_cards() -> None:
    vex = checked(Source(SHARED / "data/sbom", "vex-case-9.cdx.json")).facts
    assert vex["counts"]["vulnerabilities"] == 19
    model = checked(Source(SHARED / "data/mlbom", "valid-machine-learning-1.6.json")).facts
    assert model["models"][0]["name"] == "stable-diffusion"
    assert model["datasets"][0]["name"] == "Training Data"
    energy = SHARED / "data/mlbom"
    facts = checked(Source(energy, "valid-machine-learning-considerations-env-1.6.json")).facts
    assert facts["models"][0]["co2_tonnes"] == 31.22
    attested = checked(Source(energy, "valid-attestation-1.6.json")).facts
    assert attested["attestations"] > 0


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "json_empty"),
        ("{", "json_syntax"),
        ("[]", "not_an_sbom"),
        ("{}", "not_an_sbom"),
        ('{"bomFormat": "Other"}', "not_an_sbom"),
        ('{"spdxVersion": 2}', "not_an_sbom"),
        ('{"bomFormat":"CycloneDX","a":1,"a":2}', "json_duplicate_key"),
        ('{"bomFormat":"CycloneDX"} {"bomFormat":"CycloneDX"}', "json_syntax"),
        ('<?xml version="1.0"?><bom/>', "sbom_not_json"),
        ('<bom xmlns="http://cyclonedx.org/schema/bom/1.6"/>', "sbom_not_json"),
        ("SPDXVersion: SPDX-2.3\n", "sbom_not_json"),
        ('{"bomFormat":"CycloneDX","x":' + "[" * 500 + "]" * 500 + "}", "json_too_deep"),
    ],
)
def test_no_sbom(text: str, code: str, tmp_path: Path) -> None:
    (tmp_path / "b.json").write_text(text)
    with pytest.raises(InputError) as caught:
        load(Source(tmp_path, "b.json"))
    assert caught.value.code == code
    assert caught.value.hint


def test_byte_order_mark_and_line_ends(tmp_path: Path) -> None:
    text = json.dumps(cyclonedx(components=[component("a")]), indent=1).replace("\n", "\r\n")
    (tmp_path / "b.json").write_bytes(b"\xef\xbb\xbf" + text.encode())
    document = checked(Source(tmp_path, "b.json"))
    assert document.facts["schema_valid"]
    place = document.locate("/facts/components/0/name")
    assert place is not None
    assert document.excerpt(place) == '   "name": "a",'


def test_is_sbom() -> None:
    assert is_sbom(cyclonedx())
    assert is_sbom(spdx())
    assert not is_sbom({"bomFormat": ["CycloneDX"]})
    assert not is_sbom(None)


def test_deeply_nested_components(read: Read) -> None:
    inner: dict[str, Any] = component("c0")
    for depth in range(1, 50):
        inner = component(f"c{depth}", components=[inner])
    facts = read(cyclonedx(components=[inner])).facts
    assert facts["counts"]["components"] == 50


STRANGE: list[Any] = [None, True, 0, -1, 1e300, "", "x", [], [[]], [None], {}, {"a": []}, ["a", 5]]


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    if isinstance(value, dict):
        for key, member in value.items():
            found += _paths(member, (*path, key))
    elif isinstance(value, list):
        for index, member in enumerate(value):
            found += _paths(member, (*path, index))
    return found


@pytest.mark.parametrize(
    "value",
    [
        cyclonedx(
            metadata={"component": component("app"), "authors": [{"name": "a"}], "tools": []},
            components=[MODEL, component("a", licenses=[{"license": {"id": "MIT"}}], hashes=[])],
            services=[{"name": "s", "endpoints": ["x"]}],
            dependencies=[{"ref": "a", "dependsOn": ["m"]}],
            compositions=[{"aggregate": "complete", "assemblies": ["a"]}],
            vulnerabilities=[
                {
                    "id": "v",
                    "ratings": [{"score": 1, "severity": "low"}],
                    "affects": [{"ref": "a"}],
                    "cwes": [1],
                }
            ],
        ),
        spdx(
            packages=[
                package(
                    "a",
                    checksums=[{"algorithm": "MD5", "checksumValue": "a" * 32}],
                    externalRefs=[{"referenceType": "purl", "referenceLocator": "x"}],
                )
            ],
            files=[{"SPDXID": "SPDXRef-f", "fileName": "f"}],
            relationships=[relation("DOCUMENT", "DESCRIBES", "f"), relation("a", "CONTAINS", "f")],
            hasExtractedLicensingInfos=[{"licenseId": "LicenseRef-1", "name": "n"}],
        ),
    ],
    ids=["cyclonedx", "spdx"],
)
def test_wrong_types_everywhere(value: Any, tmp_path: Path) -> None:
    """Facts keep their schema whatever the file holds."""
    for path in _paths(value):
        for new in random.Random(str(path)).sample(STRANGE, 3):
            changed = copy.deepcopy(value)
            inside = changed
            for step in path[:-1]:
                inside = inside[step]
            inside[path[-1]] = new
            (tmp_path / "b.json").write_text(json.dumps(changed))
            if not is_sbom(changed):
                with pytest.raises(InputError, match="not_an_sbom"):
                    load(Source(tmp_path, "b.json"))
                continue
            document = checked(Source(tmp_path, "b.json"))
            for problem in document.problems:
                assert document.locate(problem.pointer) is not None
