"""Zone: what the cluster's names mean at this moment. Pure: told of services, it answers questions.

Services own records (see `records`); a name exists while somebody owns a record at it or below it. A name that exists
without a record of the type asked for is no data; one that does not exist is NXDOMAIN; both carry the SOA (RFC 2308).
Kubernetes DNS-Based Service Discovery, specification 1.1.0.
"""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from pilothouse.client.key import Key
from pilothouse.dns.records import SCHEMA_VERSION, Record

TTL = 30
"""Seconds that an answer may be kept; upstream's manifest says the same."""
_ADDRESSES = ("A", "AAAA")


class Outcome(Enum):
    """What becomes of a question."""

    FOUND = 0
    """Answered; without records, there is no data of this type."""
    NO_NAME = 3
    """There is no such name below our domain."""
    NOT_OURS = -1
    """Somebody else knows."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The zone's word on one question."""

    outcome: Outcome
    records: tuple[Record, ...] = ()
    additional: tuple[Record, ...] = ()
    alias: str = ""
    """A name outside the zone, whose records belong into the answer too."""


class Zone:
    """The names of one cluster."""

    def __init__(self, domain: str = "cluster.local", address: str = "") -> None:
        self.domain = domain.lower().strip(".")
        self.revision = 0
        """Counts changes: what was made from an older one is stale."""
        self._names: dict[str, dict[Key, tuple[Record, ...]]] = {}
        self._owned: dict[Key, tuple[Record, ...]] = {}
        self._below: dict[str, int] = {}
        self._namespaces: dict[str, None] = {}
        self._own(address)

    def _own(self, address: str) -> None:
        """The records of the zone itself, which the specification demands."""
        records = [Record(f"dns-version.{self.domain}", "TXT", SCHEMA_VERSION),
                   Record(self.domain, "NS", f"ns.dns.{self.domain}")]  # fmt: skip
        if address:
            records.append(Record(f"ns.dns.{self.domain}", "AAAA" if ":" in address else "A", address))
        self.set(Key("", ""), records)

    def set(self, owner: Key, records: Iterable[Record]) -> bool:
        """Let `owner` have exactly these records; says whether that changed anything."""
        new = tuple(records)
        old = self._owned.get(owner, ())
        if new == old:
            return False
        for name in dict.fromkeys(record.name for record in old):
            del self._names[name][owner]
            if not self._names[name]:
                del self._names[name]
            self._count(name, -1)
        by_name: dict[str, list[Record]] = {}
        for record in new:
            by_name.setdefault(record.name, []).append(record)
        for name, some in by_name.items():
            self._names.setdefault(name, {})[owner] = tuple(some)
            self._count(name, 1)
        if new:
            self._owned[owner] = new
        else:
            self._owned.pop(owner, None)
        self.revision += 1
        return True

    def set_namespace(self, name: str, exists: bool) -> None:
        """Pods of a namespace have names while it exists."""
        if exists == (name in self._namespaces):
            return
        if exists:
            self._namespaces[name] = None
        else:
            del self._namespaces[name]
        self.revision += 1

    def holds(self, name: str) -> bool:
        """Whether the name is below our domain: such a question never leaves the cluster."""
        return name == self.domain or name.endswith("." + self.domain)

    def answer(self, name: str, kind: str) -> Answer:
        """Answer a question about a lower-case name."""
        if not self.holds(name):
            records = self._at(name, kind) if kind in ("PTR", "ANY") else ()
            return Answer(Outcome.FOUND, records) if records else Answer(Outcome.NOT_OURS)
        if name.endswith(f".pod.{self.domain}") or name == f"pod.{self.domain}":
            return self._pod(name, kind)
        if name == self.domain and kind == "SOA":
            return Answer(Outcome.FOUND, (Record(name, "SOA", ""),))
        records = self._at(name, kind)
        if records:
            return Answer(Outcome.FOUND, records, self._addresses_of(records))
        alias = self._at(name, "CNAME")
        if alias:
            return self._follow(alias, kind)
        exists = name in self._names or name in self._below or name in (self.domain, f"svc.{self.domain}")
        return Answer(Outcome.FOUND if exists or self._is_namespace(name) else Outcome.NO_NAME)

    def _follow(self, chain: tuple[Record, ...], kind: str) -> Answer:
        """Go along aliases inside the zone; where the last leads outside, say so."""
        for _ in range(8):
            target = chain[-1].value
            if not self.holds(target):
                return Answer(Outcome.FOUND, chain, alias=target)
            found = self._at(target, kind)
            if found:
                return Answer(Outcome.FOUND, chain + found)
            further = self._at(target, "CNAME")
            if not further or further[-1] in chain:
                break
            chain += further
        return Answer(Outcome.FOUND, chain)

    def _at(self, name: str, kind: str) -> tuple[Record, ...]:
        owners = self._names.get(name)
        if owners is None:
            return ()
        return tuple(r for some in owners.values() for r in some if kind in (r.type, "ANY"))

    def _addresses_of(self, records: tuple[Record, ...]) -> tuple[Record, ...]:
        """The addresses of what SRV records point to, so that nobody asks twice."""
        targets = dict.fromkeys(r.value for r in records if r.type in ("SRV", "NS"))
        return tuple(r for target in targets for kind in _ADDRESSES for r in self._at(target, kind))

    def _pod(self, name: str, kind: str) -> Answer:
        """a-b-c-d.NAMESPACE.pod names the address it spells, as CoreDNS does with `pods insecure`."""
        labels = name.removesuffix(f"pod.{self.domain}").rstrip(".").split(".")
        if labels == [""] or (len(labels) == 1 and labels[0] in self._namespaces):
            return Answer(Outcome.FOUND)
        if len(labels) != 2 or labels[1] not in self._namespaces:
            return Answer(Outcome.NO_NAME)
        for type_, separator in (("A", "."), ("AAAA", ":")):
            try:
                address = ipaddress.ip_address(labels[0].replace("-", separator))
            except ValueError:
                continue
            if (address.version == 6) == (type_ == "AAAA"):
                records = (Record(name, type_, str(address)),)
                return Answer(Outcome.FOUND, records if kind in (type_, "ANY") else ())
        return Answer(Outcome.NO_NAME)

    def _is_namespace(self, name: str) -> bool:
        label = name.removesuffix(f".svc.{self.domain}")
        return label != name and label in self._namespaces

    def _count(self, name: str, change: int) -> None:
        """Every name above one with records exists too (RFC 8020)."""
        while "." in name and name != self.domain:
            name = name.split(".", 1)[1]
            count = self._below.get(name, 0) + change
            if count:
                self._below[name] = count
            else:
                self._below.pop(name, None)
