import pytest

from fakes.admission import write
from pilothouse.apiserver.verbs.shape import warnings_of


@pytest.mark.parametrize(
    ("texts", "header"),
    [
        (["a", "b", "a"], '299 - "a", 299 - "b"'),
        (['say "a\\b"'], '299 - "say \\"a\\\\b\\""'),
        (["a\nb", "c"], '299 - "c"'),
        (["caf\u00e9 \u2192"], '299 - "caf\u00e9 \u2192"'),
    ],
)
def test_warnings(texts: list[str], header: str) -> None:
    exchange = write("/v1/pods", "CREATE").exchange
    exchange.warnings += texts
    assert warnings_of(exchange)["Warning"].encode("latin-1").decode() == header


@pytest.mark.parametrize("texts", [[], [""], ["a\r\nSet-Cookie: b"], ["a\x85b"]])
def test_what_cannot_stand_in_a_header_is_not_said(texts: list[str]) -> None:
    exchange = write("/v1/pods", "CREATE").exchange
    exchange.warnings += texts
    assert warnings_of(exchange) == {}
