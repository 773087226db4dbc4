"""Sums over containers and pod-level defaults (KEP-753, KEP-2837)."""

import pytest

from pilothouse.api.core.pod.resources import container_sum, default_pod_level_resources
from pilothouse.api.machinery.view import JsonObject


def needs(cpu: str, **more: str) -> JsonObject:
    return {"resources": {"requests": {"cpu": cpu}}, **more}


@pytest.mark.parametrize(
    ("containers", "inits", "expected"),
    [
        (["1", "2"], [], "3"),
        (["1"], [needs("2")], "2"),
        (["1"], [needs("500m", restartPolicy="Always")], "1500m"),
        (["1"], [needs("1", restartPolicy="Always"), needs("3")], "4"),
        (["1"], [needs("3"), needs("1", restartPolicy="Always")], "3"),
    ],
)
def test_what_all_containers_need(containers: list[str], inits: list[JsonObject], expected: str) -> None:
    spec = {"containers": [needs(cpu) for cpu in containers], "initContainers": inits}
    assert {name: str(amount) for name, amount in container_sum(spec, "requests").items()} == {"cpu": expected}


@pytest.mark.parametrize(
    ("resources", "container", "expected"),
    [
        ({"limits": {"cpu": "2"}}, {}, {"limits": {"cpu": "2"}, "requests": {"cpu": "2"}}),
        (
            {"limits": {"cpu": "2"}},
            {"requests": {"cpu": "1"}},
            {"limits": {"cpu": "2"}, "requests": {"cpu": "1"}},
        ),
        (
            {"requests": {"cpu": "2"}},
            {"limits": {"cpu": "1"}},
            {"limits": {"cpu": "1"}, "requests": {"cpu": "2"}},
        ),
        (
            {"limits": {"cpu": "2"}},
            {"limits": {"hugepages-2Mi": "4Mi"}},
            {"limits": {"cpu": "2", "hugepages-2Mi": "4Mi"}, "requests": {"cpu": "2", "hugepages-2Mi": "4Mi"}},
        ),
    ],
)
def test_a_pod_as_a_whole(resources: JsonObject, container: JsonObject, expected: JsonObject) -> None:
    spec: JsonObject = {"resources": resources, "containers": [{"resources": container}]}
    default_pod_level_resources(spec)
    assert spec["resources"] == expected
