"""Clients of other hands, unmodified: each makes, lists, watches, patches, applies and deletes, as its users do."""

import asyncio
import gc
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import kr8s
import lightkube
import pytest
from kr8s.asyncio.objects import ConfigMap as Kr8sConfigMap
from kubernetes import client, config, watch
from kubernetes.aio import client as aio
from kubernetes.aio import config as aio_config
from kubernetes.aio import watch as aio_watch
from lightkube.core.exceptions import ApiError
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources.core_v1 import ConfigMap

pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(autouse=True)
def _what_they_leave() -> Iterator[None]:
    """Some of these clients leave sockets to the garbage collector: it finds them here, not in somebody else's test."""
    yield
    gc.collect()


def test_the_official_client_in_its_asynchronous_form(kubeconfig: Path) -> None:
    async def story() -> None:
        await aio_config.load_kube_config(str(kubeconfig))
        async with aio.ApiClient() as api:
            core = aio.CoreV1Api(api)
            made = await core.create_namespaced_config_map(
                "default", aio.V1ConfigMap(metadata=aio.V1ObjectMeta(name="aio", labels={"of": "aio"}), data={"a": "b"})
            )
            await core.patch_namespaced_config_map("aio", "default", {"data": {"c": "d"}})
            await core.delete_namespaced_config_map("aio", "default")
            seen = []
            async with aio_watch.Watch() as watch:
                async for event in watch.stream(
                    core.list_namespaced_config_map,
                    "default",
                    label_selector="of=aio",
                    resource_version=made.metadata.resource_version,
                    timeout_seconds=30,
                ):
                    seen.append((event["type"], event["object"].data))
                    if event["type"] == "DELETED":
                        break
            assert seen == [("MODIFIED", {"a": "b", "c": "d"}), ("DELETED", {"a": "b", "c": "d"})]

    asyncio.run(story())


@pytest.mark.filterwarnings("ignore:Kubernetes version")  # ours is younger than those it knows
def test_kr8s(kubeconfig: Path) -> None:
    async def story() -> None:
        api = await kr8s.asyncio.api(kubeconfig=str(kubeconfig))
        made = await Kr8sConfigMap(
            {"metadata": {"name": "kr8s", "namespace": "default", "labels": {"of": "kr8s"}}, "data": {"a": "b"}},
            api=api,
        )
        await made.create()
        assert await made.exists()
        await made.patch({"data": {"c": "d"}})
        assert made.data == {"a": "b", "c": "d"}
        found = [
            one["metadata"]["name"]
            async for one in api.get("configmaps", namespace="default", label_selector="of=kr8s")
        ]
        assert found == ["kr8s"]
        await made.label({"more": "x"})
        async for kind, seen in api.watch("configmaps", namespace="default", label_selector="of=kr8s"):
            assert (kind, seen.labels["more"]) == ("ADDED", "x")
            break
        await made.delete()
        assert not await made.exists()

    asyncio.run(story())


def test_lightkube(kubeconfig: Path) -> None:
    with lightkube.Client(lightkube.KubeConfig.from_file(kubeconfig), field_manager="light") as light:
        _use(light)


def _use(light: lightkube.Client) -> None:
    made = light.create(
        ConfigMap(metadata=ObjectMeta(name="light", namespace="default", labels={"of": "light"}), data={"a": "b"})
    )
    assert made.metadata
    assert made.metadata.uid
    light.patch(ConfigMap, "light", {"data": {"c": "d"}}, namespace="default")
    applied = light.apply(
        ConfigMap(
            apiVersion="v1", kind="ConfigMap", metadata=ObjectMeta(name="light", namespace="default"), data={"e": "f"}
        )
    )
    assert applied.data == {"a": "b", "c": "d", "e": "f"}
    assert [one.data for one in light.list(ConfigMap, namespace="default", labels={"of": "light"})] == [applied.data]
    watching = light.watch(ConfigMap, namespace="default", labels={"of": "light"})
    kind, seen = next(watching)
    assert (kind, seen.data) == ("ADDED", applied.data)
    del watching
    light.delete(ConfigMap, "light", namespace="default")
    with pytest.raises(ApiError) as error:
        light.get(ConfigMap, "light", namespace="default")
    assert error.value.status.code == 404


OPERATOR = """
import kopf

@kopf.on.startup()
def quiet(settings, **_):
    settings.posting.enabled = False
    settings.persistence.finalizer = "example.com/copy"

@kopf.on.create("configmaps", labels={"copy": "wanted"})
def copied(body, patch, **_):
    patch.setdefault("data", {})["copy"] = body["data"]["text"].upper()

@kopf.on.update("configmaps", labels={"copy": "wanted"}, field="data.text")
def again(new, patch, **_):
    patch.setdefault("data", {})["copy"] = new.upper()

@kopf.on.delete("configmaps", labels={"copy": "wanted"})
def gone(**_):
    print("let it go", flush=True)
"""


def test_an_operator_written_with_kopf(kubeconfig: Path, tmp_path: Path) -> None:
    """It copies a text in capitals, also when it changes, and is asked before the object goes."""
    script = tmp_path / "operator.py"
    script.write_text(OPERATOR)
    api = config.new_client_from_config(str(kubeconfig))
    core = client.CoreV1Api(api)
    command = [sys.executable, "-m", "kopf", "run", "--standalone", "--namespace=default", str(script)]
    environment = {"KUBECONFIG": str(kubeconfig), "PATH": ""}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as operator:
        try:
            labels = {"copy": "wanted"}
            metadata = client.V1ObjectMeta(name="kopf", labels=labels)
            made = core.create_namespaced_config_map(
                "default", client.V1ConfigMap(metadata=metadata, data={"text": "one"})
            )
            since = made.metadata.resource_version
            copies: list[str] = []
            for event in watch.Watch().stream(
                core.list_namespaced_config_map,
                "default",
                label_selector="copy=wanted",
                resource_version=since,
                timeout_seconds=40,
            ):
                seen = event["object"]
                copy = seen.data.get("copy")
                if event["type"] == "DELETED":
                    break
                if seen.metadata.deletion_timestamp or copy in (None, *copies):
                    continue
                copies.append(copy)
                assert seen.metadata.finalizers == ["example.com/copy"]
                if copy == "ONE":
                    core.patch_namespaced_config_map("kopf", "default", {"data": {"text": "two"}})
                else:
                    core.delete_namespaced_config_map("kopf", "default")
        finally:
            api.rest_client.pool_manager.clear()  # its own close leaves connections open
            operator.terminate()
            output = operator.communicate(timeout=20)[0]
    assert copies == ["ONE", "TWO"], output
    assert "let it go" in output
