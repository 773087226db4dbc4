"""Syntax: what is read how, and what ANTLR's parser says of what cannot be read.

The words were compared with those of Google's C++ parser, which is made from the same grammar.
"""

import pytest

from fakes.cel_expressions import complaint, evaluated
from pilothouse.api.machinery.cel.source import Complaints

EOF = "Syntax error: mismatched input '<EOF>' expecting BEGINS"
TOO_MUCH = "Syntax error: extraneous input '2' expecting <EOF>"
BEGINS = (
    "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}"
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "1:1: Syntax error: mismatched input '<EOF>' expecting BEGINS"),
        ("1 +", "1:4: Syntax error: mismatched input '<EOF>' expecting BEGINS"),
        ("1 ++", f"1:4: Syntax error: mismatched input '+' expecting BEGINS\n1:5: {EOF}"),
        ("1 == == 1", "1:6: Syntax error: extraneous input '==' expecting BEGINS"),
        ("(1", "1:3: Syntax error: missing ')' at '<EOF>'"),
        ("size(1", "1:7: Syntax error: missing ')' at '<EOF>'"),
        ("[1", "1:3: Syntax error: mismatched input '<EOF>' expecting {']', ','}"),
        ("1)", "1:2: Syntax error: extraneous input ')' expecting <EOF>"),
        ("1 2", "1:3: Syntax error: extraneous input '2' expecting <EOF>"),
        ("true ? 1", "1:9: Syntax error: mismatched input '<EOF>' expecting ':'"),
        ("object.", "1:8: Syntax error: no viable alternative at input '.'"),
        ("object..a", "1:8: Syntax error: no viable alternative at input '..'"),
        ("1 & 2", f"1:3: Syntax error: token recognition error at: '& '\n1:5: {TOO_MUCH}"),
        ("'abc", f"1:1: Syntax error: token recognition error at: ''abc'\n1:5: {EOF}"),
        ("9223372036854775808", "1:1: invalid int literal"),
        ("-9223372036854775809", "1:1: invalid int literal"),
        ("18446744073709551616u", "1:1: invalid uint literal"),
        ("9" * 5000, "1:1: invalid int literal"),
        ("if", "1:1: reserved identifier: if"),
        ("has(object)", "1:5: invalid argument to has() macro"),
        ("[1].all(x.y, true)", "1:10: argument must be a simple name"),
        ("[1].map(1, 2)", "1:9: argument must be a simple name"),
    ],
)  # fmt: skip
def test_syntax_errors(text: str, said: str) -> None:
    assert complaint(text).replace("ERROR: <input>:", "").replace(BEGINS, "BEGINS") == said


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0x1F", 31),
        ("-0x1f", -31),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("-9223372036854775808", -(2**63)),
        (r"'\n\t\\\'\"\x41\u00e9\U0001F600\101'", "\n\t\\'\"Aé😀A"),
        (r"r'\n'", r"\n"),
        ("'''a\n'b''c'''", "a\n'b''c"),
        ('"""a"b"""', 'a"b'),
        (r"b'\xff\377é'", b"\xff\xff\xc3\xa9"),
        ("1 // one\n + 2", 3),
        ("- 1", -1),
        ("--1", 1),
        ("!!!true", False),
        ("1 - -1", 2),
        ("2 - 1 - 1", 0),
        ("1 + 2 * 3", 7),
        ("true ? 1 : false ? 2 : 3", 1),
        ("false || true && false", False),
        ("[1, 2,]", [1, 2]),
        ("{'a': 1,}", {"a": 1}),
        ("1 < 2 == true", True),
    ],
)
def test_what_is_read(text: str, value: object) -> None:
    assert evaluated(text) == value


def test_it_is_shown_where() -> None:
    complaints = Complaints("'é'\t+\nfoo")
    complaints.add(4, "here")
    complaints.add(6, "there")
    assert complaints.display() == (
        "ERROR: <input>:1:5: here\n | 'é' +\n | .．..^\nERROR: <input>:2:1: there\n | foo\n | ^"
    )
