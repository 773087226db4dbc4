"""The messages of deviceplugin v1beta1 as a table (see `net/message_table.py`).

The numbers are facts of the interface: staging/src/k8s.io/kubelet/pkg/apis/deviceplugin/v1beta1/api.proto.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from pilothouse.net.message_table import message_classes

PACKAGE = "v1beta1"
VERSION = "v1beta1"
"""What plugins must speak."""
HEALTHY = "Healthy"

MESSAGES = """
Empty
DevicePluginOptions pre_start_required:bool=1 get_preferred_allocation_available:bool=2
RegisterRequest version=1 endpoint=2 resource_name=3 options:DevicePluginOptions=4
NUMANode ID:int64=1
TopologyInfo nodes:NUMANode*=1
Device ID=1 health=2 topology:TopologyInfo=3
ListAndWatchResponse devices:Device*=1
PreStartContainerRequest devices_ids:string*=1
PreStartContainerResponse
ContainerPreferredAllocationRequest available_deviceIDs:string*=1 must_include_deviceIDs:string*=2
    allocation_size:int32=3
PreferredAllocationRequest container_requests:ContainerPreferredAllocationRequest*=1
ContainerPreferredAllocationResponse deviceIDs:string*=1
PreferredAllocationResponse container_responses:ContainerPreferredAllocationResponse*=1
ContainerAllocateRequest devices_ids:string*=1
AllocateRequest container_requests:ContainerAllocateRequest*=1
CDIDevice name=1
Mount container_path=1 host_path=2 read_only:bool=3
DeviceSpec container_path=1 host_path=2 permissions=3
ContainerAllocateResponse envs:map=1 mounts:Mount*=2 devices:DeviceSpec*=3 annotations:map=4 cdi_devices:CDIDevice*=5
AllocateResponse container_responses:ContainerAllocateResponse*=1
"""


@lru_cache(maxsize=1)
def messages() -> Mapping[str, Any]:
    """The classes, made when the first plugin comes."""
    return message_classes(PACKAGE, MESSAGES, "")
