"""Pods with users of their own: what is user 0 in such a pod is on the host one of a range that no other pod has.

The range is written in the pod's directory, in upstream's form, and goes with it: so a restarted kubelet knows it, and
it is free again when nothing of the pod is left. A runtime that does not know of this would run the pod as the host's
root without a word: it is never asked to. KEP-127; upstream: pkg/kubelet/userns.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from pilothouse.api.machinery.view import JsonObject
from pilothouse.kubelet.cri.interface import RuntimeStatus
from pilothouse.kubelet.cri.messages import enum_value
from pilothouse.kubelet.layout import Layout
from pilothouse.kubelet.security import PolicyBroken
from pilothouse.runtime.whole_file import write_whole

_FILE = "userns"
_UNIT = 65536
_ALL = 1 << 32


@dataclass(frozen=True, slots=True)
class IdPool:
    """Users of the host that pods may have, each pod `each` of them."""

    first: int
    length: int
    each: int

    @classmethod
    def of(cls, each: int, pods: int, ids: tuple[int, int] | None = None) -> Self:
        """All but the first range, or those that are set aside: first and how many.

        Raises ValueError where they are not enough for so many pods, or do not begin and end with a pod's.
        """
        if each < _UNIT or each % _UNIT:
            raise ValueError(f"kubelet user namespace length {each} is not a multiple of {_UNIT}")
        first, length = ids or (each, (_ALL // each - 1) * each)
        if first % each:
            raise ValueError(f"kubelet user assigned ID {first} is not a multiple of {each}")
        if first < each:
            raise ValueError(f"kubelet user assigned ID {first} must be greater or equal to {each}")
        if length % each:
            raise ValueError(f"kubelet user assigned IDs length {length} is not a multiple of {each}")
        if length // each < pods:
            raise ValueError(f"kubelet user assigned IDs are not enough to support {pods} pods")
        return cls(first, length, each)

    @property
    def firsts(self) -> range:
        """Where pods' ranges begin."""
        return range(self.first, self.first + self.length, self.each)


ALL_USERS = IdPool.of(_UNIT, 0)
"""Where nobody says anything."""


@dataclass(frozen=True, slots=True)
class UserRange:
    """Users of the host, from user 0 in the pod on. Groups alike."""

    first: int
    length: int

    def added_to(self, config: JsonObject) -> JsonObject:
        """The configuration of the pod's sandbox, or of a container, with this in it; volumes keep their owners."""
        mapping = [{"host_id": self.first, "container_id": 0, "length": self.length}]
        security = config["linux"]["security_context"]
        users = {"mode": enum_value("NamespaceMode", "POD"), "uids": mapping, "gids": mapping}
        options = security["namespace_options"] | {"userns_options": users}
        mapped = config | {"linux": config["linux"] | {"security_context": security | {"namespace_options": options}}}
        if "mounts" in config:
            both = {"uidMappings": mapping, "gidMappings": mapping}
            mapped["mounts"] = [mount | both for mount in config["mounts"]]
        return mapped


def require_support(runtime: RuntimeStatus, handler: str) -> None:
    """Raises PolicyBroken unless the runtime says that this handler can map users."""
    whose = f'RuntimeClass handler "{handler}"' if handler else "runtime"
    why = f"can't set `spec.hostUsers: false`, {whose} does not support user namespaces"
    if all(one.name != handler for one in runtime.handlers):
        raise PolicyBroken(f'{why}: the handler "{handler}" is not known')
    if not runtime.handler(handler).user_namespaces:
        raise PolicyBroken(why)


class UserRanges:
    """Those of one node: what is taken, the files say."""

    def __init__(self, layout: Layout, pool: IdPool) -> None:
        self._layout = layout
        self._pool = pool

    def of(self, uid: str) -> UserRange:
        """The pod's range: its directory must be there. Raises PolicyBroken, OSError."""
        place = self._layout.pod(uid) / _FILE
        if place.exists():
            try:
                return self._read(place)
            except ValueError as error:
                raise PolicyBroken(f"user namespace: {error}") from error
        taken = set()
        for other in self._layout.pods.glob(f"*/{_FILE}"):
            try:
                taken.add(self._read(other).first)
            except (OSError, ValueError):
                continue  # gone meanwhile, or its own pod is told
        first = next((first for first in self._pool.firsts if first not in taken), None)
        if first is None:
            raise PolicyBroken("create user namespace: could not find an empty slot to allocate a user namespace")
        found = UserRange(first, self._pool.each)
        _write(place, found)
        return found

    def _read(self, place: Path) -> UserRange:
        """Raises ValueError for what we cannot have written."""
        try:
            content: Any = json.loads(place.read_text())
            users, groups = content["uidMappings"], content["gidMappings"]
            (one,) = users
            first, within, length = (int(one[name]) for name in ("hostId", "containerId", "length"))
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"invalid user namespace mappings file: {error}") from error
        if users != groups:
            raise ValueError("invalid user namespace configuration: GID and UID mapping should be identical")
        if within:
            raise ValueError("invalid user namespace configuration: UID 0 must be mapped")
        if length != self._pool.each:
            raise ValueError(f"wrong user namespace length {length}")
        if first % length:
            raise ValueError(f"wrong user namespace offset specified {first}")
        if first not in self._pool.firsts:
            raise ValueError(f"id {first} is out of range")
        return UserRange(first, length)


def _write(place: Path, found: UserRange) -> None:
    """All at once, and so that a machine that stops does not forget it: the pod's files belong to these users."""
    mapping = [{"hostId": found.first, "containerId": 0, "length": found.length}]
    write_whole(place, json.dumps({"uidMappings": mapping, "gidMappings": mapping}).encode())
