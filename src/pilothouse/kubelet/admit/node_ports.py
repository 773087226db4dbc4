"""NodePorts: two pods cannot have the same port of the node."""

from collections.abc import Iterator

from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.admit_handler import AdmitHandler, NodeView, Refusal, failed_check
from pilothouse.kubelet.containers import is_sidecar

_ANY = "0.0.0.0"
_Port = tuple[str, int, str]
"""Protocol, number, address."""


class NodePorts(AdmitHandler):
    """Compares with the ports that the others hold. The address for all clashes with each."""

    rank = 70

    def refuse(self, pod: Pod, view: NodeView) -> Refusal | None:
        """Refuse what wants a port that is taken."""
        wanted = list(_ports(pod))
        if wanted:
            held = [port for other in view.others for port in _ports(other)]
            if any(_clash(one, other) for one in wanted for other in held):
                return failed_check("NodePorts", "node(s) didn't have free ports for the requested pod ports")
        return None


def _ports(pod: Pod) -> Iterator[_Port]:
    """Those of the containers that run while the pod does."""
    for container in (*pod.spec.containers, *filter(is_sidecar, pod.spec.initContainers)):
        for port in container.ports:
            if port.hostPort:
                yield port.protocol or "TCP", port.hostPort, port.hostIP or _ANY


def _clash(one: _Port, other: _Port) -> bool:
    return one[:2] == other[:2] and (one[2] == other[2] or _ANY in (one[2], other[2]))
