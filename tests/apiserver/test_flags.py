"""Upstream's flags: what each changes, and pflag's words for what cannot be."""

from pathlib import Path
from typing import Any

import pytest

from fakes.served_cluster import Keys
from pilothouse.apiserver.audit.backend import Mode
from pilothouse.apiserver.audit.log_file import Rotation
from pilothouse.apiserver.config import ApiServerConfig, AuditConfig, EtcdConfig
from pilothouse.apiserver.flags import FILES, FLAGS, FlagError, with_flags


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> ApiServerConfig:
    return Keys.new().config(tmp_path_factory.mktemp("state"))


@pytest.mark.parametrize(
    ("flags", "field", "value"),
    [
        ({"anonymous-auth": "false"}, "anonymous", False),
        ({"disable-admission-plugins": "A, B"}, "disabled_admission", ("A", "B")),
        ({"enable-admission-plugins": "EventRateLimit"}, "enabled_admission", ("EventRateLimit",)),
        ({"enable-bootstrap-token-auth": "true"}, "bootstrap_tokens", True),
        ({"disable-http2-serving": "false"}, "http2", True),
        ({"disable-http2-serving": "true"}, "http2", False),
        ({"encryption-provider-config": "/e.yaml"}, "encryption", Path("/e.yaml")),
        ({"event-ttl": "10m"}, "event_ttl", 600.0),
        ({"max-requests-inflight": "10"}, "seats", 210),
        ({"max-requests-inflight": "10", "max-mutating-requests-inflight": "5"}, "seats", 15),
        ({"service-node-port-range": "30000-30100"}, "node_ports", (30000, 30100)),
        ({"shutdown-delay-duration": "3s"}, "shutdown_delay", 3.0),
        ({"audit-log-path": "/a.log"}, "audit", None),
        (
            {"audit-log-path": "/a", "audit-policy-file": "/p", "audit-log-mode": "blocking", "audit-log-maxage": "3"},
            "audit",
            AuditConfig(policy=Path("/p"), log=Path("/a"), mode=Mode.BLOCKING, rotation=Rotation(age=3)),
        ),
        ({"etcd-prefix": "/x"}, "etcd", None),
        (
            {"etcd-servers": "http://a:1,http://b:1", "etcd-prefix": "/x", "etcd-compaction-interval": "0"},
            "etcd",
            EtcdConfig(servers=("http://a:1", "http://b:1"), prefix="/x", compaction_interval=0.0),
        ),
    ],
)  # fmt: skip
def test_what_a_flag_changes(config: ApiServerConfig, flags: dict[str, str], field: str, value: Any) -> None:
    changed = with_flags(config, flags)
    assert getattr(changed, field) == value
    before = vars(config) | {field: value}
    assert vars(changed) == before


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("colour", "red", "unknown flag: --colour"),
        ("event-ttl", "soon", 'invalid argument "soon" for "--event-ttl" flag: time: invalid duration "soon"'),
        (
            "anonymous-auth",
            "maybe",
            'invalid argument "maybe" for "--anonymous-auth" flag: strconv.ParseBool: parsing "maybe": invalid syntax',
        ),
        (
            "max-requests-inflight",
            "x",
            'invalid argument "x" for "--max-requests-inflight" flag: strconv.ParseInt: parsing "x": invalid syntax',
        ),
        ("max-requests-inflight", "-5", "must not be negative"),
        ("max-requests-inflight", "1_000", "invalid syntax"),
        ("event-ttl", "-5s", "must not be negative"),
        ("etcd-cafile", "", "it names no file"),
        ("service-node-port-range", "9-1", "invalid port range: 9-1"),
        ("service-node-port-range", "1-99999", "invalid port range: 1-99999"),
        ("admission-control-config-file", "/none", "unable to read /none: No such file or directory"),
        ("audit-log-mode", "never", 'invalid argument "never" for "--audit-log-mode" flag: '),
    ],
)
def test_refused(config: ApiServerConfig, name: str, text: str, why: str) -> None:
    with pytest.raises(FlagError) as refused:
        with_flags(config, {name: text})
    assert why in str(refused.value)


def test_configurations_of_admission_plugins_stand_in_the_file_or_beside_it(
    config: ApiServerConfig, tmp_path: Path
) -> None:
    (tmp_path / "limits.yaml").write_text("kind: Configuration\nlimits: []\n")
    path = tmp_path / "admission.yaml"
    path.write_text(
        "kind: AdmissionConfiguration\nplugins:\n- {name: EventRateLimit, path: limits.yaml}\n"
        "- {name: Other, configuration: {a: 1}}\n"
    )
    changed = with_flags(config, {"admission-control-config-file": str(path)})
    assert changed.admission == {"EventRateLimit": {"kind": "Configuration", "limits": []}, "Other": {"a": 1}}


@pytest.mark.parametrize("content", ["a: [", "[]", ""])
def test_a_file_that_holds_no_object(config: ApiServerConfig, tmp_path: Path, content: str) -> None:
    (tmp_path / "a.yaml").write_text(content)
    with pytest.raises(FlagError, match=r"a\.yaml"):
        with_flags(config, {"admission-control-config-file": str(tmp_path / "a.yaml")})


def test_files_are_the_flags_that_name_one() -> None:
    assert {name for name in FLAGS if name.endswith(("file", "path", "config"))} == FILES
