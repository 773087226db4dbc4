"""ResourceQuota: how much the objects of a namespace may use in total."""

from pilothouse.api.machinery.resource import STATUS, Resource
from pilothouse.api.machinery.strategy import fresh_status, keep_status
from pilothouse.api.types.core_v1 import ResourceQuota

RESOURCE = Resource(
    kind=ResourceQuota,
    group="",
    version="v1",
    plural="resourcequotas",
    singular="resourcequota",
    short_names=("quota",),
    subresources=(STATUS,),
    generation=False,
    prepare_for_create=fresh_status(),
    prepare_for_update=keep_status,
)
