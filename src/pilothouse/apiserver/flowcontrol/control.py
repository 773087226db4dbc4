"""FlowControl: from FlowSchemas and PriorityLevelConfigurations in the watch cache to a seat for every request.

Which flow a request belongs to is decided once for all that look the same, and forgotten when the configuration
changes. Objects that are broken, or missing though they must be there, are made up for by those of the bootstrap
configuration. A level that is gone is served until nobody is left in it. Source: KEP-1040;
apiserver/pkg/util/flowcontrol/apf_controller.go.
"""

import asyncio
import hashlib
import math
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field

from pilothouse.api.flowcontrol.mandatory import CATCH_ALL, EXEMPT
from pilothouse.api.machinery.view import JsonObject
from pilothouse.apiserver.flowcontrol.bootstrap import MANDATORY_LEVELS, MANDATORY_SCHEMAS
from pilothouse.apiserver.flowcontrol.demand import ADJUSTMENT_SECONDS
from pilothouse.apiserver.flowcontrol.matching import distinguisher, in_order, matches
from pilothouse.apiserver.flowcontrol.queues import QueueSet
from pilothouse.apiserver.flowcontrol.shares import Bounds, Wish, allocate, bounds_of
from pilothouse.apiserver.registry.watch_cache import WatchCache
from pilothouse.apiserver.request_info import RequestInfo
from pilothouse.apiserver.user import User
from pilothouse.runtime.bounded_memo import BoundedMemo
from pilothouse.runtime.clock import Clock

GROUP = "flowcontrol.apiserver.k8s.io"
SEATS = 600
"""What --max-requests-inflight (400) and --max-mutating-requests-inflight (200) add up to."""
WAIT_BUCKETS = (0.0, 0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0)
_MOST_KNOWN = 4096
"""Classifications that are kept; beyond it all are made anew."""
_NO_BOUNDS = Bounds(0, 0, 0, 1)


@dataclass(slots=True, eq=False)
class Level:
    """A priority level at work."""

    name: str
    queues: QueueSet
    spec: JsonObject
    uid: str = ""
    bounds: Bounds = _NO_BOUNDS
    target: float = 0.0

    @property
    def exempt(self) -> bool:
        """Whether it limits nobody."""
        return bool(self.spec["spec"]["type"] == "Exempt")


class Waits:
    """How long requests waited, by upstream's buckets."""

    __slots__ = ("counts", "total")

    def __init__(self) -> None:
        self.counts = [0] * (len(WAIT_BUCKETS) + 1)
        self.total = 0.0

    def add(self, seconds: float) -> None:
        """One has waited so long."""
        self.counts[bisect_left(WAIT_BUCKETS, seconds)] += 1
        self.total += seconds


@dataclass(slots=True, eq=False)
class Tally:
    """What became of the requests of one schema in one level."""

    dispatched: int = 0
    waiting: int = 0
    executing: int = 0
    seats: int = 0
    rejected: dict[str, int] = field(default_factory=dict)
    """By reason."""
    waits: dict[bool, Waits] = field(default_factory=lambda: {True: Waits(), False: Waits()})
    """Of those who had to wait: whether it led to a seat, and how long it was."""

    def begin(self, seats: int) -> None:
        """One runs."""
        self.dispatched += 1
        self.executing += 1
        self.seats += seats

    def end(self, seats: int) -> None:
        """One is done."""
        self.executing -= 1
        self.seats -= seats

    def reject(self, reason: str) -> None:
        """One is turned away, or has left."""
        self.rejected[reason] = self.rejected.get(reason, 0) + 1


@dataclass(slots=True, eq=False)
class Flow:
    """Requests that are treated alike."""

    schema: str
    level: Level
    number: int
    """What its hand of queues follows from."""
    tally: Tally
    headers: Mapping[str, str]
    """What the answer says of it."""


