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


def test_enforced_secrets_are_warned_of_once() -> None:
    assert RESOURCE.warn is not None
    obj = {"metadata": {"annotations": {"kubernetes.io/enforce-mountable-secrets": "true"}}}
    assert RESOURCE.warn(obj, None) == [
        (
            "metadata.annotations[kubernetes.io/enforce-mountable-secrets]: deprecated in v1.32+; "
            "prefer separate namespaces to isolate access to mounted secrets"
        )
    ]
    assert RESOURCE.warn(obj, obj) == []
    assert RESOURCE.warn({}, None) == []
