"""What a pod needs from the API. Read from pkg/api/pod/util.go, HasAPIObjectReference."""

from typing import Any

import pytest

from pilothouse.api.core.pod.references import api_reference, volume_claim


def volume(**source: Any) -> dict[str, Any]:
    return {"volumes": [{"name": "v", **source}]}


def projected(**source: Any) -> dict[str, Any]:
    return volume(projected={"sources": [source]})


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({}, ""),
        (volume(emptyDir={}), ""),
        (volume(hostPath={"path": "/"}), ""),
        (volume(downwardAPI={"items": []}), ""),
        (projected(downwardAPI={"items": []}), ""),
        (volume(rbd={"image": "i"}), ""),
        ({"serviceAccountName": "x"}, "serviceaccounts"),
        ({"containers": [{"envFrom": [{"secretRef": {"name": "x"}}]}]}, "secrets"),
        ({"containers": [{"env": [{"valueFrom": {"configMapKeyRef": {"name": "x"}}}]}]}, "configmaps"),
        ({"resourceClaims": [{"name": "x"}]}, "resourceclaims"),
        (volume(configMap={}), "configmaps (via configmap volumes)"),
        (volume(secret={}), "secrets (via secret volumes)"),
        (volume(csi={"driver": "d"}), "csidrivers (via CSI volumes)"),
        (volume(glusterfs={"endpoints": "e"}), "endpoints (via glusterFS volumes)"),
        (volume(persistentVolumeClaim={"claimName": "c"}), "persistentvolumeclaims"),
        (volume(ephemeral={}), "persistentvolumeclaims (via ephemeral volumes)"),
        (volume(azureFile={"shareName": "s"}), "secrets (via azureFile volumes)"),
        (projected(configMap={}), "configmaps (via projected volumes)"),
        (projected(secret={}), "secrets (via projected volumes)"),
        (projected(serviceAccountToken={"path": "t"}), "serviceaccounts (via projected volumes)"),
        (projected(clusterTrustBundle={}), "clustertrustbundles"),
        (projected(podCertificate={}), "podcertificates"),
    ],
)
def test_what_a_pod_needs(spec: dict[str, Any], expected: str) -> None:
    assert api_reference(spec) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [({"persistentVolumeClaim": {"claimName": "c"}}, "c"), ({"ephemeral": {}}, "p-v"), ({"emptyDir": {}}, "")],
)
def test_claims_of_volumes(source: dict[str, Any], expected: str) -> None:
    assert volume_claim({"metadata": {"name": "p"}}, {"name": "v", **source}) == expected
