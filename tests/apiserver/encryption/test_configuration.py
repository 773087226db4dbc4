"""What a configuration may say, and what it then means. Refusals are those of validation_encryption.go."""

import base64

import pytest

from pilothouse.apiserver.encryption.configuration import ConfigurationError, read_configuration

K16, K32 = base64.b64encode(b"k" * 16).decode(), base64.b64encode(b"K" * 32).decode()
HEAD = "apiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration\n"
IDENTITY = "providers: [{identity: {}}]"


def entry(resources: str, providers: str = IDENTITY) -> str:
    return f"- resources: [{resources}]\n  {providers}\n"


def keys(provider: str, secret: str, name: str = "k1") -> str:
    return f"providers: [{{{provider}: {{keys: [{{name: '{name}', secret: '{secret}'}}]}}}}]"


P = "resources[0].providers[0]"
MASKED = (
    "using overlapping resources such as 'secrets' and '*.' in the same resource list is not allowed as they will be "
    "masked"
)
REFUSALS = [
    ("", "it is empty"),
    ("a: [", "it is not YAML"),
    ("[]", "it is not an object"),
    ("kind: Pod", "got unexpected config type: None, Kind=Pod"),
    (HEAD, "resources: Required value: at least one resources is required"),
    (HEAD + "resources: 7", "it has not the form of an EncryptionConfiguration"),
    (HEAD + "resources:\n" + entry(""), "resources[0].resources: Required value: at least one resources[0].resources"),
    (
        HEAD + "resources:\n- resources: [secrets]",
        "resources[0].providers: Required value: at least one resources[0].providers is required",
    ),
    (
        HEAD + "resources:\n" + entry("secrets, secrets"),
        'resources[0].resources: Invalid value: ["secrets","secrets"]: the same resource cannot be specified multiple',
    ),
    (HEAD + "resources:\n" + entry("secrets, '*.'"), MASKED),
    (HEAD + "resources:\n" + entry("secrets, '*.*'"), MASKED),
    (
        HEAD + "resources:\n" + entry("Secrets"),
        'resources[0].resources[0]: Invalid value: "Secrets": resource name should not contain capital letters',
    ),
    (HEAD + "resources:\n" + entry("'*'"), "use '*.' to encrypt all the resources from core API group"),
    (HEAD + "resources:\n" + entry("apiserveripinfo"), "resources which do not have REST API/s cannot be encrypted"),
    (HEAD + "resources:\n" + entry("events.events.k8s.io"), "Use 'events' instead in the config file"),
    (HEAD + "resources:\n" + entry("deployments.extensions"), "'extensions' group has been removed"),
    (HEAD + "resources:\n" + entry("secrets.*"), "encrypting the same resource across groups is not supported"),
    (
        HEAD + "resources:\n" + entry("secrets", "providers: [{}]"),
        f"{P}: Invalid value: {{}}: provider does not contain",
    ),
    (
        HEAD
        + "resources:\n"
        + entry("secrets", f"providers: [{{identity: {{}}, aescbc: {{keys: [{{secret: '{K16}'}}]}}}}]"),
        "more than one provider specified in a single element",
    ),
    (
        HEAD + "resources:\n" + entry("secrets", "providers: [{aescbc: {keys: []}}]"),
        f"{P}.aescbc.keys: Required value: at least one keys is required",
    ),
    (
        HEAD + "resources:\n" + entry("secrets", keys("aesgcm", K16, "")),
        f"{P}.aesgcm.keys[0].name: Required value: name is a mandatory field for a key",
    ),
    (
        HEAD + "resources:\n" + entry("secrets", keys("aesgcm", "")),
        f"{P}.aesgcm.keys[0].secret: Required value: secret is a mandatory field for a key",
    ),
    (
        HEAD + "resources:\n" + entry("secrets", keys("aesgcm", "no base64!")),
        f'{P}.aesgcm.keys[0].secret: Invalid value: "REDACTED": secrets must be base64 encoded',
    ),
    (
        HEAD + "resources:\n" + entry("secrets", keys("secretbox", K16)),
        'Invalid value: "REDACTED": secret is not of the expected length, got 16, expected one of [32]',
    ),
    (
        HEAD + "resources:\n" + entry("'*.apps'") + entry("deployments.apps"),
        'resource "deployments.apps" is masked by earlier rule "*.apps"',
    ),
    (HEAD + "resources:\n" + entry("'*.*'") + entry("secrets"), 'resource "secrets" is masked by earlier rule "*.*"'),
    (HEAD + "resources:\n" + entry("secrets", "providers: [{kms: {name: a}}]"), f"{P}.kms: Forbidden: "),
]


@pytest.mark.parametrize(("text", "message"), REFUSALS)
def test_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        read_configuration(text)
    assert message in str(refused.value)


def test_a_key_is_in_no_message() -> None:
    short = base64.b64encode(b"hidden").decode()
    with pytest.raises(ConfigurationError) as refused:
        read_configuration(HEAD + "resources:\n" + entry("secrets", keys("aesgcm", short)))
    assert short not in str(refused.value)


def test_what_is_said_of_a_resource_goes_before_what_is_said_of_many() -> None:
    said = read_configuration(
        HEAD
        + "resources:\n"
        + entry("secrets", keys("aescbc", K16))
        + entry("'*.'", keys("aesgcm", K16))
        + entry("'*.*'", keys("secretbox", K32))
    )
    prefixes = {
        named: wardrobe.coats[0].prefix.split(b":")[2]
        for named in (("", "secrets"), ("", "configmaps"), ("apps", "deployments"))
        if (wardrobe := said.of(*named))
    }
    assert prefixes == {
        ("", "secrets"): b"aescbc",
        ("", "configmaps"): b"aesgcm",
        ("apps", "deployments"): b"secretbox",
    }
    assert read_configuration(HEAD + "resources:\n" + entry("secrets")).of("", "configmaps") is None


def test_entries_of_one_resource_add_up() -> None:
    text = HEAD + "resources:\n" + entry("secrets", keys("aescbc", K16)) + entry("secrets")
    wardrobe = read_configuration(text).of("", "secrets")
    assert wardrobe is not None
    assert [coat.prefix for coat in wardrobe.coats] == [b"k8s:enc:aescbc:v1:k1:", b""]
