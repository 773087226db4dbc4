"""What `Accept` asks for, by upstream's rules of negotiation."""

import pytest

from pilothouse.api.machinery.errors import NotAcceptable
from pilothouse.apiserver.verbs.forms import JSON, PROTOBUF, YAML, Form, negotiate

META = ";v=v1;g=meta.k8s.io"
TABLE, PARTIAL = Form(JSON, "Table", "v1", "meta.k8s.io"), Form(PROTOBUF, "PartialObjectMetadata", "v1", "meta.k8s.io")


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", Form()), ("*/*", Form()), ("application/*", Form()), ("application/json", Form()),
        ("text/html, */*;q=0.8", Form()), ("APPLICATION/YAML", Form(YAML)), ("text/yaml", Form(YAML)),
        (PROTOBUF, Form(PROTOBUF)), (f"{PROTOBUF},application/json", Form(PROTOBUF)),
        (f"{PROTOBUF};q=0.5, application/json;q=0.9", Form()),
        ("application/yaml;q=0.5, application/json;q=0.4", Form(YAML)),
        (f"{PROTOBUF};stream=watch", Form(PROTOBUF)), (f"application/json;stream=watch,{PROTOBUF}", Form()),
        (f"application/json;stream=other,{PROTOBUF}", Form(PROTOBUF)),
        (f"application/json;as=Table{META},application/json", TABLE),
        (f"application/json;as=Table;v=v9;g=meta.k8s.io,{PROTOBUF}", Form(PROTOBUF)),
        (f"{PROTOBUF};as=Table{META},application/json;as=Table{META}", TABLE),
        (f"{PROTOBUF};as=Table{META},{PROTOBUF}", Form(PROTOBUF)),
        (f"{PROTOBUF};as=PartialObjectMetadataList{META},application/json", PARTIAL),
        ("application/json;as=Nothing;v=v1;g=meta.k8s.io,application/yaml", Form(YAML)),
        ("application/json;pretty=1", Form()),
    ],
)  # fmt: skip
def test_the_first_form_that_is_served(accept: str, form: Form) -> None:
    assert negotiate(accept) == form


@pytest.mark.parametrize("accept", ["text/html", f"{PROTOBUF};as=Table{META}", "application/json;stream=other", "x"])
def test_what_nobody_serves(accept: str) -> None:
    with pytest.raises(NotAcceptable) as error:
        negotiate(accept)
    assert error.value.message == (
        "only the following media types are accepted: "
        "application/json, application/yaml, application/vnd.kubernetes.protobuf"
    )


def test_what_is_not_offered_is_passed_over() -> None:
    assert negotiate(f"{PROTOBUF},application/json", (JSON, YAML)) == Form()
    with pytest.raises(NotAcceptable, match=r"application/json, application/yaml$"):
        negotiate(PROTOBUF, (JSON, YAML))
    assert negotiate(f"application/json;as=Table{META},application/yaml", tables=False) == Form(YAML)
    with pytest.raises(NotAcceptable):
        negotiate(f"application/json;as=Table{META}", tables=False)
