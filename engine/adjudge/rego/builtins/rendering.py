"""Texts from templates in Go's syntax: strings.render_template."""

from __future__ import annotations

from adjudge.rego.builtins.json_text import parse_json
from adjudge.rego.builtins.registry import (
    BuiltinContext,
    BuiltinError,
    builtin,
    want_object,
    want_string,
)
from adjudge.rego.builtins.template_run import Runner
from adjudge.rego.builtins.template_syntax import Parser
from adjudge.rego.builtins.template_tokens import TemplateError
from adjudge.rego.builtins.template_values import JsonNumber
from adjudge.rego.runtime.text import rego_text
from adjudge.rego.runtime.values import Value


@builtin("strings.render_template", context=True)
def render_template(context: BuiltinContext, template: Value, variables: Value) -> str:
    """The text that a template of Go's ``text/template`` makes of the variables."""
    text = want_string(template, 1)
    # OPA reads the variables' text as JSON: sets and keys that are no strings are errors.
    data = parse_json(rego_text(want_object(variables, 2)), number=JsonNumber)
    try:
        templates = Parser("template", text).parse()
        out = Runner(context, "template", text, templates).run(data)
    except TemplateError as error:
        raise BuiltinError(str(error)) from None
    return out.replace("<no value>", "<undefined>")
