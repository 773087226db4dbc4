import pytest

from pilothouse.apiserver.request_info import parse_request_info

PODS = "/api/v1/namespaces/n/pods"


@pytest.mark.parametrize(
    ("method", "target", "name", "fields"),
    [
        ("GET", f"{PODS}?fieldSelector=metadata.name%3Da", "a", [("metadata.name", "=", "a")]),
        ("GET", f"{PODS}?fieldSelector=metadata.name==a", "a", [("metadata.name", "=", "a")]),
        ("GET", f"{PODS}?fieldSelector=metadata.name!=a", "", [("metadata.name", "!=", "a")]),
        ("GET", f"{PODS}?watch=1&fieldSelector=spec.nodeName=a", "", [("spec.nodeName", "=", "a")]),
        ("DELETE", f"{PODS}?fieldSelector=spec.nodeName=a", "", [("spec.nodeName", "=", "a")]),
        ("GET", f"{PODS}/a?fieldSelector=spec.nodeName=b", "a", []),
        ("POST", f"{PODS}?fieldSelector=spec.nodeName=b", "", []),
        ("GET", f"{PODS}?fieldSelector=&fieldSelector=metadata.name=a", "", []),
        ("GET", f"{PODS}?fieldSelector=metadata.name=a&fieldSelector=spec.x=b", "a", [("metadata.name", "=", "a")]),
        ("GET", f"{PODS}?fieldSelector=metadata.name=a/b", "", [("metadata.name", "=", "a/b")]),
        ("GET", f"{PODS}?fieldSelector=nonsense", "", []),
        ("GET", "/api/v1/watch/namespaces/n/pods/a?fieldSelector=metadata.name=b", "a", [("metadata.name", "=", "a")]),
    ],
)  # fmt: skip
def test_what_authorization_sees_is_what_the_list_will_use(
    method: str, target: str, name: str, fields: list[tuple[str, str, str]]
) -> None:
    info = parse_request_info(method, target)
    assert (info.name, list(info.field_requirements)) == (name, fields)
