"""Decisions over HTTP."""

from adjudge.service.app import create_app
from adjudge.service.point import DecisionPoint

__all__ = ["DecisionPoint", "create_app"]
