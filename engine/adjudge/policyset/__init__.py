"""Policies: names, files and folders in; parsed, hashed and described policy sets out.

What is imported from here is loaded when it is asked for: `adjudge eval` and `adjudge test`
need none of it, and the loaders of documents and waivers take longer than most policies.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from adjudge.policyset.collection import Collection, collection_schema, parse_collection
    from adjudge.policyset.files import PolicyFile
    from adjudge.policyset.inputs import input_schemas
    from adjudge.policyset.loading import load_policy_set
    from adjudge.policyset.model import PolicySet, RuleSpec
    from adjudge.policyset.shipped import collection_names, pack_names, shipped_policies
    from adjudge.policyset.waivers import LoadedWaivers, load_waiver_file

__all__ = [
    "Collection",
    "LoadedWaivers",
    "PolicyFile",
    "PolicySet",
    "RuleSpec",
    "collection_names",
    "collection_schema",
    "input_schemas",
    "load_policy_set",
    "load_waiver_file",
    "pack_names",
    "parse_collection",
    "shipped_policies",
]

_HOMES = {
    "Collection": "collection",
    "LoadedWaivers": "waivers",
    "PolicyFile": "files",
    "PolicySet": "model",
    "RuleSpec": "model",
    "collection_names": "shipped",
    "collection_schema": "collection",
    "input_schemas": "inputs",
    "load_policy_set": "loading",
    "load_waiver_file": "waivers",
    "pack_names": "shipped",
    "parse_collection": "collection",
    "shipped_policies": "shipped",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(f"{__name__}.{home}"), name)
    return found
