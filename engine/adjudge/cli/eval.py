"""``adjudge eval``: a query over modules, data and an input, answered as ``opa eval`` does."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from adjudge.cli.engines import engine_options
from adjudge.cli.eval_report import SORT_KEYS, Output, collected, render
from adjudge.cli.opa_options import Duration, complain, read_capabilities, split_list, unheeded
from adjudge.cli.terminal import safe
from adjudge.errors import InputError
from adjudge.policyset.opa_eval import Request, evaluate
from adjudge.policyset.opa_files import read_any
from adjudge.policyset.opa_runtime import host_runtime
from adjudge.policyset.opa_values import parsed_any
from adjudge.rego import UNDEFINED
from adjudge.rego.capabilities import Capabilities

FORMATS = ("json", "values", "bindings", "pretty", "raw", "discard", "source")
PROFILE_LIMIT = 10


def _unsupported(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    if value:
        name = param.opts[-1]
        raise click.UsageError(
            f"{name} is not supported: adjudge evaluates queries in full, never partially", ctx
        )


@click.command(
    "eval",
    epilog="""\b
Examples:
  adjudge eval '1 + 1'
  adjudge eval -d policies -i input.json 'data.app.deny'
  adjudge eval -d policies -i input.json --format raw 'data.app.allow'
  adjudge eval -d policies -i input.json --explain fails 'data.app.allow'
