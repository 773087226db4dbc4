"""metrics.k8s.io through the whole server, as metrics-server answers (pkg/api)."""

from typing import Any

import orjson
import pytest

from apiserver.usage.stage import HERE, TABLE, Stage, schemas, tell
from pilothouse.api.catalogue import with_addons
from pilothouse.api.machinery.openapi import Documents
from pilothouse.apiserver.usage.answers import usage
from pilothouse.apiserver.usage.samples import Use


async def shop(stage: Stage) -> None:
    """Two nodes, three pods that run, one that does not."""
    await stage.made("/api/v1/namespaces", {"kind": "Namespace", "metadata": {"name": "shop"}})
    await stage.node("n", zone="a")
    await stage.node("m", zone="b")
    await stage.pod("web", "n", "app", "side")
    await stage.pod("db", "m", "db")
    await stage.pod("done", "n", "job", phase="Succeeded")


def test_a_node() -> None:
    async def story(stage: Stage) -> None:
        await shop(stage)
        status, found = await stage.get("nodes/n")
        created, timestamp = found["metadata"].pop("creationTimestamp"), found.pop("timestamp")
        assert (created, timestamp) == ("2026-01-01T00:00:01Z", "2026-01-01T00:00:01Z")
        assert (status, found) == (
            200,
            {
                "kind": "NodeMetrics", "apiVersion": "metrics.k8s.io/v1beta1",
                "metadata": {"name": "n", "labels": {"zone": "a"}},
                "window": "1s", "usage": {"cpu": "1", "memory": "4Mi", "swap": "0"},
            },
        )  # fmt: skip

    tell(story)


def test_a_pod() -> None:
    async def story(stage: Stage) -> None:
        await shop(stage)
        status, found = await stage.get("namespaces/shop/pods/web")
        assert (status, found["kind"]) == (200, "PodMetrics")
        assert found["metadata"].items() >= {"name": "web", "namespace": "shop", "labels": {"app": "web"}}.items()
        used = {"cpu": "500m", "memory": "2Mi", "swap": "0"}
        assert found["containers"] == [{"name": "app", "usage": used}, {"name": "side", "usage": used}]
        assert found["window"] == "1s"

    tell(story)


@pytest.mark.parametrize(
    ("target", "names"),
    [
        ("nodes", ["m", "n"]),
        ("nodes?labelSelector=zone%3Db", ["m"]),
        ("nodes?fieldSelector=metadata.name%3Dn", ["n"]),
        ("pods", ["db", "web"]),
        ("namespaces/shop/pods", ["db", "web"]),
        ("namespaces/other/pods", []),
        ("pods?labelSelector=app%3Dweb", ["web"]),
        ("pods?fieldSelector=metadata.name%3Ddb,metadata.namespace%3Dshop", ["db"]),
    ],
)
def test_lists(target: str, names: list[str]) -> None:
    async def story(stage: Stage) -> None:
        await shop(stage)
        status, found = await stage.get(target)
        assert (status, found["metadata"], found["apiVersion"]) == (200, {}, "metrics.k8s.io/v1beta1")
        assert found["kind"] == ("NodeMetricsList" if target.startswith("nodes") else "PodMetricsList")
        assert [item["metadata"]["name"] for item in found["items"]] == names

    tell(story)


@pytest.mark.parametrize(
    ("target", "status", "message"),
    [
        ("nodes/none", 404, 'nodes "none" not found'),
        ("namespaces/shop/pods/none", 404, 'pods "none" not found'),
        ("namespaces/shop/pods/done", 404, 'podmetrics.metrics.k8s.io "shop/done" not found'),
        ("nodes/dead", 404, 'nodemetrics.metrics.k8s.io "dead" not found'),
        ("pods?fieldSelector=spec.nodeName%3Dn", 400, "field label not supported: spec.nodeName"),
        ("nodes?watch=true", 405, "the server does not allow this method on the requested resource"),
    ],
)
def test_refusals(target: str, status: int, message: str) -> None:
    async def story(stage: Stage) -> None:
        await shop(stage)
        await stage.node("dead")
        stage.kubelets.refusing.add("dead")
        answer = await stage.get(target)
        assert (answer[0], answer[1]["message"]) == (status, message)

    tell(story)


def test_what_is_not_there_is_said_at_once() -> None:
    async def story(stage: Stage) -> None:
        await shop(stage)
        for target in ("nodes/none", "namespaces/shop/pods/none", "pods?labelSelector=app%3Dnone"):
            await stage.get(target)
        assert stage.kubelets.asked == []

    tell(story)


def test_nothing_is_written() -> None:
    async def story(stage: Stage) -> None:
        await shop(stage)
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            answer = await stage.send(method, f"{HERE}/nodes" + ("" if method == "POST" else "/n"), {})
            assert answer.status == 405, method

    tell(story)


