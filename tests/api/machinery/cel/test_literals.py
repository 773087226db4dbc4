"""Literals that cannot be what they are used as are told at compilation."""

import pytest

from fakes.cel_expressions import complaint


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("duration('1x')", "1:10: invalid duration argument"),
        ("timestamp('2024-13-01T00:00:00Z')", "1:11: invalid timestamp argument"),
        ("'a'.matches('[')", "1:13: invalid matches argument"),
        ("[1, dyn(1)]", "1:8: expected type 'int' but found 'dyn'"),
        ("[object, 1, 'a']", "1:10: expected type 'dyn' but found 'int'"),
        ("{'a': object, 'b': 1}", "1:20: expected type 'dyn' but found 'int'"),
        ("{object: 1, 'b': 1}", "1:13: expected type 'dyn' but found 'string'"),
        ("[?object.?a, 1]", "1:14: expected type 'dyn' but found 'int'"),
        ("'%s'.format([object, 1])", ""),
        ("'%s'.format([[object, 1]])", ""),
        ("'%s'.format([size([object, 1])])", "1:28: expected type 'dyn' but found 'int'"),
        ("duration(object) == timestamp('2024-01-01T00:00:00Z') - timestamp(object)", ""),
    ],
)
def test_complaints(text: str, said: str) -> None:
    assert complaint(text).replace("ERROR: <input>:", "") == said
