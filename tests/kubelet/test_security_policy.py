"""What the node's owner may set."""

import pytest

from pilothouse.kubelet.security_policy import STRICT, SecurityPolicy


def test_without_a_word_upstreams_defaults_hold() -> None:
    assert (STRICT.allowed_unsafe_sysctls, STRICT.seccomp_default, STRICT.ids_per_pod) == ((), False, 65536)


@pytest.mark.parametrize("length", [0, 1, 65535, 65537, -65536])
def test_users_come_in_blocks(length: int) -> None:
    with pytest.raises(ValueError, match="must be a multiple of 65536"):
        SecurityPolicy(ids_per_pod=length)
    assert SecurityPolicy(ids_per_pod=131072).ids_per_pod == 131072
