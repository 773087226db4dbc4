"""What a node declares."""

import pytest

from pilothouse.kubelet.cri.features import Features
from pilothouse.kubelet.cri.interface import RuntimeStatus
from pilothouse.kubelet.declared_features import declared_features

OURS = {"GuaranteedQoSPodCPUResize", "RestartAllContainersOnContainerExits"}


@pytest.mark.parametrize(
    ("runtime", "more"),
    [
        (None, set()),
        (RuntimeStatus(()), set()),
        (RuntimeStatus((), (), Features(supplemental_groups_policy=True)), set()),
        (RuntimeStatus((), (), Features(user_namespaces_host_network=True)), {"UserNamespacesHostNetworkSupport"}),
    ],
)
def test_what_needs_the_runtime_is_declared_when_it_says_so(runtime: RuntimeStatus | None, more: set[str]) -> None:
    assert declared_features(runtime) == OURS | more
