"""Who is it? SelfSubjectReview and TokenReview, of group authentication.k8s.io.

Source: KEP-3325; pkg/registry/authentication/tokenreview/storage.go.
"""

from typing import Any

import orjson

from pilothouse.api.machinery.codec.body import Expected
from pilothouse.api.machinery.errors import BadRequest
from pilothouse.api.machinery.resource import Resource
from pilothouse.api.machinery.schema import Schemas
from pilothouse.api.machinery.view import JsonObject
from pilothouse.apiserver.authentication.bootstrap_token import BootstrapTokens
from pilothouse.apiserver.authentication.service_account import ServiceAccountTokens
from pilothouse.apiserver.authentication.token_keys import InvalidToken
from pilothouse.apiserver.exchange import Exchange
from pilothouse.apiserver.pipeline.decode import decode_object
from pilothouse.apiserver.pipeline.options import write_options
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


class TokenReviews:
    """Answers POST to tokenreviews: whose token is this?"""

    def __init__(self, tokens: ServiceAccountTokens, schemas: Schemas, joining: BootstrapTokens | None = None) -> None:
        self._tokens = tokens
        self._joining = joining
        self._schemas = schemas

    async def create(self, exchange: Exchange, resource: Resource[Any], form: Form) -> Response:
        """Answer for the token in the spec. One that does not count is an answer too, not an error."""
        options = write_options(exchange, "CreateOptions")
        expected = Expected(resource.group, resource.version, resource.name)
        review = await decode_object(exchange, expected, self._schemas, options.validation)
        spec = review.get("spec") or {}
        if not spec.get("token"):
            raise BadRequest("token is required for TokenReview in authentication")
        review["status"] = self._judge(spec["token"], tuple(spec.get("audiences") or self._tokens.audiences))
        review["metadata"] = {"creationTimestamp": None, **review["metadata"]}
        return respond(exchange, orjson.dumps(review), form, 201)

    def _judge(self, token: str, audiences: tuple[str, ...]) -> JsonObject:
        try:
            found = self._tokens.review(token, audiences) or self._of_joining(token, audiences)
        except InvalidToken as error:
            return {"user": {}, "error": f"[invalid bearer token, {error}]"}
        if found is None:
            return {"user": {}, "error": "invalid bearer token"}
        user, common = found
        return {"authenticated": True, "user": user_info(user), "audiences": list(common)}

    def _of_joining(self, token: str, audiences: tuple[str, ...]) -> tuple[User, tuple[str, ...]] | None:
        """The same of a bootstrap token, which is for this server alone."""
        common = tuple(each for each in audiences if each in self._tokens.audiences)
        user = self._joining.user_of(token) if self._joining is not None and common else None
        return None if user is None else (user, common)


def user_info(user: User) -> JsonObject:
    """The authentication/v1 UserInfo of a user."""
    info: JsonObject = {"username": user.name, "groups": list(user.groups)}
    if user.uid:
        info["uid"] = user.uid
    if user.extra:
        info["extra"] = {key: list(values) for key, values in user.extra.items()}
    return info
