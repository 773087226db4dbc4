"""ServiceAccount. Source: cleanSecretReferences in pkg/registry/core/serviceaccount/strategy.go."""

from pilothouse.api.core.service_account import RESOURCE


def test_of_secrets_only_names_stay() -> None:
    obj = {"secrets": [{"name": "a", "namespace": "other", "kind": "Secret"}, {"namespace": "x"}]}
    RESOURCE.prepare_for_create(obj)
    assert obj == {"secrets": [{"name": "a"}, {}]}
    changed = {"secrets": [{"name": "b", "uid": "1"}]}
    RESOURCE.prepare_for_update(changed, obj)
    assert changed == {"secrets": [{"name": "b"}]}


def test_columns() -> None:
    assert next((c.name, c.cell({"secrets": [{}]}, 0)) for c in RESOURCE.columns) == ("Secrets", 1)
