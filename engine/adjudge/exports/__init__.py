"""Decisions in; console text, JSON, SARIF, JUnit, annotations, Markdown, HTML and CSV out."""

from adjudge.exports.report import Options, Report, lines_wanted
from adjudge.exports.writing import FORMATS, Target, parse_target, render, write_outputs

__all__ = [
    "FORMATS",
    "Options",
    "Report",
    "Target",
    "lines_wanted",
    "parse_target",
    "render",
    "write_outputs",
]
