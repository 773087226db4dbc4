"""Answers every handler needs: JSON documents, Status objects, success of a deletion."""

from typing import Any

import orjson

from pilothouse.api.machinery.errors import StatusError
from pilothouse.net.http import Response

JSON = "application/json"


def json_response(document: Any, status: int = 200) -> Response:
    """Any JSON document."""
    return Response(status, orjson.dumps(document), content_type=JSON)


def error_response(error: StatusError) -> Response:
    """An error as its Status object, with the headers that belong to it."""
    headers: dict[str, str] = {}
    retry = error.details.get("retryAfterSeconds")
    if retry:
        headers["Retry-After"] = str(retry)
    return Response(error.code, orjson.dumps(error.status()), headers, JSON)


def success_status(*, name: str, group: str, plural: str, uid: str) -> dict[str, Any]:
    """The Status that a completed deletion answers."""
    details = {"name": name, "group": group, "kind": plural, "uid": uid}
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": {key: value for key, value in details.items() if value},
    }
