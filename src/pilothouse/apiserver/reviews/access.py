"""May somebody do something? SubjectAccessReview and its relatives, of group authorization.k8s.io.

Source: pkg/registry/authorization, pkg/apis/authorization/validation.
"""

from typing import Any

import orjson

from pilothouse.api.machinery import errors
from pilothouse.api.machinery.codec.body import Expected
from pilothouse.api.machinery.errors import BadRequest
from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.machinery.resource import Resource
from pilothouse.api.machinery.schema import Schemas
from pilothouse.api.machinery.selectors import FieldRequirement, parse_field_selector
from pilothouse.api.machinery.view import JsonObject
from pilothouse.apiserver.authorization.framework import Attributes, Authorizer, Verdict
from pilothouse.apiserver.authorization.rbac import Rbac
from pilothouse.apiserver.exchange import Exchange
from pilothouse.apiserver.pipeline.decode import decode_object
from pilothouse.apiserver.pipeline.options import write_options
from pilothouse.apiserver.user import User
from pilothouse.apiserver.verbs.forms import Form
from pilothouse.apiserver.verbs.shape import respond
from pilothouse.net.http import Response

GROUP = "authorization.k8s.io"
_OPERATORS = {"In": "=", "NotIn": "!="}


class AccessReviews:
    """Answers POST to the reviews of access."""

    def __init__(self, authorizer: Authorizer, rbac: Rbac, schemas: Schemas) -> None:
        self._authorizer = authorizer
        self._rbac = rbac
        self._schemas = schemas

    async def of_self(self, exchange: Exchange, resource: Resource[Any], form: Form) -> Response:
        """SelfSubjectAccessReview: may I?"""
        review = await self._read(exchange, resource)
        self._judge(review, exchange.user, resource)
        return respond(exchange, orjson.dumps(review), form, 201)

    async def of_subject(self, exchange: Exchange, resource: Resource[Any], form: Form) -> Response:
        """SubjectAccessReview and LocalSubjectAccessReview: may they?"""
        review = await self._read(exchange, resource)
        spec = review.get("spec") or {}
        wrong = FieldErrors()
        if not spec.get("user") and not spec.get("groups"):
            wrong.invalid("spec.user", "", "at least one of user or group must be specified")
        if wrong:
            raise errors.invalid(resource.name, GROUP, "", wrong)
        if resource.namespaced:
            _check_namespace(spec, exchange.info.namespace)
        extra = {key: tuple(values) for key, values in (spec.get("extra") or {}).items()}
        user = User(spec.get("user") or "", tuple(spec.get("groups") or ()), spec.get("uid") or "", extra)
        self._judge(review, user, resource)
        return respond(exchange, orjson.dumps(review), form, 201)

    async def rules(self, exchange: Exchange, resource: Resource[Any], form: Form) -> Response:
        """SelfSubjectRulesReview: what may I do in this namespace?"""
        review = await self._read(exchange, resource)
        namespace = (review.get("spec") or {}).get("namespace") or ""
        if not namespace:
            raise BadRequest("no namespace on request")
        found: list[JsonObject] = [granted.rule for granted in self._rbac.rules_of(exchange.user, namespace)]
        if "system:masters" in exchange.user.groups:
            found.append({"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]})
            found.append({"verbs": ["*"], "nonResourceURLs": ["*"]})
        review["status"] = {
            "resourceRules": [_without(rule, "nonResourceURLs") for rule in found if rule.get("resources")],
            "nonResourceRules": [
                {"verbs": rule["verbs"], "nonResourceURLs": rule["nonResourceURLs"]}
                for rule in found
                if rule.get("nonResourceURLs")
            ],
            "incomplete": False,
        }
        if exchange.user.node_name is not None:
            why = "node authorizer does not support user rule resolution"
            review["status"] |= {"incomplete": True, "evaluationError": why}
        return respond(exchange, orjson.dumps(review), form, 201)

    async def _read(self, exchange: Exchange, resource: Resource[Any]) -> JsonObject:
        options = write_options(exchange, "CreateOptions")
        expected = Expected(resource.group, resource.version, resource.name)
        return await decode_object(exchange, expected, self._schemas, options.validation)

    def _judge(self, review: JsonObject, user: User, resource: Resource[Any]) -> None:
        decision = self._authorizer.authorize(attributes_of(review.get("spec") or {}, user, resource))
        status: JsonObject = {"allowed": decision.allowed}
        if decision.verdict is Verdict.DENY:
            status["denied"] = True
        if decision.reason:
            status["reason"] = decision.reason
        review["status"] = status


def attributes_of(spec: JsonObject, user: User, resource: Resource[Any]) -> Attributes:
    """What a review asks about. Raises Invalid unless it asks about exactly one thing."""
    asked, path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    wrong = FieldErrors()
    if asked is not None and path is not None:
        why = "cannot be specified in combination with resourceAttributes"
        wrong.invalid("spec.nonResourceAttributes", path, why)
    elif asked is None and path is None:
        wrong.invalid(
            "spec.resourceAttributes",
            None,
            "exactly one of nonResourceAttributes or resourceAttributes must be specified",
        )
    if wrong:
        raise errors.invalid(resource.name, GROUP, "", wrong)
    if path is not None:
        return Attributes(user, path.get("verb") or "", path=path.get("path") or "", is_resource=False)
    about: JsonObject = asked or {}
    return Attributes(
        user,
        about.get("verb") or "",
        about.get("group") or "",
        about.get("version") or "",
        about.get("resource") or "",
        about.get("subresource") or "",
        about.get("namespace") or "",
        about.get("name") or "",
        fields=_fields(about.get("fieldSelector") or {}),
    )


def _fields(selector: JsonObject) -> tuple[FieldRequirement, ...]:
    """What a review's selector narrows the fields to; what cannot be understood narrows nothing."""
    if raw := selector.get("rawSelector"):
        try:
            return parse_field_selector(raw).requirements
        except ValueError:
            return ()
    return tuple(
        FieldRequirement(one.get("key") or "", _OPERATORS[one["operator"]], one["values"][0])
        for one in selector.get("requirements") or ()
        if one.get("operator") in _OPERATORS and len(one.get("values") or ()) == 1
    )


def _check_namespace(spec: JsonObject, namespace: str) -> None:
    asked = spec.get("resourceAttributes")
    if asked is None:
        raise BadRequest("must specify resourceAttributes for a local subject access review")
    if (asked.get("namespace") or "") != namespace:
        raise BadRequest(f"spec.resourceAttributes.namespace must match namespace: {namespace}")


def _without(rule: JsonObject, name: str) -> JsonObject:
    return {key: value for key, value in rule.items() if key != name}
