"""Regular expressions."""

import pytest

from fakes.cel_expressions import evaluated
from pilothouse.api.machinery.cel.errors import EvaluationError
from pilothouse.api.machinery.cel.library.patterns import compiled


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("'abc 123'.find('[0-9]+')", "123"),
        ("'abc'.find('[0-9]+')", ""),
        ("'1 22 333'.findAll('[0-9]+')", ["1", "22", "333"]),
        ("'1 22 333'.findAll('[0-9]+', 2)", ["1", "22"]),
        ("'1 22'.findAll('[0-9]+', 0)", []),
        ("'1 22'.findAll('[0-9]+', -1)", ["1", "22"]),
        ("'a1b2'.findAll('([a-z])([0-9])')", ["a1", "b2"]),
        ("'héllo'.matches('h.llo')", True),
        ("'xaby'.matches('ab')", True),
        ("'xaby'.matches('^ab')", False),
        ("matches('ab', 'A|B')", False),
        ("'ab'.matches('(?i)A')", True),
        ("'é1'.matches(r'^\\pL\\d$')", True),
        ("'a'.matches(object)", "error: error parsing regexp: missing closing ]: `[`"),
    ],
)
def test_functions(text: str, value: object) -> None:
    assert evaluated(text, object="[") == value


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("(", "missing closing ): `(`"),
        ("a)", "unexpected ): `a)`"),
        ("*", "missing argument to repetition operator: `*`"),
        ("(?=a)", "invalid or unsupported Perl syntax: `(?=`"),
        (r"\y", r"invalid escape sequence: `\y`"),
        ("[b-a]", "invalid character class range: `b-a`"),
    ],
)
def test_what_is_wrong_is_said_in_gos_words(pattern: str, words: str) -> None:
    with pytest.raises(EvaluationError) as caught:
        compiled(pattern)
    assert str(caught.value) == f"error parsing regexp: {words}"


def test_no_pattern_takes_forever() -> None:
    assert evaluated("object.matches('^(a+)+$')", object="a" * 5000 + "b") is False
