"""Which objects pods and volumes name. Read from pkg/api/v1/pod/util.go and pkg/api/v1/persistentvolume/util.go."""

from collections.abc import Callable
from typing import Any

import pytest

from pilothouse.api.catalogue import builtin
from pilothouse.apiserver.authorization.references import References, pod_names
from pilothouse.apiserver.registry.resource_cache import ResourceCache
from pilothouse.apiserver.registry.watch_cache import WatchCache
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.store.interface import Record
from pilothouse.store.memory import MemoryStore
from pilothouse.testing.loop import run as run_virtual


def pod(**spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": "p", "namespace": "n"}, "spec": spec}


def volume(**source: Any) -> dict[str, Any]:
    return pod(volumes=[{"name": "v", **source}])


def container(field: str, **fields: Any) -> dict[str, Any]:
    return pod(**{field: [{"name": "c", **fields}]})


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (pod(serviceAccountName="x"), "serviceaccounts"),
        (pod(imagePullSecrets=[{"name": "x"}]), "secrets"),
        (container("containers", env=[{"valueFrom": {"secretKeyRef": {"name": "x"}}}]), "secrets"),
        (container("initContainers", envFrom=[{"secretRef": {"name": "x"}}]), "secrets"),
        (container("ephemeralContainers", envFrom=[{"secretRef": {"name": "x"}}]), "secrets"),
        (volume(secret={"secretName": "x"}), "secrets"),
        (volume(azureFile={"secretName": "x"}), "secrets"),
        (volume(csi={"nodePublishSecretRef": {"name": "x"}}), "secrets"),
        (volume(projected={"sources": [{"secret": {"name": "x"}}]}), "secrets"),
        *((volume(**{kind: {"secretRef": {"name": "x"}}}), "secrets")
          for kind in ("cephfs", "cinder", "flexVolume", "rbd", "scaleIO", "iscsi", "storageos")),
        (container("containers", env=[{"valueFrom": {"configMapKeyRef": {"name": "x"}}}]), "configmaps"),
        (container("containers", envFrom=[{"configMapRef": {"name": "x"}}]), "configmaps"),
        (volume(configMap={"name": "x"}), "configmaps"),
        (volume(projected={"sources": [{"configMap": {"name": "x"}}]}), "configmaps"),
        (volume(persistentVolumeClaim={"claimName": "x"}), "persistentvolumeclaims"),
        (pod(resourceClaims=[{"name": "c", "resourceClaimName": "x"}]), "resourceclaims"),
        (pod() | {"status": {"extendedResourceClaimStatus": {"resourceClaimName": "x"}}}, "resourceclaims"),
    ],
)  # fmt: skip
def test_what_a_pod_names(given: dict[str, Any], expected: str) -> None:
    assert list(pod_names(given)) == [(expected, "n", "x")]


def test_claims_that_pods_own() -> None:
    given = volume(ephemeral={"volumeClaimTemplate": {}})
    given["spec"]["resourceClaims"] = [
        {"name": name, "resourceClaimTemplateName": "t"} for name in ("made", "unneeded", "late")
    ]
    made = [{"name": "made", "resourceClaimName": "x"}, {"name": "unneeded"}]
    given["status"] = {"resourceClaimStatuses": made}
    assert list(pod_names(given)) == [("persistentvolumeclaims", "n", "p-v"), ("resourceclaims", "n", "x")]


def follow(story: Callable[[WatchCache, References], None]) -> None:
    async def scenario(clock: LoopClock, _chance: Chance) -> None:
        cache = WatchCache(MemoryStore(clock), builtin(), clock)
        story(cache, References(cache))

    run_virtual(scenario)


def put(cache: ResourceCache, revision: int, name: str, namespace: str = "", **fields: Any) -> None:
    key = f"{cache.prefix}{namespace}/{name}" if namespace else f"{cache.prefix}{name}"
    metadata = {"name": name, "namespace": namespace, **fields.pop("metadata", {})}
    stored = Record(key, cache.head + b"}}", revision, revision)
    cache.apply(key, revision, stored, {"metadata": metadata, **fields})


@pytest.mark.parametrize(
    ("source", "secret"),
    [
        *(({kind: {"secretRef": {"name": "x"}}}, ("n", "x"))
          for kind in ("cephfs", "cinder", "flexVolume", "rbd", "scaleIO", "iscsi", "storageos")),
        ({"rbd": {"secretRef": {"name": "x", "namespace": "m"}}}, ("m", "x")),
        ({"azureFile": {"secretName": "x"}}, ("n", "x")),
        ({"azureFile": {"secretName": "x", "secretNamespace": "m"}}, ("m", "x")),
        *(({"csi": {field: {"name": "x", "namespace": "m"}}}, ("m", "x"))
          for field in ("nodePublishSecretRef", "nodeStageSecretRef", "nodeExpandSecretRef")),
    ],
)  # fmt: skip
def test_secrets_of_a_bound_volume(source: dict[str, Any], secret: tuple[str, str]) -> None:
    def story(cache: WatchCache, references: References) -> None:
        volumes, name = cache.of("", "persistentvolumes"), ("secrets", *secret)
        put(volumes, 1, "v", spec={"claimRef": {"namespace": "n", "name": "c"}, **source})
        assert not references.leads(name, "a")
        claimed = [{"persistentVolumeClaim": {"claimName": "c"}}]
        put(cache.of("", "pods"), 2, "p", "n", spec={"nodeName": "a", "volumes": claimed})
        assert references.leads(name, "a")
        assert references.leads(("persistentvolumes", "", "v"), "a")
        assert not references.leads(name, "b")
        put(volumes, 3, "v", spec=source)
        assert not references.leads(name, "a")
        assert not references.leads(("persistentvolumes", "", "v"), "a")

    follow(story)


@pytest.mark.parametrize("field", ["controllerPublishSecretRef", "controllerExpandSecretRef"])
def test_secrets_that_are_for_controllers_alone(field: str) -> None:
    def story(cache: WatchCache, references: References) -> None:
        csi = {field: {"name": "x", "namespace": "m"}}
        put(cache.of("", "persistentvolumes"), 1, "v", spec={"claimRef": {"namespace": "n", "name": "c"}, "csi": csi})
        claimed = [{"persistentVolumeClaim": {"claimName": "c"}}]
        put(cache.of("", "pods"), 2, "p", "n", spec={"nodeName": "a", "volumes": claimed})
        assert not references.leads(("secrets", "m", "x"), "a")

    follow(story)


def test_nothing_is_kept_of_what_is_gone() -> None:
    def story(cache: WatchCache, references: References) -> None:
        pods = cache.of("", "pods")
        for revision, name in enumerate(("p", "q"), 1):
            put(pods, revision, name, "n", spec={"nodeName": "a", "serviceAccountName": "x"})
        pods.apply(f"{pods.prefix}n/p", 3, None, None)
        assert references.leads(("serviceaccounts", "n", "x"), "a")
        pods.apply(f"{pods.prefix}n/q", 4, None, None)
        assert not references.leads(("serviceaccounts", "n", "x"), "a")
        assert references.sizes == (0, 0)

    follow(story)
