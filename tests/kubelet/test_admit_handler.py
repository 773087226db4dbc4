"""The handlers that a kubelet has."""

from pilothouse.kubelet.admit_handler import all_handlers


def test_handlers_are_asked_in_upstreams_order() -> None:
    assert [type(handler).__name__ for handler in all_handlers()] == [
        "NodePressure", "Sysctls", "PodOs", "SupplementalGroups", "Resources", "NodeAffinity", "NodePorts",
        "TaintToleration", "AppArmor", "Features", "NodeShutdown",
    ]  # fmt: skip
