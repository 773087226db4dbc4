"""May they: asked of the API server by SubjectAccessReview, and remembered.

A permission counts for five minutes, a refusal for thirty seconds: upstream's defaults. Source: "Kubelet
authentication/authorization" of the reference, pkg/kubelet/server/server.go.
"""

from typing import Protocol

from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.authorization_v1 import SubjectAccessReview
from pilothouse.client.client import Client
from pilothouse.kubelet.server.attributes import Attributes
from pilothouse.kubelet.server.caller import Caller, Remembered
from pilothouse.runtime.clock import Clock

ALLOWED_COUNTS = 300.0
DENIED_COUNTS = 30.0


class AccessReviews(Protocol):
    """The API server's answer to who may do what."""

    async def review_access(self, spec: JsonObject) -> SubjectAccessReview:
        """The review with its status. May raise StatusError or OSError."""
        ...


class ClientAccessReviews:
    """`AccessReviews` over the API."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def review_access(self, spec: JsonObject) -> SubjectAccessReview:
        """Have the access reviewed."""
        return await self._client.create(SubjectAccessReview, {"spec": spec})


class Authorization:
    """Decides for the kubelet of one node."""

    def __init__(self, reviews: AccessReviews, node_name: str, clock: Clock) -> None:
        self._reviews = reviews
        self._node_name = node_name
        self._known: Remembered[tuple[Caller, str, str], bool] = Remembered(clock)

    async def allows(self, caller: Caller, attributes: Attributes, subresource: str) -> bool:
        """Whether the caller may do this to one of the subresources. Raises as the reviews do."""
        question = (caller, attributes.verb, subresource)
        known = self._known.get(question)
        if known is None:
            review = await self._reviews.review_access(access_spec(caller, attributes, subresource, self._node_name))
            known = bool(review.status.allowed) and not review.status.denied
            self._known.put(question, known, ALLOWED_COUNTS if known else DENIED_COUNTS)
        return known


def access_spec(caller: Caller, attributes: Attributes, subresource: str, node_name: str) -> JsonObject:
    """The question as the API server takes it."""
    spec: JsonObject = {
        "user": caller.name,
        "groups": list(caller.groups),
        "resourceAttributes": {
            "verb": attributes.verb, "version": "v1", "resource": attributes.resource, "subresource": subresource,
            "name": node_name,
        },
    }  # fmt: skip
    if caller.uid:
        spec["uid"] = caller.uid
    if caller.extra:
        spec["extra"] = {name: list(values) for name, values in caller.extra}
    return spec
