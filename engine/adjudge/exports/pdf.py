"""A self-contained HTML page in, the same as PDF out.  Needs the extra ``pdf``."""

from __future__ import annotations

from typing import Any

from adjudge.errors import AdjudgeError, UsageError


class PdfError(AdjudgeError):
    """A page cannot be laid out."""


def pdf(html: str) -> bytes:
    """The page as PDF, paginated by its print style.

    Nothing is fetched: the page holds all it needs.  The same page gives the same text and
    layout; the bytes may differ between versions of WeasyPrint.  Raises :class:`UsageError`
    ``pdf_extra_missing`` and :class:`PdfError` ``pdf_failed``.
    """
    try:
        # An extra: it brings a layout engine along, and native libraries that may be missing.
        from weasyprint import HTML
    except (ImportError, OSError) as error:
        raise UsageError(
            "pdf_extra_missing",
            f"PDF needs WeasyPrint: {str(error).splitlines()[0][:200]}",
            hint="pip install 'adjudge[pdf]' (and Pango, where it is missing), or write html",
        ) from None
    try:
        out: bytes = HTML(string=html, url_fetcher=_refuse).write_pdf()
    except Exception as error:
        # A layout engine over a large page has no closed list of errors.
        raise PdfError("pdf_failed", f"the page cannot be laid out: {error}") from None
    return out


def _refuse(url: str, *args: Any, **options: Any) -> Any:
    raise ValueError("nothing is fetched")
