"""Hostile policies end in an answer or a typed error, in bounded time and memory.

Each runs in a child process with a limit on its memory.  Bodies and inputs are Python
expressions that the child evaluates; ``BIG`` is a string of 900,000 characters, ``deep`` makes
nested values, and ``doubling`` a chain of rules that double a value thirty-nine times.
"""

from __future__ import annotations

from typing import Any

import pytest

PARSE = {"rego_parse_error"}
LIMIT = {"eval_limit_error"}
BUILTIN = {"eval_builtin_error"}
ANSWER = {"value", "undefined"}
REFUSED = {"eval_type_error", "rego_type_error", "eval_conflict_error"}
ANY = ANSWER | LIMIT | BUILTIN | {"rego_compile_error", "eval_type_error"}

PRELUDE = (
    "(lambda BIG, deep, doubling: {body})("
    "'a' * 900_000, "
    "lambda n, wrap: __import__('functools').reduce(lambda x, _: wrap(x), range(n), 1), "
    "lambda name, first, step: f'{{name}}0 := {{first}}\\n' + ''.join("
    "f'{{name}}{{n}} := ' + step.replace('X', f'{{name}}{{n - 1}}') + '\\n' for n in range(1, 40)))"
)

NESTED = {
    "parentheses": "'p := ' + '(' * 10000 + '1' + ')' * 10000",
    "arrays": "'p := ' + '[' * 10000 + ']' * 10000",
    "objects": "'p := ' + '{\"a\":' * 10000 + '1' + '}' * 10000",
    "comprehensions": "'p := ' + '[x | x := ' * 10000 + '1' + ']' * 10000",
    "else": "'p := 1 if false' + ' else := 2 if false' * 10000",
    "minus": "'p := ' + '-' * 10000 + '1'",
    "operands": "'p := ' + 'input[' * 10000 + '1' + ']' * 10000",
    "not": "'p if ' + 'not ' * 10000 + 'input.x'",
    "every": "'p if ' + 'every x in [1] { ' * 10000 + 'x' + ' }' * 10000",
    "sums": "'p := 1' + ' + 1' * 10000",
    "memberships": "'p if 1' + ' in [1]' * 10000",
    "templates": "'p := ' + '$\"{' * 10000 + '1' + '}\"' * 10000",
    "calls": "'p := ' + 'abs(' * 10000 + '1' + ')' * 10000",
    "huge exponent": "'p := 1e999999'",
    "tiny number": "'p := 1e-999999'",
    "digits": "'p := ' + '9' * 100000",
}

LARGE = {
    "with": "'p if input.x' + ' with input.x as 1' * 2000",
    "reference": "'p := input' + '.a' * 10000",
    "indexes": "'p := input' + '[0]' * 10000",
    "iteration": "'p if input' + '[_]' * 10000",
    "array": "'p := count([' + '1,' * 30000 + '1])'",
    "set": "'p := count({' + ','.join(map(str, range(30000))) + '})'",
    "object": "'p := count({' + ','.join(f'\"{n}\": {n}' for n in range(20000)) + '})'",
    "body": "'p if {\\n' + 'input.x == 1\\n' * 5000 + '}'",
    "body backwards": "'p if {\\n' + ''.join(f'x{n} = x{n-1}+1\\n' for n in range(2000, 0, -1))"
    " + 'x0 = 1\\n}'",
    "chain of rules": "'r0 := 1\\n' + ''.join(f'r{n} := r{n-1} + 1\\n' for n in range(1, 3000))"
    " + 'p := r2999'",
    "chain of functions": "'f0(x) := x\\n' + ''.join(f'f{n}(x) := f{n-1}(x)\\n'"
    " for n in range(1, 3000)) + 'p := f2999(1)'",
    "arguments": "'f(' + ','.join(f'x{n}' for n in range(3000)) + ') := 1\\np := 1'",
    "imports": "''.join(f'import data.a{n}\\n' for n in range(5000)) + 'p := 1'",
    "python names": "''.join(f'{w} := 1\\n' for w in __import__('keyword').kwlist"
    " if w not in ('as', 'else', 'if', 'import', 'in', 'not', 'with'))"
    " + '__builtins__ := 1\\n__class__ := 2\\n__import__ := 3\\np := __class__'",
}