def cells(table: Any) -> list[list[str]]:
    return [row["cells"] for row in table["rows"]]


def test_tables() -> None:
    async def story(stage: Stage) -> None:
        await shop(stage)
        _, nodes = await stage.get("nodes", TABLE)
        heads = [(head["name"], head["format"]) for head in nodes["columnDefinitions"]]
        measured = [(name, "quantity") for name in ("cpu", "memory", "swap")]
        assert heads == [("Name", "name"), *measured, ("Window", "duration")]
        assert cells(nodes) == [["m", "1", "4Mi", "0", "1s"], ["n", "1", "4Mi", "0", "1s"]]
        assert nodes["rows"][0]["object"]["kind"] == "PartialObjectMetadata"
        _, pods = await stage.get("pods?includeObject=Object", TABLE)
        assert cells(pods) == [["db", "500m", "2Mi", "0", "1s"], ["web", "1", "4Mi", "0", "1s"]]
        assert pods["rows"][1]["object"]["containers"][0]["name"] == "app"
        _, one = await stage.get("namespaces/shop/pods/db?includeObject=None", TABLE)
        assert (one["kind"], cells(one), one["rows"][0]["object"]) == (
            "Table",
            [["db", "500m", "2Mi", "0", "1s"]],
            None,
        )

    tell(story)


def test_metadata_alone_and_other_forms() -> None:
    async def story(stage: Stage) -> None:
        await shop(stage)
        partial = "application/json;as=PartialObjectMetadata{};v=v1;g=meta.k8s.io"
        _, listed = await stage.get("nodes", partial.format("List"))
        assert (listed["kind"], listed["apiVersion"]) == ("PartialObjectMetadataList", "meta.k8s.io/v1")
        assert {item["kind"] for item in listed["items"]} == {"PartialObjectMetadata"}
        _, one = await stage.get("nodes/n", partial.format(""))
        assert one.keys() == {"kind", "apiVersion", "metadata"}
        both = "application/vnd.kubernetes.protobuf,application/json"
        assert (await stage.get("nodes/n", both))[1]["kind"] == "NodeMetrics"
        assert (await stage.send("GET", f"{HERE}/nodes", accept="application/vnd.kubernetes.protobuf")).status == 406
        yaml = await stage.send("GET", f"{HERE}/nodes/n", accept="application/yaml")
        assert b"kind: NodeMetrics\n" in yaml.body

    tell(story)


@pytest.mark.parametrize(
    ("use", "shown"),
    [
        (Use(1, 1, 12_345_678, 400 << 10, 0), {"cpu": "12345678n", "memory": "400Ki", "swap": "0"}),
        (Use(1, 1, 250_000_000, 3 << 30, 5000), {"cpu": "250m", "memory": "3Gi", "swap": "5000"}),
        (Use(1, 1, 0, 1, 4096), {"cpu": "0", "memory": "1", "swap": "4Ki"}),
    ],
)
def test_quantities(use: Use, shown: dict[str, str]) -> None:
    assert usage(use) == shown


def test_discovery_has_the_group_last() -> None:
    async def story(stage: Stage) -> None:
        groups = orjson.loads((await stage.send("GET", "/apis")).body)["groups"]
        assert groups[-1] == {
            "name": "metrics.k8s.io",
            "versions": [{"groupVersion": "metrics.k8s.io/v1beta1", "version": "v1beta1"}],
            "preferredVersion": {"groupVersion": "metrics.k8s.io/v1beta1", "version": "v1beta1"},
        }
        resources = orjson.loads((await stage.send("GET", HERE)).body)["resources"]
        assert resources == [
            {"name": "nodes", "singularName": "", "namespaced": False, "kind": "NodeMetrics", "verbs": ["get", "list"]},
            {"name": "pods", "singularName": "", "namespaced": True, "kind": "PodMetrics", "verbs": ["get", "list"]},
        ]
        aggregated = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
        last = orjson.loads((await stage.send("GET", "/apis", accept=aggregated)).body)["items"][-1]
        assert last["metadata"]["name"] == "metrics.k8s.io"
        assert [one["responseKind"]["kind"] for one in last["versions"][0]["resources"]] == [
            "NodeMetrics",
            "PodMetrics",
        ]

    tell(story)


def test_openapi_describes_the_kinds() -> None:
    document = orjson.loads(Documents(schemas(), with_addons(), "v1.37.0").v3("apis/metrics.k8s.io/v1beta1"))
    package = "io.k8s.metrics.pkg.apis.metrics.v1beta1"
    found = document["components"]["schemas"]
    assert found.keys() >= {f"{package}.{kind}" for kind in ("NodeMetrics", "NodeMetricsList", "ContainerMetrics")}
    assert found[f"{package}.PodMetrics"]["required"] == ["containers", "timestamp", "window"]
    assert f"{HERE}/namespaces/{{namespace}}/pods/{{name}}" in document["paths"]
