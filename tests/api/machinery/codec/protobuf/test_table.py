"""The table holds against the schemas: what is served can be said in protobuf, but for what is listed here."""

import pytest

from pilothouse.api.catalogue import builtin
from pilothouse.api.machinery.codec.protobuf.table import Field, Presence, fields_of, message_named, message_of
from pilothouse.api.machinery.schema import Schema, Schemas

SCHEMAS = Schemas()
SCALARS = {"string", "bool", "int32", "int64", "double", "bytes", "time", "microTime", "quantity", "intOrString", "raw"}
WITHOUT_MESSAGE = {"apiextensions.k8s.io", "apiregistration.k8s.io"}
"""Groups whose types no kubectl carries: not offered in protobuf, as custom resources are not."""

NUMBERLESS = """
autoscaling.v2.HorizontalPodAutoscalerCondition observedGeneration
batch.v1.JobSpec scheduling
core.v1.ClusterTrustBundleProjection user
core.v1.ConfigMapVolumeSource defaultUser
core.v1.DownwardAPIVolumeFile user
core.v1.DownwardAPIVolumeSource defaultUser
core.v1.EmptyDirVolumeSource mode
core.v1.GRPCAction mode
core.v1.HTTPGetAction protocol
core.v1.KeyToPath user
core.v1.NodeAllocatableResourceClaimStatus mapping overhead
core.v1.NodeSpec podPreemptionPolicy
core.v1.NodeSystemInfo runningInUserNamespace
core.v1.PersistentVolumeClaimStatus healthStatus
core.v1.PodCertificateProjection user
core.v1.PodSpec evictionResponders
core.v1.PodStatus volumeHealth
core.v1.ProjectedVolumeSource defaultUser
core.v1.SecretVolumeSource defaultUser
core.v1.ServiceAccountTokenProjection user
core.v1.VolumeMount bindMountOptions
resource.v1.Device nodeAllocatableResources
resource.v1.DeviceCounterConsumption compatibilityGroups
resource.v1.DeviceRequestAllocationResult skipNodeOperations
resource.v1.DeviceSubRequest derivedAttributes
resource.v1.ExactDeviceRequest derivedAttributes
resource.v1.ResourceSliceSpec partitionTypeAttribute skipNodeOperations
storage.v1.CSINodeStatus storageHealth
"""
"""Fields that came with v1.37, whose numbers no object or program at hand tells. They do not travel in protobuf."""


def served() -> list[tuple[str, str, str]]:
    return sorted({(one.group, one.version, one.name) for one in builtin() if one.group not in WITHOUT_MESSAGE})


def reached(schema: Schema, found: dict[str, Schema]) -> None:
    inner = schema.items or schema.additional
    if inner is not None:
        reached(inner, found)
    elif schema.is_struct and schema.name not in found:
        found[schema.name] = schema
        for one in schema.properties.values():
            reached(one, found)


def flat(name: str) -> dict[str, Field]:
    found: dict[str, Field] = {}
    for field in fields_of(name):
        found |= flat(field.type) if field.presence is Presence.INLINE else {field.name: field}
    return found


def test_every_served_kind_has_a_message() -> None:
    kinds = served()
    assert len(kinds) > 50
    assert [kind for kind in kinds if not message_of(f"{kind[0]}/{kind[1]}".lstrip("/"), kind[2])] == []


def test_every_field_of_what_is_served_has_a_number() -> None:
    structs: dict[str, Schema] = {}
    for kind in served():
        reached(SCHEMAS.kind(*kind), structs)
    missing = {}
    for name, schema in structs.items():
        message = message_named(name)
        known = flat(message) if message else {}
        typed = {"kind", "apiVersion"} if schema.kinds else set()
        lacking = schema.properties.keys() - known.keys() - typed
        if lacking and message:
            missing[message] = lacking
        elif lacking:
            assert any(one.endswith(f".{name.rpartition('.')[2]}") for one in names_of_the_numberless(structs)), name
    assert missing == {line.split()[0]: set(line.split()[1:]) for line in NUMBERLESS.strip().splitlines()}


def names_of_the_numberless(structs: dict[str, Schema]) -> set[str]:
    """The structs that only fields without a number lead to."""
    found: dict[str, Schema] = {}
    for line in NUMBERLESS.strip().splitlines():
        message, *fields = line.split()
        for name, schema in structs.items():
            if message_named(name) == message:
                for field in fields:
                    reached(schema.properties[field], found)
    return set(found)


def test_types_agree_with_the_schemas() -> None:
    wanted = {"string": {"string"}, "bool": {"boolean"}, "int32": {"integer"}, "int64": {"integer"},
              "double": {"number"}, "bytes": {"string"}, "time": {"string"}, "microTime": {"string"},
              "quantity": {"", "string"}, "intOrString": {"", "string"}}  # fmt: skip
    for kind in served():
        structs: dict[str, Schema] = {}
        reached(SCHEMAS.kind(*kind), structs)
        for name, schema in structs.items():
            message = message_named(name)
            for field in flat(message).values() if message else ():
                inner = schema.properties.get(field.name)
                if inner is None:
                    continue
                if field.presence is Presence.REPEATED:
                    assert inner.type == "array", (name, field)
                    inner = inner.items
                elif field.presence is Presence.MAP:
                    inner = inner.additional
                assert inner is not None, (name, field)
                if field.type in wanted:
                    assert inner.type in wanted[field.type] or inner.quantity or inner.int_or_string, (name, field)


@pytest.mark.parametrize(
    ("api_version", "kind", "message"),
    [
        ("v1", "Pod", "core.v1.Pod"), ("v1", "PodList", "core.v1.PodList"),
        ("apps/v1", "DeleteOptions", "meta.v1.DeleteOptions"),
        ("rbac.authorization.k8s.io/v1", "Role", "rbac.v1.Role"), ("v1", "Status", "meta.v1.Status"),
        ("internal.apiserver.k8s.io/v1alpha1", "StorageVersion", "apiserverinternal.v1alpha1.StorageVersion"),
        ("meta.k8s.io/v1", "PartialObjectMetadataList", "meta.v1.PartialObjectMetadataList"),
        ("example.com/v1", "Widget", ""), ("v1", "List", ""), ("", "", ""),
    ],
)  # fmt: skip
def test_kinds_by_group_and_version(api_version: str, kind: str, message: str) -> None:
    assert message_of(api_version, kind) == message


def test_lists_are_not_in_the_table() -> None:
    metadata, items = fields_of("core.v1.PodList")
    assert (metadata.number, metadata.name, items.number, items.type) == (1, "metadata", 2, "core.v1.Pod")
    with pytest.raises(LookupError):
        fields_of("core.v1.Nothing")
