"""What is kept for others, and must not be said of it."""

from typing import Any

import pytest

from pilothouse.kubelet.configuration.fields import upstream_defaults
from pilothouse.kubelet.configuration.merge import lay
from pilothouse.kubelet.configuration.resource_rules import resource_errors

ENFORCED = "enforceNodeAllocatable (--enforce-node-allocatable)"
TWICE = (
    "can't use reservedSystemCPUs (--reserved-cpus) with systemReservedCgroup (--system-reserved-cgroup) or "
    "kubeReservedCgroup (--kube-reserved-cgroup)"
)


def enforce(*options: str, **more: Any) -> dict[str, Any]:
    return {"enforceNodeAllocatable": list(options), **more}


def memory(*nodes: dict[str, str]) -> dict[str, Any]:
    return {"reservedMemory": [{"numaNode": 0, "limits": limits} for limits in nodes]}


@pytest.mark.parametrize(
    ("over", "wrong"),
    [
        (enforce("pods"), []),
        (enforce("none"), []),
        (enforce(), []),
        (enforce("pods", "system-reserved", systemReservedCgroup="/s"), []),
        (enforce("pods", cgroupsPerQOS=False),
         [f'cgroupsPerQOS (--cgroups-per-qos) must be set to true when "pods" contained in {ENFORCED}']),
        (enforce("none", cgroupsPerQOS=False), []),
        (enforce("system-reserved"),
         [('systemReservedCgroup (--system-reserved-cgroup) must be specified when "system-reserved" or '
          f'"system-reserved-compressible" included in {ENFORCED}')]),
        (enforce("kube-reserved-compressible"),
         [('kubeReservedCgroup (--kube-reserved-cgroup) must be specified when "kube-reserved" or '
          f'"kube-reserved-compressible" included in {ENFORCED}')]),
        (enforce("kube-reserved-compressible", "kube-reserved", kubeReservedCgroup="/k"),
         [f'both "kube-reserved" and "kube-reserved-compressible" cannot be specified together in {ENFORCED}']),
        (enforce("none", "pods"), [f'{ENFORCED} may not contain additional enforcements when "none" is specified']),
        (enforce("pods", "pods"), [f'duplicated enforcements "pods" in {ENFORCED}']),
        (enforce("x"),
         [(f'option "x" specified for {ENFORCED}. Valid options are "pods", "system-reserved", '
          '"system-reserved-compressible", "kube-reserved", "kube-reserved-compressible" or "none"')]),
        ({"reservedSystemCPUs": "0-3"}, []),
        ({"reservedSystemCPUs": "0-3", "systemReservedCgroup": "/s"}, [TWICE]),
        ({"reservedSystemCPUs": "0-3", "kubeReservedCgroup": "/s"}, [TWICE]),
        (memory({"memory": "1Gi", "hugepages-2Mi": "4Mi"}), []),
        (memory({"cpu": "1"}),
         [('the limit type "cpu" for NUMA node 0 is not supported, only [memory hugepages-<HugePageSize>] is '
          "accepted")]),
        (memory({"memory": "0"}), ['reserved memory may not be zero for NUMA node 0 and resource "memory"']),
        (memory({"memory": "1"}, {"memory": "2"}),
         ['the reserved memory has a duplicate value for NUMA node 0 and resource "memory"']),
    ],
)  # fmt: skip
def test_what_is_refused(over: dict[str, Any], wrong: list[str]) -> None:
    found = resource_errors(lay(upstream_defaults(), over))
    assert [text.removeprefix("invalid configuration: ") for text in found] == wrong


def test_processors_that_cannot_be_read() -> None:
    (wrong,) = resource_errors(lay(upstream_defaults(), {"reservedSystemCPUs": "all"}))
    head = "invalid configuration: unable to parse reservedSystemCPUs (--reserved-cpus) all, error: "
    assert wrong.startswith(head)
