"""adjudge: policy as code for AI releases and AI calls, with evidence."""

from adjudge.version import __version__

__all__ = ["__version__"]
