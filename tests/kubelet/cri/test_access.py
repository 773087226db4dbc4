"""Where a runtime is: endpoints that can be, and those that cannot."""

import pytest

from pilothouse.kubelet.cri.access import EndpointError, RuntimeAccess, socket_of


def test_sockets() -> None:
    assert socket_of("unix:///run/containerd/containerd.sock") == "/run/containerd/containerd.sock"
    assert socket_of("/run/crio/crio.sock") == "/run/crio/crio.sock"


@pytest.mark.parametrize(
    ("endpoint", "why"),
    [
        ("tcp://127.0.0.1:5000", "only support unix socket endpoint"),
        ("npipe:////./pipe/runtime", 'protocol "npipe" not supported'),
        ("unix://run/a.sock", "names no absolute path"),
    ],
)
def test_what_is_no_endpoint(endpoint: str, why: str) -> None:
    with pytest.raises(EndpointError, match=why):
        RuntimeAccess(endpoint=endpoint)
    with pytest.raises(EndpointError, match=why):
        RuntimeAccess(image_endpoint=endpoint)
