"""The cluster under test, as the official client sees it: objects are plain JSON, refusals are `Refused`.

Kinds are found by discovery and requests go out through `kubernetes.dynamic`, so any kubeconfig does; all of it is
JSON, where upstream's tests speak protobuf of the kinds that their client knows. Waiting is done on watches:
`Objects.until` lists, then follows the changes until what is wanted is there.
"""

import json
import math
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlencode

import urllib3.exceptions
from kubernetes import config
from kubernetes.client import CoreV1Api
from kubernetes.client.exceptions import ApiException
from kubernetes.dynamic import DynamicClient
from kubernetes.stream import stream
from kubernetes.stream.ws_client import create_websocket

Json = dict[str, Any]
Items = dict[str, Json]
"""Objects by name."""

MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"
APPLY = "application/apply-patch+yaml"
_QUERY = {
    "label": "labelSelector", "field": "fieldSelector", "since": "resourceVersion", "limit": "limit",
    "next_page": "continue", "dry_run": "dryRun", "manager": "fieldManager", "validation": "fieldValidation",
    "seconds": "timeoutSeconds", "force": "force", "bookmarks": "allowWatchBookmarks",
}  # fmt: skip
_CONFLICT, _NOT_FOUND = 409, 404
_ATTEMPTS = 5
_COMMAND_SECONDS = 60
_CLOSE = 8
"""What a WebSocket's last frame is (RFC 6455, 5.2)."""
_GRACE = 5
"""How much longer than its limit a watch is waited for on the wire."""


class Refused(Exception):
    """The server did not do it; `status` is the Status that it answered with."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code
        self.text = text

    @property
    def status(self) -> Json:
        """The answer's body."""
        found: Json = json.loads(self.text)
        return found

    @property
    def reason(self) -> str:
        """The machine's word for it."""
        return str(self.status.get("reason", ""))


@dataclass(frozen=True)
class Executed:
    """A command that was run in a container."""

    out: str
    err: str
    code: int


