"""How a pod is called and how it resolves names: hostname, /etc/hosts and resolv.conf, as pure functions.

API page: "DNS for Services and Pods"; resolv.conf(5), hosts(5).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Pod

_LONGEST_HOSTNAME = 63
_LONGEST_FQDN = 64
_MOST_SERVERS = 3
_MOST_SEARCHES = 32
_LONGEST_SEARCH = 2048
_FIXED_HOSTS = (
    ("127.0.0.1", "localhost"),
    ("::1", "localhost ip6-localhost ip6-loopback"),
    ("fe00::0", "ip6-localnet"),
    ("fe00::0", "ip6-mcastprefix"),
    ("fe00::1", "ip6-allnodes"),
    ("fe00::2", "ip6-allrouters"),
)


class NameTooLong(Exception):
    """The kernel takes no hostname that long."""


@dataclass(frozen=True, slots=True)
class Resolver:
    """What a resolv.conf says."""

    servers: tuple[str, ...] = ()
    searches: tuple[str, ...] = ()
    options: tuple[str, ...] = ()

    def message(self) -> JsonObject:
        """As the runtime takes it."""
        return {"servers": list(self.servers), "searches": list(self.searches), "options": list(self.options)}


def parse_resolver(text: str) -> Resolver:
    """Read a resolv.conf."""
    servers: list[str] = []
    searches: tuple[str, ...] = ()
    options: dict[str, str] = {}
    for line in text.splitlines():
        match line.split():
            case ["nameserver", server, *_]:
                servers.append(server)
            case ["search", *found]:
                searches = tuple(domain if domain == "." else domain.rstrip(".") for domain in found)
            case ["options", *found]:
                options |= {option.partition(":")[0]: option for option in found}
    return Resolver(tuple(servers), searches, tuple(options.values()))


def hostname(pod: Pod) -> str:
    """The short name of the pod's host."""
    wanted = pod.spec.hostnameOverride or pod.spec.hostname or pod.metadata.name
    return wanted[:_LONGEST_HOSTNAME].rstrip("-.")


def domain(pod: Pod, cluster_domain: str) -> str:
    """The domain below which a pod with a subdomain is found; empty without one."""
    if not pod.spec.subdomain or pod.spec.hostnameOverride:
        return ""
    return f"{pod.spec.subdomain}.{pod.metadata.namespace}.svc.{cluster_domain}"


def uts_name(pod: Pod, cluster_domain: str) -> str:
    """What `hostname` prints inside the pod. Raises NameTooLong."""
    short, below = hostname(pod), domain(pod, cluster_domain)
    if not pod.spec.setHostnameAsFQDN or not below:
        return short
    full = f"{short}.{below}"
    if len(full) > _LONGEST_FQDN:
        raise NameTooLong(
            f"failed to construct FQDN from pod hostname and cluster domain, FQDN {full} is too long "
            f"({_LONGEST_FQDN} characters is the max, {len(full)} characters requested)"
        )
    return full


def fitted(wanted: Resolver) -> tuple[Resolver, tuple[str, ...]]:
    """What of it resolvers take, and what to tell users when that is not all."""
    complaints: list[str] = []
    servers, searches = wanted.servers[:_MOST_SERVERS], list(wanted.searches[:_MOST_SEARCHES])
    while len(" ".join(searches)) > _LONGEST_SEARCH:
        searches.pop()
    if len(searches) < len(wanted.searches):
        complaints.append(
            "Search Line limits were exceeded, some search paths have been omitted, "
            f"the applied search line is: {' '.join(searches)}"
        )
    if servers != wanted.servers:
        complaints.append(
            "Nameserver limits were exceeded, some nameservers have been omitted, "
            f"the applied nameserver line is: {' '.join(servers)}"
        )
    return Resolver(servers, tuple(searches), wanted.options), tuple(complaints)


def resolver_of(pod: Pod, node: Resolver, cluster_dns: Sequence[str], cluster_domain: str) -> Resolver:
    """The pod's resolv.conf, by its dnsPolicy and dnsConfig."""
    policy = pod.spec.dnsPolicy or "ClusterFirst"
    if policy == "None":
        base = Resolver()
    elif policy == "ClusterFirstWithHostNet" or (policy == "ClusterFirst" and not pod.spec.hostNetwork):
        base = _cluster_first(pod, node, cluster_dns, cluster_domain)
    else:
        base = node
    extra = pod.spec.dnsConfig
    options = {name: value for name, _, value in (option.partition(":") for option in base.options)}
    options |= {option.name: option.value for option in extra.options}
    return Resolver(
        _unique(base.servers + extra.nameservers),
        _unique(base.searches + extra.searches),
        tuple(f"{name}:{value}" if value else name for name, value in options.items()),
    )


def _cluster_first(pod: Pod, node: Resolver, cluster_dns: Sequence[str], cluster_domain: str) -> Resolver:
    if not cluster_dns:
        return node
    searches = (f"{pod.metadata.namespace}.svc.{cluster_domain}", f"svc.{cluster_domain}", cluster_domain)
    return Resolver(tuple(cluster_dns), _unique(searches + node.searches), ("ndots:5",))


def _unique(items: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(items))


def hosts_file(pod: Pod, ips: Sequence[str], cluster_domain: str, node_hosts: str) -> str:
    """The pod's /etc/hosts; on the host's network it begins with the node's own."""
    if pod.spec.hostNetwork:
        text = f"# Kubernetes-managed hosts file (host network).\n{node_hosts}"
    else:
        short, below = hostname(pod), domain(pod, cluster_domain)
        own = (f"{short}.{below}", short) if below else (short,)
        lines = [*_FIXED_HOSTS, *((ip, *own) for ip in ips)]
        text = "# Kubernetes-managed hosts file.\n" + "".join("\t".join(line) + "\n" for line in lines)
    if pod.spec.hostAliases:
        text += "\n# Entries added by HostAliases.\n"
        text += "".join("\t".join((alias.ip, *alias.hostnames)) + "\n" for alias in pod.spec.hostAliases)
    return text
