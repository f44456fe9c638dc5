"""A module in, the names its imports give and errors about imports out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from adjudge.rego.passes.model import Compilation, Stage, path_text
from adjudge.rego.syntax import Import, Module, Ref, Scalar, Var


def name_of(imp: Import) -> str:
    """The name by which a module refers to what it imports."""
    if imp.alias is not None:
        return imp.alias
    last = imp.path.operands[-1] if isinstance(imp.path, Ref) else imp.path
    return last.name if isinstance(last, Var) else str(getattr(last, "value", ""))


def is_language(imp: Import) -> bool:
    """Whether keywords are imported, not documents."""
    return root_name(imp) in ("future", "rego")


def root_name(imp: Import) -> str:
    """What the path of an import begins with."""
    root = imp.path if isinstance(imp.path, Var) else imp.path.head
    return root.name if isinstance(root, Var) else ""


def names(module: Module) -> Iterator[tuple[str, Import]]:
    """The imports of documents with their names; the last of several wins."""
    for imp in module.imports:
        if not is_language(imp):
            yield name_of(imp), imp


def check(comp: Compilation, module: Module, unused: Mapping[str, Import]) -> None:
    """Report imports that hide others and, in strict mode, those that nothing uses."""
    if comp.strict:
        for imp in module.imports:
            if isinstance(imp.path, Var) or name_of(imp) not in unused or is_language(imp):
                continue
            comp.error(f"{text(imp)} unused", imp.loc, stage=Stage.UNUSED_IMPORTS, minor=True)
    if not comp.strict and module.rego_version == 0:
        return
    seen: dict[str, Import] = {}
    for imp in module.imports:
        first = seen.setdefault(name_of(imp), imp)
        if first is not imp:
            message = f"import must not shadow {text(first)}"
            comp.error(message, imp.loc, stage=Stage.IMPORTS, minor=True)


def text(imp: Import) -> str:
    """The import as it is written."""
    keys = imp.path.operands if isinstance(imp.path, Ref) else ()
    shown = path_text(tuple(k.value for k in keys if isinstance(k, Scalar)), root_name(imp))  # type: ignore[misc]
    return f"import {shown} as {imp.alias}" if imp.alias else f"import {shown}"
