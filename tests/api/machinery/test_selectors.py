"""Selectors: the grammar, its errors, and matching, as pkg/labels and pkg/fields test them.

*Assumed*: that an empty list of values is shown as `[]`.
"""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.api.machinery.label_requirements import Requirement
from pilothouse.api.machinery.selectors import (
    EVERYTHING,
    NOTHING,
    FieldRequirement,
    LabelSelector,
    escape_field_value,
    from_label_selector,
    from_labels,
    parse_field_selector,
    parse_label_selector,
)
from pilothouse.api.types.meta_v1 import LabelSelector as LabelSelectorView

NAME_PART = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
    "character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
VALUE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
    "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("x=a,y=b", "x=a,y=b"),
        ("y=b, x==a", "x==a,y=b"),
        ("x=", "x="),
        ("x= ,z= ", "x=,z="),
        ("!x", "!x"),
        ("\rx", "x"),
        ("x>1,z<5", "x>1,z<5"),
        ("foo  in\t (b,a)", "foo in (a,b)"),
        ("x notin\n (abc)", "x notin (abc)"),
        ("x in ()", "x in ()"),
        ("x in (abc,)", "x in (,abc)"),
        ("x in (,)", "x in ()"),
        ("x in (a,,b)", "x in (,a,b)"),
        ("in in (in, notin)", "in in (in,notin)"),
        ("notin=in", "notin=in"),
        ("a.io/b!=c", "a.io/b!=c"),
        ("x,y in (a),!z", "x,y in (a),!z"),
    ],
)
def test_grammar(text: str, shown: str) -> None:
    assert str(parse_label_selector(text)) == shown


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("x=a||y=b", f'unable to parse requirement: values[0][x]: Invalid value: "a||y": {VALUE}'),
        ("x==a==b", "found '==', expected: ',' or 'end of string'"),
        ("!x=a", "found '=', expected: ',' or 'end of string'"),
        ("x<a", ('unable to parse requirement: values[0]: Invalid value: "a": '
                "for 'Gt', 'Lt' operators, the value must be an integer")),
        ("=a", "found '=', expected: !, identifier, or 'end of string'"),
        ("x,", "found '', expected: identifier after ','"),
        ("x,,y", "found ',', expected: identifier after ','"),
        ("!", "unable to parse requirement: found '', expected: identifier"),
        ("x y", "unable to parse requirement: found 'y', expected: in, notin, =, ==, !=, gt, lt"),
        ("x in a", "unable to parse requirement: found 'a' expected: '('"),
        ("x in", "unable to parse requirement: found '' expected: '('"),
        ("x in (", "unable to parse requirement: found '', expected: ',', ')' or identifier"),
        ("x in (a", "unable to parse requirement: found '', expected: ',' or ')'"),
        ("x in (a b)", "unable to parse requirement: found 'b', expected: ',' or ')'"),
        ("x in (a,=)", "unable to parse requirement: found '=', expected: ',', or identifier"),
        ("x==(a)", "unable to parse requirement: found '(', expected: identifier"),
        ("-x", f'unable to parse requirement: <nil>: Invalid value: "-x": {NAME_PART}'),
    ],
)  # fmt: skip
def test_parse_errors(text: str, wrong: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_label_selector(text)
    assert str(caught.value) == wrong


@pytest.mark.parametrize(
    ("text", "labels", "wanted"),
    [
        ("", {"x": "y"}, True),
        ("x=y", {"x": "y"}, True),
        ("x=y,z=w", {"x": "y", "z": "w"}, True),
        ("x=y,z=w", {"x": "y", "z": "v"}, False),
        ("x=y", {}, False),
        ("x=", {"x": ""}, True),
        ("x=", {}, False),
        ("x!=y", {}, True),
        ("x!=y,z!=w", {"x": "z", "z": "a"}, True),
        ("x!=y", {"x": "y"}, False),
        ("x", {"x": "z"}, True),
        ("x", {"y": "z"}, False),
        ("!x", {"y": "z"}, True),
        ("!x", {"x": ""}, False),
        ("x in (a,b)", {"x": "b"}, True),
        ("x in (a,b)", {}, False),
        ("x notin (a,b)", {}, True),
        ("x notin (a,b)", {"x": "a"}, False),
        ("x>1", {"x": "2"}, True),
        ("x>1", {"x": "1"}, False),
        ("x<1", {"x": "0"}, True),
        ("x>1", {"x": "v2"}, False),
        ("x>1", {}, False),
        ("x=a,x=b", {"x": "a"}, False),
        ("x=a,x!=a", {"x": "a"}, False),
    ],
)
def test_matching(text: str, labels: dict[str, str], wanted: bool) -> None:
    assert parse_label_selector(text).matches(labels) is wanted


def test_absent_and_empty() -> None:
    assert from_label_selector(None) is NOTHING
    assert from_label_selector(LabelSelectorView()) is NOTHING
    assert from_label_selector({}) is EVERYTHING
    assert from_label_selector(LabelSelectorView({})) is EVERYTHING
    assert from_label_selector({"matchLabels": {}, "matchExpressions": []}) is EVERYTHING
    assert not NOTHING.matches({"a": "b"})
    assert EVERYTHING.everything
    assert not NOTHING.everything
    assert NOTHING != EVERYTHING


def test_label_selector_of_an_object() -> None:
    raw = {
        "matchLabels": {"app": "web"},
        "matchExpressions": [
            {"key": "tier", "operator": "In", "values": ["a", "b"]},
            {"key": "old", "operator": "DoesNotExist"},
            {"key": "zone", "operator": "Exists"},
            {"key": "x", "operator": "NotIn", "values": ["1"]},
        ],
    }
    selector = from_label_selector(LabelSelectorView(raw))
    assert str(selector) == "app=web,!old,tier in (a,b),x notin (1),zone"
    assert selector == from_label_selector(raw)
    assert hash(selector) == hash(parse_label_selector(str(selector)))
    assert selector.matches({"app": "web", "tier": "a", "zone": ""})
    assert not selector.matches({"app": "web", "tier": "a", "zone": "", "old": ""})
    assert selector.exact("app") == "web"
    assert selector.exact("tier") is None


@pytest.mark.parametrize(
    ("selector", "wrong"),
    [
        ({"matchExpressions": [{"key": "a", "operator": "Gt", "values": ["1"]}]},
         '"Gt" is not a valid label selector operator'),
        ({"matchExpressions": [{"key": "a", "operator": "In"}]},
         "values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty"),
        ({"matchExpressions": [{"key": "a", "operator": "Exists", "values": ["x"]}]},
         'values: Invalid value: ["x"]: values set must be empty for exists and does not exist'),
        ({"matchLabels": {"-": "a b"}},
         f'[key: Invalid value: "-": {NAME_PART}, values[0][-]: Invalid value: "a b": {VALUE}]'),
    ],
)  # fmt: skip
def test_wrong_label_selectors(selector: dict[str, object], wrong: str) -> None:
    with pytest.raises(ValueError) as caught:
        from_label_selector(selector)
    assert str(caught.value) == wrong


def test_selector_of_plain_labels() -> None:
    selector = from_labels({"b": "2", "a": "1"})
    assert str(selector) == "a=1,b=2"
    assert selector.matches({"a": "1", "b": "2", "c": "3"})
    assert from_labels({}).everything


_keys = st.sampled_from("abc")
_values = st.sampled_from(["", "1", "2"])
_expressions = st.one_of(
    st.fixed_dictionaries({"key": _keys, "operator": st.sampled_from(["In", "NotIn"]),
                           "values": st.lists(_values, min_size=1)}),
    st.fixed_dictionaries({"key": _keys, "operator": st.sampled_from(["Exists", "DoesNotExist"])}),
)  # fmt: skip


@given(st.dictionaries(_keys, _values), st.lists(_expressions), st.dictionaries(_keys, _values))
def test_text_says_the_same(
    labels: dict[str, str], expressions: list[dict[str, object]], given: dict[str, str]
) -> None:
    selector = from_label_selector({"matchLabels": labels, "matchExpressions": expressions})
    assert parse_label_selector(str(selector)).matches(given) == selector.matches(given)
    one_by_one = all(requirement.matches(given) for requirement in selector.requirements)
    assert selector.matches(given) == one_by_one
    assert LabelSelector(selector.requirements) == selector


@pytest.mark.parametrize(
    ("text", "requirements"),
    [
        ("", ()),
        ("a=b", (("a", "=", "b"),)),
        ("a==b", (("a", "=", "b"),)),
        ("a!=b", (("a", "!=", "b"),)),
        ("b=2,a=1,,", (("a", "=", "1"), ("b", "=", "2"))),
        ("spec.nodeName=", (("spec.nodeName", "=", ""),)),
        (r"x=a\,b\=c\\", (("x", "=", r"a,b=c" + "\\"),)),
        ("x=a!b", (("x", "=", "a!b"),)),
    ],
)
def test_field_grammar(text: str, requirements: tuple[FieldRequirement, ...]) -> None:
    assert parse_field_selector(text).requirements == requirements


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("abc", "invalid selector: 'abc'; can't understand 'abc'"),
        ("a=b,c", "invalid selector: 'a=b,c'; can't understand 'c'"),
        ("a=b=c", "invalid field selector: unescaped character in value: 61"),  # a Go rune
        (r"a=\b", r"invalid field selector: invalid escape sequence: \b"),
        ("a=b\\", "invalid field selector: invalid escape sequence: \\"),
    ],
)
def test_field_errors(text: str, wrong: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_field_selector(text)
    assert str(caught.value) == wrong


def test_field_matching() -> None:
    selector = parse_field_selector("spec.nodeName=n1,status.phase!=Failed")
    assert selector.matches({"spec.nodeName": "n1", "status.phase": "Running"})
    assert not selector.matches({"spec.nodeName": "n1", "status.phase": "Failed"})
    assert not selector.matches({"status.phase": "Running"})
    assert parse_field_selector("spec.nodeName=").matches({})
    assert selector.exact("spec.nodeName") == "n1"
    assert selector.exact("status.phase") is None
    assert parse_field_selector("").everything


@given(st.dictionaries(st.sampled_from(["a", "b.c"]), st.text(), min_size=1))
def test_escaping(fields: dict[str, str]) -> None:
    text = ",".join(f"{field}={escape_field_value(value)}" for field, value in fields.items())
    selector = parse_field_selector(text)
    assert selector.matches(fields)
    assert parse_field_selector(str(selector)) == selector


# Laws.

Term = tuple[str, str, tuple[str, ...]]
"""Key, operator and values, as they are written."""
_texts = st.sampled_from(["", "1", "2", "10", "x", "A.b_c-d"])
_term = st.one_of(
    st.tuples(_keys, st.sampled_from(["=", "==", "!="]), st.tuples(_texts)),
    st.tuples(_keys, st.sampled_from(["in", "notin"]), st.lists(_texts, min_size=1, max_size=3).map(tuple)),
    st.tuples(_keys, st.sampled_from(["exists", "!"]), st.just(())),
    st.tuples(_keys, st.sampled_from([">", "<"]), st.tuples(st.sampled_from(["0", "1", "10"]))),
)
_labels = st.dictionaries(_keys, _texts | st.sampled_from(["-3", "+5", "1.5"]))


def written(term: Term) -> str:
    key, operator, values = term
    if operator in ("in", "notin"):
        return f"{key} {operator} ({','.join(values)})"
    return {"exists": key, "!": f"!{key}"}.get(operator) or f"{key}{operator}{values[0]}"


def holds(term: Term, labels: dict[str, str]) -> bool:
    """What the documentation says of one term."""
    key, operator, values = term
    value = labels.get(key)
    if operator in (">", "<"):
        if value is None or not value.lstrip("+-").isdecimal():
            return False
        return int(value) > int(values[0]) if operator == ">" else int(value) < int(values[0])
    return {
        "exists": value is not None,
        "!": value is None,
        "=": value == values[0] if values else False,
        "==": value == values[0] if values else False,
        "in": value in values,
        "!=": value not in values,
        "notin": value not in values,
    }[operator]


@given(st.lists(_term, max_size=5), _labels)
def test_a_selector_means_what_its_terms_say(terms: list[Term], labels: dict[str, str]) -> None:
    selector = parse_label_selector(", ".join(map(written, terms)))
    assert selector.matches(labels) == all(holds(term, labels) for term in terms)
    assert all(one.matches(labels) for one in selector.requirements) == selector.matches(labels)
    assert parse_label_selector(str(selector)) == selector
    assert str(parse_label_selector(str(selector))) == str(selector)


@given(st.text(alphabet='ab1 ,=!()<>\t"\\.-/_\u00e9', max_size=30))
def test_any_text_is_a_selector_or_refused(text: str) -> None:
    for parse in (parse_label_selector, parse_field_selector):
        try:
            selector = parse(text)
        except ValueError:
            continue
        assert parse(str(selector)) == selector


_fields = st.lists(
    st.tuples(st.sampled_from(["a", "b.c"]), st.sampled_from(["=", "==", "!="]), st.text("ab,=\\!", max_size=2)),
    max_size=5,
)


@given(_fields, st.dictionaries(st.sampled_from(["a", "b.c"]), st.text("ab,=\\!", max_size=2)))
def test_a_field_selector_means_what_its_terms_say(terms: list[tuple[str, str, str]], fields: dict[str, str]) -> None:
    selector = parse_field_selector(",".join(f"{field}{op}{escape_field_value(value)}" for field, op, value in terms))
    assert selector.matches(fields) == all(
        (fields.get(field, "") != value) if op == "!=" else (fields.get(field, "") == value)
        for field, op, value in terms
    )
    again = parse_field_selector(str(selector))
    assert sorted(again.requirements) == sorted(selector.requirements), "they are sorted as written, == or ="


class Asked(dict[str, str]):
    """Labels, or fields, that count how often they are asked for."""

    count = 0

    def get(self, key: str, default: Any = None) -> Any:
        self.count += 1
        return super().get(key, default)

    def __contains__(self, key: object) -> bool:
        self.count += 1
        return super().__contains__(key)


@pytest.mark.parametrize(
    ("term", "matches"),
    [
        ("!k{}", True), ("k{}!=x", True), ("k{} notin (x,y)", True), ("a>{}", False), ("a notin (b{})", True),
        ("a!=b{}", True), ("k{}", False), ("k{}=x", False), ("k{} in (x,y)", False), ("a in (b{},1)", True),
    ],
)  # fmt: skip
def test_ten_thousand_terms_cost_an_object_what_its_labels_do(term: str, matches: bool) -> None:
    """They are compared with every object of a list."""
    selector = parse_label_selector(",".join(term.format(number) for number in range(10_000)))
    labels = Asked({"a": "1", "b": "2"})
    assert selector.matches(labels) is matches
    assert labels.count <= 4


def test_many_values_are_not_looked_through() -> None:
    class Text(str):
        __slots__ = ()
        compared = 0

        __hash__ = str.__hash__

        def __eq__(self, other: object) -> bool:
            Text.compared += 1
            return super().__eq__(other)

    selector = parse_label_selector(f"a in ({','.join(map(str, range(10_000)))}),b notin (x,y)")
    assert selector.matches({"a": Text("9999"), "b": "z"})
    assert not selector.matches({"a": Text("10000")})
    assert Text.compared <= 3


@pytest.mark.parametrize(("term", "matches"), [("a!=b{}", True), ("a=b{}", False)])
def test_ten_thousand_terms_on_one_field_cost_one_look(term: str, matches: bool) -> None:
    selector = parse_field_selector(",".join(term.format(number) for number in range(10_000)))
    fields = Asked({"a": "1"})
    assert selector.matches(fields) is matches
    assert fields.count == 1


def test_ten_thousand_terms_are_told_apart_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each was compared with every other."""
    compared = 0
    same = Requirement.__eq__

    def counted(one: Requirement, other: object) -> bool:
        nonlocal compared
        compared += 1
        return same(one, other)

    monkeypatch.setattr(Requirement, "__eq__", counted)
    parse_label_selector(",".join(f"k{number}=x,l{number}!=x" for number in range(5000)))
    assert compared == 0
