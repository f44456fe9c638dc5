"""Model cards: a Markdown or JSON file in, one Document with the same facts for all formats out.

Supported: Hugging Face Markdown with front matter (``model-index``, ``.eval_results``),
Markdown without front matter, Model Card Toolkit JSON, and the models in SBOMs (CycloneDX
``modelCard``, SPDX 3 AI profile).
"""

from __future__ import annotations

from adjudge.documents.model import DEFAULT_LIMITS, Document, Limits
from adjudge.documents.model_card_bom import is_bom_card, load_bom_card
from adjudge.documents.model_card_huggingface import load_markdown
from adjudge.documents.model_card_toolkit import is_toolkit_card, load_toolkit
from adjudge.documents.reading import Source, decode_text, read_json

__all__ = ["is_toolkit_card", "load"]


def load(source: Source, limits: Limits = DEFAULT_LIMITS) -> Document:
    """The model card at ``source``.

    JSON by its name or its first character, Markdown otherwise.  Raises InputError as
    :func:`load_markdown`, :func:`load_toolkit`, :func:`load_bom_card` and :meth:`Source.read` say.
    """
    data = source.read(limits.max_text_bytes)
    if source.name.lower().endswith((".json", ".jsonld")) or _begins_as_json(data):
        parsed = read_json(decode_text(data, source.shown), source.shown, limits)
        if is_bom_card(parsed.value):
            return load_bom_card(source, data, parsed)
        return load_toolkit(source, data, parsed)
    return load_markdown(source, data, limits)


def _begins_as_json(data: bytes) -> bool:
    return data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{"
