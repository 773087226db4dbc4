"""What expressions cost at run time: upstream's numbers, from the table that pins them for CRD rules.

Source: apiextensions-apiserver/pkg/apiserver/schema/cel/celcoststability_test.go.
"""

import pytest

from fakes.cel_expressions import cost_of
from pilothouse.api.machinery.cel.library.authorizer import Authorizer, Decision
from pilothouse.api.machinery.cel.types import (
    AUTHORIZER,
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    STRING,
    TIMESTAMP,
    CelType,
    list_of,
    map_of,
    object_of,
)
from pilothouse.api.machinery.cel.values import Duration, Timestamp

OBJECT = object_of("o", {"k": STRING, "v": STRING, "v2": STRING})
SELF: dict[str, tuple[CelType, object]] = {
    "i1": (INT, 2**63 - 1),
    "i2": (INT, 5),
    "f1": (DOUBLE, 10.0),
    "s1": (STRING, "Rook takes 👑"),
    "s2": (STRING, "Rook takes 👑"),
    "ten": (STRING, "10"),
    "by": (BYTES, b"AB"),
    "b1": (BOOL, True),
    "d": (DURATION, Duration(3723004 * 10**6)),
    "t": (TIMESTAMP, Timestamp(1313690617010 * 10**6)),
    "l1": (list_of(INT), [1, 2, 3]),
    "l2": (list_of(INT), [1, 2, 3]),
    "array": (list_of(INT), [1, 1, 2, 2, 3, 3, 4, 5]),
    "set": (list_of(INT), [1, 2, 3, 4, 5]),
    "m": (map_of(STRING, STRING), {"k1": "a", "k2": "b"}),
    "val": (map_of(STRING, INT), {"b": 1, "d": 2}),
    "a": (object_of("a", {"b": INT}), {"b": 1}),
    "a1": (
        object_of("a1", {"b1": object_of("b1", {"c1": INT}), "d2": object_of("d2", {"e2": INT})}),
        {"b1": {"c1": 4}},
    ),
    "objs": (
        list_of(list_of(OBJECT)),
        [[{"k": "a", "v": "1"}, {"k": "b", "v": "2"}], [{"k": "a", "v": "1"}, {"k": "b", "v": "2"}]],
    ),
    "listMap": (
        list_of(OBJECT),
        [{"k": "a1", "v": "b1"}, {"k": "a2", "v": "b2"}, {"k": "a3", "v": "b3", "v2": "z"}],
    ),
    "some": (DYN, "25%"),
    "one": (DYN, 1),
    "current": (INT, 5),
}
TYPES: dict[str, CelType] = {"self": object_of("self", {name: kind for name, (kind, _) in SELF.items()})}
VALUE = {name: value for name, (_, value) in SELF.items()}


