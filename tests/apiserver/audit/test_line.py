"""How an answer becomes JSON in a line: whatever form it is sent in, and large ones a little at a time."""

from collections.abc import Callable, Iterator
from typing import Any

import orjson
import pytest

from pilothouse.api.machinery.codec import protobuf, yaml
from pilothouse.apiserver.audit import line
from pilothouse.apiserver.audit.line import AnswerObject, MemberReader, line_of, ready

_ENCODERS: dict[str, Callable[[dict[str, Any]], bytes]] = {
    "application/json": orjson.dumps,
    "application/yaml": yaml.encode,
    protobuf.MEDIA_TYPE: protobuf.encode,
}
MANAGED = {"managedFields": [{"manager": "me"}]}


def _map(number: int, **metadata: Any) -> dict[str, Any]:
    found = {"name": f"m{number}", "namespace": "default", "resourceVersion": "5", **metadata}
    return {"kind": "ConfigMap", "apiVersion": "v1", "metadata": found, "data": {"k": 'a"]}b', "é": "\n"}}


def _list(count: int, **metadata: Any) -> dict[str, Any]:
    items = [_map(number, **metadata) for number in range(count)]
    return {"kind": "ConfigMapList", "apiVersion": "v1", "metadata": {"resourceVersion": "9"}, "items": items}


def _text(answer: AnswerObject) -> list[bytes]:
    return [bytes(piece) for piece in answer.text()]


@pytest.mark.parametrize("large", [1, 10**6])
@pytest.mark.parametrize("form", _ENCODERS)
@pytest.mark.parametrize("slim", [False, True])
def test_every_form_becomes_json(form: str, slim: bool, large: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line, "_LARGE", large)
    for sent, shown in ((_map(0, **MANAGED), _map(0)), (_list(3, **MANAGED), _list(3)), (_list(0), _list(0))):
        body = _ENCODERS[form](sent)
        assert AnswerObject.is_in(form)
        pieces = _text(AnswerObject(body, form, slim=slim))
        expected = shown if slim else sent
        if form == protobuf.MEDIA_TYPE and "items" in expected:  # its items do not say what they are
            items = [{key: item[key] for key in ("metadata", "data")} for item in expected["items"]]
            expected = {**expected, "items": items}
        assert orjson.loads(b"".join(pieces)) == expected


def test_what_is_large_is_never_in_one_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line, "_LARGE", 1000)
    read: list[int] = []
    read_value = line._read_value

    def reading(text: str, at: int) -> tuple[Any, int]:
        found, end = read_value(text, at)
        read.append(end - at)
        return found, end

    monkeypatch.setattr(line, "_read_value", reading)
    body = orjson.dumps(_list(500, **MANAGED))
    assert len(body) > 50_000
    pieces = _text(AnswerObject(body, "application/json", slim=True))
    assert max(map(len, pieces)) < 500
    assert max(read) < 500
    assert sum(read) > 50_000
    for form in (protobuf.MEDIA_TYPE, "application/yaml"):
        pieces = _text(AnswerObject(_ENCODERS[form](_list(50)), form, slim=False))
        assert max(map(len, pieces)) < 500


def test_the_rows_of_a_table_are_slimmed_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line, "_LARGE", 1)
    rows = [{"cells": ["a", 1, None], "object": _map(0, **MANAGED)}, {"cells": [], "object": None}]
    table = {"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": {}, "columnDefinitions": [], "rows": rows}
    found = orjson.loads(b"".join(_text(AnswerObject(orjson.dumps(table), "application/json", slim=True))))
    assert found == {**table, "rows": [{"cells": ["a", 1, None], "object": _map(0)}, rows[1]]}


@pytest.mark.parametrize(
    "document",
    ['{"items":[]}', '{"items":null,"a":1}', '{"a":{"items":[1]},"items":[{},[1,2],"]",3.5],"b":"}"}'],
)
def test_reading_by_members(document: str) -> None:
    members = MemberReader(document).members()
    found = {name: list(value) if isinstance(value, Iterator) else value for name, value in members}
    assert found == orjson.loads(document)


def test_what_is_not_as_we_would_write_it_is_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line, "_LARGE", 1)
    pieces = _text(AnswerObject(b'{ "items" : [ 1 , 2 ] }', "application/json", slim=True))
    assert orjson.loads(b"".join(pieces)) == {"items": [1, 2]}


def test_pieces_are_sent_and_written_but_not_joined() -> None:
    class Pieces(list[bytes | memoryview]):
        def __iter__(self) -> Iterator[bytes | memoryview]:
            asked.append(True)
            return super().__iter__()

    asked: list[bool] = []
    answer = AnswerObject(Pieces([b'{"items":[', b"1", b",", memoryview(b"2"), b"]}"]), "application/json", slim=False)
    assert not asked, "whoever writes the line does that"
    event = {"kind": "Event", "responseObject": answer, "annotations": {"a": "b"}}
    written = b"".join(line_of(event))
    assert written.endswith(b"\n")
    assert written.count(b"\n") == 1
    assert orjson.loads(written) == {"kind": "Event", "annotations": {"a": "b"}, "responseObject": {"items": [1, 2]}}


def test_what_is_no_object_is_not_recorded() -> None:
    assert not AnswerObject.is_in("text/plain")


def test_only_what_has_an_answer_or_is_no_json_is_left_to_the_thread() -> None:
    plain = {"verb": "get"}
    assert ready(plain) == b'{"verb":"get"}\n'
    assert line_of(ready(plain)) == line_of(plain) == (b'{"verb":"get"}\n',)
    for left in ({"responseObject": AnswerObject(b"{}", "application/json", slim=False)}, {"verb": object()}):
        assert ready(left) is left
