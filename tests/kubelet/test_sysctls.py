"""Names, patterns, kernels, namespaces."""

import pytest

from pilothouse.kubelet.sysctls import AllowedSysctls, dotted


@pytest.mark.parametrize(
    ("name", "with_dots"),
    [
        ("net.ipv4.tcp_rmem", "net.ipv4.tcp_rmem"),
        ("net/ipv4/tcp_rmem", "net.ipv4.tcp_rmem"),
        ("net/ipv4/conf/eth0.1/forwarding", "net.ipv4.conf.eth0/1.forwarding"),
        ("net.ipv4.conf.eth0/1.forwarding", "net.ipv4.conf.eth0/1.forwarding"),
        ("plain", "plain"),
    ],
)
def test_the_first_sign_says_how_a_name_is_written(name: str, with_dots: str) -> None:
    assert dotted(name) == with_dots


@pytest.mark.parametrize(
    ("kernel", "name", "allowed"),
    [
        ("3.10.0-1160.el7", "net.ipv4.ip_local_reserved_ports", False),
        ("3.16.1", "net.ipv4.ip_local_reserved_ports", True),
        ("4.9.0", "net.ipv4.tcp_rmem", False),
        ("4.15", "net.ipv4.tcp_rmem", True),
        ("6.1.0-18-amd64", "net.ipv4.tcp_fin_timeout", True),
        ("unknown", "net.ipv4.tcp_fin_timeout", False),
        ("unknown", "kernel.shm_rmid_forced", True),
        ("6.1.0", "net.core.somaxconn", False),
        ("6.1.0", "vm.swappiness", False),
    ],
)
def test_what_is_safe_depends_on_the_kernel(kernel: str, name: str, allowed: bool) -> None:
    problem = AllowedSysctls.of((), kernel).problem(name, host_network=False, host_ipc=False)
    assert problem == ("" if allowed else f'"{name}" not allowlisted')


@pytest.mark.parametrize(
    ("pattern", "name", "problem"),
    [
        ("net.core.somaxconn", "net.core.somaxconn", '"net.core.somaxconn" not allowed with host net enabled'),
        ("net.*", "net.core.somaxconn", '"net.core.somaxconn" not allowed with host net enabled'),
        ("kernel.sem", "kernel/sem", ""),
        ("kernel/msg*", "kernel.msgmax", ""),
        ("kernel.sem", "kernel.semaphore", '"kernel.semaphore" not allowlisted'),
        ("fs.mqueue.msg_max", "fs.mqueue.msg_max", ""),
    ],
)
def test_allowed_patterns_hold_but_for_namespaces_of_the_host(pattern: str, name: str, problem: str) -> None:
    assert AllowedSysctls.of((pattern,), "6.1.0").problem(name, host_network=True, host_ipc=False) == problem


@pytest.mark.parametrize("pattern", ["vm.swappiness", "*", "k*", "net.ipv4..x", "Net.x", "", "a" * 254])
def test_what_is_no_pattern_or_belongs_to_no_namespace_is_an_error(pattern: str) -> None:
    with pytest.raises(ValueError, match="sysctl"):
        AllowedSysctls.of((pattern,), "6.1.0")
