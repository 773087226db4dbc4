"""PodTemplate. Rules: pkg/registry/core/podtemplate, printPodTemplate."""

from pilothouse.api.core.pod_template import RESOURCE
from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.machinery.view import JsonObject


def template() -> JsonObject:
    containers = [{"name": "a", "image": "i:1"}, {"name": "b", "image": "j:1"}]
    return {"template": {"metadata": {"labels": {"x": "y"}}, "spec": {"containers": containers}}}


def test_the_template_is_completed_and_checked() -> None:
    body = template()
    RESOURCE.default(body)
    errors = FieldErrors()
    RESOURCE.validate(body, errors)
    assert errors == []
    assert body["template"]["spec"]["dnsPolicy"] == "ClusterFirst"
    body["template"]["spec"]["containers"] = []
    RESOURCE.validate(body, errors)
    assert [str(error) for error in errors] == ["template.spec.containers: Required value"]


def test_columns() -> None:
    assert [column.name for column in RESOURCE.columns] == ["Containers", "Images", "Pod Labels"]
    assert [column.cell(template(), 0.0) for column in RESOURCE.columns] == ["a,b", "i:1,j:1", "x=y"]


def test_warnings() -> None:
    assert RESOURCE.warn is not None
    body = template()
    body["template"]["spec"]["imagePullSecrets"] = [{"name": ""}]
    assert RESOURCE.warn(body, None) == ['template.spec.imagePullSecrets[0].name: invalid empty name ""']
    assert RESOURCE.warn(body, body) == []
    assert RESOURCE.warn(body, template()) != []
