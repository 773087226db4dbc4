"""VolumeAttachment: a volume that is to be attached to a node."""

from pilothouse.api.machinery.columns import AGE, show
from pilothouse.api.machinery.resource import STATUS, Column, Resource
from pilothouse.api.machinery.strategy import fresh_status, keep_status
from pilothouse.api.types.storage_v1 import VolumeAttachment

RESOURCE = Resource(
    kind=VolumeAttachment,
    group="storage.k8s.io",
    version="v1",
    plural="volumeattachments",
    singular="volumeattachment",
    namespaced=False,
    subresources=(STATUS,),
    generation=False,
    prepare_for_create=fresh_status(attached=False),
    prepare_for_update=keep_status,
    columns=(
        Column("Attacher", show("spec", "attacher"), format="name"),
        Column("PV", show("spec", "source", "persistentVolumeName")),
        Column("Node", show("spec", "nodeName")),
        Column("Attached", show("status", "attached", absent=False), type="boolean"),
        AGE,
    ),
)
