"""Conversions."""

import pytest

from fakes.cel_expressions import evaluated
from pilothouse.api.machinery.cel.values import Uint


@pytest.mark.parametrize(
    ("text", "given", "value"),
    [
        ("int(object)", "-12", -12),
        ("int(object)", "+12", 12),
        ("int(object)", 1.9, 1),
        ("int(object)", -1.9, -1),
        ("int(object)", 1e19, "error: integer overflow"),
        ("int(object)", Uint(2**63), "error: integer overflow"),
        ("int(object)", "1_0", "error: type conversion error from 'string' to 'int'"),
        ("int(object)", "9223372036854775808", "error: type conversion error from 'string' to 'int'"),
        ("int(object)", "9" * 5000, "error: type conversion error from 'string' to 'int'"),
        ("int(object)", True, "error: no such overload: int(bool)"),
        ("uint(object)", -1, "error: unsigned integer overflow"),
        ("uint(object)", "18446744073709551615", Uint(2**64 - 1)),
        ("uint(object)", -0.5, "error: unsigned integer overflow"),
        ("double(object)", "1.5e3", 1500.0),
        ("double(object)", " 1", "error: type conversion error from 'string' to 'double'"),
        ("double(object)", 3, 3.0),
        ("bool(object)", "true", True),
        ("bool(object)", "F", False),
        ("bool(object)", "yes", "error: type conversion error from 'string' to 'bool'"),
        ("string(object)", 12, "12"),
        ("string(object)", True, "true"),
        ("string(object)", b"\xc3\xa9", "é"),
        ("string(object)", b"\xff", "error: invalid UTF-8 in bytes, cannot convert to string"),
        ("string(object)", None, "error: no such overload: string(null_type)"),
        ("bytes(object)", "é", b"\xc3\xa9"),
        ("size(object)", {"a": 1}, 1),
        ("object.size()", "é", 1),
        ("size(object)", 1, "error: no such overload: size(int)"),
        ("duration(object).getSeconds()", "90s", 90),
        ("duration(object)", "x", "error: type conversion error from 'string' to 'google.protobuf.Duration'"),
        ("timestamp(object)", "x", "error: type conversion error from 'string' to 'google.protobuf.Timestamp'"),
        ("type(object) == string", "x", True),
        ("type(object) == null_type", None, True),
        ("type(object) == google.protobuf.Timestamp", "x", False),
    ],
)
def test_conversions(text: str, given: object, value: object) -> None:
    found = evaluated(text, object=given)
    assert found == value
    assert type(found) is type(value)
