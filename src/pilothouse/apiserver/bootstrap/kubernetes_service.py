"""The Service `kubernetes` in the default namespace: how pods reach the API server.

Nothing selects its endpoints; the server writes its own address into them. Source:
pkg/controlplane/controller/kubernetesservice, pkg/controlplane/reconcilers.
"""

import ipaddress

from pilothouse.api.machinery.errors import NotFound
from pilothouse.api.machinery.view import JsonObject, View
from pilothouse.api.types.core_v1 import Endpoints, Service
from pilothouse.api.types.discovery_v1 import EndpointSlice
from pilothouse.client.client import Client

NAME, NAMESPACE, PORT = "kubernetes", "default", 443
_LABELS = {"component": "apiserver", "provider": "kubernetes"}


def first_address(cidr: str) -> str:
    """The cluster IP of the Service: the first of the range."""
    return str(ipaddress.ip_network(cidr)[1])


async def publish(client: Client, cidr: str, address: str, port: int) -> None:
    """Make Service and endpoints say that the API server answers at `address` and `port`."""
    await _make(client, Service, _service(cidr, port))
    await _make(client, Endpoints, _endpoints(address, port), "subsets")
    await _make(client, EndpointSlice, _slice(address, port), "endpoints", "ports")


async def _make(client: Client, kind: type[View], manifest: JsonObject, *owned: str) -> None:
    """Create the object, or set the fields that are ours."""
    try:
        found = await client.get(kind, NAME, NAMESPACE)
    except NotFound:
        await client.create(kind, manifest)
        return
    changed = {field: manifest[field] for field in owned if found.raw.get(field) != manifest[field]}
    if changed:
        await client.patch(kind, NAME, NAMESPACE, changed)


def _metadata(**labels: str) -> JsonObject:
    return {"name": NAME, "namespace": NAMESPACE, "labels": labels}


def _service(cidr: str, port: int) -> JsonObject:
    return {
        "metadata": _metadata(**_LABELS),
        "spec": {
            "type": "ClusterIP",
            "clusterIP": first_address(cidr),
            "ipFamilyPolicy": "SingleStack",
            "sessionAffinity": "None",
            "ports": [{"name": "https", "port": PORT, "protocol": "TCP", "targetPort": port}],
        },
    }


def _endpoints(address: str, port: int) -> JsonObject:
    return {
        "metadata": _metadata(**{"endpointslice.kubernetes.io/skip-mirror": "true"}),
        "subsets": [
            {"addresses": [{"ip": address}], "ports": [{"name": "https", "port": port, "protocol": "TCP"}]},
        ],
    }


def _slice(address: str, port: int) -> JsonObject:
    return {
        "metadata": _metadata(**{"kubernetes.io/service-name": NAME}),
        "addressType": f"IPv{ipaddress.ip_address(address).version}",
        "endpoints": [{"addresses": [address], "conditions": {"ready": True}}],
        "ports": [{"name": "https", "port": port, "protocol": "TCP"}],
    }
