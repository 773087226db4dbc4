"""The authorizer that expressions may ask: may who sent the request, or a service account, do something?

Source: apiserver/pkg/cel/library/authz.go.
"""

from collections.abc import Callable
from functools import partial

from pilothouse.api.machinery.cel.library.authorizer import AccessQuestion, Decision, ResourceCheck
from pilothouse.api.machinery.cel.library.authorizer import Authorizer as Asked
from pilothouse.api.machinery.selectors import FieldRequirement, parse_field_selector
from pilothouse.apiserver.admission.dynamic.request import Request
from pilothouse.apiserver.authorization.framework import Attributes, Authorizer
from pilothouse.apiserver.user import User, service_account_user


def authorizer_of(authorizer: Authorizer, user: User) -> Asked:
    """`authorizer`."""
    return Asked(_decide(authorizer, user))


def asked_for(authorizer: Authorizer, request: Request) -> ResourceCheck:
    """`authorizer.requestResource`."""
    target = request.target
    question = AccessQuestion(
        group=target.group, resource=target.plural, subresource=request.subresource, namespace=request.namespace,
        name=request.name,
    )  # fmt: skip
    return ResourceCheck(_decide(authorizer, request.user), question)


def _decide(authorizer: Authorizer, user: User) -> Callable[[AccessQuestion], Decision]:
    return partial(_answer, authorizer, user)


def _answer(authorizer: Authorizer, user: User, question: AccessQuestion) -> Decision:
    if question.service_account is not None:
        namespace, name = question.service_account
        user = service_account_user(namespace, name, "")
    if question.path:
        attributes = Attributes(user, question.verb, path=question.path, is_resource=False)
    else:
        attributes = Attributes(
            user, question.verb, question.group, "*", question.resource, question.subresource, question.namespace,
            question.name, fields=_fields(question.field_selector),
        )  # fmt: skip
    decision = authorizer.authorize(attributes)
    return Decision(decision.allowed, decision.reason)


def _fields(selector: str) -> tuple[FieldRequirement, ...]:
    """What it says; one that cannot be read narrows nothing, and whoever decides may allow less."""
    try:
        return parse_field_selector(selector).requirements if selector else ()
    except ValueError:
        return ()
