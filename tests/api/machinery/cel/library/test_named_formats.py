"""Named formats."""

import pytest

from fakes.cel_expressions import evaluated

GOOD = {
    "dns1123Label": "a-1", "dns1123Subdomain": "a.b-c", "dns1035Label": "a1", "qualifiedName": "a.b/C_d",
    "dns1123LabelPrefix": "a-", "dns1123SubdomainPrefix": "a.b-", "dns1035LabelPrefix": "a-", "labelValue": "",
    "uri": "http://a/b", "uuid": "123e4567-e89b-12d3-a456-426614174000", "byte": "aGVsbG8=", "date": "2024-02-29",
    "datetime": "2024-02-29T00:00:00Z",
}  # fmt: skip
BAD = {
    "dns1123Label": "A", "dns1123Subdomain": "a..b", "dns1035Label": "1a", "qualifiedName": "/a",
    "dns1123LabelPrefix": "-", "dns1123SubdomainPrefix": "a..b-", "dns1035LabelPrefix": "1ab-", "labelValue": "-",
    "uri": "x", "uuid": "123", "byte": "a", "date": "2023-02-29", "datetime": "2024-02-29",
}  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
def test_each(name: str) -> None:
    assert evaluated(f"format.{name}().validate(object).hasValue()", object=GOOD[name]) is False
    assert evaluated(f"format.{name}().validate(object).hasValue()", object=BAD[name]) is True
    assert evaluated(f"format.named('{name}').value().validate(object).hasValue()", object=BAD[name]) is True


def test_what_is_wrong_is_told() -> None:
    assert evaluated("format.uuid().validate('x').value()") == ["does not match the UUID format"]
    assert evaluated("format.date().validate('x').value() + format.byte().validate('').value()") == [
        "invalid date",
        "invalid base64",
    ]
    assert evaluated("format.uri().validate('x').value()") == ['parse "x": invalid URI for request']
    assert "must consist of lower case" in evaluated("format.dns1123Label().validate('A').value().join('')")


def test_other_names_are_none() -> None:
    assert evaluated("format.named('email').hasValue()") is False
