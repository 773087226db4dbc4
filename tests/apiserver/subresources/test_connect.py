"""What becomes of a connection's parameters; that admission is asked is in test_proxy.py and test_streaming.py."""

import asyncio
from typing import Any

import pytest

from pilothouse.api.catalogue import builtin
from pilothouse.api.machinery.errors import BadRequest
from pilothouse.apiserver.admission.chain import AdmissionChain
from pilothouse.apiserver.exchange import Exchange
from pilothouse.apiserver.request_info import parse_request_info
from pilothouse.apiserver.subresources.connect import admit_connection
from pilothouse.apiserver.user import User
from pilothouse.net.http import Peer, Request

POD = "/api/v1/namespaces/shop/pods/web"
NUMBER = 'cannot convert to []int32: strconv.ParseUint: parsing "{}": {}'


def _options(target: str) -> dict[str, Any]:
    request = Request("POST", target, {}, Peer(""))
    exchange = Exchange(request, parse_request_info("POST", target), 0.0, User("alice"))
    resource = builtin().find("", "v1", exchange.info.resource)
    assert resource is not None
    part = resource.subresource(exchange.info.subresource)
    assert part is not None
    return asyncio.run(admit_connection(AdmissionChain(()), exchange, resource, part))


@pytest.mark.parametrize(
    ("target", "kind", "options"),
    [
        (f"{POD}/exec", "PodExecOptions", {"command": []}),
        (f"{POD}/exec?command=a%20b&command=&stdin", "PodExecOptions", {"stdin": True, "command": ["a b", ""]}),
        (f"{POD}/exec?stderr=1&tty=false&container=c&command=ls", "PodExecOptions",
         {"stderr": True, "container": "c", "command": ["ls"]}),
        (f"{POD}/attach?stdout=True&command=ls", "PodAttachOptions", {"stdout": True}),
        (f"{POD}/portforward", "PodPortForwardOptions", {}),
        (f"{POD}/portforward?ports=1,65535", "PodPortForwardOptions", {"ports": [1, 65535]}),
        (f"{POD}/proxy", "PodProxyOptions", {"path": ""}),
        (f"{POD}/proxy/a/b/?path=c", "PodProxyOptions", {"path": "a/b"}),
        ("/api/v1/namespaces/shop/services/web/proxy/a", "ServiceProxyOptions", {"path": "a"}),
        ("/api/v1/nodes/n/proxy/a", "NodeProxyOptions", {"path": "a"}),
    ],
)  # fmt: skip
def test_what_a_client_asks_for(target: str, kind: str, options: dict[str, Any]) -> None:
    assert _options(target) == {"kind": kind, "apiVersion": "v1", **options}


@pytest.mark.parametrize(
    ("target", "why"),
    [
        (f"{POD}/portforward?ports=web", NUMBER.format("web", "invalid syntax")),
        (f"{POD}/portforward?ports=", NUMBER.format("", "invalid syntax")),
        (f"{POD}/portforward?ports=80,-1", NUMBER.format("-1", "invalid syntax")),
        (f"{POD}/portforward?ports=65536", NUMBER.format("65536", "value out of range")),
        (f"{POD}/exec?command=ls&dryRun=All", "dryRun is not supported"),
        (f"{POD}/proxy/a?dryRun=", "dryRun is not supported"),
    ],
)
def test_what_is_no_option(target: str, why: str) -> None:
    with pytest.raises(BadRequest) as caught:
        _options(target)
    assert caught.value.message == why
