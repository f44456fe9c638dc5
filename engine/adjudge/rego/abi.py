"""Every global name that generated code may touch, and what stands behind it.

The code generator refers to these names and to nothing else; the runtime supplies
them (``runtime.link``).  A test compiles hostile policies and checks the name lists
of the code objects against this one.
"""

from __future__ import annotations

UNDEFINED = "U"
UNSET = "M"
LOOKUP_ERRORS = "KE"
BUILTIN_ERROR = "BE"
SET_OF = "set_of"
NEW_SET = "set"
BOX = "box"
DICT = "dict"
LIST = "list"
STR = "str"
INT = "int"
BOOL = "bool"
LEN = "len"
REGO_SET = "RegoSet"
EQUAL = "equal"
LESS = "less"
LESS_EQUAL = "less_equal"
AT = "at"
VALUES = "values"
PAIRS = "pairs"
ORDERED_VALUES = "ordered_values"
ORDERED_PAIRS = "ordered_pairs"
MEMBER = "member"
MEMBER_KEY = "member_key"
MAKE_OBJECT = "make_object"
PUT = "put"
INSERT = "insert"
FINISH = "finish"
INDEX_BY = "index_by"
NO_PAIRS = "NO_PAIRS"
BRANCH = "Branch"
IS_COLLECTION = "is_collection"
LAZY_AT = "lazy_at"
LAZY_PAIRS = "lazy_pairs"
FORCE = "force"
NUMBER = "number"
FROZENSET = "frozenset"
MATCHER = "matcher"
GLOB_MATCHER = "glob_matcher"

NAMES: frozenset[str] = frozenset(
    value for name, value in list(globals().items()) if name.isupper() and isinstance(value, str)
)

BUILTIN_PREFIX = "b_"
RULE_PREFIX = "r_"
EVAL_PREFIX = "e_"
ENTRY_PREFIX = "k_"
PARTS_PREFIX = "p_"
FUNCTION_PREFIX = "f_"
CONST_PREFIX = "K"
CLAUSE_PREFIX = "q_"

CONTEXT_ATTRIBUTES: frozenset[str] = frozenset(
    {
        "slots",
        "input",
        "data",
        "derive",
        "with_input",
        "base",
        "document",
        "lazy",
        "call_function",
        "call_builtin",
        "repeat",
        "builtin_error",
        "charge",
        "conflict",
        "far",
        "reads",
        "rule_reads",
        "sized",
    }
)
"""Attributes of the evaluation context that generated code may use."""

VALUE_ATTRIBUTES: frozenset[str] = frozenset(
    {
        "__class__",
        "add",
        "append",
        "boxed",
        "endswith",
        "get",
        "isascii",
        "lower",
        "split",
        "startswith",
        "upper",
    }
)
"""Attributes of values and accumulators that generated code may use."""
