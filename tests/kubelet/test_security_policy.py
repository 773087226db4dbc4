"""What the node's owner may set."""

from pilothouse.kubelet.security_policy import STRICT


def test_without_a_word_upstreams_defaults_hold() -> None:
    assert (STRICT.allowed_unsafe_sysctls, STRICT.seccomp_default, STRICT.ids_per_pod) == ((), False, 65536)
