"""API errors, shared by server and client: each is a metav1.Status on the wire.

Source: the `metav1.Status` and `StatusReason` documentation of the API reference, and the messages that upstream's
constructors in apimachinery/pkg/api/errors produce, because clients match on them.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pilothouse.api.machinery.field import FieldError

_TOLD = 1024 * 1024
"""Letters about the fields of one object, after which further errors are counted and not told."""


class StatusError(Exception):
    """An answer other than success. `code` is the HTTP status, `reason` the machine-readable word."""

    code: ClassVar[int] = 500
    reason: ClassVar[str] = ""

    def __init__(self, message: str, *, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details = dict(details) if details else {}

    def status(self) -> dict[str, Any]:
        """The metav1.Status object."""
        body: dict[str, Any] = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
        }
        if self.reason:
            body["reason"] = self.reason
        if self.details:
            body["details"] = self.details
        body["code"] = self.code
        return body


class BadRequest(StatusError):
    """The request itself is malformed."""

    code, reason = 400, "BadRequest"


class Unauthorized(StatusError):
    """Nobody we know."""

    code, reason = 401, "Unauthorized"

    def __init__(self, message: str = "Unauthorized", *, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message, details=details)


class Forbidden(StatusError):
    """Known, but not allowed; also what admission says."""

    code, reason = 403, "Forbidden"


class NotFound(StatusError):
    """No such object, resource or path."""

    code, reason = 404, "NotFound"


class MethodNotAllowed(StatusError):
    """The resource does not serve this verb."""

    code, reason = 405, "MethodNotAllowed"


class NotAcceptable(StatusError):
    """None of the accepted media types can be produced."""

    code, reason = 406, "NotAcceptable"


class AlreadyExists(StatusError):
    """The name is taken."""

    code, reason = 409, "AlreadyExists"


class Conflict(StatusError):
    """The object has changed since it was read, or a precondition failed."""

    code, reason = 409, "Conflict"


class Gone(StatusError):
    """What was asked for is no longer here."""

    code, reason = 410, "Gone"


class Expired(StatusError):
    """The resourceVersion or continue token is too old. `continue_token` goes on from there with what is there now."""

    code, reason = 410, "Expired"

    def __init__(self, message: str, *, details: Mapping[str, Any] | None = None, continue_token: str = "") -> None:
        super().__init__(message, details=details)
        self.continue_token = continue_token

    def status(self) -> dict[str, Any]:
        """The metav1.Status object."""
        body = super().status()
        if self.continue_token:
            body["metadata"] = {"continue": self.continue_token}
        return body


class RequestEntityTooLarge(StatusError):
    """The body exceeds the limit."""

    code, reason = 413, "RequestEntityTooLarge"


class UnsupportedMediaType(StatusError):
    """The body's media type cannot be read here."""

    code, reason = 415, "UnsupportedMediaType"


class Invalid(StatusError):
    """The object breaks the rules of its kind; the causes name the fields."""

    code, reason = 422, "Invalid"


class TooManyRequests(StatusError):
    """Try again later; also what an eviction answers while a budget forbids it."""

    code, reason = 429, "TooManyRequests"


class InternalError(StatusError):
    """Ours to fix."""

    code, reason = 500, "InternalError"

    def __init__(self, message: str, *, details: Mapping[str, Any] | None = None) -> None:
        cause = {"causes": [{"message": message}]}
        super().__init__(f"Internal error occurred: {message}", details=details or cause)


class ServerTimeout(StatusError):
    """The server could not finish the request in time; trying again may work."""

    code, reason = 500, "ServerTimeout"


class ServiceUnavailable(StatusError):
    """The server cannot serve this now."""

    code, reason = 503, "ServiceUnavailable"


class Timeout(StatusError):
    """The request ran out of its time."""

    code, reason = 504, "Timeout"


