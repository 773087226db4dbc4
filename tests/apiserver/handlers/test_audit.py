"""What is recorded of requests, stage by stage, as audit.k8s.io/v1 has it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from functools import cache
from typing import Any

import orjson
import pytest
from prometheus_client import generate_latest

from pilothouse.api.catalogue import builtin
from pilothouse.api.machinery.errors import InternalError
from pilothouse.api.machinery.schema import Schemas
from pilothouse.api.machinery.view import JsonObject
from pilothouse.apiserver.audit.backend import Mode
from pilothouse.apiserver.audit.line import AnswerObject, line_of
from pilothouse.apiserver.audit.policy import read_policy
from pilothouse.apiserver.audit.record import Record
from pilothouse.apiserver.authentication.in_process import InProcessAuthenticator
from pilothouse.apiserver.authorization.framework import Attributes, Decision, Verdict
from pilothouse.apiserver.exchange import Exchange
from pilothouse.apiserver.handlers.audit import Auditing, identify
from pilothouse.apiserver.handlers.authenticate import authenticate
from pilothouse.apiserver.handlers.authorize import authorize
from pilothouse.apiserver.handlers.framework import Next, Step
from pilothouse.apiserver.handlers.impersonate import impersonate
from pilothouse.apiserver.request_info import parse_request_info
from pilothouse.apiserver.server import ApiServer
from pilothouse.apiserver.user import User
from pilothouse.client.transport import Answer, HandlerTransport
from pilothouse.net.http import Peer, Request, Response
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.store.memory import MemoryStore
from pilothouse.testing.loop import run

MAPS = "/api/v1/namespaces/default/configmaps"
ME = User("me", ("devs",), "u-1", {"team": ("a",)})
ME_SHOWN = {"username": "me", "uid": "u-1", "groups": ["devs", "system:authenticated"], "extra": {"team": ["a"]}}
NOW = "2026-01-01T00:00:00.000000Z"


@cache
def schemas() -> Schemas:
    return Schemas()


class Kept:
    """A backend that keeps events, as JSON would bring them back."""

    def __init__(self, mode: Mode = Mode.BLOCKING) -> None:
        self.mode = mode
        self.failures = 0
        self.works = True
        self.events: list[JsonObject] = []

    def put(self, event: JsonObject) -> None:
        self.events.append(orjson.loads(b"".join(line_of(event))))

    async def settled(self) -> bool:
        return self.works


class Allows:
    """Lets everybody do all but delete."""

    def authorize(self, attributes: Attributes) -> Decision:
        if attributes.verb == "delete":
            return Decision(Verdict.NO_OPINION, "not you")
        return Decision(Verdict.ALLOW, "it is me")


class Fixture:
    def __init__(self, server: ApiServer, backend: Kept, clock: LoopClock) -> None:
        self.server = server
        self.backend = backend
        self.clock = clock
        self.transport = HandlerTransport(server.handle, ME)

    async def ask(self, method: str, target: str, body: Any = None, **headers: str) -> tuple[Answer, list[JsonObject]]:
        self.backend.events.clear()
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        sent = {"content-type": kind, "user-agent": "test/1"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        encoded = body if isinstance(body, bytes) else b"" if body is None else orjson.dumps(body)
        answer = await self.transport.send(method, target, sent, encoded)
        return answer, list(self.backend.events)


def tell(story: Callable[[Fixture], Awaitable[None]], policy: str, *, backend: Kept | None = None) -> None:
    async def whole(clock: LoopClock, chance: Chance) -> None:
        kept = backend or Kept()
        text = f"apiVersion: audit.k8s.io/v1\nkind: Policy\n{policy}"
        async with MemoryStore(clock) as store, ApiServer(store, builtin(), schemas(), clock, chance) as server:
            auditing = Auditing(read_policy(text.encode()), kept, clock)
            server.metrics.registry.register(auditing)
            server.assemble(
                outer=(identify(chance), auditing.conclude),
                steps=(
                    authenticate(InProcessAuthenticator(), anonymous=False), auditing.audit, impersonate(Allows()),
                    authorize(Allows()), misbehave(clock),
                ),
            )  # fmt: skip
            await story(Fixture(server, kept, clock))

    run(whole)


def misbehave(clock: LoopClock) -> Step:
    async def step(exchange: Exchange, following: Next) -> Response:
        if exchange.info.value("crash"):
            raise ZeroDivisionError("by design")
        if exchange.info.value("slow"):
            await clock.sleep(1000)
        return await following(exchange)

    return step


def stages(events: list[JsonObject]) -> list[str]:
    return [event["stage"] for event in events]


def test_a_request_is_recorded_when_it_comes_and_when_it_is_answered() -> None:
    async def story(api: Fixture) -> None:
        answer, (received, complete) = await api.ask("GET", f"{MAPS}?limit=1")
        common = {
            "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata",
            "auditID": answer.headers["audit-id"], "requestURI": f"{MAPS}?limit=1", "verb": "list", "user": ME_SHOWN,
            "userAgent": "test/1", "requestReceivedTimestamp": NOW, "stageTimestamp": NOW,
            "objectRef": {"resource": "configmaps", "namespace": "default", "apiVersion": "v1"},
        }  # fmt: skip
        assert received == {**common, "stage": "RequestReceived"}
        assert complete == {
            **common,
            "stage": "ResponseComplete",
            "responseStatus": {"metadata": {}, "code": 200},
            "annotations": {"authorization.k8s.io/decision": "allow", "authorization.k8s.io/reason": "it is me"},
        }
        assert list(received)[:9] == [
            "kind", "apiVersion", "level", "auditID", "stage", "requestURI", "verb", "user", "userAgent",
        ]  # fmt: skip

    tell(story, "rules: [{level: Metadata}]")


def test_the_client_may_name_the_request() -> None:
    async def story(api: Fixture) -> None:
        answer, events = await api.ask("GET", "/version", audit_id="mine")
        assert answer.headers["audit-id"] == "mine"
        assert [event["auditID"] for event in events] == ["mine", "mine"]
        assert "objectRef" not in events[0]

    tell(story, "rules: [{level: Metadata}]")


def test_levels() -> None:
    async def story(api: Fixture) -> None:
        body = {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "a"}, "data": {"k": "v"}}
        answer, (_, created) = await api.ask("POST", MAPS, body)
        assert created["requestObject"]["data"] == {"k": "v"}
        assert created["objectRef"] == {
            "resource": "configmaps", "namespace": "default", "name": "a", "apiVersion": "v1",
        }  # fmt: skip
        assert created["responseObject"] == orjson.loads(answer.body)
        assert created["responseStatus"] == {"metadata": {}, "code": 201}
        for form in ("application/yaml", "application/vnd.kubernetes.protobuf"):
            answer, (_, again) = await api.ask("POST", MAPS, {**body, "metadata": {"name": form[-4:]}}, accept=form)
            assert answer.headers["content-type"] == form
            assert again["responseObject"]["data"] == {"k": "v"}
        patch = {"metadata": {"labels": {"a": "b"}}}
        _, (_, patched) = await api.ask("PATCH", f"{MAPS}/a", patch)
        assert patched["requestObject"] == patch
        assert "managedFields" not in patched["responseObject"]["metadata"]
        apply = b"kind: ConfigMap\napiVersion: v1\nmetadata:\n  name: a\n"
        _, (_, applied) = await api.ask(
            "PATCH", f"{MAPS}/a?fieldManager=me", apply, content_type="application/apply-patch+yaml"
        )
        assert applied["requestObject"] == {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "a"}}
        _, (_, replaced) = await api.ask("PUT", f"{MAPS}/a", body)
        assert replaced["level"] == "Request"
        assert "responseObject" not in replaced
        assert replaced["requestObject"]["data"] == {"k": "v"}
        _, events = await api.ask("GET", f"{MAPS}/a")
        assert events == []
        _, events = await api.ask("GET", f"{MAPS}/none")
        assert events == [], "errors neither"

    policy = """
