"""Functions of lists and sets, and of optionals."""

import pytest

from fakes.cel_expressions import complaint, evaluated
from pilothouse.api.machinery.cel.values import NONE, Duration, Optional, Uint


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("[1, 2, 2].isSorted()", True),
        ("['b', 'a'].isSorted()", False),
        ("[duration('1s'), duration('1m')].isSorted()", True),
        ("[1, 2, 3].sum()", 6),
        ("[1.5, 2.0].sum()", 3.5),
        ("[9223372036854775807, 1].sum()", "error: integer overflow"),
        ("[1u].filter(x, x > 1u).sum()", Uint(0)),
        ("[duration('1s')].filter(x, false).sum()", Duration(0)),
        ("object.sum()", 3),
        ("dyn([1.5]).sum()", "error: no such overload"),
        ("[3, 1, 2].min()", 1),
        ("['a', 'c', 'b'].max()", "c"),
        ("[1].filter(x, x > 1).min()", "error: min called on empty list"),
        ("['a', 'b', 'a'].indexOf('a')", 0),
        ("['a', 'b', 'a'].lastIndexOf('a')", 2),
        ("['a'].indexOf('z')", -1),
        ("object.indexOf(1.0)", 0),
        ("object.includes(2) && !object.includes(5)", True),
        ("object[0].includes(1)", True),
        ("sets.contains([1, 2, 3], [3, 1])", True),
        ("sets.contains([1], [2])", False),
        ("sets.equivalent([1, 2, 2], [2, 1])", True),
        ("sets.intersects([1, 2], [2, 3])", True),
        ("sets.intersects([1], [])", False),
        ("optional.of(1).or(optional.of(2)).value()", 1),
        ("optional.none().orValue(2)", 2),
        ("optional.ofNonZeroValue('')", NONE),
        ("optional.ofNonZeroValue(0.5)", Optional(0.5)),
        ("optional.of(1).hasValue()", True),
        ("optional.unwrap([optional.of(1), optional.none()])", [1]),
        ("[optional.none(), optional.of('a')].unwrapOpt()", ["a"]),
        ("[1, 2].first().value() + [1, 2].last().value()", 3),
        ("[1].filter(x, false).first()", NONE),
        ("optional.of([1, 2])[1]", Optional(2)),
        ("optional.of({'a': 1})[?'b']", NONE),
    ],
)
def test_functions(text: str, value: object) -> None:
    assert evaluated(text, object=[1, 2]) == value


def test_only_what_can_be_ordered_is() -> None:
    assert complaint("[[1]].isSorted()").endswith("no matching overload for 'isSorted' applied to 'list(list(int)).()'")
