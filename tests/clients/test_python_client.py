"""The official Python client, unmodified."""

from pathlib import Path

import pytest
from kubernetes import client, config, watch
from kubernetes.client.exceptions import ApiException


@pytest.fixture
def core(kubeconfig: Path) -> client.CoreV1Api:
    return client.CoreV1Api(config.new_client_from_config(str(kubeconfig)))


def test_create_list_watch_delete(core: client.CoreV1Api) -> None:
    made = core.create_namespaced_config_map(
        "default", client.V1ConfigMap(metadata=client.V1ObjectMeta(name="py", labels={"made": "py"}), data={"a": "b"})
    )
    assert made.metadata.uid
    listed = core.list_namespaced_config_map("default", label_selector="made=py")
    assert [item.metadata.name for item in listed.items] == ["py"]
    core.patch_namespaced_config_map("py", "default", {"data": {"c": "d"}})
    core.delete_namespaced_config_map("py", "default")
    seen = []
    for event in watch.Watch().stream(
        core.list_namespaced_config_map,
        "default",
        label_selector="made=py",
        resource_version=listed.metadata.resource_version,
        timeout_seconds=30,
    ):
        seen.append((event["type"], event["object"].data))
        if event["type"] == "DELETED":
            break
    assert seen == [("MODIFIED", {"a": "b", "c": "d"}), ("DELETED", {"a": "b", "c": "d"})]
    with pytest.raises(ApiException) as error:
        core.read_namespaced_config_map("py", "default")
    assert error.value.status == 404
