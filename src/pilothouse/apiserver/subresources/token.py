"""serviceaccounts/token: a TokenRequest is answered with a token, and nothing is stored.

Source: pkg/registry/core/serviceaccount/storage/token.go, pkg/apis/authentication/validation.
"""

from dataclasses import replace
from typing import Any

import orjson

from pilothouse.api.machinery import errors
from pilothouse.api.machinery.codec.body import Expected
from pilothouse.api.machinery.errors import BadRequest
from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.machinery.resource import Resource, Subresource
from pilothouse.api.machinery.view import JsonObject
from pilothouse.apiserver.authentication.service_account import Binding, make_claims
from pilothouse.apiserver.authentication.token_keys import TokenKeys
from pilothouse.apiserver.exchange import Exchange
from pilothouse.apiserver.pipeline.decode import decode_object
from pilothouse.apiserver.pipeline.options import write_options
from pilothouse.apiserver.pipeline.pipeline import Admission
from pilothouse.apiserver.pipeline.write import Operation, Write
from pilothouse.apiserver.registry.served import Served
from pilothouse.apiserver.verbs.forms import Form
from pilothouse.apiserver.verbs.shape import respond
from pilothouse.net.http import Response
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import Clock, format_time

GROUP = "authentication.k8s.io"
KIND = "TokenRequest"
_DEFAULT_SECONDS = 3600
_LEAST_SECONDS = 600
_MOST_SECONDS = 1 << 32
_EXTENDED_FROM = 3607
"""What kubelets ask for the token of the admission plugin: clients that never read it anew shall not fail."""
_EXTENDED_SECONDS = 365 * 24 * 3600


class TokenRequests:
    """Answers POST to serviceaccounts/NAME/token."""

    def __init__(
        self,
        served: Served,
        keys: TokenKeys,
        audiences: tuple[str, ...],
        admission: Admission,
        clock: Clock,
        chance: Chance,
    ) -> None:
        self._served = served
        self._keys = keys
        self._audiences = audiences
        self._admission = admission
        self._clock = clock
        self._chance = chance

    async def create(self, exchange: Exchange, resource: Resource[Any], part: Subresource, form: Form) -> Response:
        """Sign a token. Raises NotFound, Invalid, BadRequest, Conflict."""
        options = write_options(exchange, "CreateOptions")
        expected = Expected(GROUP, "v1", KIND)
        request = await decode_object(exchange, expected, self._served.schemas, options.validation)
        namespace, name = exchange.info.namespace, exchange.info.name
        await self._served.cache.reach_latest()
        write = Write(
            exchange, resource, Operation.CREATE, namespace, name, new=request, subresource=part,
            dry_run=options.dry_run,
        )  # fmt: skip
        await self._admission.mutate(write)
        request = write.new or request
        _check_place(request, namespace, name)
        account = self._object("serviceaccounts", namespace, name)
        metadata = request["metadata"]
        _check_identity(metadata, account["metadata"]["uid"], name)
        spec = request["spec"] = dict(request.get("spec") or {})
        if not spec.get("audiences"):
            spec["audiences"] = list(self._audiences)
        if spec.get("expirationSeconds") is None:
            spec["expirationSeconds"] = _DEFAULT_SECONDS
        _check_duration(spec["expirationSeconds"])
        await self._admission.validate(write)
        now = self._clock.now()
        binding = Binding(namespace, (name, account["metadata"]["uid"]))
        binding = self._bound(binding, spec.get("boundObjectRef"))
        seconds, warn_after = self._lifetime(spec, binding)
        claims = make_claims(binding, spec["audiences"], self._chance.uid(), now, seconds, warn_after)
        metadata |= {"name": name, "namespace": namespace, "uid": account["metadata"]["uid"]}
        metadata["creationTimestamp"] = format_time(now)
        request["status"] = {
            "token": self._keys.sign(claims),
            "expirationTimestamp": format_time(int(now) + spec["expirationSeconds"]),
        }
        return respond(exchange, orjson.dumps(request), form, 201)

    def _lifetime(self, spec: JsonObject, binding: Binding) -> tuple[int, int]:
        """Seconds that the token lives, and after how many it should be replaced."""
        seconds = int(spec["expirationSeconds"])
        ours = set(spec["audiences"]) <= set(self._audiences)
        if seconds == _EXTENDED_FROM and binding.pod is not None and ours:
            return _EXTENDED_SECONDS, seconds
        return seconds, 0

    def _bound(self, binding: Binding, reference: JsonObject | None) -> Binding:
        """The binding with the object that the token shall die with."""
        if not reference:
            return binding
        group, _, version = (reference.get("apiVersion") or "").rpartition("/")
        kind, name = reference.get("kind") or "", reference.get("name") or ""
        if group or kind not in ("Pod", "Node", "Secret"):
            shown = f"{group}/{version}, Kind={kind}"
            raise BadRequest(f"cannot bind token to object of type {shown}")
        found = self._object(f"{kind.lower()}s", "" if kind == "Node" else binding.namespace, name)
        uid = found["metadata"]["uid"]
        if reference.get("uid") and reference["uid"] != uid:
            raise errors.conflict(
                kind, group, name,
                f"the UID in the bound object reference ({reference['uid']}) does not match the UID in record. "
                "The object might have been deleted and then recreated",
            )  # fmt: skip
        if kind == "Secret":
            return replace(binding, secret=(name, uid))
        if kind == "Node":
            return replace(binding, node=(name, uid))
        return self._bound_to_pod(replace(binding, pod=(name, uid)), found)

    def _bound_to_pod(self, binding: Binding, pod: JsonObject) -> Binding:
        if pod["spec"].get("serviceAccountName") != binding.account[0]:
            raise BadRequest(
                f'cannot bind token for serviceaccount "{binding.account[0]}" to pod running with different '
                "serviceaccount name."
            )
        node = pod["spec"].get("nodeName")
        if not node:
            return binding
        entry = self._served.cache.of("", "nodes").get("", node)
        return replace(binding, node=(node, entry.decode()["metadata"]["uid"] if entry is not None else ""))

    def _object(self, plural: str, namespace: str, name: str) -> JsonObject:
        entry = self._served.cache.of("", plural).get(namespace, name)
        if entry is None:
            raise errors.not_found(plural, "", name)
        return entry.decode()


def _check_place(request: JsonObject, namespace: str, name: str) -> None:
    wrong = FieldErrors()
    metadata = request.get("metadata") or {}
    for field, expected, what in (("name", name, "name"), ("namespace", namespace, "namespace")):
        if metadata.get(field) and metadata[field] != expected:
            wrong.invalid(f"metadata.{field}", metadata[field], f"must match the service account {what} if specified")
    if wrong:
        raise errors.invalid(KIND, GROUP, name, wrong)


def _check_identity(metadata: JsonObject, uid: str, name: str) -> None:
    """The account that is meant must be the one that is there."""
    asked = metadata.get("uid")
    if asked and asked != uid:
        why = f"the UID in the token request ({asked}) does not match the UID of the service account ({uid})"
        raise errors.conflict(KIND, GROUP, name, why)


def _check_duration(seconds: int) -> None:
    wrong = FieldErrors()
    if seconds < _LEAST_SECONDS:
        wrong.invalid("spec.expirationSeconds", seconds, "may not specify a duration less than 10 minutes")
    if seconds > _MOST_SECONDS:
        wrong.invalid("spec.expirationSeconds", seconds, "may not specify a duration larger than 2^32 seconds")
    if wrong:
        raise errors.invalid(KIND, GROUP, "", wrong)
