"""The graph: who refers to whom as an owner, by uid, as far as the watches have told.

An owner that nobody has seen yet stands in it as a virtual node, whose coordinates are what a dependent claims; it
stays doubtful until a watch shows it or the API server denies it. Every change returns what is to be looked at
because of it. Nothing here decides to delete: an attempt does, with the API server's word. Upstream:
pkg/controller/garbagecollector/{graph,graph_builder}.go.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pilothouse.api.machinery.meta import FINALIZER_FOREGROUND, FINALIZER_ORPHAN


class Identity(NamedTuple):
    """Which object. The order of the fields is the one in which doubtful identities are tried."""

    kind: str
    api_version: str
    namespace: str
    name: str
    uid: str

    def __str__(self) -> str:
        return f"[{self.api_version}/{self.kind}, namespace: {self.namespace}, name: {self.name}, uid: {self.uid}]"


class Owner(NamedTuple):
    """An owner reference."""

    kind: str
    api_version: str
    name: str
    uid: str
    blocks: bool = False
    """Whether the owner's deletion in the foreground waits for this dependent."""

    def within(self, namespace: str) -> Identity:
        """The object that it names, if that is in `namespace`; empty for one that is in none."""
        return Identity(self.kind, self.api_version, namespace, self.name, self.uid)


class Seen(NamedTuple):
    """An object as a watch shows it."""

    identity: Identity
    owners: tuple[Owner, ...] = ()
    going: bool = False
    """Its deletion was asked for."""
    waiting: bool = False
    """It is going, once its dependents are gone."""
    orphaning: bool = False
    """It is going, once its dependents are released."""


@dataclass(slots=True, eq=False)
class Node:
    """An object, or what is only claimed to be one."""

    identity: Identity
    owners: tuple[Owner, ...] = ()
    virtual: bool = False
    going: bool = False
    waiting: bool = False
    orphaning: bool = False

    def seen(self) -> Seen:
        """As it was seen last."""
        return Seen(self.identity, self.owners, self.going, self.waiting, self.orphaning)


@dataclass(slots=True)
class Outcome:
    """What a change asks for, by uid."""

    delete: dict[str, None] = field(default_factory=dict)
    """Look whether these are to be deleted."""
    again: list[str] = field(default_factory=list)
    """The same, but not at once."""
    orphan: list[str] = field(default_factory=list)
    """Release the dependents of these."""
    absent: list[Identity] = field(default_factory=list)
    """These are known not to exist."""
    misplaced: list[tuple[Identity, Identity]] = field(default_factory=list)
    """Dependents with an owner that is in another namespace, and what they call it."""


NOTHING = Outcome()
"""What most changes of objects ask for. Never changed."""


def read_owners(metadata: Mapping[str, Any]) -> tuple[Owner, ...]:
    """The owner references in the metadata of an object."""
    return tuple(
        Owner(r["kind"], r["apiVersion"], r["name"], r["uid"], r.get("blockOwnerDeletion") is True)
        for r in metadata.get("ownerReferences") or ()
    )


def read_metadata(api_version: str, kind: str, metadata: Mapping[str, Any]) -> Seen:
    """What matters of an object."""
    identity = Identity(kind, api_version, metadata.get("namespace") or "", metadata["name"], metadata["uid"])
    going = bool(metadata.get("deletionTimestamp"))
    finalizers = metadata.get("finalizers") or ()
    waiting = going and FINALIZER_FOREGROUND in finalizers
    orphaning = going and FINALIZER_ORPHAN in finalizers
    return Seen(identity, read_owners(metadata), going, waiting, orphaning)


