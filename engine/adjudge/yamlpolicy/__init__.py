"""YAML policies: text in, the syntax tree of the Rego that means the same out."""

from adjudge.yamlpolicy.compiler import PACKAGE, compile_policy, package_name
from adjudge.yamlpolicy.model import DataPath, PolicyMetadata, PolicyModule
from adjudge.yamlpolicy.structure import policy_schema
from adjudge.yamlpolicy.text import as_rego

__all__ = [
    "PACKAGE",
    "DataPath",
    "PolicyMetadata",
    "PolicyModule",
    "as_rego",
    "compile_policy",
    "package_name",
    "policy_schema",
]
