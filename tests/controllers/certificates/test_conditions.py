"""What has been decided."""

import pytest

from controllers.certificates.asking import asked
from pilothouse.api.types.certificates_v1 import CertificateSigningRequest
from pilothouse.controllers.certificates.conditions import is_decided, is_to_be_signed, with_condition


@pytest.mark.parametrize(
    ("conditions", "certificate", "decided", "signed"),
    [
        ((), "", False, False),
        (("Other",), "", False, False),
        (("Failed",), "", False, False),
        (("Approved",), "", True, True),
        (("Other", "Approved"), "", True, True),
        (("Denied",), "", True, False),
        (("Approved", "Denied"), "", True, False),
        (("Approved", "Failed"), "", True, False),
        (("Approved",), "PEM", True, False),
    ],
)
def test_where_a_request_stands(conditions: tuple[str, ...], certificate: str, decided: bool, signed: bool) -> None:
    found = asked(*conditions, certificate=certificate)
    assert (is_decided(found), is_to_be_signed(found)) == (decided, signed)


def test_a_condition_more() -> None:
    before = asked("Other")
    status = with_condition(before, "Approved", "Why", "Because.")
    assert status["conditions"] == [
        {"type": "Other", "status": "True"},
        {"type": "Approved", "status": "True", "reason": "Why", "message": "Because."},
    ]
    assert len(before.status.conditions) == 1


def test_the_first_condition() -> None:
    assert len(with_condition(CertificateSigningRequest({}), "Approved", "", "")["conditions"]) == 1
