"""Each refusal in Go's words, and agreement with the standard decoder on what JSON is."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.api.machinery.codec.syntax import explain

CASES = [
    (b"", "unexpected end of JSON input"),
    (b"  ", "unexpected end of JSON input"),
    (b'{"a":1', "unexpected end of JSON input"),
    (b'"a', "unexpected end of JSON input"),
    (b"-", "unexpected end of JSON input"),
    (b"1e", "unexpected end of JSON input"),
    (b"nul", "unexpected end of JSON input"),
    (b"nulx", "invalid character 'x' in literal null (expecting 'l')"),
    (b'{"a" 1}', "invalid character '1' after object key"),
    (b'{"a":1 "b"}', "invalid character '\"' after object key:value pair"),
    (b"{'a':1}", "invalid character '\\'' looking for beginning of object key string"),
    (b'{"a":1,}', "invalid character '}' looking for beginning of object key string"),
    (b"{,}", "invalid character ',' looking for beginning of object key string"),
    (b'{"a":.5}', "invalid character '.' looking for beginning of value"),
    (b'{"a":NaN}', "invalid character 'N' looking for beginning of value"),
    (b"[1,]", "invalid character ']' looking for beginning of value"),
    (b"\xef\xbb\xbf{}", "invalid character '\u00ef' looking for beginning of value"),
    (b"[1 2]", "invalid character '2' after array element"),
    (b"{}x", "invalid character 'x' after top-level value"),
    (b"01", "invalid character '1' after top-level value"),
    (b"-x", "invalid character 'x' in numeric literal"),
    (b"1.x", "invalid character 'x' after decimal point in numeric literal"),
    (b"1e+x", "invalid character 'x' in exponent of numeric literal"),
    (b'"\x01"', "invalid character '\\x01' in string literal"),
    (b'"a\nb"', "invalid character '\\n' in string literal"),
    (b'"\\x"', "invalid character 'x' in string escape code"),
    (b'"\\u12g4"', "invalid character 'g' in \\u hexadecimal character escape"),
]


@pytest.mark.parametrize(("body", "wanted"), CASES)
def test_refusals(body: bytes, wanted: str) -> None:
    assert explain(body) == wanted


@given(st.text(alphabet='{}[]",:\\ -+.eE01tfalsrun\n', max_size=12))
def test_it_knows_json_as_the_standard_decoder_does(text: str) -> None:
    try:
        json.loads(text, parse_constant=int)
    except (ValueError, TypeError):
        valid = False
    else:
        valid = True
    assert (explain(text.encode()) is None) == valid