BLOW_UPS: dict[str, tuple[str, str, set[str]]] = {
    "loops": (
        "'p if { some a in numbers.range(1,1000); some b in numbers.range(1,1000);"
        " some c in numbers.range(1,1000); a + b + c == 0 }'",
        "{}",
        LIMIT,
    ),
    "walks": (
        "'p if { walk(input, [_, a]); walk(input, [_, b]); walk(input, [_, c]); a == -1 }'",
        "{'x': [[n] for n in range(5000)]}",
        LIMIT,
    ),
    "set of arrays": (
        "'p := {[a, b, c] | some a in input; some b in input; some c in input}'",
        "list(range(1000))",
        LIMIT,
    ),
    "squares": ("doubling('x', '99999999999999999999', 'X * X') + 'p := x39'", "{}", BUILTIN),
    "powers": (
        "doubling('x', '{1}', '{[a, b] | some a in X; some b in {1, 2}}') + 'p := x39'",
        "{}",
        LIMIT,
    ),
    "concat": ("doubling('x', 'input', 'concat(\"\", [X, X])') + 'p := x39'", "BIG", BUILTIN),
    "sprintf": ("doubling('x', 'input', 'sprintf(\"%v%v\", [X, X])') + 'p := x39'", "BIG", BUILTIN),
    "template": ("doubling('x', 'input', '$\"{X}{X}\"') + 'p := x39'", "BIG", BUILTIN),
    "base64": ("doubling('x', 'input', 'base64.encode(X)') + 'p := x39'", "BIG", BUILTIN),
    "hex": ("doubling('x', 'input', 'hex.encode(X)') + 'p := x39'", "BIG", BUILTIN),
    "urlquery": (
        "doubling('x', 'input', 'urlquery.encode(X)') + 'p := x39'",
        "'%' * 99999",
        BUILTIN,
    ),
    "marshal": ("doubling('x', 'input', 'json.marshal(X)') + 'p := x39'", "'\"'", BUILTIN),
    "arrays": ("doubling('x', 'input', 'array.concat(X, X)') + 'p := x39'", "[1]", BUILTIN),
    "replace": ("'p := replace(input, \"a\", input)'", "BIG", BUILTIN),
    "replace many": ("'p := strings.replace_n({\"a\": input}, input)'", "BIG", BUILTIN),
    "replace by pattern": ("'p := regex.replace(input, \"a\", input)'", "BIG", BUILTIN),
    "join": ("'p := concat(input, split(input, \"\"))'", "BIG", BUILTIN),
    "format width": ("'p := sprintf(\"%1000000000d\", [1])'", "{}", ANY),
    "format argument width": ("'p := sprintf(\"%*d\", [1000000000, 1])'", "{}", ANY),
    "format precision": ("'p := sprintf(\"%.1000000000f\", [1.5])'", "{}", ANY),
    "range": ("'p := count(numbers.range(1, 1000000000000))'", "{}", BUILTIN),
    "range with steps": ("'p := count(numbers.range_step(1, 1000000000000, 1))'", "{}", BUILTIN),
    "shift": ("'p := bits.lsh(1, 100000000000)'", "{}", BUILTIN),
    "digits of a text": ("'p := to_number(input)'", "'9' * 900000", BUILTIN),
    "exponent of a text": ("'p := to_number(input) + 1'", "'1e99999999'", BUILTIN),
    "division": ("'p := 1e30000 / 1e-30000'", "{}", BUILTIN),
    "addresses": ("'p := count(net.cidr_expand(\"0.0.0.0/0\"))'", "{}", BUILTIN),
    "more addresses": ("'p := count(net.cidr_expand(\"::/0\"))'", "{}", BUILTIN),
    "version": ("'p := semver.compare(input, \"1.0.0\")'", "'1' * 900000 + '.0.0'", ANY),
    "units": ("'p := units.parse(input)'", "'9' * 900000 + 'Ei'", ANY),
    "unit exponents": ("'p := units.parse_bytes(\"1e99999999Ei\")'", "{}", BUILTIN),
    "time layout": ("'p := time.format([1e18, \"UTC\", input])'", "'Monday January' * 60000", ANY),
    "time zone": ("'p := time.clock([0, input])'", "'../' * 300000", BUILTIN),
    "time text": ("'p := time.parse_ns(input, input)'", "'2006' * 200000", BUILTIN),
    "time layouts": (
        "doubling('x', 'input', 'time.format([0, \"UTC\", X])') + 'p := x39'",
        "'1' * 999",
        ANY,
    ),
    "quoted globs": (
        "doubling('x', 'input', 'glob.quote_meta(X)') + 'p := x39'",
        "'*' * 999",
        BUILTIN,
    ),
    "parameters": (
        "'p := urlquery.encode_object({\"a\": [input | some _ in numbers.range(1, 9999)]})'",
        "BIG",
        BUILTIN,
    ),
    "parsed parameters": ("'p := count(urlquery.decode_object(input))'", "'a&' * 400000", ANY),
    "duration": ("'p := time.parse_duration_ns(input)'", "'9' * 900000 + 'h'", BUILTIN),
    "date": ("'p := time.add_date(0, 1000000000000, 1, 1)'", "{}", BUILTIN),
    "nested JSON": ("'p := json.unmarshal(input)'", "'[' * 500000 + ']' * 500000", BUILTIN),
    "nested YAML": ("'p := yaml.unmarshal(input)'", "'[' * 100000 + ']' * 100000", BUILTIN),
    "YAML aliases": (
        "'p := yaml.unmarshal(input)'",
        "'a0: &a0 [x]\\n' + ''.join(f'a{n}: &a{n} [*a{n-1},*a{n-1}]\\n' for n in range(1, 60))",
        BUILTIN,
    ),
    "regular expression": ("'p := regex.match(\"(x+x+)+y\", input)'", "'x' * 900000", ANSWER),
    "nested pattern": ("'p := regex.match(input, \"a\")'", "'(' * 20000 + ')' * 20000", BUILTIN),
    "groups": ("'p := regex.match(input, \"a\")'", "'(a)' * 20000", BUILTIN),
    "repeated pattern": (
        '\'p := regex.match("(((a{1,100}){1,100}){1,100}){1,100}", "a")\'',
        "{}",
        BUILTIN,
    ),
    "many matches": ("'p := count(regex.find_n(\"a\", input, -1))'", "BIG", ANY),
    "glob": ("'p := glob.match(input, [], input)'", "'*a' * 3000", ANY),
    "glob braces": ("'p := glob.match(input, [], \"a\")'", "'{a,' * 2000 + '}' * 2000", ANY),
    "globs": ("'p := regex.globs_match(input, \"[a-z]*\")'", "'a*' * 1000", ANY),
    "chain of nodes": (
        "'p := count(graph.reachable(input, {\"0\"}))'",
        "{str(n): [str(n + 1)] for n in range(100000)}",
        ANSWER,
    ),
    "paths": (
        "'p := count(graph.reachable_paths({n: ns | ns := numbers.range(1,50); some n in ns},"
        " {1}))'",
        "{}",
        BUILTIN,
    ),
    "certificates": ("'p := crypto.x509.parse_certificates(input)'", "BIG", ANY),
    "keys": (
        "'p := crypto.parse_private_keys(input)'",
        "'-----BEGIN PRIVATE KEY-----\\nAAAA\\n-----END PRIVATE KEY-----\\n' * 3000",
        ANY,
    ),
    "token": ("'p := io.jwt.decode(input)'", "'A.' * 400000", ANY),
    "token of a deep text": (
        '\'h := base64url.encode_no_pad("{}")\\n'
        'p := io.jwt.decode(concat(".", [h, base64url.encode_no_pad(input), "x"]))\'',
        "'[' * 200000",
        ANY,
    ),
    "signature by a huge key": (
        '\'h := base64url.encode_no_pad(json.marshal({"alg": "RS256"}))\\n'
        'p := io.jwt.verify_rs256(concat(".", [h, h, input]), json.marshal({"keys":'
        ' [{"kty": "RSA", "n": input, "e": input}]}))\'',
        "'_' * 100000",
        ANY,
    ),
    "query": ("'p := graphql.parse_query(input)'", "'{a' * 100000", ANY),
    "schema of queries": ("'p := graphql.parse_schema(input)'", "'type A {a: Int} ' * 20000", ANY),
    "endless schema": ('\'p := json.match_schema({}, {"$ref": "#"})\'', "{}", BUILTIN),
    "template loops": (
        "'xs := numbers.range(1, 1000)\\np := strings.render_template(\"{{range .xs}}{{range $.xs}}"
        '{{range $.xs}}aaaaaaaaaa{{end}}{{end}}{{end}}", {"xs": xs})\'',
        "{}",
        BUILTIN | LIMIT,
    ),
    "endless template": (
        '\'p := strings.render_template(`{{define "a"}}{{template "a"}}{{end}}'
        '{{template "a"}}`, {})\'',
        "{}",
        BUILTIN,
    ),
    "nested template": (
        "'p := strings.render_template(input, {})'",
        "'{{if .a}}' * 20000",
        BUILTIN,
    ),
    "module": (
        "'p := rego.parse_module(\"a\", input)'",
        "'package a\\np := ' + '[' * 9999",
        BUILTIN,
    ),
    "patches": (
        '\'ps := [{"op": "copy", "from": "", "path": sprintf("/x%d", [i])} |'
        " some i in numbers.range(1, 60)]\\np := json.patch(input, ps)'",
        "{'a': 1}",
        ANY,
    ),
}

