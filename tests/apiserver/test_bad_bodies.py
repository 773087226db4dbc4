"""Bodies of every kind with something odd in them: a refusal or an answer, never a crash.

What upstream answers with 500, we do: these are listed. `make fuzz` tries more than CI does.
"""

from collections.abc import Mapping

import orjson
import pytest

from fakes.mutants import mutants
from fakes.valid_objects import path_of, valid_object
from fakes.whole_api import JSON, WholeApi, schemas, served
from pilothouse.api.catalogue import AnyResource, builtin
from pilothouse.client.transport import Answer

APPLY = {"content-type": "application/apply-patch+yaml"}
STRATEGIC = {"content-type": "application/strategic-merge-patch+json"}
MERGE = {"content-type": "application/merge-patch+json"}
UPSTREAMS = (
    "resourceVersion should not be set on objects to be created",
    "failed to create typed patch object (",
    "failed to merge config: ",
    "failed to convert new object (",
    "does not contain declared merge key: ",
    "list element types are not identical: ",
    "cannot merge lists without merge key",
    "unknown patch type: ",
    "merging lists cannot yet be specified in the patch",
    "expected a list for ",
    "The order in patch list:",
)
"""What upstream answers with 500 and neither reason nor details, though the client is to blame: its errors are plain
ones there, in apimachinery's managedfields and strategicpatch and in apiserver's storage."""
RESOURCES = [resource for resource in builtin() if "create" in resource.verbs]


def refused_well(answer: Answer, sent: str) -> None:
    """Whether the answer is one that a client can use."""
    if answer.status < 400 or answer.body == b"404 page not found\n":
        return
    error = orjson.loads(answer.body)
    assert (error["kind"], error["status"], error["code"]) == ("Status", "Failure", answer.status), sent
    if answer.status < 500:
        assert error["reason"], sent
    else:
        assert answer.status == 500, sent
        assert "reason" not in error, f"{error['message']}: {sent}"
        assert any(words in error["message"] for words in UPSTREAMS), f"{error['message']}: {sent}"


async def _send(api: WholeApi, method: str, target: str, body: bytes, headers: Mapping[str, str] = JSON) -> None:
    answer = await api.send(method, target, body, headers)
    refused_well(answer, f"{method} {target} {headers['content-type']} {body.decode('utf-8', 'replace')[:4000]}")


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: f"{resource.api_version}/{resource.plural}")
def test_mutants_of_a_kind(resource: AnyResource, pytestconfig: pytest.Config) -> None:
    count, seed = pytestconfig.getoption("--examples"), pytestconfig.getoption("--from")
    path, valid = path_of(resource), valid_object(resource)
    here = f"{path}/{valid['metadata']['name']}"

    async def story(api: WholeApi) -> None:
        await api.send("POST", path, orjson.dumps(valid))
        schema = schemas().kind(resource.group, resource.version, resource.name)
        for mutant in mutants(schema, valid, f"{seed}{resource.api_version}/{resource.plural}", count):
            body = orjson.dumps(mutant)
            await _send(api, "POST", f"{path}?dryRun=All", body)
            if "update" not in resource.verbs:
                continue
            await _send(api, "PUT", here, body)
            await _send(api, "PATCH", f"{here}?fieldManager=f&force=1", body, APPLY)
            await _send(api, "PATCH", here, body, STRATEGIC)
            await _send(api, "PATCH", here, body, MERGE)
            for part in resource.subresources:
                if part.name in ("status", "scale", "approval", "resize", "ephemeralcontainers", "finalize"):
                    await _send(api, "PUT", f"{here}/{part.name}", body)
        if "list" in resource.verbs:
            for accept in ("application/json", "application/json;as=Table;v=v1;g=meta.k8s.io"):
                listed = await api.send("GET", path, headers={"accept": accept})
                assert listed.status == 200, "what was taken can be shown"

    served(story)


def test_the_objects_begun_with_are_valid() -> None:
    """Else the mutants would all fall at the first hurdle."""
    unlike = {"bindings", "podcertificaterequests"}  # they ask for a pod, which is not there

    async def story(api: WholeApi) -> None:
        for resource in RESOURCES:
            answer = await api.send("POST", f"{path_of(resource)}?dryRun=All", orjson.dumps(valid_object(resource)))
            assert answer.status == 201 or resource.plural in unlike, answer.body

    served(story)


RAW = {"kind": "ControllerRevision", "apiVersion": "apps/v1", "metadata": {"name": "r"}, "revision": 1}
REVISIONS = "/apis/apps/v1/namespaces/default/controllerrevisions"
MAPS = "/api/v1/namespaces/default/configmaps"
LONG = "9" * 5000
"""More digits than Python makes a number of."""


