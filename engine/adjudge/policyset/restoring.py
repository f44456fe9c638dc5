"""A loaded policy set in, JSON-like data out, and the set back from that: for replays.

The texts of the policies are kept beside it, by digest.  What is restored is checked: its files
must have the digest that the set had.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from adjudge.canonical import sha256_hex
from adjudge.errors import AdjudgeError, InputError
from adjudge.policyset.files import PolicyFile, digest_of_policy_files
from adjudge.policyset.inputs import input_schemas
from adjudge.policyset.model import PolicySet, RuleSpec
from adjudge.rego.parser import parse_module
from adjudge.rego.syntax import Module
from adjudge.source import Location
from adjudge.yamlpolicy import compile_policy

BOM = b"\xef\xbb\xbf"


def describe(policies: PolicySet, put: Callable[[bytes], str]) -> dict[str, Any]:
    """The set as JSON-like data; ``put`` keeps the bytes of a text and gives their SHA-256."""
    return {
        "name": policies.name,
        "digest": policies.digest,
        "revision": policies.revision,
        "packs": list(policies.packs),
        "v0": policies.v0,
        "files": [_describe_file(f, policies, put) for f in policies.files],
        "rules": [asdict(r) for r in policies.rules],
    }


def _describe_file(
    file: PolicyFile, policies: PolicySet, put: Callable[[bytes], str]
) -> dict[str, Any]:
    data = policies.texts[file.shown].encode()
    if sha256_hex(data) != file.sha256:
        data = BOM + data  # the only thing that reading takes away
    return {**asdict(file), "text": put(data)}


def restore(described: dict[str, Any], get: Callable[[str], bytes], data: Any) -> PolicySet:
    """The set that was described; ``data`` are its base documents.

    Raises InputError ``recording_invalid`` when it is not what it says it is.
    """
    try:
        files, texts, modules = [], {}, []
        for item in described["files"]:
            text_digest = item["text"]
            file = PolicyFile(**{k: v for k, v in item.items() if k != "text"})
            if text_digest != file.sha256:
                raise _invalid(f"the text of {file.shown} is not the one that was judged by")
            text = get(text_digest).removeprefix(BOM).decode()
            files.append(file)
            texts[file.shown] = text
            modules += _modules(file, text, bool(described["v0"]))
        if digest_of_policy_files(files) != described["digest"]:
            raise _invalid("its policies do not have the digest that it gives")
        return PolicySet(
            name=described["name"],
            digest=described["digest"],
            revision=described["revision"],
            packs=tuple(described["packs"]),
            modules=tuple(modules),
            test_modules=(),
            data=data,
            rules=tuple(_rule(item) for item in described["rules"]),
            files=tuple(files),
            texts=texts,
            v0=bool(described["v0"]),
        )
    except AdjudgeError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _invalid(f"{type(error).__name__} in its policies") from None


def _modules(file: PolicyFile, text: str, v0: bool) -> list[Module]:
    if file.role == "rego":
        return [parse_module(text, file.shown, 0 if v0 else 1)]
    if file.role == "yaml":
        return [compile_policy(text, file.shown, input_schemas()).module]
    return []


def _rule(item: dict[str, Any]) -> RuleSpec:
    return RuleSpec(
        **{
            **item,
            "location": Location(*item["location"]),
            **{k: tuple(item[k]) for k in ("controls", "applies_to", "path", "links")},
        }
    )


def _invalid(why: str) -> InputError:
    return InputError("recording_invalid", f"the recording cannot be used: {why}")
