"""Files of variables: what is read, and what is refused, as upstream's parser has it."""

import pytest

from pilothouse.kubelet.env_file import EnvFileError, parse_env_file

TEXT = """
# a comment
A='one'
  B='$A \\n "two"' # behind it
C='three
lines
here'
D=
E= 'not taken'
F='x=y'
"""


@pytest.mark.parametrize(("key", "value"), [
    ("A", "one"), ("B", '$A \\n "two"'), ("C", "three\nlines\nhere"), ("D", ""), ("E", ""), ("F", "x=y"), ("G", ""),
])  # fmt: skip
def test_values_are_what_stands_in_single_quotes(key: str, value: str) -> None:
    assert parse_env_file(TEXT, key) == value


@pytest.mark.parametrize(("text", "message"), [
    ("A", "line 1: missing '='"),
    ("\nA ='x'", "line 2: whitespace before '='"),
    ("='x'", "line 1: empty variable name"),
    ("A=x", "line 1: value must be enclosed in single quotes"),
    ('A="x"', "line 1: value must be enclosed in single quotes"),
    ("A='x", "line 1: unclosed single quote"),
    ("A='x'y", "line 1: unexpected content after closing quote"),
    ("B='1\n2'\nA='x\n'y", "line 4: unexpected content after closing quote"),
])  # fmt: skip
def test_anything_else_is_an_error(text: str, message: str) -> None:
    with pytest.raises(EnvFileError, match=message):
        parse_env_file(text, "A")


def test_what_follows_the_key_is_not_read() -> None:
    assert parse_env_file("A='x'\nnonsense", "A") == "x"
