"""All of Kubernetes' libraries, at the level of 1.37. Source: apiserver/pkg/cel/environment/base.go."""

from pilothouse.api.machinery.cel.declarations import Libraries
from pilothouse.api.machinery.cel.library.amounts import AMOUNTS
from pilothouse.api.machinery.cel.library.authorizer import AUTHORIZER
from pilothouse.api.machinery.cel.library.images import IMAGES
from pilothouse.api.machinery.cel.library.json_pointers import JSON_POINTERS
from pilothouse.api.machinery.cel.library.lists import LISTS, SUMS
from pilothouse.api.machinery.cel.library.moments import MOMENTS
from pilothouse.api.machinery.cel.library.named_formats import NAMED_FORMATS
from pilothouse.api.machinery.cel.library.networks import NETWORKS
from pilothouse.api.machinery.cel.library.optionals import OPTIONALS
from pilothouse.api.machinery.cel.library.patterns import REGEX
from pilothouse.api.machinery.cel.library.semver import SEMVER
from pilothouse.api.machinery.cel.library.standard import STANDARD
from pilothouse.api.machinery.cel.library.strings import STRINGS
from pilothouse.api.machinery.cel.library.urls import URLS

LIBRARIES = Libraries(
    always=(
        STANDARD,
        MOMENTS,
        OPTIONALS,
        STRINGS,
        LISTS,
        *SUMS,
        REGEX,
        URLS,
        AMOUNTS,
        NETWORKS,
        SEMVER,
        NAMED_FORMATS,
        IMAGES,
        AUTHORIZER,
    ),
    json_pointers=JSON_POINTERS,
)
