"""Deployment: pods of one template, replaced step by step when it changes."""

from pilothouse.api.machinery.resource import STATUS, Resource, ScalePaths, Subresource
from pilothouse.api.types.apps_v1 import Deployment

RESOURCE = Resource(
    kind=Deployment,
    group="apps",
    version="v1",
    plural="deployments",
    singular="deployment",
    short_names=("deploy",),
    categories=("all",),
    subresources=(Subresource("scale", kind="Scale", group="autoscaling", version="v1", scale=ScalePaths()), STATUS),
)