@pytest.mark.parametrize(
    ("text", "cost"),
    [
        ("self.i1 == self.i2", 5),
        ("type(self.i1) == int", 4),
        ("self.i2 + 1 == 5 + 1", 5),
        ("double(self.i2) < self.f1", 6),
        ("double(5) < 10.0", 1),
        ("double(self.i2) < 10.0", 4),
        ("self.s1.startsWith('Rook')", 4),
        ("!self.s1.startsWith('knight')", 5),
        ("self.s1.matches('^[^0-9]*$')", 8),
        ("!self.s1.matches('^[0-9]*$')", 7),
        ("size(self.s1) == 12", 4),
        ("self.s1.charAt(3) == 'k'", 4),
        ("self.s1.indexOf('o') == 1", 4),
        ("self.s1.indexOf('o', 2) == 2", 4),
        ("self.s1.replace(' ', 'x') == 'Rookxtakesx👑'", 7),
        ("self.s1.split(' ') == ['Rook', 'takes', '👑']", 6),
        ("self.s1.substring(5) == 'takes 👑'", 5),
        ("self.s1.substring(0, 4) == 'Rook'", 5),
        ("self.s1.substring(4, 10).trim() == 'takes'", 6),
        ("self.s1.upperAscii() == 'ROOK TAKES 👑'", 6),
        ("self.by == b'AB'", 3),
        ("size(self.by) == 2", 4),
        ("self.d == duration('1h2m') + duration('3s4ms')", 4),
        ("self.d.getHours() == 1", 4),
        ("type(self.d) == google.protobuf.Duration", 4),
        ("self.t.getDate('01:00') == 18", 4),
        ("self.ten in ['Pending', 'Available']", 2),
        ("string(self.i2) == self.ten", 6),
        ("string(self.f1) == '10.5'", 4),
        ("bytes(self.ten) == self.by", 6),
        ("1 in self.l1", 5),
        ("self.l2[0] in self.l1", 8),
        ("!(0 in self.l1)", 6),
        ("self.l1 + self.l2 == [1, 2, 3, 1, 2, 3]", 6),
        ("self.l1 + [4, 5] == [1, 2, 3, 4, 5]", 4),
        ("self.objs[0] == self.objs[1]", 7),
        ("self.objs[0] == [self.objs[0][0], self.objs[0][1]]", 22),
        ("self.m == {'k1': 'a', 'k2': 'b'}", 3),
        ("'k1' in self.m", 3),
        ("has(self.a.b)", 2),
        ("has(self.a1.b1.c1)", 3),
        ("!(has(self.a1.d2) && has(self.a1.d2.e2))", 3),
        ("!has(self.a1.d2)", 3),
        ("self.val.all(k, self.val[k] > 0)", 17),
        ("self.val.exists_one(k, self.val[k] == 2)", 14),
        ("!self.val.exists_one(k, self.val[k] > 0)", 17),
        ("size(self.val.filter(k, self.val[k] > 1)) == 1", 26),
        ("has(self.listMap[0].v)", 3),
        ("self.listMap.all(m, m.k.startsWith('a'))", 21),
        ("self.listMap.all(m, !has(m.v2) || m.v2 == 'z')", 21),
        ("self.listMap.exists(m, m.k.endsWith('1'))", 13),
        ("self.listMap.exists_one(m, m.k == 'a3')", 15),
        ("!self.listMap.all(m, m.k.endsWith('1'))", 18),
        ("!self.listMap.exists(m, m.v == 'x')", 25),
        ("size(self.listMap.filter(m, m.k == 'a1')) == 1", 27),
        ("self.listMap.exists(m, m.k == 'a1' && m.v == 'b1')", 16),
        ("self.listMap.map(m, m.v).exists(v, v == 'b1')", 55),
        ("self.listMap.exists(m, has(m.v2) && m.v2 == 'z')", 21),
        ("!self.listMap.all(m, has(m.v2) && m.v2 != 'z')", 10),
        ("self.listMap.exists_one(m, has(m.v2) && m.v2 == 'z')", 12),
        ("self.listMap.filter(m, has(m.v2) && m.v2 == 'z').size() == 1", 24),
        ("self.listMap.map(m, has(m.v2) && m.v2 == 'z', m.v2).size() == 1", 25),
        ("self.listMap.filter(m, has(m.v2) && m.v2 == 'z').map(m, m.v2).size() == 1", 39),
        ("self.listMap.exists(m, m.v2 == 'z')", 24),
        ("!self.listMap.all(m, m.v2 != 'z')", 22),
        ("2 in self.array", 10),
        ("self.array.all(e, e > 0)", 43),
        ("self.array.exists(e, e > 2)", 36),
        ("self.array.exists_one(e, e > 4)", 22),
        ("!self.array.all(e, e < 2)", 21),
        ("size(self.array.filter(e, e%2 == 0)) == 3", 68),
        ("self.array.map(e, e * 20).filter(e, e > 50).exists(e, e == 60)", 194),
        ("self.set.map(e, e * 20).filter(e, e > 50).exists_one(e, e == 60)", 133),
        ("type(self.some) == int ? self.some == 1 : self.some == '25%'", 7),
        ("self.some == 1 || self.some == '25%'", 6),
        ("self.some == '25%' || self.some == 1", 3),
        ("self.some != ['anything']", 3),
        (r"type(self.some) == string && self.some.matches(r'(\d+(\.\d+)?%)')", 10),
        (
            (
                "type(self.some) == int ? self.current <= self.some : "
                "double(self.current) / double(self.i2) >= double(self.some.replace('%', '')) / 100.0"
            ),
            17,
        ),
    ],
)
def test_upstreams_numbers(text: str, cost: int) -> None:
    assert cost_of(text, TYPES, self=VALUE) == cost


@pytest.mark.parametrize(
    ("text", "cost"),
    [
        ("[object, object]", 12),
        ("[1, 2]", 0),
        ("{'a': object}", 31),
        ("{'a': 1}", 0),
        ("Object{a: 1}", 40),
        ("object ? object : object", 1),
        ("authorizer.path('/x').check('get').allowed()", 350_003),
        ("sets.contains([1, 2], [1])", 3),
        ("sets.equivalent([1, 2], [1, 2])", 9),
        ("cidr('10.0.0.0/8').containsIP('10.1.2.3')", 3),
        ("cidr('10.0.0.0/8').containsCIDR('10.1.0.0/16')", 6),
        ("format.dns1123Label().validate('abc')", 9),
        ("[1].transformMap(i, v, v)", 5),
        ("[1].transformMapEntry(i, v, {v: i})", 35),
        ("cel.bind(x, object, true)", 0),
        ("cel.bind(x, object, x == x)", 4),
    ],
)
def test_by_the_same_rules(text: str, cost: int) -> None:
    """*Assumed* from the rules: the table above has none of these."""
    authorizer = Authorizer(lambda _question: Decision(allowed=True))
    assert cost_of(text, {"authorizer": AUTHORIZER}, object=True, authorizer=authorizer) == cost
