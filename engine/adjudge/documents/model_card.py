"""Model cards: a Markdown or JSON file in, one Document with the same facts for all formats out.

Supported: Hugging Face Markdown with front matter (``model-index``, ``.eval_results``),
Markdown without front matter, and Model Card Toolkit JSON.
"""

from __future__ import annotations

from adjudge.documents.model import DEFAULT_LIMITS, Document, Limits
from adjudge.documents.model_card_huggingface import load_markdown
from adjudge.documents.model_card_toolkit import is_toolkit_card, load_toolkit
from adjudge.documents.reading import Source

__all__ = ["is_toolkit_card", "load"]


def load(source: Source, limits: Limits = DEFAULT_LIMITS) -> Document:
    """The model card at ``source``.

    JSON by its name or its first character, Markdown otherwise.  Raises InputError as
    :func:`load_markdown`, :func:`load_toolkit` and :meth:`Source.read` say.
    """
    data = source.read(limits.max_text_bytes)
    if source.name.lower().endswith(".json") or data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{":
        return load_toolkit(source, data, limits)
    return load_markdown(source, data, limits)
