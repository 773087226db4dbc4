"""A server with admission policies alone, and what it is asked and told."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson

from fakes.served import schemas
from pilothouse.api.catalogue import builtin
from pilothouse.apiserver.admission.chain import AdmissionChain
from pilothouse.apiserver.admission.framework import Admission
from pilothouse.apiserver.admission.plugins.mutating_admission_policy import MutatingAdmissionPolicy
from pilothouse.apiserver.admission.plugins.validating_admission_policy import ValidatingAdmissionPolicy
from pilothouse.apiserver.audit.policy import Decision, Level
from pilothouse.apiserver.audit.record import Record
from pilothouse.apiserver.authentication.in_process import InProcessAuthenticator
from pilothouse.apiserver.authorization.framework import Attributes, Verdict
from pilothouse.apiserver.authorization.framework import Decision as Leave
from pilothouse.apiserver.exchange import Exchange
from pilothouse.apiserver.handlers.authenticate import authenticate
from pilothouse.apiserver.handlers.framework import Next
from pilothouse.apiserver.server import ApiServer
from pilothouse.apiserver.user import User
from pilothouse.client.transport import HandlerTransport
from pilothouse.net.http import Response
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.store.memory import MemoryStore
from pilothouse.testing.loop import run as run_virtual

Json = dict[str, Any]
ADMISSION = "/apis/admissionregistration.k8s.io/v1"
MAPS = "/api/v1/namespaces/default/configmaps"
JANE = User("jane", ("dev",))
SELECTED = {"resourceRules": [
    {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["*"], "resources": ["configmaps"]}
]}  # fmt: skip
_PATCHES = {"jsonPatch": "JSONPatch", "applyConfiguration": "ApplyConfiguration"}


class Leaves:
    """An authorizer that allows what the verb `allow` or the name `mine` asks for, and says why not."""

    def authorize(self, attributes: Attributes) -> Leave:
        allowed = "allow" in (attributes.verb, attributes.subresource) or attributes.name == "mine"
        return Leave(Verdict.ALLOW, "may") if allowed else Leave(Verdict.NO_OPINION, "may not")


class Policed:
    """The server, and the last request's warnings and audit annotations."""

    def __init__(self, server: ApiServer, mutating: Admission, validating: Admission) -> None:
        self.server = server
        self.mutating = mutating
        self.validating = validating
        self.warnings: list[str] = []
        self.notes: dict[str, str] = {}
        self.headers: Mapping[str, str] = {}
        self._transport = HandlerTransport(server.handle, JANE)

    async def record(self, exchange: Exchange, following: Next) -> Response:
        """The step that records."""
        decision = Decision(Level.METADATA)
        exchange.audit = Record(decision, "1", exchange.request, exchange.info, exchange.user, exchange.received)
        try:
            return await following(exchange)
        finally:
            self.notes, self.warnings = exchange.audit.annotations, exchange.warnings

    async def ask(self, method: str, target: str, body: Any = None, form: str = "application/json") -> tuple[int, Any]:
        sent = b"" if body is None else orjson.dumps(body)
        answer = await self._transport.send(method, target, {"content-type": form}, sent)
        self.headers = answer.headers
        return answer.status, orjson.loads(answer.body)

    async def make(self, target: str, body: Json) -> Json:
        """Make what must be accepted."""
        status, made = await self.ask("POST", target, body)
        assert status == 201, made
        found: Json = made
        return found

    async def put_map(self, name: str = "m", **more: Any) -> tuple[int, Json]:
        """Make a ConfigMap of the namespace `default`."""
        return await self.ask("POST", MAPS, {"metadata": {"name": name}, **more})

    async def validate(self, name: str, spec: Json, binding: Json | None = None) -> None:
        """Make a ValidatingAdmissionPolicy about ConfigMaps, and bind it."""
        await self._make(name, "validating", spec, {"validationActions": ["Deny"], **(binding or {})})

    async def mutate(self, name: str, spec: Json, binding: Json | None = None) -> None:
        """Make a MutatingAdmissionPolicy about ConfigMaps, and bind it."""
        await self._make(name, "mutating", {"reinvocationPolicy": "Never", **spec}, binding or {})

    async def _make(self, name: str, kind: str, spec: Json, binding: Json) -> None:
        spec = {"matchConstraints": SELECTED, **spec}
        await self.make(f"{ADMISSION}/{kind}admissionpolicies", {"metadata": {"name": name}, "spec": spec})
        bound = {"policyName": name, **binding}
        target = f"{ADMISSION}/{kind}admissionpolicybindings"
        await self.make(target, {"metadata": {"name": f"{name}-binding"}, "spec": bound})


def mutation(**expressions: str) -> list[Json]:
    """Mutations by `jsonPatch` or `applyConfiguration`."""
    return [{"patchType": _PATCHES[name], name: {"expression": text}} for name, text in expressions.items()]


def run(story: Callable[[Policed], Awaitable[None]], *others: type[Admission]) -> None:
    """Run a story against a server of its own with the namespace `default`, policies, and other plugins."""

    async def main(clock: LoopClock, chance: Chance) -> None:
        async with MemoryStore(clock) as store, ApiServer(store, builtin(), schemas(), clock, chance) as server:
            kinds: tuple[type[Admission], ...] = (MutatingAdmissionPolicy, ValidatingAdmissionPolicy, *others)
            plugins = [kind(server.served, Leaves(), clock, chance) for kind in kinds]
            for plugin in plugins:
                plugin.measure(server.metrics)
            policed = Policed(server, plugins[0], plugins[1])
            steps = (authenticate(InProcessAuthenticator()), policed.record)
            server.assemble(steps=steps, admission=AdmissionChain(plugins))
            await policed.make("/api/v1/namespaces", {"metadata": {"name": "default", "labels": {"stage": "test"}}})
            await story(policed)

    run_virtual(main)
