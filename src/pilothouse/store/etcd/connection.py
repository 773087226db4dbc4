"""Calls to etcd: one member is in use, and another takes its place when it fails.

All calls go to the member in use, so that what one call learns of it helps all: when it does not answer, the next call
and every open watch go to the next. A call is made again elsewhere when it only reads, or was never sent; a write that
may have happened is not, since only who asked for it can tell whether it has.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import grpc
import grpc.aio

from pilothouse.net.message_table import message_classes
from pilothouse.net.pki import KeyPair
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
_OPTIONS = [
    ("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1), ("grpc.enable_http_proxy", 0),
    ("grpc.use_local_subchannel_pool", 1), ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 1000), ("grpc.max_reconnect_backoff_ms", 1000),
    ("grpc.keepalive_time_ms", 10_000), ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.max_pings_without_data", 0),
]  # fmt: skip
_TROUBLE = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.UNKNOWN})
"""Failures that say something about the member, and not about the call. Unknown is what a member gives no code to."""
_DEADLINE = "context deadline exceeded"
"""How a member says that our deadline has passed, without that code."""
_NEVER_SENT = "failed to connect to all addresses"
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
    """One endpoint: its channel, made when it is first used, and the streams on it."""

    def __init__(self, url: str, tls: EtcdTls | None) -> None:
        scheme, _, rest = url.rpartition("://")
        self.address = rest.rstrip("/")
        if scheme not in ("", "http", "https"):
            raise ValueError(f"{url}: an etcd server is named by http:// or https://")
        if scheme == "https" and tls is None:
            raise ValueError(f"{url}: https needs the authority that signs etcd's certificates")
        self._tls = tls if scheme == "https" else None
        self._channel: grpc.aio.Channel | None = None
        self._methods: dict[str, Any] = {}
        self.streams: dict[Any, None] = {}

    def method(self, name: str, answer: Any) -> Any:
        """What makes a call; `answer` is the class of what comes back."""
        found = self._methods.get(name)
        if found is None:
            channel = self._channel = self._channel or self._dial()
            make = channel.stream_stream if name == "Watch" else channel.unary_unary
            found = self._methods[name] = make(
                f"/etcdserverpb.{table.CALLS[name]}/{name}",
                request_serializer=lambda message: message.SerializeToString(),
                response_deserializer=answer.FromString,
            )
        return found

    async def close(self) -> None:
        """End everything."""
        if self._channel is not None:
            await self._channel.close()

    def _dial(self) -> grpc.aio.Channel:
        if self._tls is None:
            return grpc.aio.insecure_channel(self.address, _OPTIONS)
        shown = (self._tls.pair.key, self._tls.pair.certificate) if self._tls.pair is not None else ()
        credentials = grpc.ssl_channel_credentials(self._tls.authority, *shown)
        return grpc.aio.secure_channel(self.address, credentials, _OPTIONS)


class Connection:
    """The members, and the messages that go to them. An async context manager."""

    def __init__(self, servers: Sequence[str], tls: EtcdTls | None, clock: Clock) -> None:
        self._clock = clock
        self._members = [Member(url, tls) for url in servers]
        self._at = 0
        self._closed = False
        self.messages = message_classes("etcd", table.MESSAGES, table.ENUMS)
        self._answers = {name: self.messages[f"{table.REQUESTS.get(name, name)}Response"] for name in table.CALLS}
        self._told: dict[tuple[str, str], None] = {}
        """The failures that the log tells of already; forgotten when all is well again."""
        self.trouble = ""
        """What the latest call failed by; empty when it was answered."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed = True
        for member in self._members:
            await member.close()

    async def call(self, name: str, request: Any, *, repeatable: bool = False) -> Any:
        """Make a call. Raises Unavailable; TooLarge; Refused for what else etcd says."""
        answer = self._answers[name]
        end = self._clock.monotonic() + _PATIENCE
        for attempt in range(len(self._members)):
            self._check_open()
            member = self._members[self._at]
            left = max(end - self._clock.monotonic(), 0.01)
            last = attempt == len(self._members) - 1
            seconds = min(left, _ATTEMPT) if repeatable and not last else left
            try:
                answered = await member.method(name, answer)(request, timeout=seconds)
            except grpc.aio.AioRpcError as error:
                if error.code() in _TROUBLE:
                    self.leave(member, error)
                    again = repeatable or (error.details() or "").startswith(_NEVER_SENT)
                    if again and not last and self._clock.monotonic() < end:
                        continue
                raise self._failure(error) from None
            if self._told:
                self._told.clear()
                _log.info("etcd answers", member=member.address)
            self.trouble = ""
            return answered
        raise AssertionError("unreachable")

    def watch(self) -> tuple[Member, Any]:
        """Open a stream of watch requests and responses on the member in use."""
        self._check_open()
        member = self._members[self._at]
        stream = member.method("Watch", self._answers["Watch"])(metadata=_WITH_LEADER)
        member.streams[stream] = None
        stream.add_done_callback(lambda _: member.streams.pop(stream, None))
        return member, stream

    def leave(self, member: Member, error: grpc.aio.AioRpcError) -> None:
        """Use the next member, if it is this one that is in use; its streams follow."""
        if member is not self._members[self._at] or self._closed:
            return
        self._at = (self._at + 1) % len(self._members)
        failure = (member.address, error.code().name)
        if failure not in self._told:
            self._told[failure] = None
            _log.warning("An etcd member fails", member=member.address, error=error.details(), code=error.code().name)
        for stream in list(member.streams):
            stream.cancel()

    def _check_open(self) -> None:
        if self._closed:
            raise Unavailable("the store is closed")

    def _failure(self, error: grpc.aio.AioRpcError) -> StoreError:
        """What a failed call comes to."""
        said = error.details() or error.code().name
        if self._closed:
            return Unavailable("the store is closed")
        if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED or said == _DEADLINE:
            said = TIMED_OUT
        elif said.startswith(_NEVER_SENT):
            said = "etcdserver: no member can be reached"
        elif "request is too large" in said or "larger than max" in said:
            return TooLarge(said)
        elif error.code() in (grpc.StatusCode.OUT_OF_RANGE, grpc.StatusCode.NOT_FOUND):
            return Refused(said)
        self.trouble = said if said.startswith(_ETCD) else _ETCD + said
        return Unavailable(self.trouble)


class Refused(StoreError):
    """An answer of etcd that its caller must make something of."""
