"""Step: answers that were made as JSON, Status objects among them, go out in the form that the client prefers.

And none is for caches to keep, unless it says so itself.

Objects and lists come in their form already; what is left is small. Where nothing acceptable is served, errors stay
JSON, as upstream's do: they must not hide behind a quarrel over forms.
"""

import orjson

from pilothouse.api.machinery.codec import protobuf, yaml
from pilothouse.api.machinery.errors import NotAcceptable
from pilothouse.apiserver.exchange import Exchange
from pilothouse.apiserver.handlers.framework import Next
from pilothouse.apiserver.verbs.forms import JSON, PROTOBUF, YAML, negotiate
from pilothouse.net.http import Response

_ONLY_JSON = ("/version", "/openapi")
"""What is no API object, and has no other form or forms of its own."""


async def encode(exchange: Exchange, following: Next) -> Response:
    """Put a JSON answer into another form where that is wanted."""
    response = await following(exchange)
    if "Cache-Control" not in response.headers:
        response.headers = {**response.headers, "Cache-Control": "no-cache, private"}
    accept = exchange.header("accept")
    if "protobuf" not in accept and "yaml" not in accept:
        return response
    if response.content_type != JSON or not isinstance(response.body, bytes) or not response.body:
        return response
    try:
        media_type = negotiate(accept).media_type
    except NotAcceptable:
        return response
    if media_type == JSON or exchange.info.path.startswith(_ONLY_JSON):
        return response
    document = orjson.loads(response.body)
    if media_type == YAML:
        return Response(response.status, yaml.encode(document), response.headers, YAML)
    try:
        return Response(response.status, protobuf.encode(document), response.headers, PROTOBUF)
    except LookupError:
        return response
