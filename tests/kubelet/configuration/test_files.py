"""Configuration files: what is read, in which order, and what is said of those that cannot be.

*Assumed*: the words for a kind that is not known (upstream's end in a place in its source), and for a duration that is
no text.
"""

import os
from pathlib import Path
from typing import Any

import pytest

from pilothouse.kubelet.configuration.files import ConfigurationError, checked, read_directory, read_file

HEAD = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n"
LENIENT = "Using lenient decoding as strict decoding failed"


def written(place: Path, text: str, name: str = "kubelet.yaml") -> Path:
    path = place / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "document"),
    [
        ("maxPods: 7\nsyncFrequency: 90s\n", {"maxPods": 7, "syncFrequency": "90s"}),
        ("port: 0\naddress: ''\nclusterDomain: null\nsyncFrequency: 0s\n", {}),
        ("cpuCFSQuotaPeriod: 0s\n", {"cpuCFSQuotaPeriod": "0s"}),
        ("authentication: {webhook: {cacheTTL: 0s, enabled: false}}\n",
         {"authentication": {"webhook": {"enabled": False}}}),
        ("evictionHard: {}\n", {"evictionHard": {}}),
        ("reservedMemory: [{numaNode: 0, limits: {memory: 1024Mi}}]\n",
         {"reservedMemory": [{"numaNode": 0, "limits": {"memory": "1Gi"}}]}),
    ],
)  # fmt: skip
def test_what_a_file_sets(tmp_path: Path, text: str, document: dict[str, object]) -> None:
    assert read_file(written(tmp_path, HEAD + text)) == document


def test_json(tmp_path: Path) -> None:
    text = '{"kind": "KubeletConfiguration", "apiVersion": "kubelet.config.k8s.io/v1beta1", "maxPods": 7}'
    assert read_file(written(tmp_path, text)) == {"maxPods": 7}


def test_paths_are_those_seen_from_the_file(tmp_path: Path) -> None:
    text = (
        "staticPodPath: pods\nresolvConf: ../resolv.conf\ntlsCertFile: /a\nauthentication: {x509: {clientCAFile: ca}}\n"
    )
    assert read_file(written(tmp_path, HEAD + text)) == {
        "staticPodPath": str(tmp_path / "pods"), "resolvConf": str(tmp_path.parent / "resolv.conf"),
        "tlsCertFile": "/a", "authentication": {"x509": {"clientCAFile": str(tmp_path / "ca")}},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        (HEAD + "colour: red\nauthentication: {mode: x}\n",
         'strict decoding error: unknown field "authentication.mode", unknown field "colour"'),
        (HEAD + "maxPods: 6\nmaxPods: 7\n",
         'strict decoding error: yaml: unmarshal errors:\n  line 4: key "maxPods" already set in map'),
        ('{"kind": "KubeletConfiguration", "apiVersion": "kubelet.config.k8s.io/v1beta1", "maxPods": 6, "maxPods": 7}',
         'strict decoding error: duplicate field "maxPods"'),
    ],
)  # fmt: skip
def test_what_is_unknown_or_repeated_is_told_and_the_rest_taken(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, text: str, wrong: str
) -> None:
    wanted: dict[str, Any] = {"authentication": {}} if "colour" in text else {"maxPods": 7}
    assert read_file(written(tmp_path, text)) == wanted
    (record,) = caplog.records
    assert (record.getMessage(), vars(record)["facts"]) == (LENIENT, {"err": wrong})


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", 'kubelet config file "{path}" was empty'),
        ("maxPods: 1\n", "failed to decode: Object 'Kind' is missing in 'maxPods: 1\n'"),
        ("kind: KubeletConfiguration\n",
         "failed to decode: Object 'apiVersion' is missing in 'kind: KubeletConfiguration\n'"),
        ("kind: Pod\napiVersion: v1\n", 'failed to decode: no kind "Pod" is registered for version "v1"'),
        (HEAD + "maxPods: many\n", ("failed to decode: json: cannot unmarshal string into Go struct field "
                                   "KubeletConfiguration.maxPods of type int32")),
        (HEAD + "syncFrequency: soon\n", 'failed to decode: time: invalid duration "soon"'),
        (HEAD + "syncFrequency: 5\n", ("failed to decode: json: cannot unmarshal number into Go struct field "
                                      "KubeletConfiguration.syncFrequency of type string")),
        (HEAD + "colour: red\nsyncFrequency: 5x\n", 'failed to decode: time: unknown unit "x" in duration "5x"'),
        ("{", "failed to decode: couldn't get version/kind; json parse error: unexpected end of JSON input"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused(tmp_path: Path, text: str, why: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ConfigurationError) as refused:
        read_file(path)
    head = f"failed to load kubelet config file, path: {path}, error: failed to load Kubelet config file {path}, error "
    assert str(refused.value) == head + why.replace("{path}", str(path))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "none"
    why = f'failed to read kubelet config file "{path}", error: open {path}: no such file or directory'
    with pytest.raises(ConfigurationError, match=f"{why}$"):
        read_file(path)


def test_a_directory_is_read_by_name_and_its_directories_with_it(tmp_path: Path) -> None:
    for name, pods in (("20-b.conf", 2), ("10-a.conf", 1), ("15/z.conf", 3), ("30.yaml", 4), ("16.conf.bak", 5)):
        written(tmp_path, f"{HEAD}maxPods: {pods}\nclusterDomain: null\n", name)
    (tmp_path / "40-link.conf").symlink_to(tmp_path / "10-a.conf")
    found = read_directory(tmp_path)
    assert [each["maxPods"] for each in found] == [1, 3, 2, 1]
    assert found[0]["clusterDomain"] is None, "a null takes away what was there"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("kind: KubeletConfiguration\n", "no apiVersion/kind"),
        ("kind: KubeletConfiguration\napiVersion: kubelet.config.k8s.io/v1\n",
         "unknown apiVersion/kind: kubelet.config.k8s.io/v1, Kind=KubeletConfiguration"),
        (HEAD + "port: 1\nport: 2\n",
         ('error: failed to load drop-in kubelet config file {path}, error strict decoding error: '
         'yaml: unmarshal errors:\n  line 4: key "port" already set in map')),
        ('{"port": 1, "port": 2}', ("error: failed to load drop-in kubelet config file {path}, error "
                                   'strict decoding error: duplicate field "port"')),
        ("", 'error: failed to load drop-in kubelet config file {path}, error kubelet config file "{path}" was empty'),
    ],
)  # fmt: skip
def test_further_files_must_say_what_they_are_and_repeat_nothing(tmp_path: Path, text: str, why: str) -> None:
    path = written(tmp_path, text, "a.conf")
    with pytest.raises(ConfigurationError) as refused:
        read_directory(tmp_path)
    assert str(refused.value) == (
        f'failed to merge kubelet configs: failed to walk through kubelet dropin directory "{tmp_path}": '
        f"failed to load kubelet dropin file, path: {path}, {why.replace('{path}', str(path))}"
    )


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="failed to walk through kubelet dropin directory"):
        read_directory(tmp_path / os.devnull.strip("/"))


def test_a_merged_document_is_read_anew(caplog: pytest.LogCaptureFixture) -> None:
    assert checked({"maxPods": 0, "syncFrequency": "0s", "colour": "red"}) == {}
    assert vars(caplog.records[0])["facts"] == {"fields": ["colour"]}
    with pytest.raises(ConfigurationError, match="failed to unmarshal merged JSON into kubelet configuration: json"):
        checked({"maxPods": "x"})
