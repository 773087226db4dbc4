"""Stale flows: UDP that the kernel would go on sending where it went before. Pure.

A UDP flow never closes, so its first packet's fate holds as long as packets come. Where an endpoint goes away, flows
translated to it are forgotten; where a service gains its first endpoint, flows that went untranslated are.
"""

from pilothouse.proxy.table import Portal, ServiceTable

Filter = tuple[str, ...]


def stale_flows(old: ServiceTable, new: ServiceTable) -> list[Filter]:
    """The filters, as conntrack takes them, of the flows to forget between two tables."""
    filters: dict[Filter, None] = {}
    for portal in old.portals:
        if portal.protocol == "udp":
            filters.update(dict.fromkeys(_left(portal, new.by_name.get(portal.name))))
    for portal in new.portals:
        before = old.by_name.get(portal.name)
        if portal.protocol == "udp" and _has_targets(portal) and not (before and _has_targets(before)):
            filters.update(dict.fromkeys(_places(portal)))
    return list(filters)


def _left(old: Portal, new: Portal | None) -> list[Filter]:
    staying = {t.address: None for group in (new.inside, new.outside) for t in group.targets} if new else {}
    gone = {t.address: None for group in (old.inside, old.outside) for t in group.targets if t.address not in staying}
    return [(*place, "--dst-nat", address) for address in gone for place in _places(old)]


def _has_targets(portal: Portal) -> bool:
    return bool(portal.inside.targets or portal.outside.targets)


def _places(portal: Portal) -> list[Filter]:
    ports = ("-p", "udp", "--orig-port-dst", str(portal.port))
    found: list[Filter] = [(*ports, "--orig-dst", address) for address in (*portal.cluster_ips, *portal.external_ips)]
    if portal.node_port:
        found.append(("-p", "udp", "--orig-port-dst", str(portal.node_port)))
    return found
