"""PersistentVolumeClaim: a request for storage."""

from pilothouse.api.machinery.resource import STATUS, Resource
from pilothouse.api.types.core_v1 import PersistentVolumeClaim

RESOURCE = Resource(
    kind=PersistentVolumeClaim,
    group="",
    version="v1",
    plural="persistentvolumeclaims",
    singular="persistentvolumeclaim",
    short_names=("pvc",),
    subresources=(STATUS,),
    generation=False,
)
