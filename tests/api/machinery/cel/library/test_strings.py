"""Functions of texts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.cel_expressions import complaint, evaluated
from pilothouse.api.machinery.cel.library.strings import STRINGS

TEXT = st.text("aé😀,", max_size=6)
RUN = {name: function.run for name, function in STRINGS.functions.items()}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("'tacocat'.charAt(4)", "c"),
        ("'tacocat'.charAt(7)", ""),
        ("'tacocat'.charAt(8)", "error: index out of range: 8"),
        ("'héllo'.indexOf('l')", 2),
        ("'héllo'.indexOf('l', 3)", 3),
        ("'héllo'.indexOf('z')", -1),
        ("'héllo'.indexOf('')", 0),
        ("'héllo'.indexOf('l', 5)", "error: index out of range: 5"),
        ("'héllo'.lastIndexOf('l')", 3),
        ("'héllo'.lastIndexOf('l', 2)", 2),
        ("'héllo'.lastIndexOf('llo', 4)", 2),
        ("'héllo'.lastIndexOf('')", 5),
        ("'héllo'.lastIndexOf('l', -1)", "error: index out of range: -1"),
        ("['a', 'b'].join()", "ab"),
        ("['a', 'b'].join('-')", "a-b"),
        ("[].join('-')", ""),
        ("'TacoCÉt'.lowerAscii()", "tacocÉt"),
        ("'tacocét'.upperAscii()", "TACOCéT"),
        ("'a a a'.replace('a', 'b')", "b b b"),
        ("'a a a'.replace('a', 'b', 2)", "b b a"),
        ("'a a a'.replace('a', 'b', 0)", "a a a"),
        ("'ab'.replace('', '-')", "-a-b-"),
        ("'a,b,c'.split(',')", ["a", "b", "c"]),
        ("'a,b,c'.split(',', 2)", ["a", "b,c"]),
        ("'a,b,c'.split(',', 0)", []),
        ("'abc'.split('')", ["a", "b", "c"]),
        ("'abc'.split('', 2)", ["a", "bc"]),
        ("''.split(',')", [""]),
        ("'tacocat'.substring(4)", "cat"),
        ("'tacocat'.substring(0, 4)", "taco"),
        ("'tacocat'.substring(8)", "error: index out of range: 8"),
        ("'tacocat'.substring(4, 3)", "error: invalid substring range. start: 4, end: 3"),
        ("'tacocat'.substring(0, 8)", "error: index out of range: 8"),
        ("'tacocat'.substring(-1)", "error: index out of range: -1"),
        (r"' \u00a0\u3000a\n'.trim()", "a"),
        (r"'\u200ba'.trim()", "\u200ba"),
        (r"strings.quote('a\n\"é\\')", '"a\\n\\"é\\\\"'),
        ("'abc'.startsWith('ab') && 'abc'.endsWith('bc') && 'abc'.contains('b')", True),
        ("[object, object].join('')", "error: no such overload: join(list, string)"),
    ],
)
def test_functions(text: str, value: object) -> None:
    assert evaluated(text, object=1) == value


@given(TEXT, TEXT)
def test_places_agree_with_pythons(text: str, part: str) -> None:
    if part:
        assert RUN["indexOf"](text, part) == text.find(part)
        assert RUN["lastIndexOf"](text, part) == text.rfind(part)
    assert RUN["join"](RUN["split"](text, part), part) == text
    assert RUN["join"](RUN["split"](text, part, 2), part) == text


@given(TEXT, st.integers(-2, 8), st.integers(-2, 8))
def test_substrings_are_slices_or_errors(text: str, start: int, end: int) -> None:
    if 0 <= start <= end <= len(text):
        assert RUN["substring"](text, start, end) == text[start:end]
    else:
        with pytest.raises(Exception, match="range"):
            RUN["substring"](text, start, end)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("'%s %s %s %s'.format([object, 'a', true, null])", "1 a true null"),
        ("'100%%'.format([])", "100%"),
        ("'%s'.format([[1, 2]])", "[1, 2]"),
        ("'%s'.format([{'b': 'x', 'a': 'y'}])", '{"a":"y", "b":"x"}'),
        ("'%s'.format([[1.5]])", "[1.500000]"),
        ("'%s'.format([[duration('1s')]])", '[duration("1s")]'),
        ("'%s'.format([timestamp('2024-01-01T00:00:00Z')])", "2024-01-01T00:00:00Z"),
        ("'%s'.format([int])", "int"),
        ("'%d'.format([-7])", "-7"),
        ("'%.2f'.format([1234.567])", "1,234.57"),
        ("'%f'.format([1.0])", "1.000000"),
        ("'%.2e'.format([1234.567])", "1.23\u202f×\u202f10⁰³"),
        ("'%b %b'.format([5, 6])", "101 110"),
        ("'%b'.format([true])", "1"),
        ("'%o'.format([8])", "10"),
        ("'%x %X'.format([255, 255])", "ff FF"),
        ("'%x'.format(['hi'])", "6869"),
        ("'%X'.format([b'hi'])", "6869"),
        ("'%s'.format([])", "error: index 0 out of range"),
        (
            "'%d'.format(['a'])",
            "error: error during formatting: decimal clause can only be used on integers, was given string",
        ),
        ("'%z'.format([1])", 'error: could not parse formatting clause: unrecognized formatting clause "z"'),
        ("'%.f'.format([1.0])", (
            "error: could not parse formatting clause: error while parsing precision: error while converting precision "
            'to integer: strconv.Atoi: parsing "": invalid syntax'
        )),
        ("'%'.format([1])", "error: unexpected end of string"),
    ],
)  # fmt: skip
def test_format(text: str, value: str) -> None:
    assert evaluated(text, object=1) == value


def test_what_came_later_is_not_there() -> None:
    assert complaint("'a'.reverse()").endswith("undeclared reference to 'reverse' (in container '')")
