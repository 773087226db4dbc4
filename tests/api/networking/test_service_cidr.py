"""ServiceCIDR. Source: TestValidateServiceCIDR in pkg/apis/networking/validation/validation_test.go."""

from typing import Any

import pytest

from fakes.judged import created, updated
from pilothouse.api.networking.service_cidr import RESOURCE

V4, V6 = "10.0.0.0/16", "fd00::/112"
ONE = "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64"


def _with(*blocks: str) -> dict[str, Any]:
    return {"metadata": {"name": "c"}, "spec": {"cidrs": list(blocks)}}


@pytest.mark.parametrize(
    ("blocks", "wrong"),
    [
        ((V4,), []),
        ((V6, V4), []),
        ((), ["spec.cidrs: Required value: at least one CIDR required"]),
        (
            (V4, V6, V4),
            [f'spec.cidrs: Invalid value: {{"CIDRs":["{V4}","{V6}","{V4}"]}}: may only hold up to 2 values'],
        ),
        ((V4, "10.1.0.0/16"), [f'spec.cidrs: Invalid value: ["{V4}","10.1.0.0/16"]: {ONE}']),
        (
            ("10.0.0.1/16",),
            ['spec.cidrs[0]: Invalid value: "10.0.0.1/16": must not have bits set beyond the prefix length'],
        ),
        (("FD00::/112",), ['spec.cidrs[0]: Invalid value: "FD00::/112": must be in canonical form ("fd00::/112")']),
    ],
)
def test_create(blocks: tuple[str, ...], wrong: list[str]) -> None:
    assert created(RESOURCE, _with(*blocks), {}) == wrong


@pytest.mark.parametrize(
    ("old", "new", "wrong"),
    [
        ((V4,), (V4,), []),
        ((V4,), (V4, V6), []),
        ((V4,), (V6,), [f'spec.cidrs[0]: Invalid value: "{V6}": field is immutable']),
        ((V4,), (V6, V4), [f'spec.cidrs[0]: Invalid value: "{V6}": field is immutable']),
        ((V4, V6), (V4,), [f'spec.cidrs: Invalid value: ["{V4}"]: field is immutable']),
        ((V4,), (V4, "10.1.0.0/16"), [f'spec.cidrs: Invalid value: ["{V4}","10.1.0.0/16"]: {ONE}']),
    ],
)
def test_update(old: tuple[str, ...], new: tuple[str, ...], wrong: list[str]) -> None:
    assert updated(RESOURCE, _with(*old), {"spec": {"cidrs": list(new)}}) == wrong
