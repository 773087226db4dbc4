"""LimitRange: defaults and bounds of what the containers of a namespace may ask for."""

from pilothouse.api.machinery.resource import Resource
from pilothouse.api.types.core_v1 import LimitRange

RESOURCE = Resource(
    kind=LimitRange,
    group="",
    version="v1",
    plural="limitranges",
    singular="limitrange",
    short_names=("limits",),
    generation=False,
)
