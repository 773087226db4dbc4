"""Which sysctls a pod may set here."""

from typing import Any

import pytest

from kubelet.admit.viewing import make, view
from pilothouse.kubelet.admit.sysctls import Sysctls
from pilothouse.kubelet.admit_handler import Refusal
from pilothouse.kubelet.sysctls import AllowedSysctls


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ({}, None),
        ({"securityContext": {"sysctls": [{"name": "net.ipv4.tcp_syncookies", "value": "1"}]}}, None),
        (
            {"securityContext": {"sysctls": [{"name": "kernel.msgmax", "value": "1"}]}},
            'forbidden sysctl: "kernel.msgmax" not allowlisted',
        ),
        (
            {
                "hostNetwork": True,
                "securityContext": {"sysctls": [{"name": "net/ipv4/tcp_syncookies", "value": "1"}]},
            },
            'forbidden sysctl: "net.ipv4.tcp_syncookies" not allowed with host net enabled',
        ),
        (
            {
                "hostIPC": True,
                "securityContext": {"sysctls": [{"name": "kernel.shm_rmid_forced", "value": "1"}]},
            },
            'forbidden sysctl: "kernel.shm_rmid_forced" not allowed with host ipc enabled',
        ),
    ],
    ids=["none", "safe", "unsafe", "host network", "host ipc"],
)
def test_what_is_not_allowed_is_refused(spec: dict[str, Any], told: str | None) -> None:
    expected = Refusal("SysctlForbidden", told) if told else None
    assert Sysctls().refuse(make(**spec), view()) == expected


def test_the_owner_of_the_node_may_allow_more() -> None:
    pod = make(securityContext={"sysctls": [{"name": "kernel.msgmax", "value": "1"}]})
    allowed = AllowedSysctls.of(("kernel.msg*",), "6.1.0")
    assert Sysctls().refuse(pod, view(sysctls=allowed)) is None
