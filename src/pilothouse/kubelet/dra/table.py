"""The messages between the kubelet and DRA drivers as a table (see `net/message_table.py`).

The numbers are facts of the interface: staging/src/k8s.io/kubelet/pkg/apis/dra/{v1,v1beta1}/api.proto, which differ by
their packages alone. A map of messages travels as a list of entries, which is what it is written as here.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from pilothouse.net.message_table import message_classes

PACKAGES = {
    "v1.DRAPlugin": "k8s.io.kubelet.pkg.apis.dra.v1",
    "v1beta1.DRAPlugin": "k8s.io.kubelet.pkg.apis.dra.v1beta1",
}
"""By what drivers say that they speak; the newest first."""

MESSAGES = """
Claim namespace=1 uid=2 name=3
Device request_names:string*=1 pool_name=2 device_name=3 cdi_device_ids:string*=4 share_id=5
NodePrepareResourceResponse devices:Device*=1 error=2
PreparedEntry key=1 value:NodePrepareResourceResponse=2
NodePrepareResourcesRequest claims:Claim*=1
NodePrepareResourcesResponse claims:PreparedEntry*=1
NodeUnprepareResourceResponse error=1
UnpreparedEntry key=1 value:NodeUnprepareResourceResponse=2
NodeUnprepareResourcesRequest claims:Claim*=1
NodeUnprepareResourcesResponse claims:UnpreparedEntry*=1
"""


HEALTH_PACKAGES = {"v1.DRAResourceHealth": "v1", "v1alpha1.DRAResourceHealth": "v1alpha1"}
"""The same for those that tell how their devices are: staging/src/k8s.io/kubelet/pkg/apis/dra-health."""
HEALTH_MESSAGES = """
NodeWatchResourcesRequest
DeviceIdentifier pool_name=1 device_name=2
DeviceHealth device:DeviceIdentifier=1 health:int32=2 last_updated_time:int64=3 health_check_timeout_seconds:int64=4
    message=5
NodeWatchResourcesResponse devices:DeviceHealth*=1
"""


@lru_cache(maxsize=1)
def messages() -> Mapping[str, Any]:
    """The classes, made when the first driver comes."""
    return message_classes("dra", MESSAGES, "")


@lru_cache(maxsize=1)
def health_messages() -> Mapping[str, Any]:
    """The same for health."""
    return message_classes("drahealth", HEALTH_MESSAGES, "")