DEEP = {
    "equality": "'p if input.a == input.b'",
    "set": "'p := count({input.a, input.b})'",
    "sort": "'p := sort([input.a, input.b])'",
    "answer": "'p := input'",
    "JSON": "'p := json.marshal(input)'",
    "YAML": "'p := yaml.marshal(input)'",
    "text": "'p := sprintf(\"%v\", [input])'",
    "walk": "'p := count([1 | walk(input, [_, _])])'",
    "union": "'p := object.union(input, input)'",
    "subset": "'p if object.subset(input.a, input.b)'",
    "filter": "'p := json.filter(input, [\"a/0/0\"])'",
    "schema": '\'p := json.match_schema(input, {"type": "object"})\'',
    "template": "'p := strings.render_template(\"{{.}}\", input)'",
}

SHARED = {
    "equality": "'p if x39 == y39'",
    "order": "'p if x39 < y39'",
    "set": "'p := count({x39, y39})'",
    "sort": "'p := count(sort([x39, y39]))'",
    "membership": "'p if x39 in {y39}'",
    "key": "'p := count({x39: 1, y39: 2})'",
    "union": '\'p := count(object.union({"a": x39}, {"a": y39}))\'',
    "subset": '\'p if object.subset({"a": x39}, {"a": y39})\'',
    "walk": "'p := count([1 | walk(x39, [_, 7])])'",
    "JSON": "'p := count(json.marshal(x39))'",
    "schema": '\'p := json.match_schema({"a": x39}, {"type": "object"})\'',
    "flattening": "'p := count(array.flatten(x39))'",
    "answer": "'p := x39'",
    "removal": '\'p := count(json.remove({"a": x39}, ["a/0/0"]))\'',
}


