"""What the checker says of wrong expressions: upstream's words, at upstream's places."""

import pytest

from fakes.cel_expressions import complaint
from pilothouse.api.machinery.cel.types import INT, STRING, list_of, map_of, object_of

RANGES = "(must be list, map, or dynamic)"
UNDECLARED = "undeclared reference to '{}' (in container '')"
TYPES = {
    "i": INT,
    "s": STRING,
    "l": list_of(STRING),
    "m": map_of(STRING, INT),
    "o": object_of("kubernetes.Thing", {"a": INT, "inner": object_of("kubernetes.Inner", {"b": STRING})}),
}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("foo", "1:1: undeclared reference to 'foo' (in container '')"),
        ("foo.bar", "1:1: undeclared reference to 'foo' (in container '')"),
        ("f(1)", "1:2: undeclared reference to 'f' (in container '')"),
        ("s.f(1)", "1:4: undeclared reference to 'f' (in container '')"),
        ("i + s", "1:3: found no matching overload for '_+_' applied to '(int, string)'"),
        ("i == s", "1:3: found no matching overload for '_==_' applied to '(int, string)'"),
        ("i == 1.0", "1:3: found no matching overload for '_==_' applied to '(int, double)'"),
        ("s.startsWith(1)", "1:13: found no matching overload for 'startsWith' applied to 'string.(int)'"),
        ("duration('1s') + i", "1:16: found no matching overload for '_+_' applied to '(duration, int)'"),
        ("size(i)", "1:5: found no matching overload for 'size' applied to '(int)'"),
        ("true ? i : s", "1:6: found no matching overload for '_?_:_' applied to '(bool, int, string)'"),
        ("null && true", "1:6: found no matching overload for '_&&_' applied to '(null, bool)'"),
        ("l[s]", "1:2: found no matching overload for '_[_]' applied to '(list(string), string)'"),
        ("i in m", "1:3: found no matching overload for '@in' applied to '(int, map(string, int))'"),
        ("o.missing", "1:2: undefined field 'missing'"),
        ("o.inner.b.c", "1:10: type 'string' does not support field selection"),
        ("has(o.missing)", "1:4: undefined field 'missing'"),
        ("i.all(x, true)", "1:1: expression of type 'int' cannot be range of a comprehension " + RANGES),
        ("l.all(x, x)", "1:6: found no matching overload for '_&&_' applied to '(bool, string)'"),
        ("l.all(x, true) && x", "1:19: undeclared reference to 'x' (in container '')"),
        ("[1, 'a']", "1:5: expected type 'int' but found 'string'"),
        ("{'a': 1, 2: 1}", "1:10: expected type 'string' but found 'int'"),
        ("{'a': 1, 'b': 'c'}", "1:15: expected type 'int' but found 'string'"),
        ("[?1]", "1:3: expected type 'optional_type(int)' but found 'int'"),
        ("Thing{a: 1}", "1:6: undeclared reference to 'Thing' (in container '')"),
        ("i{a: 1}", "1:2: 'i' is not a type"),
        ("JSONPatch{op: 1}", "1:13: expected type of field 'op' is 'string' but provided type is 'int'"),
        ("JSONPatch{nope: 1}", "1:15: undefined field 'nope'"),
        ("foo\n+ bar", f"1:1: {UNDECLARED.format('foo')}\n2:3: {UNDECLARED.format('bar')}"),
        ("true &&\n  foo", "2:3: undeclared reference to 'foo' (in container '')"),
    ],
)  # fmt: skip
def test_complaints(text: str, said: str) -> None:
    assert complaint(text, TYPES).replace("ERROR: <input>:", "") == said


@pytest.mark.parametrize(
    "text",
    [
        "[] == [1] && {} == {'a': 1}",
        "o == null",
        "object.a + 1 < object.b",
        "[[], [1]][1][0] + 1 == 1",
        "l.map(x, x.size()).all(n, n > 0)",
        "m.map(k, m[k]).sum() > 0",
        "[1, 2].filter(x, x > 1)[0] == 2",
        "optional.of(s).orValue('x') == s",
        "type(s) == string && type(o) == type(o)",
        ".i + i == 2",
    ],
)
def test_right_ones(text: str) -> None:
    assert complaint(text, TYPES) == ""
