"""A deliberately naive evaluator of Rego, to compare the compiled one with.

It shares the parser with the engine and nothing else: values, builtins, the order of
evaluation and the rules for documents are its own, written for being read.
"""

from tests.reference.evaluator import ConflictError, UnsafeError, evaluate

__all__ = ["ConflictError", "UnsafeError", "evaluate"]
