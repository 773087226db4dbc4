"""PersistentVolume: a piece of storage of the cluster."""

from pilothouse.api.machinery.resource import STATUS, Resource
from pilothouse.api.types.core_v1 import PersistentVolume

RESOURCE = Resource(
    kind=PersistentVolume,
    group="",
    version="v1",
    plural="persistentvolumes",
    singular="persistentvolume",
    namespaced=False,
    short_names=("pv",),
    subresources=(STATUS,),
    generation=False,
)
