"""NodeShutdown: nothing is taken while the machine is being shut down."""

from kubelet.admit.viewing import make, view
from pilothouse.kubelet.admit.node_shutdown import NodeShutdown
from pilothouse.kubelet.admit_handler import Refusal


def test_only_then_and_nobody_is_taken() -> None:
    assert NodeShutdown().refuse(make(), view()) is None
    refusal = Refusal("NodeShutdown", "Pod was rejected as the node is shutting down.")
    assert NodeShutdown().refuse(make(), view(shutting_down=True)) == refusal
    assert NodeShutdown().refuse(make(priority=2_000_000_000), view(shutting_down=True)) == refusal
