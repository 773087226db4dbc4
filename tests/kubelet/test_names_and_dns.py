"""Names of pods and how they resolve others, as upstream's network/dns and kubelet_pods.go have them."""

from typing import Any

import pytest

from kubelet.observing import pod
from pilothouse.kubelet.names_and_dns import (
    NameTooLong,
    Resolver,
    domain,
    fitted,
    hostname,
    hosts_file,
    parse_resolver,
    resolver_of,
    uts_name,
)

NODE = Resolver(("9.9.9.9",), ("corp.example",), ("timeout:1",))
CLUSTER = ("10.96.0.10",)
OWN = ("default.svc.cluster.local", "svc.cluster.local", "cluster.local", "corp.example")


@pytest.mark.parametrize(("text", "expected"), [
    ("", Resolver()),
    ("nameserver 1.1.1.1\nnameserver 2.2.2.2 # second\n", Resolver(("1.1.1.1", "2.2.2.2"))),
    ("  nameserver\t1.1.1.1\n", Resolver(("1.1.1.1",))),
    ("search a.example b.example.\n", Resolver(searches=("a.example", "b.example"))),
    ("search a\nsearch b\n", Resolver(searches=("b",))),
    ("search .\n", Resolver(searches=(".",))),
    ("options ndots:2 rotate\noptions ndots:3\n", Resolver(options=("ndots:3", "rotate"))),
    ("# a comment\ndomain x\nnameserver\n", Resolver()),
])  # fmt: skip
def test_resolv_conf(text: str, expected: Resolver) -> None:
    assert parse_resolver(text) == expected


@pytest.mark.parametrize(("spec", "expected"), [
    ({}, Resolver(CLUSTER, OWN, ("ndots:5",))),
    ({"dnsPolicy": "ClusterFirst"}, Resolver(CLUSTER, OWN, ("ndots:5",))),
    ({"dnsPolicy": "ClusterFirst", "hostNetwork": True}, NODE),
    ({"dnsPolicy": "ClusterFirstWithHostNet", "hostNetwork": True}, Resolver(CLUSTER, OWN, ("ndots:5",))),
    ({"dnsPolicy": "Default"}, NODE),
    ({"dnsPolicy": "None"}, Resolver()),
    ({"dnsPolicy": "None", "dnsConfig": {"nameservers": ["1.1.1.1"], "searches": ["x"], "options": [
        {"name": "ndots", "value": "2"}, {"name": "rotate"}]}}, Resolver(("1.1.1.1",), ("x",), ("ndots:2", "rotate"))),
    ({"dnsConfig": {"nameservers": ["10.96.0.10", "1.1.1.1"], "searches": ["cluster.local", "x"],
                    "options": [{"name": "ndots", "value": "2"}]}},
     Resolver((*CLUSTER, "1.1.1.1"), (*OWN, "x"), ("ndots:2",))),
    ({"metadata": {"namespace": "web"}}, Resolver(CLUSTER, ("web.svc.cluster.local", *OWN[1:]), ("ndots:5",))),
])  # fmt: skip
def test_policies(spec: dict[str, Any], expected: Resolver) -> None:
    assert resolver_of(pod(**spec), NODE, CLUSTER, "cluster.local") == expected


def test_without_a_cluster_dns_the_nodes_own_serves() -> None:
    assert resolver_of(pod(), NODE, (), "cluster.local") == NODE


def test_resolvers_take_only_so_much() -> None:
    servers = ("1.1.1.1", "2.2.2.2", "3.3.3.3", "4.4.4.4")
    some, complaints = fitted(Resolver(servers))
    assert some.servers == servers[:3]
    assert " ".join(complaints) == (
        "Nameserver limits were exceeded, some nameservers have been omitted, "
        "the applied nameserver line is: 1.1.1.1 2.2.2.2 3.3.3.3"
    )
    searches = tuple(f"d{number}" for number in range(33))
    some, complaints = fitted(Resolver(searches=searches))
    assert some.searches == searches[:32]
    assert complaints[0].startswith("Search Line limits were exceeded, some search paths have been omitted, ")
    long = tuple(f"{number}" * 200 for number in range(12))
    assert len(" ".join(fitted(Resolver(searches=long))[0].searches)) <= 2048
    assert fitted(NODE) == (NODE, ())


@pytest.mark.parametrize(("spec", "short", "below", "printed"), [
    ({}, "web", "", "web"),
    ({"hostname": "db-0", "subdomain": "db"}, "db-0", "db.default.svc.cluster.local", "db-0"),
    ({"hostname": "db-0", "subdomain": "db", "setHostnameAsFQDN": True}, "db-0", "db.default.svc.cluster.local",
     "db-0.db.default.svc.cluster.local"),
    ({"setHostnameAsFQDN": True}, "web", "", "web"),
    ({"hostnameOverride": "me.example", "hostname": "x", "subdomain": "db", "setHostnameAsFQDN": True},
     "me.example", "", "me.example"),
    ({"name": "a" * 62 + "-bcd"}, "a" * 62, "", "a" * 62),
    ({"name": "a" * 70}, "a" * 63, "", "a" * 63),
])  # fmt: skip
def test_names(spec: dict[str, Any], short: str, below: str, printed: str) -> None:
    one = pod(**spec)
    assert (hostname(one), domain(one, "cluster.local")) == (short, below)
    assert uts_name(one, "cluster.local") == printed


def test_a_name_that_the_kernel_does_not_take() -> None:
    one = pod(hostname="h" * 40, subdomain="db", setHostnameAsFQDN=True)
    with pytest.raises(NameTooLong, match="64 characters is the max, 69 characters requested"):
        uts_name(one, "cluster.local")


FIXED = (
    "# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"
    "fe00::0\tip6-localnet\nfe00::0\tip6-mcastprefix\nfe00::1\tip6-allnodes\nfe00::2\tip6-allrouters\n"
)
ALIASES = {"hostAliases": [{"ip": "1.1.1.1", "hostnames": ["a", "b"]}, {"ip": "2.2.2.2", "hostnames": ["c"]}]}
ADDED = "\n# Entries added by HostAliases.\n1.1.1.1\ta\tb\n2.2.2.2\tc\n"


@pytest.mark.parametrize(("spec", "ips", "expected"), [
    ({}, ["10.88.0.2"], f"{FIXED}10.88.0.2\tweb\n"),
    ({}, ["10.88.0.2", "fd00::2"], f"{FIXED}10.88.0.2\tweb\nfd00::2\tweb\n"),
    ({"subdomain": "db"}, ["10.88.0.2"], f"{FIXED}10.88.0.2\tweb.db.default.svc.cluster.local\tweb\n"),
    (ALIASES, ["10.88.0.2"], f"{FIXED}10.88.0.2\tweb\n{ADDED}"),
    ({"hostNetwork": True}, ["10.0.0.1"], "# Kubernetes-managed hosts file (host network).\n10.0.0.1 node\n"),
    ({"hostNetwork": True, **ALIASES}, ["10.0.0.1"],
     f"# Kubernetes-managed hosts file (host network).\n10.0.0.1 node\n{ADDED}"),
])  # fmt: skip
def test_hosts(spec: dict[str, Any], ips: list[str], expected: str) -> None:
    assert hosts_file(pod(**spec), ips, "cluster.local", "10.0.0.1 node\n") == expected
