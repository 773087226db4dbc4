"""The protobuf form, read back by field numbers as any decoder would."""

from typing import Any

import orjson
import pytest

from pilothouse.api.machinery.openapi import Documents, gnostic
from pilothouse.api.machinery.resource import Resource
from pilothouse.api.machinery.schema import Schemas
from pilothouse.api.types.apps_v1 import Deployment

DEPLOYMENTS: Resource[Any] = Resource(kind=Deployment, group="apps", version="v1", plural="deployments")
DOCUMENTS = Documents(Schemas(), [DEPLOYMENTS], "v1.37.0")
V2 = orjson.loads(DOCUMENTS.v2())
PROTOBUF = DOCUMENTS.v2_protobuf()
PATH = "/apis/apps/v1/namespaces/{namespace}/deployments/{name}"
KIND = {"group": "apps", "version": "v1", "kind": "Deployment"}


def fields(message: bytes) -> dict[int, list[Any]]:
    """A protobuf message by field number, as any decoder reads it."""
    found: dict[int, list[Any]] = {}
    at = 0

    def varint() -> int:
        nonlocal at
        number = shift = 0
        while True:
            byte = message[at]
            at += 1
            number |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return number

    while at < len(message):
        tag = varint()
        value: Any = varint()
        if tag & 7 == 2:
            at, value = at + value, message[at : at + value]
        found.setdefault(tag >> 3, []).append(value)
    return found


def named(entries: list[bytes]) -> dict[str, bytes]:
    return {(entry := fields(one))[1][0].decode(): entry[2][0] for one in entries}


def test_the_protobuf_form_says_the_same() -> None:
    document = fields(PROTOBUF)
    assert document[1] == [b"2.0"]
    assert fields(document[2][0])[2] == [b"v1.37.0"]
    definitions = named(fields(document[9][0])[1])
    assert list(definitions) == list(V2["definitions"])
    deployment = fields(definitions["io.k8s.api.apps.v1.Deployment"])
    assert fields(deployment[22][0])[1] == [b"object"]
    assert orjson.loads(fields(named(deployment[31])["x-kubernetes-group-version-kind"])[2][0]) == [KIND]
    properties = named(fields(deployment[25][0])[1])
    assert fields(properties["spec"])[1] == [b"#/definitions/io.k8s.api.apps.v1.DeploymentSpec"]


def test_the_protobuf_form_says_what_patch_takes() -> None:
    paths = named(fields(fields(PROTOBUF)[8][0])[2])
    patch = fields(fields(paths[PATH])[8][0])
    body, *others = [fields(fields(item)[1][0]) for item in patch[8]]
    assert fields(body[1][0])[2] == [b"body"]
    query = [fields(fields(item[2][0])[3][0]) for item in others if 3 in fields(item[2][0])]
    assert {b"dryRun", b"fieldValidation"} <= {item[4][0] for item in query}
    assert orjson.loads(fields(named(patch[13])["x-kubernetes-group-version-kind"])[2][0]) == KIND


def test_the_protobuf_writer_refuses_what_it_has_no_number_for() -> None:
    with pytest.raises(ValueError, match="host"):
        gnostic.encode({"host": "example.org"})
