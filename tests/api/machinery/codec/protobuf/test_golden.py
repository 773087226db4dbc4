"""Every kind as upstream wrote it, byte for byte: also versions that are not served, and options and reviews."""

import orjson
import pytest

from fakes import golden
from pilothouse.api.machinery.codec import yaml
from pilothouse.api.machinery.codec.protobuf import decode, encode, message, sealed

EVENT = "core.v1.WatchEvent"
"""The one object without a kind, in JSON and in its envelope."""


@pytest.mark.parametrize("stem", golden.stems())
def test_protobuf_and_json_are_one_object(stem: str) -> None:
    sent = golden.path_of(stem, "pb").read_bytes()
    if stem in golden.GONE_BY_NOW:
        pytest.skip(golden.GONE_BY_NOW[stem])
    obj = orjson.loads(golden.path_of(golden.now(stem), "json").read_bytes())
    if stem == EVENT:
        assert decode(sent, api_version="v1", kind="WatchEvent") == {"kind": "WatchEvent", "apiVersion": "v1"} | obj
        assert sealed("", "", [message("meta.v1.WatchEvent", obj)]) == sent
        return
    assert decode(sent) == obj
    assert encode(obj) == golden.path_of(golden.now(stem), "pb").read_bytes()


@pytest.mark.parametrize("stem", golden.stems())
def test_yaml_and_json_are_one_object(stem: str) -> None:
    obj = orjson.loads(golden.path_of(stem, "json").read_bytes())
    assert yaml.decode(golden.path_of(stem, "yaml").read_bytes()) == (obj, [])
    assert yaml.decode(yaml.encode(obj)) == (obj, [])