rules:
- {level: RequestResponse, verbs: [create]}
- {level: RequestResponse, verbs: [patch], omitManagedFields: true}
- {level: Request, verbs: [update]}
"""
    tell(story, policy)


def test_refusals_carry_their_status() -> None:
    async def story(api: Fixture) -> None:
        answer, (_, refused) = await api.ask("DELETE", f"{MAPS}/a")
        status = orjson.loads(answer.body)
        assert answer.status == 403
        del status["kind"], status["apiVersion"]
        assert refused["responseStatus"] == status
        assert refused["annotations"] == {
            "authorization.k8s.io/decision": "forbid", "authorization.k8s.io/reason": "not you",
        }  # fmt: skip
        _, (_, missing) = await api.ask("GET", f"{MAPS}/a")
        assert (missing["responseStatus"]["reason"], missing["responseStatus"]["code"]) == ("NotFound", 404)

    tell(story, "rules: [{level: Metadata}]")


def test_impersonation_shows_both() -> None:
    async def story(api: Fixture) -> None:
        _, (received, complete) = await api.ask("GET", MAPS, impersonate_user="you")
        assert "impersonatedUser" not in received
        assert complete["user"] == ME_SHOWN
        assert complete["impersonatedUser"] == {"username": "you", "groups": ["system:authenticated"]}

    tell(story, "rules: [{level: Metadata}]")


def test_a_watch_is_recorded_as_it_begins_and_when_it_ends() -> None:
    async def story(api: Fixture) -> None:
        async with api.transport.stream("GET", f"{MAPS}?watch=1&timeoutSeconds=600", {}) as stream:
            assert stages(api.backend.events) == ["RequestReceived", "ResponseStarted"]
            assert api.backend.events[1]["responseStatus"] == {"metadata": {}, "code": 200}
            async for _ in stream.body:
                pass
            assert stages(api.backend.events) == ["RequestReceived", "ResponseStarted", "ResponseComplete"]
            assert api.backend.events[2]["stageTimestamp"] == "2026-01-01T00:10:00.000000Z"
        api.backend.events.clear()
        async with api.transport.stream("GET", f"{MAPS}?watch=1", {}):
            pass
        assert stages(api.backend.events) == ["RequestReceived", "ResponseStarted", "ResponseComplete"]

    tell(story, "rules: [{level: Metadata}]")


def test_who_is_nobody_is_recorded_once() -> None:
    async def story(api: Fixture) -> None:
        stranger = Request("GET", MAPS, {"authorization": "Bearer no"}, Peer("10.0.0.1:47"))
        assert (await api.server.handle(stranger)).status == 401
        (event,) = api.backend.events
        assert event["stage"] == "ResponseStarted"
        assert event["user"] == {}
        assert event["sourceIPs"] == ["10.0.0.1"]
        assert event["responseStatus"] == {
            "metadata": {}, "message": "Authentication failed, attempted: bearer", "code": 401,
        }  # fmt: skip

    tell(story, "rules: [{level: Metadata}]")


def test_faults_of_our_own_are_a_panic() -> None:
    async def story(api: Fixture) -> None:
        answer, (_, panic) = await api.ask("GET", f"{MAPS}?crash=1")
        assert answer.status == 500
        assert answer.headers["audit-id"] == panic["auditID"]
        assert panic["stage"] == "Panic"
        assert "APIServer panic'd: by design" in panic["responseStatus"]["message"]

    tell(story, "rules: [{level: Metadata}]")


def test_what_runs_out_of_time_is_complete() -> None:
    async def story(api: Fixture) -> None:
        answer, (_, complete) = await api.ask("GET", f"{MAPS}?slow=1&timeout=5s")
        assert answer.status == 504
        assert complete["stage"] == "ResponseComplete"
        assert (complete["responseStatus"]["code"], complete["responseStatus"]["reason"]) == (504, "Timeout")
        assert complete["stageTimestamp"] == "2026-01-01T00:00:05.000000Z"
        _, (early,) = await api.ask("GET", f"{MAPS}?timeout=soon")
        assert early["stage"] == "ResponseStarted"
        assert early["responseStatus"]["message"].startswith("invalid timeout specified in the request URL")

    tell(story, "rules: [{level: Metadata}]")


def test_a_client_that_leaves_is_recorded() -> None:
    async def story(api: Fixture) -> None:
        with pytest.raises(TimeoutError):
            async with api.clock.timeout(1):
                await api.ask("GET", f"{MAPS}?slow=1")
        assert stages(api.backend.events) == ["RequestReceived", "ResponseComplete"]
        assert api.backend.events[1]["responseStatus"]["message"] == "Connection closed early"

    tell(story, "rules: [{level: Metadata}]")


class NeverSettled(Kept):
    async def settled(self) -> bool:
        await asyncio.get_running_loop().create_future()
        raise AssertionError("unreachable")


def test_an_answer_whose_client_leaves_while_it_is_recorded_is_let_go() -> None:
    async def story(api: Fixture) -> None:
        with pytest.raises(TimeoutError):
            async with api.clock.timeout(1):
                await api.ask("GET", f"{MAPS}?watch=1")
        assert stages(api.backend.events) == ["RequestReceived", "ResponseStarted", "ResponseComplete"]

    tell(story, "rules: [{level: Metadata}]", backend=NeverSettled())


def test_stages_may_be_omitted() -> None:
    async def story(api: Fixture) -> None:
        _, events = await api.ask("GET", MAPS)
        assert stages(events) == ["ResponseComplete"]

    tell(story, "omitStages: [RequestReceived]\nrules: [{level: Metadata}]")


def test_where_it_is_strict_nothing_goes_unrecorded() -> None:
    backend = Kept(Mode.BLOCKING_STRICT)

    async def story(api: Fixture) -> None:
        backend.works = False
        answer, events = await api.ask("GET", MAPS)
        assert answer.status == 500
        assert orjson.loads(answer.body)["message"] == InternalError("failed to store audit event").message
        assert stages(events) == ["RequestReceived"]

    tell(story, "rules: [{level: Metadata}]", backend=backend)


def test_metrics() -> None:
    async def story(api: Fixture) -> None:
        await api.ask("GET", MAPS)
        await api.ask("GET", "/version")
        shown = generate_latest(api.server.metrics.registry).decode().splitlines()
        assert "apiserver_audit_event_total 2.0" in shown
        assert 'apiserver_audit_level_total{level="Metadata"} 1.0' in shown
        assert 'apiserver_audit_level_total{level="None"} 1.0' in shown
        assert "apiserver_audit_requests_rejected_total 0.0" in shown
        assert 'apiserver_audit_error_total{plugin="log"} 0.0' in shown

    tell(story, 'rules: [{level: Metadata, namespaces: ["default"]}]')


def test_an_answer_of_many_pieces_is_not_read_on_the_way_out() -> None:
    """A list of thousands is turned into JSON by whoever writes the event."""

    class Pieces(list[bytes | memoryview]):
        def __iter__(self) -> Iterator[bytes | memoryview]:
            raise AssertionError("read")

    decision = read_policy(
        b"apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: RequestResponse, omitManagedFields: true}]"
    ).decide(ME, parse_request_info("GET", MAPS))
    request = Request("GET", MAPS, {}, Peer(""))
    record = Record(decision, "id", request, parse_request_info("GET", MAPS), ME, 0.0)
    record.answered(Response(200, Pieces([b'{"kind":"ConfigMapList","items":[', b"]}"])))
    event = record.event("ResponseComplete", 1.0)
    assert isinstance(event["responseObject"], AnswerObject)
