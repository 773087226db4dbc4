"""Calls to etcd: one member is in use, and another takes its place when it fails.

All calls go to the member in use, so that what one call learns of it helps all: when it does not answer, the next call
and every open watch go to the next. A call is made again elsewhere when it only reads, or was never sent; a write that
may have happened is not, since only who asked for it can tell whether it has.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from types import TracebackType
from typing import Any, Self

from pilothouse.net.grpc_channel import GrpcChannel
from pilothouse.net.grpc_frames import GrpcCode, GrpcError
from pilothouse.net.grpc_stream import GrpcStream
from pilothouse.net.message_table import message_classes
from pilothouse.net.pki import KeyPair
from pilothouse.net.tls import client_context
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.log import Log
from pilothouse.store.etcd import table
from pilothouse.store.interface import StoreError, TooLarge, Unavailable

_ETCD = "etcdserver: "
TIMED_OUT = "etcdserver: request timed out"
"""etcd's own words, of which clients of upstream know what they mean."""
_PATIENCE = 10.0
"""Seconds for one call with all its attempts: a little more than a member without quorum takes to say so."""
_ATTEMPT = 3.0
"""Seconds that a read waits for one member while there is another: more than an election takes."""
_TROUBLE = frozenset({GrpcCode.UNAVAILABLE, GrpcCode.DEADLINE_EXCEEDED, GrpcCode.UNKNOWN})
"""Failures that say something about the member, and not about the call. Unknown is what a member gives no code to."""
_DEADLINE = "context deadline exceeded"
"""How a member says that our deadline has passed, without that code."""
_WITH_LEADER = (("hasleader", "true"),)
"""Asks a member to end a stream when it is cut off from the others."""

_log = Log(__name__)


@dataclass(frozen=True, slots=True)
class EtcdTls:
    """What members are verified by, and what is shown to them."""

    authority: bytes
    """PEM of the authority that signs members' certificates."""
    pair: KeyPair | None = None


class Member:
    """One endpoint."""

    def __init__(self, url: str, tls: EtcdTls | None, clock: Clock) -> None:
        scheme, _, rest = url.rpartition("://")
        self.address = rest.rstrip("/")
        if scheme not in ("", "http", "https"):
            raise ValueError(f"{url}: an etcd server is named by http:// or https://")
        if scheme == "https" and tls is None:
            raise ValueError(f"{url}: https needs the authority that signs etcd's certificates")
        context = None
        if scheme == "https" and tls is not None:
            context = client_context(tls.authority, tls.pair)
            context.set_alpn_protocols(["h2"])
        self.channel = GrpcChannel(self.address, context, clock)


class Connection:
    """The members, and the messages that go to them. An async context manager."""

    def __init__(self, servers: Sequence[str], tls: EtcdTls | None, clock: Clock) -> None:
        self._clock = clock
        self._members = [Member(url, tls, clock) for url in servers]
        self._at = 0
        self._closed = False
        self.messages = message_classes("etcd", table.MESSAGES, table.ENUMS)
        self._answers = {
            name: self.messages[f"{table.REQUESTS.get(name, name)}Response"].FromString for name in table.CALLS
        }
        self._told: dict[tuple[str, str], None] = {}
        """The failures that the log tells of already; forgotten when all is well again."""
        self.trouble = ""
        """What the latest call that is over failed by; empty when it was answered."""
        self._latest = -inf
        """When that call began."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed = True
        for member in self._members:
            await member.channel.close()

    async def call(self, name: str, request: Any, *, repeatable: bool = False) -> Any:
        """Make a call. Raises Unavailable; TooLarge; Refused for what else etcd says."""
        path, message = table.CALLS[name], request.SerializeToString()
        begun = self._clock.monotonic()
        end = begun + _PATIENCE
        for attempt in range(len(self._members)):
            self._check_open()
            member = self._members[self._at]
            left = max(end - self._clock.monotonic(), 0.01)
            last = attempt == len(self._members) - 1
            seconds = min(left, _ATTEMPT) if repeatable and not last else left
            try:
                answered = await member.channel.call(path, message, seconds)
            except GrpcError as error:
                if error.code in _TROUBLE:
                    self.leave(member, error)
                    again = repeatable or not error.sent
                    if again and not last and self._clock.monotonic() < end:
                        continue
                raise self._failure(error, begun) from None
            if self._told:
                self._told.clear()
                _log.info("etcd answers", member=member.address)
            self._note("", begun)
            return self._answers[name](answered)
        raise AssertionError("unreachable")

    async def watch(self) -> tuple[Member, GrpcStream]:
        """Open a stream of watch requests and responses on the member in use. Raises GrpcError; Unavailable."""
        self._check_open()
        member = self._members[self._at]
        try:
            stream = await member.channel.stream(table.CALLS["Watch"], _WITH_LEADER)
        except GrpcError as error:
            self.leave(member, error)
            raise
        return member, stream

    def leave(self, member: Member, error: GrpcError) -> None:
        """Use the next member, if it is this one that is in use; its streams follow."""
        if member is not self._members[self._at] or self._closed:
            return
        self._at = (self._at + 1) % len(self._members)
        failure = (member.address, error.code.name)
        if failure not in self._told:
            self._told[failure] = None
            _log.warning("An etcd member fails", member=member.address, error=error.details, code=error.code.name)
        member.channel.end_lasting(error)

    def _check_open(self) -> None:
        if self._closed:
            raise Unavailable("the store is closed")

    def _note(self, trouble: str, begun: float) -> None:
        """A call that waited long tells nothing new when it fails."""
        if begun >= self._latest:
            self._latest = begun
            self.trouble = trouble

    def _failure(self, error: GrpcError, begun: float) -> StoreError:
        """What a failed call comes to."""
        said = error.details or error.code.name
        if self._closed:
            return Unavailable("the store is closed")
        if error.code is GrpcCode.DEADLINE_EXCEEDED or said == _DEADLINE:
            said = TIMED_OUT
        elif not error.sent:
            said = "etcdserver: no member can be reached"
        elif "request is too large" in said or "larger than max" in said:
            return TooLarge(said)
        elif error.code in (GrpcCode.OUT_OF_RANGE, GrpcCode.NOT_FOUND):
            return Refused(said)
        said = said if said.startswith(_ETCD) else _ETCD + said
        self._note(said, begun)
        return Unavailable(said)


class Refused(StoreError):
    """An answer of etcd that its caller must make something of."""
