"""What upstream takes for a configuration of credential providers, and what it says of others."""

import json
from pathlib import Path
from typing import Any

import pytest

from pilothouse.kubelet.images.provider_config import Provider, ProviderConfigError, TokenAttributes, read_providers

V1 = "credentialprovider.kubelet.k8s.io/v1"
TOKEN = {"serviceAccountTokenAudience": "r.example", "requireServiceAccount": True, "cacheType": "Token"}


def entry(name: str = "giver", **more: Any) -> dict[str, Any]:
    found = {"name": name, "apiVersion": V1, "matchImages": ["r.example"], "defaultCacheDuration": "1m", **more}
    return {key: value for key, value in found.items() if value is not None}


def config(*entries: dict[str, Any], **more: Any) -> str:
    whole = {"apiVersion": "kubelet.config.k8s.io/v1", "kind": "CredentialProviderConfig", "providers": [*entries]}
    return json.dumps({**whole, **more})


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A directory with a program."""
    (tmp_path / "bin").mkdir()
    for name in ("giver", "other"):
        (tmp_path / "bin" / name).write_text("#!/bin/sh\n")
        (tmp_path / "bin" / name).chmod(0o755)
    return tmp_path


def read(place: Path, text: str) -> tuple[Provider, ...]:
    (place / "config.json").write_text(text)
    return read_providers(place / "config.json", place / "bin")


def test_all_that_there_is_to_say(place: Path) -> None:
    keys = {"requiredServiceAccountAnnotationKeys": ["a"], "optionalServiceAccountAnnotationKeys": ["b"]}
    whole = entry(args=["get"], env=[{"name": "X", "value": "1"}], tokenAttributes={**TOKEN, **keys})
    assert read(place, config(whole)) == (
        Provider(
            "giver", V1, ("r.example",), 60.0, str(place / "bin" / "giver"), ("get",), (("X", "1"),),
            TokenAttributes("r.example", True, ("a",), ("b",), "Token"),
        ),
    )  # fmt: skip


def test_files_of_a_directory_count_together_in_the_order_of_their_names(place: Path) -> None:
    (place / "etc").mkdir()
    (place / "etc" / "b.json").write_text(config(entry("giver")))
    (place / "etc" / "a.yaml").write_text(
        "apiVersion: kubelet.config.k8s.io/v1\nkind: CredentialProviderConfig\nproviders:\n- name: other\n"
        f"  apiVersion: {V1}\n  matchImages: [r.example]\n  defaultCacheDuration: 0s\n"
    )
    (place / "etc" / "c.txt").write_text("nothing")
    assert [one.name for one in read_providers(place / "etc", place / "bin")] == ["other", "giver"]
    (place / "etc" / "d.yml").write_text(config(entry("other")))
    with pytest.raises(ProviderConfigError) as told:
        read_providers(place / "etc", place / "bin")
    assert str(told.value) == 'duplicate provider name "other" found in configuration file(s)'


def test_an_empty_directory(place: Path) -> None:
    with pytest.raises(ProviderConfigError, match="no configuration files found in directory"):
        read_providers(place / "bin", place / "bin")


def test_programs_must_be_there(place: Path) -> None:
    with pytest.raises(ProviderConfigError, match=r"plugin binary directory .*/none did not exist"):
        read_providers(place / "config.json", place / "none")
    with pytest.raises(ProviderConfigError, match=r"plugin binary executable .*/missing did not exist"):
        read(place, config(entry("missing")))


@pytest.mark.parametrize(("text", "message"), [
    (config(kind="Pod"), 'failed to decode "Pod" (wrong Kind)'),
    (config(apiVersion="v1"), "failed to decode CredentialProviderConfig, unexpected Group: v1"),
    (config(entry(image="x")), 'unknown field "providers.image"'),
    ("[]", "list indices must be integers or slices, not str"),
    ("{", "unexpected end of data: line 1 column 2 (char 1)"),
])  # fmt: skip
def test_what_is_no_configuration(place: Path, text: str, message: str) -> None:
    with pytest.raises(ProviderConfigError) as told:
        read(place, text)
    assert str(told.value) == f'error decoding config "{place}/config.json": {message}'


VERSIONS = f'"{V1}", "{V1}alpha1", "{V1}beta1"'


@pytest.mark.parametrize(("entries", "message"), [
    ([], "providers: Required value: at least 1 item in plugins is required"),
    ([entry("a/b")], "providers.name: Invalid value: \"a/b\": provider name cannot contain '/'"),
    ([entry("a b")], 'providers.name: Invalid value: "a b": provider name cannot contain spaces'),
    ([entry("..")], "providers.name: Invalid value: \"..\": provider name cannot be '..'"),
    ([entry(apiVersion=None)], "providers.apiVersion: Required value"),
    ([entry(apiVersion="v1")],
     f'providers.apiVersion: Unsupported value: "v1": supported values: {VERSIONS}'),
    ([entry(matchImages=[])], "providers.matchImages: Required value: at least 1 item in matchImages is required"),
    ([entry(defaultCacheDuration=None)], "providers.defaultCacheDuration: Required value"),
    ([entry(defaultCacheDuration="-1s")], ('providers.defaultCacheDuration: Invalid value: "-1s": '
     "defaultCacheDuration must be greater than or equal to 0")),
    ([entry(tokenAttributes={**TOKEN, "serviceAccountTokenAudience": ""})],
     "providers.tokenAttributes.serviceAccountTokenAudience: Required value"),
    ([entry(tokenAttributes={**TOKEN, "requireServiceAccount": None})],
     "providers.tokenAttributes.requireServiceAccount: Required value"),
    ([entry(tokenAttributes=TOKEN, apiVersion=f"{V1}beta1")],
     f"providers.tokenAttributes: Forbidden: tokenAttributes is only supported for {V1} API version"),
    ([entry(tokenAttributes={**TOKEN, "requireServiceAccount": False, "requiredServiceAccountAnnotationKeys": ["a"]})],
     ("providers.tokenAttributes.requiredServiceAccountAnnotationKeys: Forbidden: requireServiceAccount cannot be "
      "false when requiredServiceAccountAnnotationKeys is set")),
    ([entry(tokenAttributes={**TOKEN, "optionalServiceAccountAnnotationKeys": ["a"],
                             "requiredServiceAccountAnnotationKeys": ["a"]})],
     'providers.tokenAttributes: Invalid value: ["a"]: annotation keys cannot be both required and optional'),
    ([entry(tokenAttributes={**TOKEN, "cacheType": ""})],
     ("providers.tokenAttributes.cacheType: Required value: cacheType is required to be set when tokenAttributes is "
      "specified. Supported values are: ServiceAccount, Token")),
    ([entry(tokenAttributes={**TOKEN, "cacheType": "Pod"})],
     'providers.tokenAttributes.cacheType: Unsupported value: "Pod": supported values: "ServiceAccount", "Token"'),
    ([entry(apiVersion=None, defaultCacheDuration=None)],
     "[providers.apiVersion: Required value, providers.defaultCacheDuration: Required value]"),
])  # fmt: skip
def test_what_does_not_do(place: Path, entries: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(ProviderConfigError) as told:
        read(place, config(*entries))
    assert str(told.value) == f"failed to validate credential provider config: {message}"