class Graph:
    """Nodes by uid. Dependents are kept apart from nodes: most have none."""

    def __init__(self) -> None:
        self.nodes: dict[str, Node] = {}
        self._dependents: dict[str, dict[str, Node]] = {}

    def dependents(self, uid: str) -> list[Node]:
        """Those that name `uid` as an owner, in the order they came."""
        return [*self._dependents.get(uid, {}).values()]

    def blocking(self, uid: str) -> list[Node]:
        """The dependents for which its deletion in the foreground waits."""
        return [node for node in self._dependents.get(uid, {}).values() if _blocks(node, uid)]

    def is_blocked(self, uid: str) -> bool:
        """Whether there is such a dependent."""
        return any(_blocks(node, uid) for node in self._dependents.get(uid, {}).values())

    def waits_for_itself(self, uid: str) -> bool:
        """Whether those for which it waits wait for it in turn."""
        line, met = [uid], {uid}
        while line:
            for node in self.blocking(line.pop()):
                if node.identity.uid == uid:
                    return True
                if node.waiting and node.identity.uid not in met:
                    met.add(node.identity.uid)
                    line.append(node.identity.uid)
        return False

    def observe(self, seen: Seen) -> Outcome:
        """A watch shows an object that is new, has changed, or is as it was."""
        uid = seen.identity.uid
        node = self.nodes.get(uid)
        if node is not None and not node.virtual and node.seen() == seen:
            return NOTHING
        outcome = Outcome()
        if node is None:
            node = self.nodes[uid] = Node(seen.identity)
            self._link(node, self._shared(seen.owners), seen.owners, outcome)
        else:
            if node.virtual and node.identity != seen.identity:
                self._doubt(self.dependents(uid), seen.identity, outcome)
            node.virtual = False
            node.identity = seen.identity
            if node.owners != seen.owners:
                self._relink(node, seen.owners, outcome)
        if seen.orphaning and not node.orphaning:
            outcome.orphan.append(uid)
        elif seen.waiting and not node.waiting:
            outcome.delete.update(dict.fromkeys(self._dependents.get(uid, ())))
            if not self.is_blocked(uid):
                outcome.delete[uid] = None
        node.going, node.waiting, node.orphaning = seen.going, seen.waiting, seen.orphaning
        return outcome

    def remove(self, uid: str) -> Outcome:
        """A watch shows that an object is gone."""
        node = self.nodes.get(uid)
        return NOTHING if node is None else self._remove(node, node.identity)

    def deny(self, identity: Identity) -> Outcome:
        """The API server has no such object."""
        node = self.nodes.get(identity.uid)
        if node is None:
            return NOTHING
        matching, others = partition(self.dependents(identity.uid), identity)
        if not others if node.virtual else node.identity == identity:
            return self._remove(node, identity)
        outcome = Outcome()
        if matching:
            outcome.absent.append(identity)
            outcome.delete.update(dict.fromkeys(dependent.identity.uid for dependent in matching))
        if node.virtual and node.identity == identity:
            node.identity = next_identity(others, identity) or identity
            outcome.again.append(identity.uid)
        return outcome

    def of_kind(self, group: str, kind: str) -> list[Node]:
        """What watches have shown of a kind, in whichever version."""
        return [
            node
            for node in self.nodes.values()
            if node.identity.kind == kind and not node.virtual and _group(node.identity.api_version) == group
        ]

    def _shared(self, owners: tuple[Owner, ...]) -> tuple[Owner, ...]:
        """The same references as those of a sibling, so that a thousand pods of one owner hold them once."""
        sibling = next(iter(self._dependents.get(owners[0].uid, {}).values()), None) if owners else None
        return sibling.owners if sibling is not None and sibling.owners == owners else owners

    def _link(self, node: Node, owners: tuple[Owner, ...], added: Iterable[Owner], outcome: Outcome) -> None:
        """Give a node its owners, of which `added` are new, and look at those about which there is doubt."""
        node.owners = owners
        identity, doubtful = node.identity, False
        for owner in added:
            known = self.nodes.get(owner.uid)
            self._dependents.setdefault(owner.uid, {})[identity.uid] = node
            if known is None:
                self.nodes[owner.uid] = Node(owner.within(identity.namespace), virtual=True)
                outcome.delete[owner.uid] = None
                continue
            if known.waiting:
                outcome.delete[identity.uid] = None
            elsewhere = known.identity.namespace not in ("", identity.namespace)
            if elsewhere and not known.virtual and not doubtful:
                outcome.misplaced.append((identity, owner.within(identity.namespace)))
            unscoped = known.virtual and not known.identity.namespace and bool(identity.namespace)
            doubtful |= elsewhere or unscoped or owner.within(known.identity.namespace) != known.identity
        if doubtful:
            outcome.delete[identity.uid] = None

    def _relink(self, node: Node, owners: tuple[Owner, ...], outcome: Outcome) -> None:
        """Its references have changed; owners that wait for it may wait no longer."""
        before = {owner.uid: owner for owner in node.owners}
        after = {owner.uid: owner for owner in owners}
        self._link(node, owners, [owner for uid, owner in after.items() if uid not in before], outcome)
        for uid in before:
            if uid not in after:
                self._forget(uid, node)
            self._unblock(uid, outcome)

    def _remove(self, node: Node, identity: Identity) -> Outcome:
        outcome = Outcome()
        uid = identity.uid
        del self.nodes[uid]
        dependents = self._dependents.get(uid)
        if dependents:
            outcome.absent.append(identity)
            outcome.delete.update(dict.fromkeys(dependents))
        for owner in node.owners:
            self._forget(owner.uid, node)
            self._unblock(owner.uid, outcome)
        return outcome

    def _unblock(self, uid: str, outcome: Outcome) -> None:
        """Look at an owner that has waited for its last dependent."""
        node = self.nodes.get(uid)
        if node is not None and node.waiting and not self.is_blocked(uid):
            outcome.delete[uid] = None

    def _forget(self, owner: str, node: Node) -> None:
        """A dependent less. An owner that is only claimed ends with the last claim."""
        siblings = self._dependents.get(owner, {})
        siblings.pop(node.identity.uid, None)
        if not siblings:
            self._dependents.pop(owner, None)
            claimed = self.nodes.get(owner)
            if claimed is not None and claimed.virtual:
                del self.nodes[owner]

    def _doubt(self, dependents: Sequence[Node], identity: Identity, outcome: Outcome) -> None:
        """An owner has shown itself: look at those that have called it something else."""
        _, others = partition(dependents, identity)
        for node in others:
            place = node.identity.namespace
            if identity.namespace and place != identity.namespace:
                claimed = next(owner for owner in node.owners if owner.uid == identity.uid)
                outcome.misplaced.append((node.identity, claimed.within(place)))
            outcome.delete[node.identity.uid] = None


