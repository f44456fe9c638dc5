"""``adjudge eval``: a query over modules, data and an input, answered as ``opa eval`` does."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from adjudge.cli.terminal import safe
from adjudge.errors import InputError
from adjudge.policyset.opa_files import load_opa_files, read_data
from adjudge.rego import UNDEFINED, Options, Result, compile_modules
from adjudge.rego.capabilities import all_capabilities, gate_capabilities
from adjudge.rego.runtime.text import from_json, to_indented_json_text, to_json_text

FORMATS = ("json", "pretty", "values", "bindings", "raw", "discard")


@click.command(
    "eval",
    epilog="""\b
Examples:
  adjudge eval '1 + 1'
  adjudge eval -d policies -i input.json 'data.app.deny'
  adjudge eval -d policies -i input.json --format raw 'data.app.allow'
""",
)
@click.argument("query", required=False)
@click.option("-d", "--data", "data", multiple=True, metavar="PATH", help="Rego, JSON or YAML.")
@click.option("-i", "--input", "input_", type=click.Path(path_type=Path), help="The input file.")
@click.option("-I", "--stdin-input", is_flag=True, help="Read the input from standard input.")
@click.option("--stdin", is_flag=True, help="Read the query from standard input.")
@click.option(
    "-f", "--format", "format_", type=click.Choice(FORMATS), default="json", show_default=True
)
@click.option("--strict-builtin-errors", is_flag=True, help="A failing builtin is an error.")
@click.option("--fail", is_flag=True, help="Exit 1 when the query is undefined.")
@click.option("--fail-defined", is_flag=True, help="Exit 1 when the query is defined.")
@click.option("--v0-compatible", is_flag=True, help="Read modules as Rego v0.")
@click.option("--grant", multiple=True, metavar="BUILTIN", help="Grant a withheld builtin.")
def command(
    query: str | None,
    data: tuple[str, ...],
    input_: Path | None,
    stdin_input: bool,
    stdin: bool,
    format_: str,
    strict_builtin_errors: bool,
    fail: bool,
    fail_defined: bool,
    v0_compatible: bool,
    grant: tuple[str, ...],
) -> int:
    """Evaluate QUERY and print its results."""
    text = sys.stdin.read() if stdin else query
    if not text:
        raise click.UsageError("a query is needed: an argument, or --stdin")
    files = load_opa_files(data)
    granted = gate_capabilities().withheld - set(grant)
    program = compile_modules(
        files.modules,
        data=files.data,
        rego_version=0 if v0_compatible else 1,
        capabilities=all_capabilities().without(granted),
    )
    value = _input(input_, stdin_input)
    options = Options(strict_builtin_errors=strict_builtin_errors)
    results, prints = program.prepare(text).eval_with_prints(value, options=options)
    for line in prints:
        click.echo(safe(line), err=True)
    shown = _render(results, format_)
    click.echo(shown, nl=bool(shown))
    return 1 if (fail and not results) or (fail_defined and results) else 0


def _input(path: Path | None, stdin: bool) -> Any:
    if stdin:
        try:
            return from_json(json.loads(sys.stdin.read()))
        except ValueError as e:
            raise InputError("invalid_json", f"standard input: {e}") from None
    if path is None:
        return UNDEFINED
    return read_data(path)


def _render(results: list[Result], format_: str) -> str:
    if format_ == "json":
        return _json({"result": [_result(r) for r in results]} if results else {})
    if format_ == "values":
        rows = [[e.value for e in r.expressions] for r in results]
        return "\n".join(_json(row) for row in rows)
    if format_ == "bindings":
        return "\n".join(_json(r.bindings) for r in results)
    if format_ == "raw":
        return "\n".join(" ".join(_raw(e.value) for e in r.expressions) for r in results)
    if format_ == "pretty":
        return _pretty(results)
    return _json({"result": "discarded"} if results else {})


def _json(value: Any) -> str:
    return to_indented_json_text(from_json(value), "", "  ")


def _raw(value: Any) -> str:
    return value if isinstance(value, str) else to_json_text(from_json(value))


def _result(result: Result) -> dict[str, Any]:
    out: dict[str, Any] = {
        "expressions": [
            {
                "value": e.value,
                "text": e.text,
                "location": {"row": e.location.row, "col": e.location.col},
            }
            for e in result.expressions
        ]
    }
    if result.bindings:
        out["bindings"] = result.bindings
    return out


def _pretty(results: list[Result]) -> str:
    if not results:
        return "undefined"
    first = results[0]
    if len(results) == 1 and len(first.expressions) == 1 and not first.bindings:
        return _json(first.expressions[0].value)
    from rich.box import SQUARE
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SQUARE)
    names = list(first.bindings) or [e.text for e in first.expressions]
    for name in names:
        table.add_column(Text(safe(name)))
    for r in results:
        values = list(r.bindings.values()) or [e.value for e in r.expressions]
        table.add_row(*(Text(safe(_json(v))) for v in values))
    console = Console(width=100, force_terminal=False, color_system=None)
    with console.capture() as capture:
        console.print(table)
    return capture.get().rstrip("\n")
