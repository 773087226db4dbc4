"""What runs, at a glance: the states of all sandboxes and containers, by pod.

It is taken each second for as long as a node lives, and ten times a second while something happens: so nothing else is
made of such a listing.
"""

from collections.abc import Iterable, Mapping

Picture = Mapping[str, frozenset[tuple[str, object]]]
"""By pod uid, its sandboxes and containers with their states."""


def picture(sandboxes: Iterable[tuple[str, str, bool]], containers: Iterable[tuple[str, str, object]]) -> Picture:
    """Of sandboxes their pod, id, and whether they are ready; of containers their sandbox, id and state. Pure."""
    found: dict[str, set[tuple[str, object]]] = {}
    owner: dict[str, set[tuple[str, object]]] = {}
    for uid, sandbox_id, ready in sandboxes:
        states = owner[sandbox_id] = found.setdefault(uid, set())
        states.add((sandbox_id, ready))
    for sandbox_id, container_id, state in containers:
        if (states_of := owner.get(sandbox_id)) is not None:
            states_of.add((container_id, state))
    return {uid: frozenset(states) for uid, states in found.items()}
