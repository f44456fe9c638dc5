"""What headings and labels of model cards mean: their words in, names of facts out.

Cards are written by many hands.  The table is broad on purpose, and public: every section's
fact ``topics`` says how it was read.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

_WORDS: Final = re.compile(r"[^\W_]+", re.UNICODE)
_NUMBERING: Final = re.compile(r"^(?:[0-9]{1,2} )+(?=\D)")

# Fact, and what the words of a heading must match to be about it.  Searched, not anchored.
_TOPICS: Final[tuple[tuple[str, re.Pattern[str]], ...]] = tuple(
    (fact, re.compile(pattern))
    for fact, pattern in (
        (
            "out_of_scope",
            r"\bout of scope\b|\bmisuse\b|\bmalicious use\b|\bprohibited\b|\bunsupported use"
            r"|\bunintended\b|\bnot intended\b|\buse restrictions?\b|\bexcluded uses?\b"
            r"|\bnot suitable\b|\bshould not be used\b",
        ),
        (
            "intended_use",
            r"^(?:intended|primary|expected|direct|downstream|evaluated|recommended|model"
            r"|suggested|supported|primary intended)? ?uses?$|\bintended (?:uses?|usage"
            r"|purpose|applications?)\b|\buse cases?\b|^(?:model )?purpose$"
            r"|^(?:intended )?applications?$",
        ),
        (
            "limitations",
            r"\blimitations?\b|\bcaveats?\b|\bknown issues\b|\bweaknesses\b"
            r"|\bfailure modes?\b|\btrade ?offs?\b",
        ),
        (
            "risks",
            r"\brisks?\b|\bbias(?:es)?\b|\bharms?\b|\bbroader (?:implications|impacts?)\b"
            r"|\bsociet?al impacts?\b|\bfairness\b",
        ),
        ("ethical", r"\bethic(?:s|al)\b|\bbroader implications\b|\bsociet?al impacts?\b"),
        (
            "mitigations",
            r"\bmitigations?\b|\brecommendations?\b|\bsafeguards?\b|\bguardrails?\b"
            r"|\bresponsib(?:le|ility)\b|^safety(?: measures)?$",
        ),
        (
            "oversight",
            r"\boversight\b|\bhuman (?:in|on) the loop\b"
            r"|\bhuman (?:review|control|intervention|supervision)\b",
        ),
        ("users", r"\b(?:intended|primary|target) users?\b|\baudience\b|^users?$"),
        (
            "training.data",
            r"\b(?:pre ?)?training (?:data|datasets?|corpus|corpora)\b|\bfine ?tuning data\b"
            r"|^data(?:sets?)?(?: sources?)?$",
        ),
        (
            "training.procedure",
            r"^training$|\btraining (?:procedure|details|process|regime|hyperparameters"
            r"|setup|factors)\b|^preprocessing\b|^hyperparameters$",
        ),
        (
            "evaluation",
            r"\bevaluations?\b|\bbenchmarks?\b|\bperformance\b|^results$|^metrics$"
            r"|\bquantitative analys[ie]s\b|\btesting data\b",
        ),
        (
            "environmental.text",
            r"\benvironmental\b|\bcarbon\b|\bco2\b|\bemissions?\b|\benergy\b|^hardware\b"
            r"|^comput(?:e|ing)\b|\bcompute infrastructure\b",
        ),
        (
            "input_format",
            r"^(?:model |expected )?inputs?(?: (?:format|data|specification|schema"
            r"|modalities|and outputs?|outputs?))?$|^data format$|\binput data\b",
        ),
        (
            "output_interpretation",
            r"^(?:model |inputs? and |inputs? )?outputs?(?: (?:format|interpretation))?$"
            r"|\binterpret(?:ation|ing|ability)?\b|\bexplainability\b",
        ),
        (
            "maintenance.text",
            r"\bmaintenance\b|\blife ?(?:cycle|time)\b|^support(?: policy)?$"
            r"|\bend of (?:life|support)\b|\bdeprecation\b",
        ),
        (
            "contact",
            r"\bcontact\b|^questions\b|^feedback\b|\bwhere to send questions\b",
        ),
        (
            "owners",
            r"\bdeveloped by\b|\bdevelopers?\b|\bauthors?\b|^owners?$|^provider$"
            r"|^organi[sz]ation$|\bshared by\b|^publisher$|\bmaintainers?\b"
            r"|\bperson or organi[sz]ation\b|\bcreated by\b",
        ),
        ("license", r"\blicen[cs]e\b|\blicensing\b"),
        (
            "overview",
            r"\bmodel (?:details|description|information|summary|overview)\b|^overview$"
            r"|^introduction$|^description$|^about$|^summary$",
        ),
        (
            "architecture",
            r"\bmodel (?:architecture|type)\b|^architecture$|\btechnical specifications?\b",
        ),
        ("training.date", r"\brelease date\b|^(?:model )?date$"),
        ("language", r"^(?:supported )?languages?(?: s)?(?: nlp)?$"),
        ("version", r"^(?:model )?version$"),
        ("review_date", r"^last (?:reviewed|updated|review)\b|^review(?:ed)? (?:date|on)$"),
        ("maintenance.support_until", r"^support(?:ed)? until$|^end of support$"),
        ("base_models", r"\bfine ?tuned from\b|^(?:base|parent) models?$"),
        ("environmental.hardware", r"^hardware type$|^(?:training )?hardware$"),
        ("environmental.hours", r"^hours used$"),
        ("environmental.region", r"^compute region$"),
        ("environmental.co2_kg", r"^carbon emitted$|\bgreenhouse gas emissions$"),
        ("environmental.energy_kwh", r"\benergy (?:use|consumption)$|^energy$"),
        ("risk_tier", r"^risk (?:tier|class|level)$"),
    )
)

# A table has short cells under loose titles; only these facts are read from one.
CELL_TOPICS: Final = frozenset(
    {
        "training.data",
        "input_format",
        "license",
        "language",
        "owners",
        "contact",
        "training.date",
        "version",
        "review_date",
        "base_models",
        "environmental.hardware",
    }
)


@lru_cache(maxsize=4096)
def topics_of(title: str) -> frozenset[str]:
    """The facts a heading or label announces; none when it is not known."""
    words = " ".join(_WORDS.findall(title.lower()))
    words = _NUMBERING.sub("", words)
    words = words.removesuffix(" optional")
    found = {fact for fact, pattern in _TOPICS if pattern.search(words)}
    if "out_of_scope" in found and not re.search(r"\bintended\b.*\band\b", words):
        found.discard("intended_use")
    if "risk_tier" in found:
        found.discard("risks")
    return frozenset(found)