class FlowControl:
    """The levels of one server."""

    def __init__(self, cache: WatchCache, clock: Clock, seats: int = SEATS) -> None:
        self._clock = clock
        self._seats = seats
        self.levels: dict[str, Level] = {}
        self.tallies: dict[tuple[str, str], Tally] = {}
        """By priority level and flow schema, while the two belong together or somebody of theirs is under way."""
        self.fair_fraction = 0.0
        self.changed = asyncio.Event()
        """Set when the objects change; whoever waits for it clears it."""
        self._schemas: list[JsonObject] = []
        self._flows: BoundedMemo[tuple[object, ...], Flow] = BoundedMemo(_MOST_KNOWN)
        self._timer: asyncio.TimerHandle | None = None
        self._level_objects = cache.of(GROUP, "prioritylevelconfigurations")
        self._schema_objects = cache.of(GROUP, "flowschemas")
        self._digest()
        for observed in (self._level_objects, self._schema_objects):
            observed.observe(self._notice)

    def flow_of(self, user: User, info: RequestInfo) -> Flow:
        """Which flow a request belongs to."""
        if info.is_resource:
            key: tuple[object, ...] = (
                user, info.verb, info.group, info.resource, info.subresource, info.namespace,
            )  # fmt: skip
        else:
            key = (user, info.verb, info.path)
        found = self._flows.get(key)
        if found is None:
            found = self._flows.keep(key, self._classify(user, info))
        if self._timer is None:
            self._timer = self._clock.call_later(ADJUSTMENT_SECONDS, self._ring)
        return found

    def dangling(self) -> list[tuple[JsonObject, bool]]:
        """Every FlowSchema object, and whether the level it names is missing."""
        there = {name for name, _ in self._configured()}
        schemas = [entry.decode() for entry in self._schema_objects.select("")]
        return [(schema, _level_name(schema) not in there) for schema in schemas]

    def adjust(self) -> None:
        """Divide the seats anew, by what was asked for since the last time."""
        levels = list(self.levels.values())
        wishes = []
        for level in levels:
            demand = level.queues.demand
            least = max(float(level.bounds.least), min(float(level.bounds.nominal), demand.high))
            wishes.append(Wish(least, float(level.bounds.most), max(least, demand.smoothed)))
        try:
            given = allocate(sum(level.bounds.nominal for level in levels), wishes)
        except ValueError:  # shares and percents that leave no room
            given = [float(level.bounds.nominal) for level in levels]
        for level, wish, seats in zip(levels, wishes, given, strict=True):
            level.target = wish.target
            level.queues.limit = None if level.exempt else math.floor(seats + 0.5)
            level.queues.dispatch()
        self.fair_fraction = max(
            (seats / max(wish.target, 1e-3) for wish, seats in zip(wishes, given, strict=True)), default=0.0
        )

    def _ring(self) -> None:
        for level in self.levels.values():
            level.queues.demand.look()
        self.adjust()
        self._bury()
        busy = any(level.queues.demand.high for level in self.levels.values())
        self._timer = self._clock.call_later(ADJUSTMENT_SECONDS, self._ring) if busy else None

    def _notice(self, before: JsonObject | None, after: JsonObject | None) -> None:
        self.changed.set()
        if before is None or after is None or before["spec"] != after["spec"]:
            self._digest()

    def _configured(self) -> list[tuple[str, JsonObject]]:
        """The levels that objects describe soundly."""
        objects = (entry.decode() for entry in self._level_objects.select(""))
        return [(obj["metadata"]["name"], obj) for obj in objects if _is_sound(obj)]

    def _digest(self) -> None:
        """Take on what the objects say."""
        configured = dict(self._configured())
        schemas = [entry.decode() for entry in self._schema_objects.select("")]
        schemas = [schema for schema in schemas if _level_name(schema) in configured]
        for mandatory in MANDATORY_LEVELS:
            configured.setdefault(mandatory["metadata"]["name"], mandatory)
        there = {schema["metadata"]["name"] for schema in schemas}
        exempt, catch_all = MANDATORY_SCHEMAS
        self._schemas = [
            *([] if EXEMPT in there else [exempt]), *in_order(schemas), *([] if CATCH_ALL in there else [catch_all]),
        ]  # fmt: skip
        levels: dict[str, Level] = {}
        for name, obj in configured.items():
            level = levels[name] = self.levels.get(name) or Level(name, QueueSet(self._clock), obj)
            level.spec, level.uid = obj, obj["metadata"].get("uid") or ""
            level.queues.configure(obj)
        for name, level in self.levels.items():
            if name not in levels and not level.queues.idle:
                levels[name] = level
        self.levels = levels
        self._divide()
        self._forget()

    def _divide(self) -> None:
        levels = list(self.levels.values())
        for level, bounds in zip(levels, bounds_of([level.spec for level in levels], self._seats), strict=True):
            level.bounds = bounds
        self._flows.clear()
        self.adjust()

    def _bury(self) -> None:
        """Let go of levels whose objects are gone and that nobody is left in."""
        wanted = {name for name, _ in self._configured()} | {EXEMPT, CATCH_ALL}
        gone = [name for name, level in self.levels.items() if name not in wanted and level.queues.idle]
        for name in gone:
            del self.levels[name]
        if gone:
            self._divide()
        self._forget()

    def _forget(self) -> None:
        """Let go of numbers that nothing is added to any more, or they would gather with every schema that ever was."""
        counted = {(_level_name(schema), schema["metadata"]["name"]) for schema in self._schemas}
        for flow, tally in list(self.tallies.items()):
            if flow not in counted and not tally.waiting and not tally.executing:
                del self.tallies[flow]

    def _classify(self, user: User, info: RequestInfo) -> Flow:
        schema = next((one for one in self._schemas if matches(one, user, info)), self._schemas[-1])
        level = self.levels[_level_name(schema)]
        metadata = schema["metadata"]
        name = metadata["name"]
        tally = self.tallies.setdefault((level.name, name), Tally())
        flow = f"{name}\0{distinguisher(schema, user, info)}\0".encode()
        number = int.from_bytes(hashlib.sha256(flow).digest()[:8], "little")
        headers = {
            "X-Kubernetes-PF-FlowSchema-UID": metadata.get("uid") or "",
            "X-Kubernetes-PF-PriorityLevel-UID": level.uid,
        }
        return Flow(name, level, number, tally, headers)


def _level_name(schema: JsonObject) -> str:
    name: str = (schema["spec"].get("priorityLevelConfiguration") or {}).get("name") or ""
    return name


def _is_sound(level: JsonObject) -> bool:
    """Whether a PriorityLevelConfiguration is what it says it is, so that it can be worked with."""
    spec = level["spec"]
    exempt = level["metadata"]["name"] == EXEMPT
    if spec.get("type") != ("Exempt" if exempt else "Limited"):
        return False
    if exempt:
        return not spec.get("limited")
    response = (spec.get("limited") or {}).get("limitResponse") or {}
    queuing = response.get("queuing")
    if response.get("type") == "Reject":
        return not queuing
    if response.get("type") != "Queue" or not queuing:
        return False
    queues, hand = queuing.get("queues") or 0, queuing.get("handSize") or 0
    return 0 < hand <= queues and (queuing.get("queueLengthLimit") or 0) > 0
