"""APIService. Source: kube-aggregator/pkg/apis/apiregistration/validation/validation_test.go."""

from pilothouse.api.apiregistration.api_service import RESOURCE
from pilothouse.api.machinery.field import FieldErrors


def test_it_is_called_after_what_it_serves() -> None:
    errors = FieldErrors()
    spec = {"group": "example.com", "version": "v1"}
    RESOURCE.validate({"metadata": {"name": "v1.example.com"}, "spec": spec}, errors)
    assert errors == []
    RESOURCE.validate({"metadata": {"name": "x"}, "spec": spec}, errors)
    wanted = 'metadata.name: Invalid value: "x": must be `spec.version+"."+spec.group`: "v1.example.com"'
    assert [str(error) for error in errors] == [wanted]
