"""A CycloneDX model card or an SPDX 3 AI package in, the same facts as of a Markdown card out.

CycloneDX 1.5 to 1.7 (``modelCard`` of a component), SPDX 3.0 (AI profile).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from adjudge.canonical import sha256_hex
from adjudge.documents.facts import Sheet, date_of, number_of, text_of, texts_of
from adjudge.documents.model import Document, Parsed, join
from adjudge.documents.model_card_facts import card_sheet, put_license, put_owners
from adjudge.documents.model_card_results import add_metric
from adjudge.documents.model_card_toolkit import put_placeholders
from adjudge.documents.reading import Source
from adjudge.documents.spdx3 import Graph, is_spdx3

_MODEL: Final = "machine-learning-model"
_ENERGY_KWH: Final = {"kWh": 1.0, "kilowattHour": 1.0, "megajoule": 1 / 3.6}

Fields = Mapping[str, Any]


def is_bom_card(value: Any) -> bool:
    """Whether a JSON value is an SBOM that may hold a model card."""
    return isinstance(value, Mapping) and (value.get("bomFormat") == "CycloneDX" or is_spdx3(value))


def load_bom_card(source: Source, data: bytes, parsed: Parsed) -> Document:
    """The card in an SBOM; of several models the described one, else the first.

    Raises InputError ``model_card_shape`` when no model is in it.
    """
    value = parsed.value
    cyclonedx = value.get("bomFormat") == "CycloneDX"
    sheet = card_sheet("cyclonedx" if cyclonedx else "spdx")
    if cyclonedx:
        models = list(_cyclonedx_models(value))
    else:
        graph = Graph(value)
        models = [(e.pointer, e.value) for e in graph.of_type("ai_AIPackage")]
    if not models:
        raise source.error(
            "model_card_shape",
            f"{source.shown} is an SBOM without a model",
            hint="a component of type machine-learning-model, or an AIPackage",
        )
    if len(models) > 1:
        message = f"{len(models)} models are in the file; the card is of the first"
        sheet.problem("several_models", message, "/document" + models[0][0], warning=True)
    if cyclonedx:
        _Cyclonedx(sheet, source.shown, value).put(*models[0])
    else:
        _Spdx(sheet, source.shown, graph).put(*models[0])
    put_placeholders(sheet, parsed, *models[0])
    return Document(
        kind="model_card",
        path=source.shown,
        digest=sha256_hex(data),
        size=len(data),
        document=value,
        facts=sheet.facts,
        problems=sheet.problems,
        locator=parsed.locate,
        origins=sheet.origins,
        sources={source.shown: parsed.lines},
    )


# --- CycloneDX ----------------------------------------------------------------------------------


def _cyclonedx_models(value: Fields) -> Iterator[tuple[str, Fields]]:
    """The models with their pointers, the described one first."""
    described = _part(_part(value, "metadata"), "component")
    if described.get("type") == _MODEL:
        yield "/metadata/component", described
    for at, component in _items(value, "", "components"):
        if component.get("type") == _MODEL:
            yield at, component


def _part(value: Any, key: str) -> Fields:
    found = value.get(key) if isinstance(value, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _items(value: Fields, base: str, key: str) -> Iterator[tuple[str, Fields]]:
    """The objects of a list with their pointers."""
    found = value.get(key)
    for index, item in enumerate(found if isinstance(found, list) else []):
        if isinstance(item, Mapping):
            yield join(base, key, index), item


class _Cyclonedx:
    """Puts the facts of one component into a sheet."""

    def __init__(self, sheet: Sheet, file: str, bom: Fields) -> None:
        self.sheet = sheet
        self.file = file
        self.bom = bom

    def put(self, at: str, component: Fields) -> None:
        """The component and its modelCard."""
        sheet, card, base = self.sheet, _part(component, "modelCard"), f"{at}/modelCard"
        for fact, key in (("name", "name"), ("version", "version"), ("overview", "description")):
            sheet.put(fact, text_of(component.get(key)), f"{at}/{key}")
        for key in ("supplier", "manufacturer"):
            found = _part(component, key)
            if found:
                put_owners(sheet, text_of(found.get("name")), f"{at}/{key}")
                for where, person in _items(found, f"{at}/{key}", "contact"):
                    sheet.put("contact", text_of(person.get("email")), where)
        for key in ("publisher", "author"):
            if text_of(component.get(key)):
                put_owners(sheet, component[key], f"{at}/{key}")
        self._license(component, at)
        for index, tag in enumerate(texts_of(component.get("tags"))):
            sheet.add("tags", tag, join(at, "tags", index))
        self._parameters(_part(card, "modelParameters"), f"{base}/modelParameters")
        self._analysis(_part(card, "quantitativeAnalysis"), f"{base}/quantitativeAnalysis")
        self._considerations(_part(card, "considerations"), f"{base}/considerations")
        for where, ancestor in _items(_part(component, "pedigree"), f"{at}/pedigree", "ancestors"):
            entry = {
                "name": text_of(ancestor.get("name")),
                "revision": text_of(ancestor.get("version")),
            }
            if entry["name"]:
                sheet.add("base_models", {k: v for k, v in entry.items() if v}, where)

    def _license(self, component: Fields, at: str) -> None:
        ids: list[str] = []
        for where, item in _items(component, at, "licenses"):
            found = _part(item, "license")
            ids += texts_of(found.get("id")) or texts_of(item.get("expression"))
            self.sheet.put("license.name", text_of(found.get("name")), where)
            self.sheet.put("license.link", text_of(found.get("url")), where)
        put_license(self.sheet, ids, f"{at}/licenses")

    def _parameters(self, found: Fields, base: str) -> None:
        sheet = self.sheet
        sheet.put("pipeline_tag", text_of(found.get("task")), f"{base}/task")
        for key in ("modelArchitecture", "architectureFamily"):
            sheet.put("architecture", text_of(found.get(key)), f"{base}/{key}")
        approach = text_of(_part(found, "approach").get("type"))
        sheet.put("training.procedure", approach, f"{base}/approach")
        for fact, key in (("input_format", "inputs"), ("output_interpretation", "outputs")):
            formats = [text_of(i.get("format")) for _, i in _items(found, base, key)]
            sheet.put(fact, "\n".join(f for f in formats if f), f"{base}/{key}")
        for where, item in _items(found, base, "datasets"):
            ref = text_of(item.get("ref"))
            self._dataset(self._component(ref) if ref else item, where, ref)

    def _component(self, ref: str) -> Fields:
        """The data component that a reference names."""
        found = (c for _, c in _items(self.bom, "", "components") if c.get("bom-ref") == ref)
        component = next(found, {})
        data = component.get("data")
        first = data[0] if isinstance(data, list) and data and isinstance(data[0], Mapping) else {}
        return {**first, **{k: v for k, v in component.items() if k in ("name", "description")}}

    def _dataset(self, item: Fields, at: str, ref: str) -> None:
        contents = _part(item, "contents")
        entry: dict[str, Any] = {
            "name": text_of(item.get("name")) or ref,
            "link": text_of(contents.get("url")),
            "description": text_of(item.get("description")),
        }
        entry = {k: v for k, v in entry.items() if v}
        if sensitive := texts_of(item.get("sensitiveData")):
            entry["sensitive"] = sensitive
        if "name" in entry:
            self.sheet.add("datasets", entry, at)
        else:
            self.sheet.problem("field_type", "a data set has no name", "/document" + at)

    def _analysis(self, found: Fields, base: str) -> None:
        for where, item in _items(found, base, "performanceMetrics"):
            known = {"type": text_of(item.get("type")), "slice": text_of(item.get("slice"))}
            interval = _part(item, "confidenceInterval")
            bounds = {
                name: bound
                for name, key in (("lower", "lowerBound"), ("upper", "upperBound"))
                if (bound := _number(interval.get(key))) is not None
            }
            ci = {"ci": bounds} if bounds else {}
            value = _number(item.get("value"))
            given = item.get("value") if value is None else value
            add_metric(self.sheet, known, given, ci, where, self.file)

    def _considerations(self, found: Fields, base: str) -> None:
        sheet = self.sheet
        for fact, key in (
            ("users", "users"),
            ("intended_use", "useCases"),
            ("limitations", "technicalLimitations"),
            ("limitations", "performanceTradeoffs"),
        ):
            sheet.put(fact, text_of(found.get(key)), f"{base}/{key}")
        ethical = list(_items(found, base, "ethicalConsiderations"))
        fairness = list(_items(found, base, "fairnessAssessments"))
        sheet.put("ethical", _lines(ethical, "name"), f"{base}/ethicalConsiderations")
        risks = _lines(ethical, "name") or _lines(fairness, "groupAtRisk", "harms")
        sheet.put("risks", risks, f"{base}/ethicalConsiderations")
        mitigations = _lines([*ethical, *fairness], "mitigationStrategy")
        sheet.put("mitigations", mitigations, f"{base}/ethicalConsiderations")
        self._energy(_part(found, "environmentalConsiderations"), base)

    def _energy(self, found: Fields, base: str) -> None:
        at = f"{base}/environmentalConsiderations/energyConsumptions"
        entries = [item for _, item in _items(found, at, "energyConsumptions")]
        energy = [_measure(_part(e, "activityEnergyCost"), _ENERGY_KWH) for e in entries]
        carbon = [_measure(_part(e, "co2CostEquivalent"), {"tCO2eq": 1000.0}) for e in entries]
        for fact, values in (("energy_kwh", energy), ("co2_kg", carbon)):
            known = [v for v in values if v is not None]
            if known:
                self.sheet.put(f"environmental.{fact}", round(sum(known), 9), at)


def _lines(items: list[tuple[str, Fields]], *keys: str) -> str:
    """One line for each item that has any of the texts."""
    found = (": ".join(t for key in keys if (t := text_of(item.get(key)))) for _, item in items)
    return "\n".join(line for line in found if line)


def _measure(found: Fields, units: Mapping[str, float]) -> float | None:
    factor, value = units.get(text_of(found.get("unit"))), number_of(found.get("value"))
    return None if factor is None or value is None else value * factor


def _number(value: Any) -> float | int | None:
    """A number, also one that is written as text."""
    if isinstance(value, str) and len(value) <= 60:
        try:
            found = float(value)
        except ValueError:
            return None
        return found if abs(found) < float("inf") else None
    return number_of(value)


# --- SPDX 3 -------------------------------------------------------------------------------------


class _Spdx:
    """Puts the facts of one AIPackage into a sheet."""

    def __init__(self, sheet: Sheet, file: str, graph: Graph) -> None:
        self.sheet = sheet
        self.file = file
        self.graph = graph

    def put(self, at: str, package: Fields) -> None:
        """The package, and what relationships say of it."""
        sheet = self.sheet
        for fact, key in (
            ("name", "name"),
            ("version", "software_packageVersion"),
            ("overview", "description"),
            ("overview", "summary"),
            ("intended_use", "ai_informationAboutApplication"),
            ("training.data", "ai_informationAboutTraining"),
            ("training.procedure", "ai_hyperparameter"),
            ("limitations", "ai_limitation"),
            ("architecture", "ai_typeOfModel"),
            ("output_interpretation", "ai_modelExplainability"),
        ):
            sheet.put(fact, _spoken(package.get(key)), f"{at}/{key}")
        risk = text_of(package.get("ai_safetyRiskAssessment"))
        sheet.put("risk_tier", risk, f"{at}/ai_safetyRiskAssessment")
        sheet.put("training.date", text_of(package.get("releaseTime")), f"{at}/releaseTime")
        until = date_of(package.get("validUntilTime"))
        sheet.put("maintenance.support_until", until, f"{at}/validUntilTime")
        for index, tag in enumerate(texts_of(package.get("ai_domain"))):
            sheet.add("tags", tag, join(at, "ai_domain", index))
        self._owners(at, package)
        put_license(sheet, self.graph.licenses(package), at)
        for where, entry in _items(package, at, "ai_metric"):
            value = _number(entry.get("value"))
            given = entry.get("value") if value is None else value
            add_metric(sheet, {"type": text_of(entry.get("key"))}, given, {}, where, self.file)
        self._datasets(package)
        self._energy(at, package)

    def _owners(self, at: str, package: Fields) -> None:
        for key in ("suppliedBy", "originatedBy"):
            for ref in texts_of(package.get(key)):
                agent = self.graph.element(ref)
                if agent is not None:
                    put_owners(self.sheet, text_of(agent.value.get("name")), agent.pointer)
                    for where, item in _items(agent.value, agent.pointer, "externalIdentifier"):
                        if item.get("externalIdentifierType") == "email":
                            self.sheet.put("contact", text_of(item.get("identifier")), where)
        self.sheet.put("contact", text_of(package.get("software_homePage")), at)

    def _datasets(self, package: Fields) -> None:
        """What the package, or a file of it, was trained on."""
        parts = {text_of(package.get("spdxId")), *self.graph.targets(package, "contains")}
        parts |= set(self.graph.targets(package, "hasDataFile"))
        found = [ref for part in sorted(parts) for ref in self.graph.related(part, "trainedOn")]
        for ref in dict.fromkeys(found):
            element = self.graph.element(ref)
            name = text_of(element.value.get("name")) if element else ""
            entry: dict[str, Any] = {"name": name or ref}
            if element is not None:
                description = text_of(element.value.get("description"))
                link = text_of(element.value.get("software_downloadLocation"))
                entry |= {"description": description} if description else {}
                entry |= {"link": link} if link else {}
            self.sheet.add("datasets", entry, element.pointer if element else "")

    def _energy(self, at: str, package: Fields) -> None:
        found = _part(package, "ai_energyConsumption")
        base = f"{at}/ai_energyConsumption"
        known = []
        for key in ("ai_trainingEnergyConsumption", "ai_finetuningEnergyConsumption"):
            for _, item in _items(found, base, key):
                factor = _ENERGY_KWH.get(text_of(item.get("ai_energyUnit")))
                value = _number(item.get("ai_energyQuantity"))
                if factor is not None and value is not None:
                    known.append(value * factor)
        if known:
            self.sheet.put("environmental.energy_kwh", round(sum(known), 9), base)


def _spoken(value: Any) -> str:
    """Prose; of dictionaries of SPDX ``key: value`` line by line."""
    if (
        isinstance(value, list)
        and value
        and all(isinstance(v, Mapping) and "key" in v for v in value)
    ):
        return "\n".join(f"{text_of(v['key'])}: {text_of(v.get('value'))}" for v in value)
    return text_of(value)
