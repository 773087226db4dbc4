"""Step: errors become Status objects; what nobody expected becomes a 500 and a line in the log."""

from pilothouse.api.machinery.errors import InternalError, RequestEntityTooLarge, ServiceUnavailable, StatusError
from pilothouse.apiserver.answers import error_response
from pilothouse.apiserver.exchange import Exchange
from pilothouse.apiserver.handlers.framework import Next
from pilothouse.apiserver.request_info import RequestInfo
from pilothouse.apiserver.verbs.shape import warnings_of
from pilothouse.net.http import Response
from pilothouse.runtime.log import Log
from pilothouse.store.interface import StoreError, TooLarge, Unavailable

log = Log(__name__)
_READS = frozenset({"get", "list", "watch"})


async def recover(exchange: Exchange, following: Next) -> Response:
    """The HTTP boundary: no exception goes further."""
    try:
        return await following(exchange)
    except Exception as error:  # noqa: BLE001 - the HTTP boundary
        info = exchange.info
        known = status_of(error, info)
        if known is None:
            log.crash("A request crashed", error=error, method=info.method, path=info.path)
            known = InternalError(f"{type(error).__name__} while serving {info.method} {info.path}")
        response = error_response(known)
    response.headers = {**response.headers, **warnings_of(exchange)}
    return response


def status_of(error: Exception, info: RequestInfo) -> StatusError | None:
    """The error that clients are told of; None for what nobody expected."""
    if isinstance(error, StatusError):
        return error
    if isinstance(error, TooLarge):
        return RequestEntityTooLarge(str(error))
    if isinstance(error, StoreError):
        if not isinstance(error, Unavailable):
            log.error("The store refused a request", error=error, method=info.method, path=info.path)
        return _unavailable(error, retried=info.verb in _READS)
    return None


def _unavailable(error: StoreError, *, retried: bool) -> ServiceUnavailable:
    """What the store says. Clients repeat by themselves what may be retried: no write, since it may have happened."""
    return ServiceUnavailable(str(error), details={"retryAfterSeconds": 1} if retried else None)
