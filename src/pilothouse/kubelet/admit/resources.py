"""OutOfpods, OutOfcpu, OutOfmemory and so on: the node has less left than the pod asks for.

Extended resources that the node does not know are not its business: some are the whole cluster's, some are had by
claims of devices (KEP-5004).
"""

from collections.abc import Iterator, Sequence

from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.admit_handler import AdmitHandler, NodeView, Refusal, Shortage
from pilothouse.kubelet.resources.needs import PODS, Units, is_extended, parsed, pod_needs

_FIRST = ("cpu", "memory", "ephemeral-storage")
_OF_CLASS = "deviceclass.resource.kubernetes.io/"
"""Devices of a class, by the class's name."""


class Resources(AdmitHandler):
    """Adds up what the others are granted."""

    rank = 50

    def refuse(self, pod: Pod, view: NodeView) -> Refusal | None:
        """Refuse what does not fit; the first lack is told."""
        lacks = tuple(shortages(pod_needs(pod), view.others, parsed(view.allocatable)))
        if not lacks:
            return None
        first = lacks[0]
        text = f"requested: {first.requested}, used: {first.used}, capacity: {first.capacity}"
        return Refusal(f"OutOf{first.resource}", f"Node didn't have enough resource: {first.resource}, {text}", lacks)


def shortages(needs: Units, others: Sequence[Pod], capacity: Units) -> Iterator[Shortage]:
    """What is lacking: places for pods first, then the resources that every node has, then others by name."""
    used: Units = {}
    for other in others:
        for name, amount in pod_needs(other).items():
            used[name] = used.get(name, 0) + amount
    rest = sorted(needs.keys() - {PODS, *_FIRST})
    for name in (PODS, *_FIRST, *rest):
        wanted = needs.get(name, 0)
        if not wanted or (_is_others(name) and name not in capacity):
            continue
        there, taken = capacity.get(name, 0), used.get(name, 0)
        if wanted > there - taken:
            yield Shortage(name, wanted, taken, there)


def _is_others(name: str) -> bool:
    """Whether somebody else may hand it out."""
    return is_extended(name) or name.startswith(_OF_CLASS)
