"""Discovery, aggregated and not. The hashes of storage versions are those that upstream's answers show."""

from typing import Any

import orjson
import pytest

from fakes.served import Api, run
from pilothouse.client.transport import Answer

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
OLDER = "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList"


async def get(api: Api, target: str, accept: str = "", etag: str = "") -> Answer:
    return await api.send("GET", target, {"accept": accept} | ({"if-none-match": etag} if etag else {}))


def named(items: list[dict[str, Any]], key: str) -> dict[str, dict[str, Any]]:
    return {item[key]: item for item in items}


@pytest.mark.parametrize(
    "accept", [f"{AGGREGATED},application/json", f"{OLDER},application/json", f"{OLDER},{AGGREGATED}"]
)
def test_the_aggregated_list_comes_in_the_version_that_is_preferred(accept: str) -> None:
    async def story(api: Api) -> None:
        version = "v2beta1" if accept.startswith(OLDER) else "v2"
        for root in ("/api", "/apis"):
            answer = await get(api, root, accept)
            document = orjson.loads(answer.body)
            assert document["apiVersion"] == f"apidiscovery.k8s.io/{version}"
            assert answer.headers["content-type"] == (OLDER if version == "v2beta1" else AGGREGATED)
            assert answer.headers["vary"] == "Accept"
            again = await get(api, root, accept, answer.headers["etag"])
            assert (again.status, again.body, again.headers["etag"]) == (304, b"", answer.headers["etag"])
            assert (await get(api, root, accept, '"other"')).status == 200

    run(story)


def test_what_the_aggregated_list_tells_of_a_kind() -> None:
    async def story(api: Api) -> None:
        groups = named(
            [item["metadata"] | item for item in orjson.loads((await get(api, "/apis", AGGREGATED)).body)["items"]],
            "name",
        )
        assert list(groups)[:3] == ["apiregistration.k8s.io", "apps", "events.k8s.io"]
        assert [version["version"] for version in groups["autoscaling"]["versions"]] == ["v2", "v1"]
        (apps,) = groups["apps"]["versions"]
        assert apps["freshness"] == "Current"
        found = named(apps["resources"], "resource")["deployments"]
        gvk = {"group": "apps", "version": "v1", "kind": "Deployment"}
        assert found.items() >= {
            "responseKind": gvk, "scope": "Namespaced", "singularResource": "deployment", "shortNames": ["deploy"],
            "categories": ["all"],
            "verbs": ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"],
        }.items()  # fmt: skip
        parts = named(found["subresources"], "subresource")
        assert parts["status"] == {"subresource": "status", "responseKind": gvk, "verbs": ["get", "patch", "update"]}
        assert parts["scale"]["responseKind"] == {"group": "autoscaling", "version": "v1", "kind": "Scale"}
        (core,) = orjson.loads((await get(api, "/api", AGGREGATED)).body)["items"]
        assert core["metadata"] == {}
        assert named(core["versions"][0]["resources"], "resource")["nodes"]["scope"] == "Cluster"

    run(story)


def test_what_the_older_documents_tell() -> None:
    async def story(api: Api) -> None:
        core = named(orjson.loads((await get(api, "/api/v1")).body)["resources"], "name")
        assert core["pods"] == {
            "name": "pods", "singularName": "pod", "namespaced": True, "kind": "Pod", "shortNames": ["po"],
            "verbs": ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"],
            "categories": ["all"], "storageVersionHash": "xPOwRZ+Yhw8=",
        }  # fmt: skip
        assert core["configmaps"]["storageVersionHash"] == "qFsyl6wFWjQ="
        assert core["pods/eviction"].items() >= {"group": "policy", "version": "v1", "kind": "Eviction"}.items()
        assert core["pods/exec"]["kind"] == "PodExecOptions"
        assert "storageVersionHash" not in core["bindings"]
        apps = named(orjson.loads((await get(api, "/apis/apps/v1")).body)["resources"], "name")
        assert apps["deployments"]["storageVersionHash"] == "8aSe+NMegvE="
        groups = named(orjson.loads((await get(api, "/apis")).body)["groups"], "name")
        assert groups["autoscaling"]["preferredVersion"] == {"groupVersion": "autoscaling/v2", "version": "v2"}
        assert (
            orjson.loads((await get(api, "/apis/apps")).body)
            == {"kind": "APIGroup", "apiVersion": "v1"} | groups["apps"]
        )
        hashes = set()
        for version in ("v1", "v2"):
            resources = orjson.loads((await get(api, f"/apis/autoscaling/{version}")).body)["resources"]
            hashes.add(named(resources, "name")["horizontalpodautoscalers"]["storageVersionHash"])
        assert len(hashes) == 1, "it is stored in one version"

    run(story)


@pytest.mark.parametrize(
    "target", ["/apis/nothing", "/apis/apps/v9", "/api/v9", "/apis/apps/v1/nothing/x/y", "/nothing"]
)
def test_what_is_not_there(target: str) -> None:
    async def story(api: Api) -> None:
        answer = await get(api, target)
        assert (answer.status, answer.body) == (404, b"404 page not found\n")

    run(story)


def test_forms_that_nobody_serves() -> None:
    async def story(api: Api) -> None:
        for target in ("/api", "/apis", "/api/v1"):
            assert (await get(api, target, "text/html")).status == 406
            assert (await get(api, target, AGGREGATED.replace("v=v2", "v=v3"))).status == 406
        assert (await get(api, "/version", "text/html")).status == 200

    run(story)
