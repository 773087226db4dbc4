"""What `kubectl get services` shows. Source: TestPrintService* in pkg/printers/internalversion/printers_test.go."""

from typing import Any

import pytest

from pilothouse.api.core.service import RESOURCE

INGRESS = {"loadBalancer": {"ingress": [{"ip": "2.2.2.2"}, {"ip": "1.1.1.1"}, {"hostname": "lb"}]}}


@pytest.mark.parametrize(
    ("spec", "status", "cells"),
    [
        (
            {"type": "ClusterIP", "clusterIPs": ["10.9.8.7"]},
            {},
            ("ClusterIP", "10.9.8.7", "<none>", "<none>", "<none>"),
        ),
        (
            {
                "type": "NodePort",
                "externalIPs": ["1.2.3.4", "1.2.3.5"],
                "ports": [{"port": 80, "nodePort": 30000, "protocol": "TCP"}],
            },
            {},
            ("NodePort", "<none>", "1.2.3.4,1.2.3.5", "80:30000/TCP", "<none>"),
        ),
        (
            {"type": "LoadBalancer", "ports": [{"port": 80, "protocol": "TCP"}, {"port": 53, "protocol": "UDP"}]},
            {},
            ("LoadBalancer", "<none>", "<pending>", "80/TCP,53/UDP", "<none>"),
        ),
        (
            {"type": "LoadBalancer", "externalIPs": ["9.9.9.9"]},
            INGRESS,
            ("LoadBalancer", "<none>", "1.1.1.1,2.2.2.2,lb,9.9.9.9", "<none>", "<none>"),
        ),
        (
            {"type": "ExternalName", "externalName": "a.b", "selector": {"x": "y"}},
            {},
            ("ExternalName", "<none>", "a.b", "<none>", "x=y"),
        ),
        ({"type": "?"}, {}, ("?", "<none>", "<unknown>", "<none>", "<none>")),
    ],
)
def test_row(spec: dict[str, Any], status: dict[str, Any], cells: tuple[str, ...]) -> None:
    row = {column.name: column.cell({"spec": spec, "status": status}, 0) for column in RESOURCE.columns}
    assert list(row) == ["Type", "Cluster-IP", "External-IP", "Port(s)", "Age", "Selector"]
    assert tuple(row[name] for name in ("Type", "Cluster-IP", "External-IP", "Port(s)", "Selector")) == cells


def test_fields() -> None:
    obj = {"spec": {"clusterIP": "None", "type": "ClusterIP"}}
    assert {name: read(obj) for name, read in RESOURCE.selectable_fields.items()} == {
        "spec.clusterIP": "None",
        "spec.type": "ClusterIP",
    }
