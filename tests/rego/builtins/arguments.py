"""Arguments for every builtin: good ones, edges, and values of the wrong type."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import product
from typing import Any, Final

from adjudge.rego.capabilities import BuiltinDecl
from adjudge.rego.runtime.numbers import parse_number
from adjudge.rego.runtime.values import RegoSet, make_object

SKIPPED: Final = {
    "http.send": "has a network",
    "net.lookup_ip_addr": "has a network",
    "opa.runtime": "tells of the host",
    "rand.intn": "random",
    "uuid.rfc4122": "random",
    "time.now_ns": "the clock",
    "trace": "only told",
    "print": "only told",
    "internal.print": "only told",
    "internal.test_case": "only told",
    "rego.metadata.chain": "made when compiling",
    "rego.metadata.rule": "made when compiling",
    "rego.parse_module": "locations are compared elsewhere",
    "io.jwt.encode_sign": "some signatures are random",
    "io.jwt.encode_sign_raw": "some signatures are random",
    "eq": "no function",
    "assign": "no function",
    "internal.template_string": "made when compiling",
    "walk": "answers are many",
}

BIG = "12345678901234567890123"


def _number(text: str) -> Any:
    return parse_number(text)


_NUMBERS = [_number(t) for t in ("0", "1", "-1", "2", "7", "10", "3.5", "-2.25", "0.1", "255")]
_HUGE = [
    _number(t) for t in (BIG, "1e21", "-9007199254740993", "1e-7", "1.50", "18446744073709551616")
]
_STRINGS = [
    "",
    "a",
    "abc",
    "foo bar",
    "FooBar",
    " x ",
    "ä€😀z",
    "a.b.c",
    "0",
    "12",
    "-1.5",
    "a\nb\t",
]
_ANY: list[Any] = [None, True, False, 0, -1, "", "a", [], {}, [1, "a", [None]], {"a": {"b": 1}}]
_SETS = [
    RegoSet([]),
    RegoSet([1, 2, 3]),
    RegoSet(["a", "b"]),
    RegoSet([1, "a", None]),
    RegoSet([2]),
]
_ARRAYS: list[Any] = [[], [1, 2, 3], ["b", "a"], [3, 1, 2, 1], [[1], {"a": 1}], [None, True, "x"]]
_OBJECTS: list[Any] = [{}, {"a": 1}, {"a": {"b": [1, 2]}, "c": None}, {"ä": "€"}]
_OBJECTS.append(make_object([(1, "one"), ("x", 2)]))

_PATTERNS = ["a", "[a-z]+", "(", "^a.*b$", r"\d{2,3}", "(?i)AB", "a|b", "", "(?P<n>x)", r"\pL+"]
_PATTERNS += [r"\bfoo\b", "(a(b)?)", r"\x{263a}", "a**", "[^\\s]", "a{,2}", "(?s).", "é"]
_GLOBS = ["*", "a*", "**", "a.*.c", "{a,b}*", "[a-c]bc", "\\*", "?", "[!a]*", "", "{", "a/**"]
_TIMES = ["2026-01-31T10:20:30Z", "2024-02-29T23:59:59.123456789+02:00", "nonsense", ""]
_LAYOUTS = [
    "2006-01-02T15:04:05Z07:00",
    "2006-01-02",
    "Jan _2 15:04 MST 2006",
    "RFC3339",
    "02/01/06",
]
_INSTANTS = [
    _number(t) for t in ("0", "1700000000123456789", "-1", "9223372036854775807", BIG, "1.5")
]
_ZONED: list[Any] = [
    [i, z] for i in _INSTANTS[:2] for z in ("UTC", "Europe/Berlin", "Local", "No", "")
]
_FORMATTED: list[Any] = [[_INSTANTS[1], "America/New_York", layout] for layout in _LAYOUTS]
_CIDRS = [
    "10.0.0.0/8",
    "10.1.2.3",
    "192.168.1.0/24",
    "::1/64",
    "2001:db8::/32",
    "10.0.0.0/33",
    "x",
    "",
]
_VERSIONS = ["1.2.3", "1.2.3-rc.1", "v1.0.0", "1.2", "1.2.3+b", "0.0.0", "01.2.3", "1.2.3-01", ""]
_UNITS = [
    "10",
    "10K",
    "1Ki",
    "1.5Gi",
    "100m",
    "10 MB",
    "5mb",
    "-1G",
    "1e3",
    "KB",
    '"1"',
    "",
    "10KiB",
]
_BASE64 = ["YQ==", "YQ", "_-8=", "YQ===", "w6Q=", "!", "", "Zm9v\nYmFy"]
_HEX = ["61", "6", "zz", "C3A4", "", "ff"]
_JSONS = [
    '{"a": [1, 2.50, "x"]}',
    "[1,",
    "nul",
    '"\\u00e4"',
    "",
    "1 2",
    '{"a":1,"a":2}',
    " [1e400] ",
]
_YAMLS = [
    "a: 1\nb: [x, y]",
    "- 1\n- ~",
    "a: b: c",
    "&x 1",
    "",
    "a: !!str 1",
    "yes",
    "{a: 1",
    "- >\n x\n y",
]
_QUERIES = ["a=1&b=2&a=3", "%zz", "a=%20+b", "", "x;y=1", "ä=€"]
_FORMATS = [
    "%d",
    "%s and %v",
    "%5.2f|%-6s|%06d",
    "%x %X %o %b",
    "%q",
    "%%",
    "%!",
    "%d",
    "%e",
    "%c",
    "%t",
    "%U",
]
_PATHS: list[Any] = [
    "a",
    "/a/b",
    "a/b/0",
    [],
    ["a", "b"],
    ["a", "b", 0],
    "a~1b",
    "/",
    ["x", "y"],
    1,
]
_PATCHES: list[Any] = [
    [],
    [{"op": "add", "path": "/x", "value": 1}],
    [{"op": "remove", "path": "/a"}],
    [{"op": "replace", "path": "/a/b", "value": {"z": 1}}],
    [{"op": "move", "from": "/a", "path": "/m"}],
    [{"op": "copy", "from": "/a", "path": ["c", "-"]}],
    [{"op": "test", "path": "/a", "value": 1}],
    [{"op": "nonsense", "path": "/a"}],
    [{"op": "add", "path": "/a/b/-", "value": 9}],
    [{"path": "/a"}],
    "no",
]
_SCHEMAS: list[Any] = [
    {"type": "object", "properties": {"a": {"type": "number"}}, "required": ["a"]},
    '{"type": "array", "minItems": 2}',
    {"type": "nonsense"},
    {"enum": [1, None, "a"]},
    {"oneOf": [{"type": "string"}, {"type": "null"}]},
    "{",
    {},
]
_JWTS = [
    "eyJhbGciOiJIUzI1NiJ9.eyJhIjoxfQ.UnoXbM3fUdzSKN-yHbRPRRyYIMq9JUX1wcWTADAVyVw",
    "eyJhbGciOiJub25lIn0.e30.",
    "a.b.c",
    "a.b",
    "",
    "e30.e30.e30",
]
_GRAPHS: list[Any] = [
    {"a": ["b", "c"], "b": ["c"], "c": []},
    {"a": RegoSet(["b"]), "b": RegoSet(["a"])},
    {"a": None},
    {},
]
_ROOTS: list[Any] = ["a", ["a"], RegoSet(["b"]), [], "z", RegoSet([])]
_SDL = ["type Query { a(x: Int!): [String] }", "type Query { a: Nope }", "{", "scalar X", ""]
_DOCUMENTS = ["{ a(x: 1) }", "query Q { a }", "{ b }", "{", "", "mutation { a }"]
_UUIDS = ["00000000-0000-0000-0000-000000000000", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "x", ""]
_SMALL = [_number(t) for t in ("0", "1", "-1", "2", "5", "3.5", "8")]
_TEMPLATES = [
    "Hi {{.a}}",
    "{{range .b}}{{.}},{{end}}",
    "{{.nope}}",
    "{{",
    "{{if .a}}y{{else}}n{{end}}",
    "",
]
_VALUES: list[Any] = [{"a": 1, "b": [1, 2]}, {"a": "<x>"}, {}]

_ARGUMENTS: Final[dict[str, list[list[Any]]]] = {
    **{
        name: [_PATTERNS, [*_STRINGS, "aab", "x", "A b"]]
        for name in ("regex.match", "regex.is_valid", "regex.split", "re_match")
    },
    "regex.find_n": [_PATTERNS, _STRINGS[1:8], _SMALL],
    "regex.find_all_string_submatch_n": [_PATTERNS, _STRINGS[1:8], _SMALL],
    "regex.replace": [_STRINGS[1:8], _PATTERNS, ["$1", "${n}x", "-", "", "$$"]],
    "regex.template_match": [
        ["urn:{.*}", "a{[b}", "{a}x", "<.>"],
        ["urn:x", "aa", "ax"],
        ["{", "<", ""],
        ["}", ">", ""],
    ],
    "regex.globs_match": [
        ["a.*", "[0-9]+", "a", "", "(", "b*"],
        ["ab", "[a-z]", "1", ".", "", "a+"],
    ],
    "glob.match": [_GLOBS, [[], ["."], ["/"], None, ["ab"], [1]], ["abc", "a.b.c", "a/b", "", "*"]],
    "glob.quote_meta": [[*_GLOBS, *_STRINGS]],
    **{n: [_TIMES] for n in ("time.parse_rfc3339_ns",)},
    "time.parse_ns": [_LAYOUTS, [*_TIMES, "2026-01-31", "31/01/26"]],
    "time.parse_duration_ns": [["1h", "1.5s", "-2m3s", "", "x", "1d", "100us", "1h1h"]],
    **{
        n: [[*_INSTANTS, *_ZONED, *_FORMATTED, [], [0], [0, "UTC", 1], ["x", "UTC"]]]
        for n in ("time.date", "time.clock", "time.weekday", "time.format")
    },
    "time.add_date": [_INSTANTS + _ZONED[:3], _SMALL[:5], _SMALL[:4], _SMALL[:4]],
    "time.diff": [_INSTANTS[:4] + _ZONED[:4], _INSTANTS[:4] + _ZONED[2:4]],
    **{
        n: [_CIDRS, _CIDRS]
        for n in ("net.cidr_contains", "net.cidr_intersects", "net.cidr_overlap")
    },
    "net.cidr_contains_matches": [
        [_CIDRS[0], _CIDRS[:3], RegoSet(_CIDRS[:2]), {"k": _CIDRS[2]}, [["10.0.0.0/8", 1]], "x"],
        [_CIDRS[1], _CIDRS[1:3], {"z": ["10.2.0.0/16", "v"]}, 3],
    ],
    "net.cidr_merge": [
        [_CIDRS[:3], ["10.0.0.0/9", "10.128.0.0/9"], RegoSet(["::/1", "8000::/1"]), ["x"], []]
    ],
    "net.cidr_expand": [["10.0.0.0/30", "10.1.2.3", "::1/127", "x", "192.168.0.1/31"]],
    "net.cidr_is_valid": [_CIDRS],
    "semver.compare": [_VERSIONS, _VERSIONS],
    "semver.is_valid": [[*_VERSIONS, 1, None]],
    "units.parse": [_UNITS],
    "units.parse_bytes": [_UNITS],
    **{n: [_BASE64] for n in ("base64.decode", "base64.is_valid", "base64url.decode")},
    "hex.decode": [_HEX],
    **{n: [_JSONS] for n in ("json.unmarshal", "json.is_valid")},
    **{n: [_YAMLS] for n in ("yaml.unmarshal", "yaml.is_valid")},
    "urlquery.decode": [_QUERIES],
    "urlquery.decode_object": [_QUERIES],
    "urlquery.encode_object": [
        [{"a": "b c"}, {"a": ["x", "ä"]}, {"a": RegoSet(["y"])}, {"a": 1}, {}, [1]]
    ],
    "sprintf": [
        _FORMATS,
        [[1], ["a", 2], [1.5, "x", 7], [10, 11, 12, 13], ["q"], [], [True], [[1]], [_number(BIG)]],
    ],
    "json.filter": [
        _OBJECTS,
        [[], ["a"], ["a/b/0"], [["a", "b"]], RegoSet(["c"]), ["x/y"], [1], "a"],
    ],
    "json.remove": [
        _OBJECTS,
        [[], ["a"], ["a/b/0"], [["a", "b"]], RegoSet(["c"]), ["x/y"], [1], "a"],
    ],
    "json.patch": [[*_OBJECTS[:3], [1, 2]], _PATCHES],
    "json.match_schema": [[*_OBJECTS[:3], '{"a": 1}', "[1]", "nope", [1, 2]], _SCHEMAS],
    "json.verify_schema": [_SCHEMAS],
    "json.marshal_with_options": [
        _ANY,
        [{"pretty": True}, {"indent": "  "}, {"prefix": ">", "pretty": False}, {}, {"x": 1}],
    ],
    "object.get": [_OBJECTS, ["a", ["a", "b"], ["a", "b", 1], [], "z", 1], ["default", None]],
    "object.subset": [[*_OBJECTS, *_SETS, *_ARRAYS], [*_OBJECTS, *_SETS[:4], *_ARRAYS[:4]]],
    "object.remove": [_OBJECTS, [["a"], RegoSet(["a"]), {"a": 1}, [], 1]],
    "object.filter": [_OBJECTS, [["a"], RegoSet(["a"]), {"a": 1}, [], 1]],
    "object.union_n": [[[{"a": 1}, {"b": 2}], [{"a": {"x": 1}}, {"a": {"y": 2}}], [], [1], 1]],
    "numbers.range": [_SMALL, _SMALL],
    "numbers.range_step": [_SMALL, _SMALL, [1, 2, 0, -1, 1.5]],
    **{f"bits.{n}": [[*_SMALL, 255, 1024], _SMALL] for n in ("and", "or", "xor", "lsh", "rsh")},
    "bits.negate": [[*_SMALL, _number(BIG)]],
    "format_int": [[*_NUMBERS, _number(BIG)], [2, 8, 10, 16, 3, 0]],
    "to_number": [
        [*_STRINGS, None, True, False, 1.5, "1e3", "0x10", "+1", "1_0", "Inf", "nan", ".5", "5."]
    ],
    "array.slice": [_ARRAYS, [*_SMALL[:5], 100, -5], [*_SMALL[:5], 100, 2.5]],
    "substring": [_STRINGS, _SMALL, [*_SMALL[:5], 100]],
    "strings.replace_n": [
        [{"a": "b", "b": "c"}, {"": "x"}, {}, {"a": 1}, {"ab": "", "a": "z"}],
        _STRINGS,
    ],
    "strings.any_prefix_match": [
        ["abc", ["abc", "x"], RegoSet(["ä€"]), [], 1],
        ["a", ["b", "x"], RegoSet(["ä"]), [1]],
    ],
    "strings.any_suffix_match": [
        ["abc", ["abc", "x"], RegoSet(["ä€"]), [], 1],
        ["c", ["b", "x"], RegoSet(["€"]), [1]],
    ],
    "strings.render_template": [_TEMPLATES, _VALUES],
    "concat": [["", ",", "ä"], [["a", "b"], RegoSet(["b", "a"]), [], ["a", 1], RegoSet([1]), "x"]],
    "trim": [_STRINGS, ["", " ", "a", "ab", "ä"]],
    "graph.reachable": [_GRAPHS, _ROOTS],
    "graph.reachable_paths": [_GRAPHS, _ROOTS],
    "graphql.parse": [_DOCUMENTS, _SDL],
    "graphql.parse_and_verify": [_DOCUMENTS, _SDL],
    "graphql.is_valid": [_DOCUMENTS, _SDL],
    "graphql.parse_query": [_DOCUMENTS],
    "graphql.parse_schema": [_SDL],
    "graphql.schema_is_valid": [_SDL],
    "uuid.parse": [_UUIDS],
    "io.jwt.decode": [_JWTS],
    **{f"io.jwt.verify_hs{n}": [_JWTS, ["secret", "", "a-string-secret"]] for n in (256, 384, 512)},
    **{
        f"io.jwt.verify_{k}{n}": [
            _JWTS,
            ["", "nonsense", "-----BEGIN CERTIFICATE-----\nxx\n-----END CERTIFICATE-----"],
        ]
        for k in ("rs", "ps", "es")
        for n in (256, 384, 512)
    },
    "io.jwt.verify_eddsa": [_JWTS, ["", "nonsense"]],
    "io.jwt.decode_verify": [
        _JWTS,
        [{"secret": "secret"}, {}, {"cert": "x"}, {"alg": "HS256", "secret": "a"}, {"x": 1}],
    ],
    **{
        f"crypto.hmac.{n}": [_STRINGS, _STRINGS[:4]]
        for n in ("md5", "sha1", "sha256", "sha512", "equal")
    },
    **{
        n: [
            [
                "",
                "nonsense",
                "-----BEGIN CERTIFICATE-----\nYQ==\n-----END CERTIFICATE-----\n",
                "YQ==",
            ]
        ]
        for n in (
            "crypto.x509.parse_certificates",
            "crypto.x509.parse_certificate_request",
            "crypto.x509.parse_rsa_private_key",
            "crypto.x509.parse_and_verify_certificates",
            "crypto.parse_private_keys",
        )
    },
}


def cases(name: str, decl: BuiltinDecl, most: int) -> list[dict[str, Any]]:
    """At most ``most`` calls of a builtin, the same ones every time."""
    chosen = random.Random(name)
    pools = _ARGUMENTS.get(name) or [_pool(arg) for arg in decl.args]
    pools = [[*pool] for pool in pools[: decl.arity]]
    good = _some(chosen, pools, most * 3 // 4)
    mixed = [[*pool, *chosen.sample(_ANY, 4), chosen.choice(_SETS), _HUGE[0]] for pool in pools]
    if name in ("numbers.range", "numbers.range_step", "bits.lsh"):
        mixed = [pool[:-1] for pool in mixed]
    bad = _some(chosen, mixed, most - len(good))
    return [{"call": name, "args": args} for args in (*good, *bad)]


def _some(chosen: random.Random, pools: list[list[Any]], most: int) -> list[list[Any]]:
    size = 1
    for pool in pools:
        size *= len(pool)
    if size <= most:
        return [list(args) for args in product(*pools)]
    return [[chosen.choice(pool) for pool in pools] for _ in range(most)]


def _pool(kind: dict[str, Any]) -> list[Any]:
    """Values of a declared type."""
    return [value for name in _names(kind) for value in _VALUES_OF[name]]


_VALUES_OF: Final[dict[str, list[Any]]] = {
    "string": _STRINGS,
    "number": [*_NUMBERS, *_HUGE],
    "boolean": [True, False],
    "null": [None],
    "array": _ARRAYS,
    "object": _OBJECTS,
    "set": _SETS,
    "any": [*_ANY, *_SETS[:3], *_NUMBERS[:4], *_HUGE, "ä€"],
}


def _names(kind: dict[str, Any]) -> Iterator[str]:
    if kind["type"] == "any" and kind.get("of"):
        for each in kind["of"]:
            yield from _names(each)
    else:
        yield kind["type"]
