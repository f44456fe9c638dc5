"""Policies: names, files and folders in; parsed, hashed and described policy sets out."""

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
