"""How messages show values. Source: ErrorBody in apimachinery/pkg/util/validation/field/errors.go."""

from typing import Any

import pytest

from pilothouse.api.machinery.field import as_go_shows

FIELDS: dict[str, Any] = {
    "APIGroup": "",
    "IP": None,
    "SELinuxOptions": {"Type": "", "Level": None},
    "GMSACredentialSpec": None,
    "Add": [],
}


@pytest.mark.parametrize(
    ("obj", "shown"),
    [
        ({}, {"APIGroup": "", "IP": None, "SELinuxOptions": None, "GMSACredentialSpec": None, "Add": []}),
        (
            {"apiGroup": "g", "ip": "1", "seLinuxOptions": {"type": "t"}, "gmsaCredentialSpec": "", "add": ["x"]},
            {
                "APIGroup": "g",
                "IP": "1",
                "SELinuxOptions": {"Type": "t", "Level": None},
                "GMSACredentialSpec": "",
                "Add": ["x"],
            },
        ),
    ],
)
def test_as_go_shows(obj: dict[str, Any], shown: dict[str, Any]) -> None:
    assert list(as_go_shows(obj, FIELDS).items()) == list(shown.items())
