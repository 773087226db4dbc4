"""Bodies that mean harm, or are nobody's fault: a refusal in words, no crash, no hang, nothing that grows."""

import orjson
import pytest

from fakes.served import MAPS, Api, run

JSON, YAML = "application/json", "application/yaml"
HEAD = b"kind: ConfigMap\napiVersion: v1\nmetadata: {name: a}\n"
BOMB = b"\n".join(
    [b"a: &a [x,x,x,x,x,x,x,x,x,x]"]
    + [
        b"%c: &%c [%b]" % (name, name, b",".join([b"*%c" % of] * 10))
        for of, name in zip(b"abcdefgh", b"bcdefghi", strict=True)
    ]
)
UNRECOGNIZED = "the object provided is unrecognized (must be of type ConfigMap): "


@pytest.mark.parametrize(
    ("form", "body", "status", "words"),
    [
        (YAML, BOMB, 400, f"{UNRECOGNIZED}yaml: document contains excessive aliasing"),
        (YAML, HEAD + b"data: " + b"{a: " * 5000 + b"}" * 5000, 400, f"{UNRECOGNIZED}exceeded max depth"),
        (YAML, HEAD + b"data:\n\t a: b", 400, f"{UNRECOGNIZED}yaml: line "),
        (YAML, HEAD + b"---\n" + HEAD, 400, f"{UNRECOGNIZED}yaml: the body holds more than one document"),
        (YAML, HEAD + b"data: {a: \xff}", 400, f"{UNRECOGNIZED}yaml: "),
        (YAML, HEAD + b"data: {a: !!binary '%'}", 400, f"{UNRECOGNIZED}yaml: !!binary value contains invalid"),
        (YAML, HEAD + b"data: {? [a, b] : c}", 400, f"{UNRECOGNIZED}Unsupported map key of type"),
        (JSON, b'{"data":' + b'{"a":' * 5000 + b"1" + b"}" * 5001, 400, "exceeded max depth"),
        (JSON, b"\xef\xbb\xbf{}", 400, "invalid character 'ï' looking for beginning of value"),
        (JSON, b'{"metadata":{"generation":1e999}}', 400, "cannot unmarshal number 1e999"),
        (JSON, b'{"metadata":{"generation":99999999999999999999}}', 400, "generation of type int64"),
        (JSON, b'{"data":{"a":"' + b"x" * (3 << 20) + b'"}}', 413, "Request entity too large: limit is 3145728"),
    ],
    ids=["aliases", "deep yaml", "tab", "two documents", "no utf-8", "base64", "key", "deep json",
         "bom", "1e999", "big", "long"],
)  # fmt: skip
def test_refusals(form: str, body: bytes, status: int, words: str) -> None:
    async def story(api: Api) -> None:
        answer = await api.send("POST", MAPS, {"content-type": form}, body)
        error = orjson.loads(answer.body)
        assert (answer.status, error["code"]) == (status, status), error
        assert words in error["message"]
        assert error["reason"] == ("BadRequest" if status == 400 else "RequestEntityTooLarge")

    run(story)


def test_yaml_that_is_unusual_and_means_no_harm() -> None:
    text = b"\xef\xbb\xbf" + HEAD + b"data: &all {1: one, true: 'yes', x: &x word, z: *x, b: !!binary aGk=}\n"

    async def story(api: Api) -> None:
        answer = await api.send("POST", MAPS, {"content-type": YAML}, text)
        assert answer.status == 201, answer.body
        assert orjson.loads(answer.body)["data"] == {"1": "one", "true": "yes", "x": "word", "z": "word", "b": "hi"}

    run(story)


def test_a_repeated_key_is_refused_where_that_is_asked_for() -> None:
    text = HEAD + b"data: {a: one}\ndata: {a: two}\n"

    async def story(api: Api) -> None:
        strict = await api.send("POST", f"{MAPS}?fieldValidation=Strict", {"content-type": YAML}, text)
        assert strict.status == 400
        assert (
            'strict decoding error: yaml: unmarshal errors:\n  line 5: key "data" already set in map'
            in (orjson.loads(strict.body)["message"])
        )
        warned = await api.send("POST", MAPS, {"content-type": YAML}, text)
        assert warned.status == 201
        assert warned.headers["warning"] == '299 - "line 5: key \\"data\\" already set in map"'
        assert orjson.loads(warned.body)["data"] == {"a": "two"}

    run(story)