_BY_REASON: dict[str, type[StatusError]] = {
    kind.reason: kind
    for kind in (
        BadRequest, Unauthorized, Forbidden, NotFound, MethodNotAllowed, NotAcceptable, AlreadyExists, Conflict, Gone,
        Expired, RequestEntityTooLarge, UnsupportedMediaType, Invalid, TooManyRequests, InternalError, ServerTimeout,
        ServiceUnavailable, Timeout,
    )
}  # fmt: skip
_BY_CODE: dict[int, type[StatusError]] = {kind.code: kind for kind in reversed(_BY_REASON.values())}


def from_status(body: Mapping[str, Any]) -> StatusError:
    """The error a Status object from a server stands for."""
    code = int(body.get("code") or 500)
    kind = _BY_REASON.get(body.get("reason") or "") or _BY_CODE.get(code) or StatusError
    error = kind.__new__(kind)
    StatusError.__init__(error, body.get("message") or f"the server answered {code}", details=body.get("details"))
    if kind is StatusError:
        error.__dict__["code"] = code
    if isinstance(error, Expired):
        error.continue_token = (body.get("metadata") or {}).get("continue") or ""
    return error


def is_too_large(error: StatusError) -> bool:
    """Whether a server says that it has not come as far as the revision it was asked for."""
    return any(cause.get("reason") == "ResourceVersionTooLarge" for cause in error.details.get("causes") or ())


def qualified(resource: str, group: str) -> str:
    """`deployments.apps`, or `pods` for the core group: how messages name a resource."""
    return f"{resource}.{group}" if group else resource


def _details(name: str, group: str, kind: str, **more: Any) -> dict[str, Any]:
    details: dict[str, Any] = {}
    if name:
        details["name"] = name
    if group:
        details["group"] = group
    if kind:
        details["kind"] = kind
    return details | more


def not_found(resource: str, group: str, name: str) -> NotFound:
    """`pods "x" not found`."""
    return NotFound(f'{qualified(resource, group)} "{name}" not found', details=_details(name, group, resource))


def already_exists(resource: str, group: str, name: str) -> AlreadyExists:
    """`pods "x" already exists`."""
    return AlreadyExists(
        f'{qualified(resource, group)} "{name}" already exists', details=_details(name, group, resource)
    )


def conflict(resource: str, group: str, name: str, why: str = "") -> Conflict:
    """`Operation cannot be fulfilled on pods "x": the object has been modified; ...`."""
    why = why or "the object has been modified; please apply your changes to the latest version and try again"
    return Conflict(
        f'Operation cannot be fulfilled on {qualified(resource, group)} "{name}": {why}',
        details=_details(name, group, resource),
    )


def forbidden(resource: str, group: str, name: str, why: str) -> Forbidden:
    """`pods "x" is forbidden: why`; without a name `pods is forbidden: why`."""
    what = qualified(resource, group)
    message = f'{what} "{name}" is forbidden: {why}' if name else f"{what} is forbidden: {why}"
    return Forbidden(message if what else f"forbidden: {why}", details=_details(name, group, resource))


def invalid(kind: str, group: str, name: str, errors: Sequence[FieldError]) -> Invalid:
    """`Pod "x" is invalid: ...` or `Deployment.apps "x" is invalid: ...` with one cause a field.

    Errors may each quote all of a long list, once for every item of it: what comes after a megabyte is only counted.
    """
    texts: dict[str, None] = {}
    causes: list[dict[str, str]] = []
    size = 0
    for error in errors:
        if size > _TOLD:
            texts[f"and {len(errors) - len(causes)} more errors"] = None
            break
        body, field = error.body(), error.path or "<nil>"
        causes.append({"reason": error.kind.reason, "message": body, "field": field})
        texts[f"{field}: {body}"] = None
        size += len(body) + len(field)
    text = next(iter(texts)) if len(texts) == 1 else f"[{', '.join(texts)}]"
    details = _details(name, group, kind, causes=causes)
    return Invalid(f'{qualified(kind, group)} "{name}" is invalid: {text}', details=details)


def method_not_allowed(resource: str, group: str, action: str) -> MethodNotAllowed:
    """`patch is not supported on resources of kind "bindings"`."""
    what = qualified(resource, group)
    return MethodNotAllowed(
        f'{action} is not supported on resources of kind "{what}"', details=_details("", group, resource)
    )
