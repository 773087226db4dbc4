"""Server-side apply as clients see it: the API server in process, on the memory store, in virtual time."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any

import orjson
import pytest

from pilothouse.api.catalogue import builtin
from pilothouse.api.machinery.schema import Schemas
from pilothouse.apiserver.authorization.framework import Attributes, Decision, Verdict
from pilothouse.apiserver.handlers.authorize import authorize
from pilothouse.apiserver.server import ApiServer
from pilothouse.client.transport import Answer, HandlerTransport
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.store.memory import MemoryStore
from pilothouse.testing.loop import run

MAPS = "/api/v1/namespaces/default/configmaps"
MAP = f"{MAPS}/a"
DEPLOYMENT = "/apis/apps/v1/namespaces/default/deployments/web"
SCALE = f"{DEPLOYMENT}/scale"
APPLY = "application/apply-patch+yaml"
TYPED = "failed to create typed patch object (/web; apps/v1, Kind=Deployment): "
MODIFIED = (
    'Operation cannot be fulfilled on configmaps "a": the object has been modified; please apply your changes to the '
    "latest version and try again"
)
PLACE = 'API group "" in the namespace "default"'
Json = dict[str, Any]


@cache
def schemas() -> Schemas:
    return Schemas()


class Verbs:
    """Allows some verbs and no others."""

    def __init__(self, *verbs: str) -> None:
        self.verbs = verbs

    def authorize(self, attributes: Attributes) -> Decision:
        return Decision(Verdict.ALLOW if attributes.verb in self.verbs else Verdict.NO_OPINION)


class Api:
    def __init__(self, server: ApiServer, clock: LoopClock) -> None:
        self.clock = clock
        self.transport = HandlerTransport(server.handle, None)

    async def raw(self, method: str, target: str, body: Any = None, form: str = "application/json") -> Answer:
        data = body if isinstance(body, bytes) else b"" if body is None else orjson.dumps(body)
        return await self.transport.send(method, target, {"content-type": form, "user-agent": "test/1"}, data)

    async def ask(self, method: str, target: str, body: Any = None, form: str = "application/json") -> tuple[int, Any]:
        answer = await self.raw(method, target, body, form)
        return answer.status, orjson.loads(answer.body)

    async def apply(self, target: str, body: Any, manager: str = "one", **query: str) -> tuple[int, Any]:
        text = "&".join(f"{name}={value}" for name, value in {"fieldManager": manager, **query}.items())
        return await self.ask("PATCH", f"{target}?{text}", body, APPLY)

    async def applied(self, target: str, body: Any, manager: str = "one", **query: str) -> Any:
        """Apply, which must work; a second passes first, so that every write has its own time."""
        await asyncio.sleep(1)  # noqa: TID251 - virtual time
        status, found = await self.apply(target, body, manager, **query)
        assert status in (200, 201), found["message"]
        return found

    async def merged(self, target: str, body: Any, manager: str) -> Any:
        await asyncio.sleep(1)  # noqa: TID251 - virtual time
        form = "application/merge-patch+json"
        status, found = await self.ask("PATCH", f"{target}?fieldManager={manager}", body, form)
        assert status == 200, found["message"]
        return found


def story(tell: Callable[[Api], Awaitable[None]], *verbs: str) -> None:
    async def scenario(clock: LoopClock, chance: Chance) -> None:
        async with MemoryStore(clock) as store, ApiServer(store, builtin(), schemas(), clock, chance) as server:
            server.assemble(steps=(authorize(Verbs(*verbs)),) if verbs else ())
            await tell(Api(server, clock))

    run(scenario)


def config_map(name: str = "a", metadata: Json | None = None, **data: Any) -> Json:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, **(metadata or {})}, "data": data}


def deployment(*containers: Json, **spec: Any) -> Json:
    labels = {"app": "web"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": list(containers) or [container()]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {"selector": {"matchLabels": labels}, "template": template, **spec},
    }


def container(name: str = "c", **more: Any) -> Json:
    return {"name": name, "image": "example:1", **more}


def scale(replicas: int) -> Json:
    return {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "web", "namespace": "default"},
            "spec": {"replicas": replicas}}  # fmt: skip


def owned(found: Json) -> dict[str, Any]:
    """Fields by manager, with operation and subresource where they are not Apply and none."""
    names = {}
    for entry in found["metadata"].get("managedFields", ()):
        name = entry["manager"]
        if entry["operation"] != "Apply":
            name += f" {entry['operation']}"
        if entry.get("subresource"):
            name += f" {entry['subresource']}"
        names[name] = entry["fieldsV1"]
    return names


def times(found: Json) -> dict[str, Any]:
    return {entry["manager"]: entry.get("time") for entry in found["metadata"]["managedFields"]}


def test_an_apply_creates_and_then_merges() -> None:
    async def tell(api: Api) -> None:
        status, made = await api.apply(MAP, config_map(x="1"))
        assert (status, made["data"]) == (201, {"x": "1"})
        assert made["metadata"]["namespace"] == "default"
        assert made["metadata"]["uid"]
        [entry] = made["metadata"]["managedFields"]
        assert entry.pop("time")
        assert entry == {
            "manager": "one", "operation": "Apply", "apiVersion": "v1", "fieldsType": "FieldsV1",
            "fieldsV1": {"f:data": {"f:x": {}}},
        }  # fmt: skip
        status, found = await api.apply(MAP, config_map(y="1"), "two")
        assert (status, found["data"]) == (200, {"x": "1", "y": "1"})
        assert owned(found) == {"one": {"f:data": {"f:x": {}}}, "two": {"f:data": {"f:y": {}}}}

    story(tell)


def test_yaml_and_json_are_the_same() -> None:
    async def tell(api: Api) -> None:
        body = b"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata: {x: '1'}\n"
        status, made = await api.apply(MAP, body)
        assert (status, made["data"]) == (201, {"x": "1"})
        assert await api.apply(MAP, config_map(x="1")) == (200, made)

    story(tell)


def test_an_apply_of_what_is_there_changes_nothing() -> None:
    async def tell(api: Api) -> None:
        sent = deployment(container(resources={"limits": {"cpu": "0.5"}}, ports=[{"containerPort": 80}]))
        made = await api.applied(DEPLOYMENT, sent)
        assert made["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"] == {"cpu": "500m"}
        assert await api.applied(DEPLOYMENT, sent) == made
        assert (await api.merged(DEPLOYMENT, {"spec": {"replicas": 1}}, "two")) == made

    story(tell)


def test_what_is_applied_no_longer_goes() -> None:
    async def tell(api: Api) -> None:
        first = container(env=[{"name": "A", "value": "1"}, {"name": "B", "value": "2"}], args=["a"])
        await api.applied(DEPLOYMENT, deployment(first, container("d"), replicas=3, minReadySeconds=5))
        found = await api.applied(DEPLOYMENT, deployment(container(env=[{"name": "B", "value": "2"}])))
        [left] = found["spec"]["template"]["spec"]["containers"]
        assert (left["name"], left["env"], "args" in left) == ("c", [{"name": "B", "value": "2"}], False)
        assert found["spec"]["replicas"] == 1  # the default is back
        assert "minReadySeconds" not in found["spec"]

    story(tell)


def test_what_another_has_too_stays() -> None:
    async def tell(api: Api) -> None:
        await api.applied(MAP, config_map(x="1", y="1"))
        shared = await api.applied(MAP, config_map(x="1"), "two")
        assert owned(shared)["two"] == {"f:data": {"f:x": {}}}
        found = await api.applied(MAP, config_map(metadata={"labels": {"l": "1"}}))
        assert found["data"] == {"x": "1"}
        found = await api.applied(MAP, config_map(), "two")
        assert "data" not in found

    story(tell)


def test_conflicts_are_told_and_may_be_forced() -> None:
    async def tell(api: Api) -> None:
        await api.applied(MAP, config_map(x="1", y="1", z="1"))
        assert await api.apply(MAP, config_map(x="2"), "two") == (409, {
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "reason": "Conflict", "code": 409,
            "message": 'Apply failed with 1 conflict: conflict with "one": .data.x',
            "details": {"causes": [
                {"reason": "FieldManagerConflict", "message": 'conflict with "one"', "field": ".data.x"}]},
        })  # fmt: skip
        await api.merged(MAP, {"data": {"z": "2"}}, "edit")
        status, refused = await api.apply(MAP, config_map(z="3", y="3", x="3"), "two")
        assert (status, refused["message"].splitlines()) == (409, [
            'Apply failed with 3 conflicts: conflicts with "edit" using v1:', "- .data.z",
            'conflicts with "one":', "- .data.x", "- .data.y",
        ])  # fmt: skip
        found = await api.applied(MAP, config_map(z="3", y="3"), "two", force="true")
        assert found["data"] == {"x": "1", "y": "3", "z": "3"}
        assert owned(found) == {"one": {"f:data": {"f:x": {}}}, "two": {"f:data": {"f:y": {}, "f:z": {}}}}

    story(tell)


def test_updates_take_fields_from_who_applied_them() -> None:
    async def tell(api: Api) -> None:
        await api.applied(MAP, config_map(x="1", y="1"))
        found = await api.merged(MAP, {"data": {"x": "2"}}, "edit")
        assert owned(found) == {"one": {"f:data": {"f:y": {}}}, "edit Update": {"f:data": {"f:x": {}}}}
        status, _ = await api.apply(MAP, config_map(x="1", y="1"))
        assert status == 409

    story(tell)


def test_times_change_when_something_does() -> None:
    async def tell(api: Api) -> None:
        made = await api.applied(MAP, config_map(x="1"))
        shared = await api.applied(MAP, config_map(x="1"), "two")
        assert times(shared) == {"one": times(made)["one"], "two": None}  # the object is as it was: no time
        again = await api.applied(MAP, config_map(x="1", y="1"), "two")
        assert times(again)["one"] == times(made)["one"]
        assert times(again)["two"] > times(made)["one"]

    story(tell)


def test_who_made_an_object_nobody_kept_a_record_of() -> None:
    async def tell(api: Api) -> None:
        await api.ask("POST", MAPS, config_map(x="1", y="1"))
        await api.merged(MAP, {"metadata": {"managedFields": [{}]}}, "edit")
        status, refused = await api.apply(MAP, config_map(x="2"))
        assert (status, refused["message"]) == (
            409, 'Apply failed with 1 conflict: conflict with "before-first-apply" using v1: .data.x'
        )  # fmt: skip
        found = await api.applied(MAP, config_map(x="1"))
        assert owned(found) == {
            "one": {"f:data": {"f:x": {}}},
            "before-first-apply Update": {"f:data": {".": {}, "f:x": {}, "f:y": {}}},
        }

    story(tell)


@pytest.mark.parametrize(
    ("target", "body", "status", "message"),
    [
        (f"{MAP}?force=true", config_map(), 422,
         'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch'),
        (f"{MAP}?fieldManager=m", b"- a", 400,
         "error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into Go "),
        (f"{MAP}?fieldManager=m", b"a: [", 400, "error decoding YAML: error converting YAML to JSON: yaml: "),
        (f"{MAP}?fieldManager=m", {"metadata": {"name": "a"}}, 400, "invalid object type: /, Kind="),
        (f"{MAP}?fieldManager=m", {**config_map(), "kind": "Secret"}, 400, "invalid object type: /v1, Kind=Secret"),
        (f"{MAP}?fieldManager=m", {**config_map(), "apiVersion": "apps/v1"}, 400,
         "invalid object type: apps/v1, Kind=ConfigMap"),
        (f"{MAP}?fieldManager=m", config_map(metadata={"managedFields": []}), 400,
         "metadata.managedFields must be nil"),
        (f"{MAP}?fieldManager=m", config_map("b"), 400,
         "the name of the object (b) does not match the name on the URL (a)"),
        (f"{MAP}?fieldManager=m", config_map(metadata={"name": None, "generateName": "a-"}), 400,
         "the name of the object (a based on URL) was undeterminable: name must be provided"),
        (f"{MAP}?fieldManager=m", config_map(metadata={"namespace": "other"}), 400,
         "the namespace of the provided object does not match the namespace sent on the request"),
        (f"{MAP}?fieldManager=m", config_map(metadata={"uid": "u"}), 409,
         'Operation cannot be fulfilled on configmaps "a": uid mismatch: the provided object specified uid u, and no'),
        (f"{MAP}?fieldManager=m", {**config_map(), "datum": {}}, 500,
         "failed to create typed patch object (/a; /v1, Kind=ConfigMap): .datum: field not declared in schema"),
        (f"{DEPLOYMENT}?fieldManager=m", deployment(container(), container()), 500,
         f'{TYPED}.spec.template.spec.containers: duplicate entries for key [name="c"]'),
        (f"{DEPLOYMENT}?fieldManager=m", deployment(replicas="1"), 500,
         f"{TYPED}.spec.replicas: expected numeric (int or float), got string"),
        (f"{DEPLOYMENT}?fieldManager=m", deployment(replicas=-1), 422,
         'Deployment.apps "web" is invalid: spec.replicas'),
        (f"{DEPLOYMENT}/status?fieldManager=m", deployment(), 404, 'deployments.apps "web" not found'),
    ],
)  # fmt: skip
def test_refusals(target: str, body: Any, status: int, message: str) -> None:
    async def tell(api: Api) -> None:
        found, refused = await api.ask("PATCH", target, body, APPLY)
        assert refused["message"].startswith(message)
        assert found == status

    story(tell)


@pytest.mark.parametrize("force", ["true", "false"])
def test_only_an_apply_may_be_forced(force: str) -> None:
    async def tell(api: Api) -> None:
        status, refused = await api.ask("PATCH", f"{MAP}?force={force}", {}, "application/merge-patch+json")
        assert (status, refused["message"]) == (
            422,
            'PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch',
        )

    story(tell)


def test_repeated_keys() -> None:
    body = b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"x":"1",\n"x":"2"}}'
    told = 'error converting YAML to JSON: yaml: unmarshal errors:\n  line 2: key "x" already set in map'

    async def tell(api: Api) -> None:
        status, refused = await api.apply(MAP, body, fieldValidation="Strict")
        assert (status, refused["message"]) == (400, f"error strict decoding YAML: {told}")
        answer = await api.raw("PATCH", f"{MAP}?fieldManager=m", body, APPLY)
        assert answer.status == 201
        assert answer.headers["warning"] == '299 - "line 2: key \\"x\\" already set in map"'
        answer = await api.raw("PATCH", f"{MAP}?fieldManager=m&fieldValidation=Ignore", body, APPLY)
        assert (answer.status, "warning" in answer.headers) == (200, False)

    story(tell)


def test_preconditions() -> None:
    async def tell(api: Api) -> None:
        made = await api.applied(MAP, config_map(x="1"))
        version = made["metadata"]["resourceVersion"]
        found = await api.applied(MAP, config_map(x="2", metadata={"resourceVersion": version}))
        status, refused = await api.apply(MAP, config_map(x="3", metadata={"resourceVersion": version}))
        assert (status, refused["message"]) == (409, MODIFIED)
        status, refused = await api.apply(MAP, config_map(x="3", metadata={"uid": "u"}))
        assert status == 409
        assert "Precondition failed: UID in precondition: u, UID in object meta:" in refused["message"]
        assert (await api.ask("GET", MAP))[1] == found

    story(tell)


def test_a_dry_run_leaves_no_trace() -> None:
    async def tell(api: Api) -> None:
        status, made = await api.apply(MAP, config_map(x="1"), dryRun="All")
        assert (status, made["data"]) == (201, {"x": "1"})
        assert (await api.ask("GET", MAP))[0] == 404
        kept = await api.applied(MAP, config_map(x="1"))
        status, found = await api.apply(MAP, config_map(x="2"), dryRun="All")
        assert (status, found["data"]) == (200, {"x": "2"})
        assert (await api.ask("GET", MAP))[1] == kept

    story(tell)


def test_creation_by_apply_needs_the_right_to_create() -> None:
    async def tell(api: Api) -> None:
        status, refused = await api.apply(MAP, config_map(x="1"))
        assert (status, refused["message"]) == (
            403,
            f'configmaps "a" is forbidden: User "system:anonymous" cannot create resource "configmaps" in {PLACE}',
        )

    story(tell, "patch", "get")

    async def allowed(api: Api) -> None:
        assert (await api.apply(MAP, config_map(x="1")))[0] == 201

    story(allowed, "patch", "create")


def test_creation_by_update_needs_the_right_to_create() -> None:
    lease = "/apis/coordination.k8s.io/v1/namespaces/default/leases/a"
    body = {"metadata": {"name": "a"}, "spec": {}}

    async def tell(api: Api) -> None:
        status, refused = await api.ask("PUT", lease, body)
        assert (status, "cannot create resource" in refused["message"]) == (403, True)

    story(tell, "update", "get")

    async def allowed(api: Api) -> None:
        assert (await api.ask("PUT", lease, body))[0] == 201

    story(allowed, "update", "create")


def test_the_order_of_keys_is_no_change() -> None:
    async def tell(api: Api) -> None:
        _, made = await api.ask("POST", "/apis/apps/v1/namespaces/default/deployments", deployment())
        assert await api.merged(DEPLOYMENT, {"spec": {"paused": False}}, "test") == made
        backwards = {key: made[key] for key in reversed(made)} | {"spec": dict(reversed(made["spec"].items()))}
        assert await api.ask("PUT", DEPLOYMENT, backwards) == (200, made)

    story(tell)


def test_the_status_is_not_written_beside_the_rest_nor_the_rest_with_it() -> None:
    async def tell(api: Api) -> None:
        made = await api.applied(DEPLOYMENT, deployment() | {"status": {"replicas": 7}})
        assert "replicas" not in made["status"]
        assert "f:status" not in owned(made)["one"]
        sent = {**deployment(replicas=9), "status": {"replicas": 2, "readyReplicas": 1}}
        found = await api.applied(f"{DEPLOYMENT}/status", sent, "two")
        assert (found["spec"]["replicas"], found["status"]["replicas"]) == (1, 2)
        assert owned(found)["two status"] == {"f:status": {"f:readyReplicas": {}, "f:replicas": {}}}
        found = await api.applied(f"{DEPLOYMENT}/status", {**deployment(), "status": {"replicas": 2}}, "two")
        assert "readyReplicas" not in found["status"]

    story(tell)


def test_scaling_is_a_write_of_the_replicas() -> None:
    async def tell(api: Api) -> None:
        await api.applied(DEPLOYMENT, deployment(replicas=2))
        status, refused = await api.apply(SCALE, scale(3), "two")
        assert (status, refused["message"]) == (409, (
            'Apply failed with 1 conflict: conflict with "one": .spec.replicas'
        ))  # fmt: skip
        found = await api.applied(SCALE, scale(3), "two", force="true")
        assert (found["kind"], found["spec"]["replicas"]) == ("Scale", 3)
        _, parent = await api.ask("GET", DEPLOYMENT)
        assert owned(parent)["two scale"] == {"f:spec": {"f:replicas": {}}}
        assert "f:replicas" not in owned(parent)["one"]["f:spec"]
        assert times(parent)["two"] is None  # as upstream
        again = await api.applied(SCALE, scale(3), "two")
        assert again["metadata"]["resourceVersion"] == found["metadata"]["resourceVersion"]
        status, refused = await api.apply(DEPLOYMENT, deployment(replicas=2))
        assert refused["message"] == (
            'Apply failed with 1 conflict: conflict with "two" with subresource "scale": .spec.replicas'
        )
        await api.merged(SCALE, {"spec": {"replicas": 4}}, "hand")
        status, refused = await api.apply(SCALE, scale(5), "two")
        assert refused["message"] == (
            'Apply failed with 1 conflict: conflict with "hand" with subresource "scale" using autoscaling/v1: '
            ".spec.replicas"
        )

    story(tell)


HPA = "/apis/autoscaling/{}/namespaces/default/horizontalpodautoscalers/h"


def autoscaler(version: str, **spec: Any) -> Json:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    return {"apiVersion": f"autoscaling/{version}", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "h"},
            "spec": {"scaleTargetRef": target, **spec}}  # fmt: skip


def test_fields_are_compared_in_the_version_of_their_entry() -> None:
    async def tell(api: Api) -> None:
        one, two = HPA.format("v1"), HPA.format("v2")
        await api.applied(one, autoscaler("v1", maxReplicas=5, targetCPUUtilizationPercentage=60))
        metric = {"type": "Resource", "resource": {"name": "cpu", "target": {
            "type": "Utilization", "averageUtilization": 70}}}  # fmt: skip
        status, refused = await api.apply(two, autoscaler("v2", maxReplicas=5, metrics=[metric]), "two")
        assert (status, refused["message"]) == (
            409, 'Apply failed with 1 conflict: conflict with "one": .spec.targetCPUUtilizationPercentage'
        )  # fmt: skip
        found = await api.merged(two, {"spec": {"metrics": [metric]}}, "edit")
        assert "f:targetCPUUtilizationPercentage" not in owned(found)["one"]["f:spec"]
        # who applied in one version goes on in another: one entry, and what is left out there goes
        found = await api.applied(one, autoscaler("v1", maxReplicas=5, minReplicas=2))
        found = await api.applied(two, autoscaler("v2", maxReplicas=5))
        entries = [entry["apiVersion"] for entry in found["metadata"]["managedFields"] if entry["manager"] == "one"]
        assert entries == ["autoscaling/v2"]
        assert found["spec"]["minReplicas"] == 1

    story(tell)


def test_an_object_on_its_way_out_can_be_applied_to() -> None:
    async def tell(api: Api) -> None:
        kept = config_map(x="1", metadata={"finalizers": ["example.com/f"]})
        await api.applied(MAP, kept)
        await api.ask("DELETE", MAP)
        found = await api.applied(MAP, {**kept, "data": {"x": "2"}})
        assert found["metadata"]["deletionTimestamp"]
        await api.applied(MAP, config_map(x="2"))
        assert (await api.ask("GET", MAP))[0] == 404

    story(tell)


def test_null_takes_plain_values_away_and_is_claimed() -> None:
    async def tell(api: Api) -> None:
        await api.applied(DEPLOYMENT, deployment(replicas=3))
        found = await api.applied(DEPLOYMENT, deployment(replicas=None, minReadySeconds=None))
        assert found["spec"]["replicas"] == 1
        assert {"f:replicas", "f:minReadySeconds"} < owned(found)["one"]["f:spec"].keys()
        found = await api.applied(DEPLOYMENT, {**deployment(), "metadata": {"name": "web", "labels": None}}, "two")
        assert owned(found)["two"]["f:metadata"] == {"f:labels": {}}

    story(tell)


def test_what_kubectl_applied_on_its_own_side_is_its_own() -> None:
    annotation = "kubectl.kubernetes.io/last-applied-configuration"
    last = config_map(x="1", y="1")

    async def tell(api: Api) -> None:
        made = config_map(x="1", y="1", metadata={"annotations": {annotation: orjson.dumps(last).decode()}})
        await api.ask("POST", f"{MAPS}?fieldManager=kubectl-client-side-apply", made)
        status, _ = await api.apply(MAP, config_map(x="2", y="1"), "other")
        assert status == 409
        await api.merged(MAP, {"data": {"y": "2"}}, "edit")
        status, refused = await api.apply(MAP, config_map(x="2", y="3"), "kubectl")
        assert (status, refused["message"]) == (
            409, 'Apply failed with 1 conflict: conflict with "edit" using v1: .data.y'
        )  # fmt: skip
        found = await api.applied(MAP, config_map(x="2"), "kubectl")
        assert found["data"] == {"x": "2", "y": "2"}
        assert orjson.loads(found["metadata"]["annotations"][annotation]) == config_map(x="2")

    story(tell)
