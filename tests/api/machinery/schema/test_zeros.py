"""What an object says without saying anything is gone once it is read: upstream's answers do not have it.

Facts: the json tags (`omitempty`, pointers) of the API's Go types, as the table of the protobuf messages has them.
"""

from typing import Any

import orjson
import pytest

from pilothouse.api.machinery.schema import Findings, Schemas, check
from pilothouse.api.machinery.schema.zeros import KEPT

SCHEMAS = Schemas()
JsonObject = dict[str, Any]
POD, SERVICE, DEPLOYMENT = ("", "v1", "Pod"), ("", "v1", "Service"), ("apps", "v1", "Deployment")
CLAIM, NODE, ROLE = ("", "v1", "PersistentVolumeClaim"), ("", "v1", "Node"), ("rbac.authorization.k8s.io", "v1", "Role")
SLICE = ("discovery.k8s.io", "v1", "EndpointSlice")
VOLUME = ("", "v1", "PersistentVolume")
ENDPOINTS = ("", "v1", "Endpoints")


def read(kind: tuple[str, str, str], value: JsonObject) -> JsonObject:
    findings = check(SCHEMAS.kind(*kind), orjson.loads(orjson.dumps(value)))
    assert findings == Findings(findings.object)
    return findings.object


SILENT: list[tuple[tuple[str, str, str], JsonObject, JsonObject]] = [
    (POD, {"metadata": {"ownerReferences": [], "finalizers": [], "labels": {}, "annotations": {}, "managedFields": []}},
     {"metadata": {}}),
    (POD, {"metadata": {"name": "", "generateName": "", "namespace": "", "uid": "", "resourceVersion": "",
                        "generation": 0}}, {"metadata": {}}),
    (POD, {"spec": {"hostNetwork": False, "hostPID": False, "hostIPC": False, "nodeName": "", "nodeSelector": {},
                    "tolerations": [], "volumes": [], "imagePullSecrets": [], "overhead": {}}}, {"spec": {}}),
    (POD, {"spec": {"containers": [{"name": "c", "command": [], "args": [], "env": [{"name": "A", "value": ""}],
                                    "tty": False, "livenessProbe": {"initialDelaySeconds": 0},
                                    "resources": {"limits": {}, "requests": {}},
                                    "volumeMounts": [{"name": "v", "mountPath": "/v", "readOnly": False,
                                                      "subPath": ""}]}]}},
     {"spec": {"containers": [{"name": "c", "env": [{"name": "A"}], "livenessProbe": {}, "resources": {},
                               "volumeMounts": [{"name": "v", "mountPath": "/v"}]}]}}),
    (POD, {"status": {"podIPs": [], "conditions": [], "reason": "", "hostIP": ""}}, {"status": {}}),
    (DEPLOYMENT, {"spec": {"paused": False, "minReadySeconds": 0}, "status": {"replicas": 0}},
     {"spec": {}, "status": {}}),
    (SERVICE, {"spec": {"clusterIP": "", "selector": {}, "externalIPs": [], "publishNotReadyAddresses": False,
                        "ports": [{"port": 80, "nodePort": 0, "name": ""}]}}, {"spec": {"ports": [{"port": 80}]}}),
    (VOLUME, {"spec": {"gcePersistentDisk": {"pdName": "d", "partition": 0, "fsType": ""}}},
     {"spec": {"gcePersistentDisk": {"pdName": "d"}}}),
    (NODE, {"spec": {"unschedulable": False, "taints": [], "podCIDRs": []}}, {"spec": {}}),
    (ENDPOINTS, {"subsets": [{"addresses": [{"ip": "1.2.3.4", "hostname": ""}], "ports": [{"port": 1, "name": ""}]}]},
     {"subsets": [{"addresses": [{"ip": "1.2.3.4"}], "ports": [{"port": 1}]}]}),
]  # fmt: skip

TELLING: list[tuple[tuple[str, str, str], JsonObject]] = [
    (DEPLOYMENT, {"spec": {"replicas": 0, "revisionHistoryLimit": 0, "progressDeadlineSeconds": 0}}),
    (POD, {"spec": {"terminationGracePeriodSeconds": 0, "priority": 0, "enableServiceLinks": False, "hostUsers": False,
                    "securityContext": {}, "automountServiceAccountToken": False}}),
    (POD, {"spec": {"containers": [{"name": "", "securityContext": {"privileged": False, "runAsUser": 0}}]}}),
    (POD, {"spec": {"volumes": [{"name": "v", "emptyDir": {}}, {"name": "h", "hostPath": {"path": "", "type": ""}}]}}),
    (POD, {"spec": {"tolerations": [{"tolerationSeconds": 0}], "nodeSelector": {"a": ""}}}),
    (POD, {"metadata": {"ownerReferences": [{"controller": False}], "labels": {"a": ""}}}),
    (POD, {"spec": {"affinity": {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
        {"topologyKey": "z", "labelSelector": {}, "namespaceSelector": {}}]}}}}),
    (POD, {"status": {"containerStatuses": [{"ready": False, "restartCount": 0, "started": False}]}}),
    (SERVICE, {"spec": {"ports": [{"port": 0, "targetPort": 0}], "allocateLoadBalancerNodePorts": False}}),
    (CLAIM, {"spec": {"storageClassName": ""}}),
    (SLICE, {"addressType": "", "endpoints": [], "ports": [{"name": "", "port": 0}]}),
    (ROLE, {"rules": [{"verbs": []}]}),
    (NODE, {"status": {"images": [{"names": []}]}}),
    (DEPLOYMENT, {"status": {"conditions": [{"type": "", "status": ""}]}}),
]  # fmt: skip


@pytest.mark.parametrize("broken", [False, True])
@pytest.mark.parametrize(("kind", "value", "wanted"), SILENT)
def test_what_says_nothing_is_left_out(
    kind: tuple[str, str, str], value: JsonObject, wanted: JsonObject, broken: bool
) -> None:
    """Also where something else is wrong, so that the slower walk reads it."""
    if not broken:
        assert read(kind, value) == wanted
    else:
        found = check(SCHEMAS.kind(*kind), orjson.loads(orjson.dumps(value)) | {"unknown": 1})
        assert (found.object, found.unknown) == (wanted, ("unknown",))


@pytest.mark.parametrize("broken", [False, True])
@pytest.mark.parametrize(("kind", "value"), TELLING)
def test_a_zero_that_says_something_stays(kind: tuple[str, str, str], value: JsonObject, broken: bool) -> None:
    more = {"unknown": 1} if broken else {}
    assert check(SCHEMAS.kind(*kind), orjson.loads(orjson.dumps(value)) | more).object == value


@pytest.mark.parametrize("value", [0, "", [], {}])
def test_a_zero_of_another_type_is_wrong(value: Any) -> None:
    assert check(SCHEMAS.kind(*POD), {"spec": {"hostNetwork": value}}).errors


def test_the_tables_name_fields_that_exist() -> None:
    """A misspelt row would never be missed."""
    structs = {name: SCHEMAS.definition(name) for name in SCHEMAS.raw}
    for row, names in KEPT.items():
        found = {field for name, node in structs.items() if f".{name}".endswith(f".{row}") for field in node.properties}
        assert set(names.split()) - found == set(), row
