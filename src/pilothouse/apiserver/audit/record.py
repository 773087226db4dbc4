"""Record: what is known of one audited request, and the events of audit.k8s.io/v1 that it becomes, one a stage.

The steps of the chain note here what they learn. An event is a dictionary of what is at hand; turning it into JSON is
the work of whoever writes it (`line.py`). Source: the audit.k8s.io reference; apiserver/pkg/audit/request.go.
"""

from collections.abc import AsyncIterator, Mapping
from ipaddress import ip_address
from typing import Any

import orjson

from pilothouse.api.machinery.codec import yaml
from pilothouse.api.machinery.codec.syntax import MalformedError
from pilothouse.api.machinery.errors import StatusError
from pilothouse.api.machinery.view import JsonObject
from pilothouse.apiserver.audit.line import AnswerObject, slimmed
from pilothouse.apiserver.audit.policy import LEVEL_NAMES, RECEIVED, Decision, Level
from pilothouse.apiserver.request_info import RequestInfo
from pilothouse.apiserver.user import User
from pilothouse.net.http import Request, Response
from pilothouse.runtime.clock import Instant, format_micro_time

_LONGEST_AGENT = 1024
_CLOSED_EARLY = {"metadata": {}, "status": "Success", "message": "Connection closed early", "code": 200}
_STATUS_BEGINNING = b'{"kind":"Status"'


class Record:
    """One request on its way through the chain, as audit sees it."""

    __slots__ = (
        "_base", "annotations", "decision", "done", "identifier", "impersonated", "info", "received", "reference",
        "request", "request_object", "response_object", "status", "user",
    )  # fmt: skip

    def __init__(
        self, decision: Decision, identifier: str, request: Request, info: RequestInfo, user: User | None, at: Instant
    ) -> None:
        self.decision = decision
        self.identifier = identifier
        self.request = request
        self.info = info
        self.user = user
        self.received = at
        self.impersonated: User | None = None
        self.annotations: dict[str, str] = {}
        self.reference: dict[str, str] | None = _reference(info) if info.is_resource else None
        self.status: Mapping[str, Any] | None = None
        self.request_object: orjson.Fragment | None = None
        self.response_object: AnswerObject | JsonObject | None = None
        self.done = False
        """Whether its last event is made."""
        self._base: JsonObject | None = None

    def posted(self, obj: JsonObject) -> None:
        """The client has sent this object: what it says of itself fills in for what the path does not."""
        metadata = obj.get("metadata") or {}
        if self.reference is not None:
            for field in ("namespace", "name", "uid", "resourceVersion"):
                if metadata.get(field):
                    self.reference.setdefault(field, metadata[field])
        if self.decision.level >= Level.REQUEST:
            self.request_object = orjson.Fragment(orjson.dumps(slimmed(obj) if self._slims else obj))

    def patched(self, patch: bytes) -> None:
        """The client has sent this patch: JSON, or the YAML of an apply."""
        if self.decision.level >= Level.REQUEST:
            try:
                sound = orjson.dumps(orjson.loads(patch))
            except orjson.JSONDecodeError:
                sound = orjson.dumps(_from_yaml(patch))
            self.request_object = orjson.Fragment(sound)

    def answered(self, response: Response) -> None:
        """This is the answer."""
        body = response.body
        whole = body if isinstance(body, bytes) or not isinstance(body, AsyncIterator) else b""
        begin = whole if isinstance(whole, bytes) else bytes(whole[0][: len(_STATUS_BEGINNING)]) if whole else b""
        if begin.startswith(_STATUS_BEGINNING):
            self._is_status(orjson.loads(whole if isinstance(whole, bytes) else b"".join(whole)))
        else:
            self.status = {"metadata": {}, "code": response.status}
        if self.decision.level >= Level.REQUEST_RESPONSE and whole and AnswerObject.is_in(response.content_type):
            self.response_object = AnswerObject(whole, response.content_type, slim=self._slims)

    def refused(self, error: StatusError) -> None:
        """The answer is this error."""
        self._is_status(error.status())
        if self.decision.level >= Level.REQUEST_RESPONSE:
            self.response_object = error.status()

    def failed(self, message: str, code: int) -> None:
        """The answer is an error, of which no more than this is kept."""
        self.status = {"metadata": {}, "message": message, "code": code}

    def closed_early(self) -> None:
        """The client left before there was an answer."""
        self.status = self.status or _CLOSED_EARLY

    def event(self, stage: str, now: Instant) -> JsonObject:
        """The event of a stage."""
        if self._base is None:
            self._base = self._unchanging()
        event = self._base.copy()
        event["stage"] = stage
        if self.impersonated is not None:
            event["impersonatedUser"] = user_of(self.impersonated)
        if self.reference is not None:
            event["objectRef"] = dict(self.reference)
        if stage != RECEIVED:
            event["responseStatus"] = self.status
            if self.request_object is not None:
                event["requestObject"] = self.request_object
            if self.response_object is not None:
                event["responseObject"] = self.response_object
        event["stageTimestamp"] = event["requestReceivedTimestamp"] if stage == RECEIVED else format_micro_time(now)
        if self.annotations:
            event["annotations"] = dict(self.annotations)
        return event

    def _unchanging(self) -> JsonObject:
        """What the events of all stages begin with."""
        request = self.request
        base: JsonObject = {
            "kind": "Event",
            "apiVersion": "audit.k8s.io/v1",
            "level": LEVEL_NAMES[self.decision.level],
            "auditID": self.identifier,
            "stage": "",
            "requestURI": request.target,
            "verb": self.info.verb,
            "user": user_of(self.user) if self.user is not None else {},
        }
        addresses = source_addresses(request)
        if addresses:
            base["sourceIPs"] = addresses
        agent = request.headers.get("user-agent", "")
        if agent:
            base["userAgent"] = agent if len(agent) <= _LONGEST_AGENT else f"{agent[:_LONGEST_AGENT]}...TRUNCATED"
        base["requestReceivedTimestamp"] = format_micro_time(self.received)
        return base

    @property
    def _slims(self) -> bool:
        return self.decision.omits_managed_fields

    def _is_status(self, status: JsonObject) -> None:
        self.status = {key: value for key, value in status.items() if key not in ("kind", "apiVersion")}