def partition(dependents: Iterable[Node], owner: Identity) -> tuple[list[Node], list[Node]]:
    """Those that name their owner as `owner` is, and those that name it otherwise; some do both."""
    matching: list[Node] = []
    others: list[Node] = []
    for node in dependents:
        elsewhere = owner.namespace not in ("", node.identity.namespace)
        named = [claim.within(owner.namespace) == owner for claim in node.owners if claim.uid == owner.uid]
        if any(named) and not elsewhere:
            matching.append(node)
        if elsewhere or not all(named):
            others.append(node)
    return matching, others


def next_identity(dependents: Iterable[Node], denied: Identity) -> Identity | None:
    """What else dependents call the owner that was `denied`: the next in order, after the last the first."""
    claims: dict[Identity, None] = {}
    for node in dependents:
        for owner in node.owners:
            claim = owner.within(node.identity.namespace)
            if not denied.namespace and (claim.kind, claim.api_version) == (denied.kind, denied.api_version):
                claim = claim._replace(namespace="")
            if claim.uid == denied.uid and claim != denied:
                claims[claim] = None
    following = [claim for claim in claims if claim > denied]
    return min(following or claims, default=None)


def _blocks(node: Node, uid: str) -> bool:
    return any(owner.blocks and owner.uid == uid for owner in node.owners)


def _group(api_version: str) -> str:
    return api_version.rpartition("/")[0]
