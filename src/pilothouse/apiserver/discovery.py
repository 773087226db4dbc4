"""Discovery: which groups, versions, kinds and verbs there are, in the old documents and in the aggregated one.

All documents are made from the catalogue; the aggregated one once, on first use. Source: KEP-3352 (aggregated
discovery), the API reference of APIGroupList, APIResourceList and APIGroupDiscoveryList.
"""

import base64
import hashlib
from typing import Any

import orjson

from pilothouse.api.catalogue import Catalogue
from pilothouse.api.machinery.resource import Resource, Subresource
from pilothouse.api.machinery.view import JsonObject
from pilothouse.apiserver.exchange import Exchange
from pilothouse.apiserver.verbs.forms import Form
from pilothouse.apiserver.verbs.shape import respond
from pilothouse.net.http import Response

_AGGREGATED = "APIGroupDiscoveryList"


class Discovery:
    """Answers /api, /apis and what lies directly below."""

    def __init__(self, catalogue: Catalogue, address: str) -> None:
        self._catalogue = catalogue
        self._address = address
        self._made: dict[tuple[str, str], bytes] = {}

    def answer(self, exchange: Exchange, form: Form) -> Response | None:
        """The document at a path; None where there is none."""
        parts = exchange.info.path.strip("/").split("/")
        if len(parts) == 1 and form.shape == _AGGREGATED and form.version in ("v2", "v2beta1"):
            return self._aggregated(exchange, parts[0], form)
        document = self._document(parts)
        if document is None:
            return None
        response = respond(exchange, orjson.dumps(document), Form(form.media_type))
        if len(parts) == 1:
            response.headers = {**response.headers, "Vary": "Accept"}
        return response

    def _document(self, parts: list[str]) -> JsonObject | None:
        groups = self._catalogue.groups()
        match parts:
            case ["api"]:
                address = {"clientCIDR": "0.0.0.0/0", "serverAddress": self._address}
                return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": [address]}
            case ["apis"]:
                named = [_group(group, versions) for group, versions in groups.items() if group]
                return {"kind": "APIGroupList", "apiVersion": "v1", "groups": named}
            case ["apis", group] if group in groups:
                return {"kind": "APIGroup", "apiVersion": "v1"} | _group(group, groups[group])
            case ["api", "v1"]:
                return self._resources("", "v1")
            case ["apis", group, version] if version in groups.get(group, ()):
                return self._resources(group, version)
        return None

    def _resources(self, group: str, version: str) -> JsonObject:
        found: list[JsonObject] = []
        for resource in self._catalogue.in_version(group, version):
            found.append(_resource(resource, self._catalogue.stored(resource)))
            found += [_subresource(resource, part) for part in resource.subresources]
        group_version = f"{group}/{version}" if group else version
        return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": found}

    def _aggregated(self, exchange: Exchange, root: str, form: Form) -> Response:
        key = (root, form.version)
        if key not in self._made:
            groups = self._catalogue.groups()
            items = [
                {
                    "metadata": {"name": group} if group else {},
                    "versions": [self._aggregated_version(group, version) for version in versions],
                }
                for group, versions in groups.items()
                if bool(group) == (root == "apis")
            ]
            document = {
                "kind": _AGGREGATED,
                "apiVersion": f"apidiscovery.k8s.io/{form.version}",
                "metadata": {},
                "items": items,
            }
            self._made[key] = orjson.dumps(document)
        body = self._made[key]
        etag = f'"{hashlib.sha512(body).hexdigest().upper()}"'
        headers = {"ETag": etag, "Vary": "Accept"}
        content = f"application/json;g=apidiscovery.k8s.io;v={form.version};as={_AGGREGATED}"
        if exchange.header("if-none-match") == etag:
            return Response(304, b"", headers, content)
        return Response(200, body, headers, content)

    def _aggregated_version(self, group: str, version: str) -> JsonObject:
        resources = [_aggregated_resource(resource) for resource in self._catalogue.in_version(group, version)]
        return {"version": version, "resources": resources, "freshness": "Current"}


def _group(group: str, versions: tuple[str, ...]) -> JsonObject:
    named = [{"groupVersion": f"{group}/{version}", "version": version} for version in versions]
    return {"name": group, "versions": named, "preferredVersion": named[0]}


def _resource(resource: Resource[Any], stored: Resource[Any]) -> JsonObject:
    found: JsonObject = {
        "name": resource.plural,
        "singularName": resource.singular,
        "namespaced": resource.namespaced,
        "kind": resource.name,
        "verbs": sorted(resource.verbs),
    }
    if resource.short_names:
        found["shortNames"] = list(resource.short_names)
    if resource.categories:
        found["categories"] = list(resource.categories)
    if "watch" in resource.verbs:
        digest = hashlib.sha256(f"{stored.group}/{stored.version}/{stored.name}".encode()).digest()
        found["storageVersionHash"] = base64.b64encode(digest[:8]).decode()
    return found


def _subresource(resource: Resource[Any], part: Subresource) -> JsonObject:
    found: JsonObject = {
        "name": f"{resource.plural}/{part.name}",
        "singularName": "",
        "namespaced": resource.namespaced,
    }
    if part.group is not None:
        found["group"] = part.group
    if part.version:
        found["version"] = part.version
    return found | {"kind": part.kind or resource.name, "verbs": sorted(part.verbs)}


def _aggregated_resource(resource: Resource[Any]) -> JsonObject:
    found: JsonObject = {
        "resource": resource.plural,
        "responseKind": _kind(resource, None),
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": resource.singular,
        "verbs": sorted(resource.verbs),
    }
    if resource.short_names:
        found["shortNames"] = list(resource.short_names)
    if resource.categories:
        found["categories"] = list(resource.categories)
    if resource.subresources:
        found["subresources"] = [
            {"subresource": part.name, "responseKind": _kind(resource, part), "verbs": sorted(part.verbs)}
            for part in resource.subresources
        ]
    return found


def _kind(resource: Resource[Any], part: Subresource | None) -> JsonObject:
    if part is None or not part.kind:
        return {"group": resource.group, "version": resource.version, "kind": resource.name}
    return {
        "group": resource.group if part.group is None else part.group,
        "version": part.version or resource.version,
        "kind": part.kind,
    }