@pytest.mark.parametrize("data", ["x", 1.5, True, [1]])
def test_data_that_is_no_object(data: object) -> None:
    async def story(api: WholeApi) -> None:
        body = orjson.dumps({**RAW, "data": data})
        assert (await api.send("POST", REVISIONS, body)).status == 422
        assert (await api.send("POST", REVISIONS, orjson.dumps({**RAW, "data": {}}))).status == 201
        for method, query, headers in (("PUT", "", JSON), ("PATCH", "", MERGE), ("PATCH", "?fieldManager=f", APPLY)):
            assert (await api.send(method, f"{REVISIONS}/r{query}", body, headers)).status in (409, 422)

    served(story)


def test_applied_metadata_that_is_none() -> None:
    async def story(api: WholeApi) -> None:
        for metadata in (5, "x", [1], True):
            body = {"kind": "ConfigMap", "apiVersion": "v1", "metadata": metadata}
            answer = await api.send("PATCH", f"{MAPS}/x?fieldManager=f", orjson.dumps(body), APPLY)
            error = orjson.loads(answer.body)
            assert error["message"].startswith(
                "failed to create typed patch object (/; /v1, Kind=ConfigMap): .metadata"
            )

    served(story)


def test_a_merge_key_that_is_no_plain_value() -> None:
    services = "/api/v1/namespaces/default/services"
    service = {"metadata": {"name": "x"}, "spec": {"ports": [{"port": 80}]}}

    async def story(api: WholeApi) -> None:
        assert (await api.send("POST", services, orjson.dumps(service))).status == 201
        ports: tuple[object, ...] = ({}, [], {"a": 1})
        for port in ports:
            for extra in ({}, {"$patch": "delete"}):
                body = orjson.dumps({"spec": {"ports": [{"port": port, **extra}]}})
                answer = await api.send("PATCH", f"{services}/x", body, STRATEGIC)
                assert answer.status == (200 if extra else 422), answer.body

    served(story)


@pytest.mark.parametrize(
    ("headers", "patch"),
    [
        (STRATEGIC, {"metadata": {"$patch": "delete"}}),
        (MERGE, {"metadata": None}),
        ({"content-type": "application/json-patch+json"}, [{"op": "remove", "path": "/metadata"}]),
    ],
)
def test_a_patch_that_takes_the_metadata_away(headers: dict[str, str], patch: object) -> None:
    async def story(api: WholeApi) -> None:
        await api.send("POST", MAPS, b'{"metadata":{"name":"m"}}')
        answer = await api.send("PATCH", f"{MAPS}/m", orjson.dumps(patch), headers)
        assert answer.status < 500, answer.body

    served(story)


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/apis/apps/v1/namespaces/default/deployments", "maxUnavailable", 422),
        ("/apis/apps/v1/namespaces/default/deployments", "maxSurge", 201),
        ("/apis/apps/v1/namespaces/default/daemonsets", "templateGeneration", 201),
        (MAPS, "json", 400),
        (MAPS, "yaml", 201),
    ],
)
def test_more_digits_than_python_reads(path: str, body: str, status: int) -> None:
    workload = valid_object(next(r for r in RESOURCES if path.endswith(r.plural)))
    headers = JSON
    if body in ("maxSurge", "maxUnavailable"):
        workload = {**workload, "spec": {**workload["spec"], "strategy": {"rollingUpdate": {body: f"{LONG}%"}}}}
    elif body == "templateGeneration":
        counted = {"deprecated.daemonset.template.generation": LONG}
        workload = {**workload, "metadata": {"name": "x", "annotations": counted}}
    sent = orjson.dumps(workload)
    if body == "json":
        sent = b'{"metadata":{"name":"x","generation":%s}}' % LONG.encode()
    elif body == "yaml":  # too large for a number of Go's it is a text
        sent, headers = b"metadata: {name: x}\ndata: {a: %s}" % LONG.encode(), {"content-type": "application/yaml"}

    async def story(api: WholeApi) -> None:
        answer = await api.send("POST", path, sent, headers)
        assert answer.status == status, answer.body

    served(story)


@pytest.mark.parametrize("operation", [5, "x", [], [1], True])
def test_json_patch_operations_that_are_none(operation: object) -> None:
    headers = {"content-type": "application/json-patch+json"}

    async def story(api: WholeApi) -> None:
        await api.send("POST", MAPS, b'{"metadata":{"name":"m"}}')
        answer = await api.send("PATCH", f"{MAPS}/m", orjson.dumps([operation]), headers)
        error = orjson.loads(answer.body)
        assert answer.status == 400
        assert error["message"].endswith("into Go value of type handlers.jsonPatchOp")

    served(story)


def test_a_json_patch_that_goes_deeper_with_every_operation() -> None:
    headers = {"content-type": "application/json-patch+json"}
    patch = [{"op": "add", "path": "/x" + "/a" * depth, "value": {}} for depth in range(400)]

    async def story(api: WholeApi) -> None:
        await api.send("POST", MAPS, b'{"metadata":{"name":"m"}}')
        answer = await api.send("PATCH", f"{MAPS}/m", orjson.dumps(patch), headers)
        assert answer.status == 400
        assert "exceeded max depth" in orjson.loads(answer.body)["message"]

    served(story)