def user_of(user: User) -> JsonObject:
    """A user as events, and reviews, show one."""
    shown: JsonObject = {"username": user.name}
    if user.uid:
        shown["uid"] = user.uid
    if user.groups:
        shown["groups"] = user.groups
    if user.extra:
        shown["extra"] = dict(user.extra)
    return shown


def source_addresses(request: Request) -> list[str]:
    """Where the request came from: as proxies on the way say, then who is at the other end."""
    headers = request.headers
    found: list[str] = []
    if "x-forwarded-for" in headers:
        found = [address for text in headers["x-forwarded-for"].split(",") if (address := _address(text))]
    real = _address(headers.get("x-real-ip", "")) if "x-real-ip" in headers else ""
    if real and real not in found:
        found.append(real)
    peer = request.peer.host
    if peer and (not found or found[-1] != peer):
        found.append(peer)
    return found


def _address(text: str) -> str:
    try:
        return str(ip_address(text.strip()))
    except ValueError:
        return ""


def _reference(info: RequestInfo) -> dict[str, str]:
    found = {"resource": info.resource}
    if info.namespace:
        found["namespace"] = info.namespace
    if info.name:
        found["name"] = info.name
    if info.group:
        found["apiGroup"] = info.group
    found["apiVersion"] = info.version
    if info.subresource:
        found["subresource"] = info.subresource
    return found


def _from_yaml(body: bytes) -> Any:
    """The value of a YAML text; the text itself where it has none."""
    try:
        return yaml.decode(body)[0]
    except MalformedError:
        return body.decode("utf-8", "replace")