class Api:
    """One identity's access. `headers` go with every request."""

    def __init__(self, kubeconfig: Path, cache: Path, headers: Mapping[str, str] | None = None) -> None:
        self._kubeconfig, self._cache = kubeconfig, cache
        self._plain = config.new_client_from_config(str(kubeconfig))
        for name, value in (headers or {}).items():
            self._plain.set_default_header(name, value)
        self._dynamic = DynamicClient(self._plain, cache_file=str(cache))
        self.longest = math.inf
        """No wait is longer, in seconds: for tests that are known to wait in vain."""

    def limit(self, seconds: float) -> int:
        """How long to wait where upstream waits so long."""
        return int(min(seconds, self.longest))

    def close(self) -> None:
        """Close its connections."""
        self._plain.rest_client.pool_manager.clear()

    def impersonating(self, user: str, uid: str, groups: Sequence[str]) -> "Api":
        """The same access, in the name of somebody else."""
        headers = {"Impersonate-User": user, "Impersonate-Uid": uid}
        for number, group in enumerate(groups):  # the client has one value a name: these differ in their case alone
            headers["impersonate-group"[:number].upper() + "impersonate-group"[number:]] = group
        return Api(self._kubeconfig, self._cache, headers)

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> str:
        """One request; the text of the answer. Raises Refused."""
        return str(self.open(method, path, body, query=query, headers=headers).data.decode())

    def send_compact(self, method: str, path: str, body: Json) -> Json:
        """Without blanks, as Go writes it, for what upstream's server compares byte by byte; the answer."""
        text = json.dumps(body, separators=(",", ":")).encode()
        found: Json = json.loads(self.send(method, path, text, headers={"Content-Type": "application/json"}))
        return found

    def ask(self, path: str, **more: Any) -> Json:
        """A GET whose answer is JSON."""
        found: Json = json.loads(self.send("GET", path, **more))
        return found

    def open(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> Any:
        """One request; the answer, not read yet where it is a stream."""
        if isinstance(body, bytes):
            return self._as_it_is(method, path, body, query or {}, headers or {})
        pairs = [(name, str(value)) for name, value in (query or {}).items()]
        given = {name.title(): value for name, value in (headers or {}).items()}
        kind = given.pop("Content-Type", None)
        accept = {"accept": given.pop("Accept")} if "Accept" in given else {}
        try:
            return self._dynamic.request(
                method, path, body=body, query_params=pairs, header_params={**given, **accept}, content_type=kind,
                serialize=False, _request_timeout=timeout,
            )  # fmt: skip
        except ApiException as error:
            text = error.body.decode() if isinstance(error.body, bytes) else str(error.body)
            raise Refused(int(error.status), text) from None

    def _as_it_is(
        self, method: str, path: str, body: bytes, query: Mapping[str, Any], headers: Mapping[str, str]
    ) -> Any:
        """A request with just these bytes, of no type unless it is given: the client would encode them anew."""
        sent = {**self._plain.default_headers, **headers}
        self._plain.update_params_for_auth(sent, [], ["BearerToken"], path, method, body)
        url = f"{self._plain.configuration.host}{path}?{urlencode(query)}"
        answer = self._plain.rest_client.pool_manager.request(method, url, body=body, headers=sent)
        if answer.status >= 400:
            raise Refused(answer.status, answer.data.decode())
        return answer

    def execute(self, namespace: str, pod: str, command: Sequence[str], container: str = "") -> Executed:
        """Run a command in a container, over a WebSocket, to its end. Raises AssertionError when it has none."""
        client = config.new_client_from_config(str(self._kubeconfig))  # streaming changes the client it is given
        core = CoreV1Api(client)
        chosen = {"container": container} if container else {}
        channel = stream(
            core.connect_get_namespaced_pod_exec, pod, namespace, command=[*command], stderr=True, stdin=False,
            stdout=True, tty=False, _preload_content=False, **chosen,
        )  # fmt: skip
        channel.run_forever(timeout=_COMMAND_SECONDS)
        assert channel.returncode is not None, f"{command} did not end within {_COMMAND_SECONDS} s"
        found = Executed(channel.read_stdout(), channel.read_stderr(), channel.returncode)
        channel.sock.shutdown()  # closing leaves the connection open where the server closed first
        client.rest_client.pool_manager.clear()
        return found

    def frames(self, path: str, query: Sequence[tuple[str, str]], protocol: str) -> list[bytes]:
        """What a WebSocket brings until the server closes it, message by message."""
        configuration = self._plain.configuration
        given: dict[str, str] = {**self._plain.default_headers}
        self._plain.update_params_for_auth(given, [], ["BearerToken"], path, "GET", None)
        headers = {name.lower(): value for name, value in given.items()} | {"sec-websocket-protocol": protocol}
        url = f"{configuration.host.replace('http', 'ws', 1)}{path}?{urlencode(query)}"
        channel = create_websocket(configuration, url, headers)
        channel.settimeout(_COMMAND_SECONDS)
        assert channel.headers.get("sec-websocket-protocol") == protocol
        found: list[bytes] = []
        while True:
            kind, data = channel.recv_data()
            if kind == _CLOSE:
                channel.shutdown()
                return found
            found.append(data)

    def objects(self, version: str, kind: str, namespace: str = "") -> "Objects":
        """Objects of a kind: in one namespace, or of the whole cluster."""
        return Objects(self, self._dynamic.resources.get(api_version=version, kind=kind), namespace)


class Objects:
    """Objects of one kind in one place."""

    def __init__(self, api: Api, resource: Any, namespace: str) -> None:
        self._api, self._resource = api, resource
        self.namespace = namespace
        self.version = str(resource.group_version)
        self.kind = str(resource.kind)

    def path(self, name: str = "", part: str = "") -> str:
        """The URL's path of all, of one, or of a subresource of one."""
        found = self._resource.path(name=name or None, namespace=self.namespace or None)
        return f"{found}/{part}" if part else str(found)

    def everywhere(self) -> "Objects":
        """The same kind in all namespaces."""
        return Objects(self._api, self._resource, "")

    def create(self, body: Json, **more: Any) -> Json:
        """Make one; its kind is known."""
        whole = {"apiVersion": self.version, "kind": self.kind, **body}
        return self._json("POST", self.path(), whole, **more)

    def get(self, name: str, part: str = "") -> Json:
        """One object, or its subresource."""
        return self._json("GET", self.path(name, part))

    def exists(self, name: str) -> bool:
        """Whether there is one of that name."""
        try:
            self.get(name)
        except Refused as error:
            if error.code != _NOT_FOUND:
                raise
            return False
        return True

    def all(self, **more: Any) -> Json:
        """The list."""
        return self._json("GET", self.path(), **more)

    def items(self, **more: Any) -> list[Json]:
        """What is listed."""
        found: list[Json] = self.all(**more)["items"]
        return found

    def names(self, **more: Any) -> list[str]:
        """The names of what is listed."""
        return [item["metadata"]["name"] for item in self.items(**more)]

    def update(self, body: Json, part: str = "", **more: Any) -> Json:
        """Replace it, where nobody has changed it since it was read."""
        return self._json("PUT", self.path(body["metadata"]["name"], part), body, **more)

    def change(self, name: str, edit: Callable[[Json], object], part: str = "") -> Json:
        """Read, edit and replace it, again after a conflict."""
        for attempt in range(_ATTEMPTS):
            current = self.get(name)
            edit(current)
            try:
                return self.update(current, part)
            except Refused as error:
                if error.code != _CONFLICT or attempt == _ATTEMPTS - 1:
                    raise
        raise AssertionError("unreachable")

    def patch(self, name: str, body: Any, form: str = MERGE, part: str = "", **more: Any) -> Json:
        """Change a part of it."""
        return self._json("PATCH", self.path(name, part), body, headers={"Content-Type": form}, **more)

    def delete(self, name: str, **options: Any) -> Json:
        """Ask for its end."""
        return self._json("DELETE", self.path(name), _delete_options(options))

    def delete_all(self, *, label: str | None = None, field: str | None = None, **options: Any) -> Json:
        """Ask for the end of all that is there, or that a selector selects."""
        return self._json("DELETE", self.path(), _delete_options(options), label=label, field=field)

    def watch(self, *, seconds: int = 60, silence: float | None = None, **more: Any) -> "Watch":
        """What changes from now on, or since a resourceVersion; begun when this returns.

        It ends after `seconds`, and fails where it is waited for longer than `silence`.
        """
        seconds = self._api.limit(seconds)
        query = _query({"seconds": seconds, **more}) | {"watch": "true"}
        return Watch(self._api.open("GET", self.path(), query=query, timeout=silence or seconds + _GRACE))

    def until(self, reached: Callable[[Items], Any], limit: int, **more: Any) -> Items:
        """The objects by name once `reached` is true of them. Raises AssertionError after `limit` seconds."""
        found = self.all(**more)
        items = {item["metadata"]["name"]: item for item in found["items"]}
        if reached(items):
            return items
        with self.watch(since=found["metadata"]["resourceVersion"], seconds=limit, **more) as changes:
            for event in changes:
                name = event["object"]["metadata"]["name"]
                if event["type"] == "DELETED":
                    items.pop(name, None)
                else:
                    items[name] = event["object"]
                if reached(items):
                    return items
        raise AssertionError(f"not reached within {limit} s: {items}")

    def until_gone(self, name: str, limit: int) -> None:
        """Return once there is none of that name. Raises AssertionError after `limit` seconds."""
        self.until(lambda items: name not in items, limit, field=f"metadata.name={name}")

    def _json(self, method: str, path: str, body: Any = None, headers: Any = None, **more: Any) -> Json:
        found: Json = json.loads(self._api.send(method, path, body, query=_query(more), headers=headers))
        return found


class Watch:
    """Events as they come; a context manager, since it holds a connection."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer
        self._lines = self._read()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[Json]:
        return self

    def __next__(self) -> Json:
        event: Json = json.loads(next(self._lines))
        if event["type"] == "ERROR":
            raise Refused(event["object"].get("code", 0), json.dumps(event["object"]))
        return event

    def first(self, wanted: Callable[[Json], Any]) -> Json:
        """The next event of which `wanted` is true. Raises AssertionError when the watch ends before."""
        for event in self:
            if wanted(event):
                return event
        raise AssertionError("the watch ended without the event")

    def close(self) -> None:
        """Stop watching.

        What reads must end here: later, as garbage, it would return its connection wherever the collector happens to
        run, and where that is in the midst of taking one, nobody gets a connection any more.
        """
        self._lines.close()
        self._answer.close()

    def _read(self) -> Generator[bytes, None, None]:
        rest = b""
        try:
            for piece in self._answer.stream(amt=None, decode_content=True):
                *lines, rest = (rest + piece).split(b"\n")
                yield from (line for line in lines if line.strip())
        except urllib3.exceptions.ReadTimeoutError as error:
            raise AssertionError(f"nothing came in time: {error}") from None


def eventually(reached: Callable[[], Any], limit: float, pause: float = 0.02) -> None:
    """Ask again and again until `reached` is true: for what no watch tells. Raises AssertionError after `limit` s."""
    end = time.monotonic() + limit
    while not reached():
        assert time.monotonic() < end, f"not reached within {limit} s"
        time.sleep(pause)


def _query(more: Mapping[str, Any]) -> dict[str, Any]:
    return {_QUERY[name]: value for name, value in more.items() if value is not None}


def _delete_options(options: Mapping[str, Any]) -> Json | None:
    if not options:
        return None
    return {"apiVersion": "v1", "kind": "DeleteOptions", **options}
