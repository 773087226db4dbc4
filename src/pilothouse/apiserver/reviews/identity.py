"""Who am I? SelfSubjectReview of group authentication.k8s.io (KEP-3325)."""

from typing import Any

import orjson

from pilothouse.api.machinery.resource import Resource
from pilothouse.api.machinery.view import JsonObject
from pilothouse.apiserver.exchange import Exchange
from pilothouse.apiserver.user import User
from pilothouse.apiserver.verbs.forms import Form
from pilothouse.apiserver.verbs.shape import respond
from pilothouse.net.http import Response
from pilothouse.runtime.clock import format_time


async def self_subject_review(exchange: Exchange, resource: Resource[Any], form: Form) -> Response:
    """Answer with the user that authentication found."""
    review = {
        "kind": resource.name,
        "apiVersion": resource.api_version,
        "metadata": {"creationTimestamp": format_time(exchange.received)},
        "status": {"userInfo": user_info(exchange.user)},
    }
    return respond(exchange, orjson.dumps(review), form, 201)


def user_info(user: User) -> JsonObject:
    """The authentication/v1 UserInfo of a user."""
    info: JsonObject = {"username": user.name, "groups": list(user.groups)}
    if user.uid:
        info["uid"] = user.uid
    if user.extra:
        info["extra"] = {key: list(values) for key, values in user.extra.items()}
    return info
