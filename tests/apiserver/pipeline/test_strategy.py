"""What counts up metadata.generation.

Sources: PrepareForUpdate in pkg/registry/{apps/deployment,apps/replicaset,discovery/endpointslice}/strategy.go.
"""

from typing import Any

import pytest

from pilothouse.api.catalogue import builtin
from pilothouse.apiserver.exchange import Exchange
from pilothouse.apiserver.pipeline.strategy import prepare_for_update
from pilothouse.apiserver.pipeline.write import Operation, Write

DEPLOYMENTS, SETS, SLICES, MAPS = (
    ("apps", "deployments"), ("apps", "replicasets"), ("discovery.k8s.io", "endpointslices"), ("", "configmaps"),
)  # fmt: skip
ANNOTATED: dict[str, Any] = {"annotations": {"a": "b"}}
LABELLED: dict[str, Any] = {"labels": {"a": "b"}}


def updated(kind: tuple[str, str], metadata: dict[str, Any], part: str = "", **fields: Any) -> Any:
    """The generation after a change of an object whose generation was 7."""
    resource = builtin().find(kind[0], "v1", kind[1])
    assert resource is not None
    old: dict[str, Any] = {
        "metadata": {"name": "x", "generation": 7},
        "spec": {"replicas": 1},
        "status": {"replicas": 1},
    }
    new: dict[str, Any] = {"metadata": {**old["metadata"], **metadata}, "spec": {"replicas": 1}, "status": {}, **fields}
    exchange: Exchange = object()  # type: ignore[assignment]
    subresource = resource.subresource(part) if part else None
    write = Write(exchange, resource, Operation.UPDATE, "ns", "x", new=new, old=old, subresource=subresource)
    prepare_for_update(write)
    return new["metadata"]["generation"]


@pytest.mark.parametrize(
    ("kind", "metadata", "part", "fields", "counts"),
    [
        (DEPLOYMENTS, {}, "", {}, False),
        (DEPLOYMENTS, {}, "", {"spec": {"replicas": 2}}, True),
        (DEPLOYMENTS, {}, "scale", {"spec": {"replicas": 2}}, True),
        (DEPLOYMENTS, ANNOTATED, "", {}, True),
        (DEPLOYMENTS, {"annotations": {}}, "", {}, False),
        (DEPLOYMENTS, LABELLED, "", {}, False),
        (DEPLOYMENTS, ANNOTATED, "status", {"status": {"replicas": 5}}, False),
        (DEPLOYMENTS, {}, "status", {"spec": {"replicas": 2}}, False),
        (SETS, ANNOTATED, "", {}, False),
        (SLICES, LABELLED, "", {}, True),
        (SLICES, ANNOTATED, "", {}, False),
        (SLICES, {}, "", {"endpoints": [{"addresses": ["10.0.0.1"]}]}, True),
        (MAPS, {}, "", {"data": {"a": "b"}}, False),
    ],
)
def test_what_counts(
    kind: tuple[str, str], metadata: dict[str, Any], part: str, fields: dict[str, Any], counts: bool
) -> None:
    assert updated(kind, metadata, part, **fields) == 7 + counts