def _make(body: str, input_: str = "{}") -> str:
    return PRELUDE.format(body=f"('package t\\n\\n' + {body}, {input_})")


@pytest.mark.parametrize("name", NESTED)
def test_nested_texts_are_refused(attempt: Any, name: str) -> None:
    assert attempt(_make(NESTED[name])) in PARSE


@pytest.mark.parametrize("name", LARGE)
def test_large_policies_are_compiled_or_refused(attempt: Any, name: str) -> None:
    assert attempt(_make(LARGE[name], "{'x': 1}"), seconds=10) in ANY


@pytest.mark.parametrize("name", BLOW_UPS)
def test_blow_ups_are_bounded(attempt: Any, name: str) -> None:
    body, input_, allowed = BLOW_UPS[name]
    assert attempt(_make(body, input_)) in allowed


@pytest.mark.parametrize("name", DEEP)
@pytest.mark.parametrize("wrap", ["[x]", "{'a': x}"])
def test_deep_documents_are_bounded(attempt: Any, name: str, wrap: str) -> None:
    one = f"deep(50_000, lambda x: {wrap})"
    assert attempt(_make(DEEP[name], f"{{'a': {one}, 'b': {one}}}")) in LIMIT | BUILTIN | ANSWER


@pytest.mark.parametrize("name", SHARED)
@pytest.mark.parametrize("step", ["[X, X]", '{"a": X, "b": X}'])
def test_values_with_shared_parts_are_bounded(attempt: Any, name: str, step: str) -> None:
    rules = f"doubling('x', 'input.a', '{step}') + doubling('y', 'input.b', '{step}') + "
    made = _make(rules + SHARED[name], "{'a': [1], 'b': [1]}")
    assert attempt(made) in LIMIT | BUILTIN | ANSWER | REFUSED


def test_a_hundred_thousand_rules(attempt: Any) -> None:
    rules = "'p := r99999\\n' + ''.join(f'r{n} := {n}\\n' for n in range(100000))"
    assert attempt(_make(rules), seconds=60) == "value"