""",
)
@click.argument("query", required=False)
@click.option("-d", "--data", multiple=True, metavar="PATH", help="Rego, JSON or YAML.")
@click.option("-b", "--bundle", "bundles", multiple=True, metavar="PATH", help="OPA bundles.")
@click.option("-i", "--input", "input_", metavar="FILE", help="The input, JSON or YAML.")
@click.option("-I", "--stdin-input", is_flag=True, help="Read the input from standard input.")
@click.option("--stdin", is_flag=True, help="Read the query from standard input.")
@click.option(
    "-f", "--format", "format_", type=click.Choice(FORMATS), default="json", show_default=True
)
@click.option("--package", default="", metavar="PATH", help="The package that the query is in.")
@click.option("--import", "imports", multiple=True, metavar="PATH", help="An import of the query.")
@click.option("-s", "--schema", metavar="PATH", help="JSON schemas for the compiler to check with.")
@click.option("-S", "--strict", is_flag=True, help="Let the compiler be strict.")
@click.option("--strict-builtin-errors", is_flag=True, help="A failing builtin is an error.")
@click.option("--show-builtin-errors", is_flag=True, help="Tell which builtins failed.")
@click.option("--fail", is_flag=True, help="Exit 1 when the query is undefined.")
@click.option("--fail-defined", is_flag=True, help="Exit 1 when the query is defined.")
@click.option(
    "--explain",
    type=click.Choice(["off", "full", "notes", "fails", "debug"]),
    default="off",
    help="Show how the query was evaluated.",
)
@click.option("--metrics", is_flag=True, help="Tell how long each phase took.")
@click.option("--profile", is_flag=True, help="Tell what each line cost.")
@click.option("--profile-limit", type=int, metavar="N", help="How many lines (default: 10).")
@click.option(
    "--profile-sort",
    multiple=True,
    callback=split_list,
    metavar="KEY",
    help=f"By what, of: {', '.join(SORT_KEYS)}.",
)
@click.option("--coverage", is_flag=True, help="Tell which lines were covered.")
@click.option("--count", type=click.IntRange(1), default=1, help="Evaluate so many times.")
@click.option("--timeout", type=Duration(), help="How long it may take (default: no limit).")
@click.option("--pretty-limit", type=int, default=0, metavar="N", help="Cut values in tables.")
@click.option(
    "--ignore",
    multiple=True,
    callback=split_list,
    metavar="PATTERN",
    help="Leave out files and directories with such names.",
)
@click.option("--capabilities", type=click.Path(), metavar="FILE", help="Builtins to grant.")
@click.option("--grant", multiple=True, metavar="BUILTIN", help="Let it use the network.")
@click.option("--v0-compatible", is_flag=True, help="Read modules as Rego v0.")
@engine_options
@click.option("-t", "--target", type=click.Choice(["rego"]), default="rego", help="Only one.")
@click.option("--instrument", is_flag=True, help="The same as --metrics.")
@unheeded("-p", "--partial", is_flag=True, callback=_unsupported)
@unheeded("-u", "--unknowns", multiple=True, callback=_unsupported)
@unheeded("--disable-inlining", multiple=True, callback=_unsupported)
@unheeded("--shallow-inlining", is_flag=True, callback=_unsupported)
@unheeded("--nondeterminstic-builtins", is_flag=True, callback=_unsupported)
@unheeded("-O", "--optimize", type=int, default=0, callback=_unsupported)
@unheeded("-e", "--entrypoint", multiple=True)
@unheeded("--disable-indexing", is_flag=True)
@unheeded("--v1-compatible", is_flag=True)
@unheeded("--disable-early-exit", is_flag=True)
@unheeded("--optimize-store-for-read-speed", is_flag=True)
@unheeded("--coverage-runs", multiple=True)
@unheeded("--var-values", is_flag=True)
def command(query: str | None, **options: Any) -> int:
    """Evaluate QUERY and print its results.

    Exit code 0: evaluated; 1: --fail or --fail-defined says so; 2: an error.
    """
    _check(query, options)
    profile = options["profile"] or options["profile_limit"] is not None
    profile = profile or bool(options["profile_sort"])
    request = _request(_text(query, options["stdin"]), profile, options)
    answers = [evaluate(request) for _ in range(options["count"])]
    limit = options["profile_limit"]
    output = collected(
        answers,
        options["metrics"] or options["instrument"] or profile,
        options["profile_sort"],
        PROFILE_LIMIT if limit is None else limit,
    )
    for line in (line for answer in answers for line in answer.prints):
        click.echo(safe(line), err=True)
    return _show(output, options)


def _check(query: str | None, options: Mapping[str, Any]) -> None:
    """Refuse what contradicts itself."""
    if bool(query) == options["stdin"]:
        both = " but not both" if query else ""
        raise click.UsageError(f"a query is needed: an argument, or --stdin{both}")
    for one, other in (
        ("stdin", "stdin_input"),
        ("stdin_input", "input_"),
        ("fail", "fail_defined"),
        ("strict_builtin_errors", "show_builtin_errors"),
    ):
        if options[one] and options[other]:
            names = (f"--{n.rstrip('_').replace('_', '-')}" for n in (one, other))
            raise click.UsageError(" and ".join(names) + " cannot be combined")
    if options["format_"] == "source":
        raise click.UsageError("--format source shows partial results, which are not supported")
    options["engine"].refuse(
        {
            f"--{name.replace('_', '-')}": options[name] not in (False, None, "off")
            for name in ("explain", "profile", "coverage", "show_builtin_errors", "schema")
        }
    )
    for key in options["profile_sort"]:
        if key not in SORT_KEYS:
            raise click.UsageError(f"--profile-sort: {key!r} is none of {', '.join(SORT_KEYS)}")


def _text(query: str | None, stdin: bool) -> str:
    return sys.stdin.read() if stdin else query or ""


def _request(query: str, profile: bool, options: Mapping[str, Any]) -> Request:
    explain = options["explain"]
    capabilities = read_capabilities(options["capabilities"])
    return Request(
        query,
        data=options["data"],
        bundles=options["bundles"],
        ignore=options["ignore"],
        schema=options["schema"],
        package=options["package"],
        imports=options["imports"],
        capabilities=capabilities,
        rego_version=0 if options["v0_compatible"] else 1,
        strict=options["strict"],
        input=_input(options["input_"], options["stdin_input"]),
        strict_builtin_errors=options["strict_builtin_errors"],
        show_builtin_errors=options["show_builtin_errors"],
        seconds=options["timeout"] or 1e9,
        services=_services(options["capabilities"], capabilities, set(options["grant"])),
        explain=None if explain == "off" else explain,
        profile=profile,
        covered=options["coverage"],
        engine=options["engine"].query_engine(),
    )


def _services(file: str | None, capabilities: Capabilities, grant: set[str]) -> dict[str, Any]:
    """What policies may use of this machine: what was granted, or a file lists.

    Modules may call the other builtins, too; it is evaluating the call that is an error.
    """
    granted = grant if file is None else set(capabilities.builtins)
    services: dict[str, Any] = {"runtime": host_runtime(env="opa.runtime" in granted)}
    if granted & {"http.send", "net.lookup_ip_addr"}:
        # Few queries need the network.
        from adjudge.cli import opa_network

        services["http"] = opa_network.send if "http.send" in granted else None
        services["resolver"] = opa_network.lookup if "net.lookup_ip_addr" in granted else None
    return services


def _input(path: str | None, stdin: bool) -> Any:
    if stdin:
        return parsed_any(sys.stdin.read(), "standard input")
    if path is None:
        return UNDEFINED
    file = Path(path.removeprefix("file://"))
    if not file.exists():
        raise InputError("file_not_found", f"{file}: no such file or directory")
    return read_any(file)


def _show(output: Output, options: Mapping[str, Any]) -> int:
    answer = output.answer
    for line in render(output, options["format_"], limit=options["pretty_limit"]):
        click.echo(line)
    if options["format_"] not in ("json", "discard"):
        for error in (*answer.errors, *answer.builtin_errors):
            complain(error)
    if answer.errors:
        return 2
    defined = bool(answer.results)
    failed = (options["fail"] and not defined) or (options["fail_defined"] and defined)
    return 1 if failed else 0
