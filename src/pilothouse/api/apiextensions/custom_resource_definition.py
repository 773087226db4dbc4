"""CustomResourceDefinition: a kind added to the API at run time."""

from pilothouse.api.machinery.columns import show
from pilothouse.api.machinery.resource import STATUS, Column, Resource
from pilothouse.api.types.apiextensions_v1 import CustomResourceDefinition

RESOURCE = Resource(
    kind=CustomResourceDefinition,
    group="apiextensions.k8s.io",
    version="v1",
    plural="customresourcedefinitions",
    singular="customresourcedefinition",
    namespaced=False,
    short_names=("crd", "crds"),
    categories=("api-extensions",),
    subresources=(STATUS,),
    columns=(Column("Created At", show("metadata", "creationTimestamp"), type="date"),),
)
