"""Bodies nobody should send: valid objects of every kind, of which a few places hold something odd.

The schema says where the places are, a seed which of them are taken, so that a failure can be had again. A value put
there is of the right type and strange, or of another type altogether, or a whole part made up as the schema has it.
"""

from collections.abc import Sequence
from random import Random  # noqa: TID251 - what is sent is to be the same every time
from typing import Any

import orjson

from pilothouse.api.machinery.schema import Schema

WORDS = (
    "", " ", "a", "A", "-", ".", "*", "/", "a" * 64, "a" * 300, "x" * 70_000, "\x00", "a\nb", "\u00e9", "\U0001f600",
    "\u202e", "\ufffe", "a b", "a/b/c", "../..", "/etc", "$(X)", "%00", "{}", "[", '"', "0", "1", "-1", "007",
    "1e400", "1e9999999", "1_0", "0x1", "\u0661", "9" * 30, "9" * 5000, "nan", "inf", "-0", "1.5", "10%", "-5%",
    "101%", "1.2.3.4", "1.2.3.4/33", "10.0.0.0/8", "::1", "::/0", "fe80::1%eth0", "::ffff:1.2.3.4",
    "2026-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-01-01T00:00:00.123456Z",
    "2026-02-30T00:00:00Z", "0000-00-00T00:00:00Z", "http://[::1", "https://a:99999/", "http://\x00",
    "kubernetes.io/x", "example.com/x", "a=b", "!a", "a in (", "* * * * *", "@every 0s", "99 99 99 99 99",
    "TZ=Nowhere 0 0 * * *", "true", "null", "AA==", "!!!!", "default", "x", "v1", "apps/v1", "a/b/c/v1", "Pod",
    "Service", "Always", "Never", "OnFailure", "Exists", "Equal", "In", "NotIn", "Gt", "DoesNotExist", "TCP", "UDP",
    "None", "ClusterIP", "NodePort", "LoadBalancer", "ExternalName", "RollingUpdate", "OnDelete", "Recreate",
    "Indexed", "Block", "ReadWriteOnce", "Delete", "Retain", "Resource", "Object", "External", "Utilization", "cpu",
    "memory", "hugepages-2Mi", "requests.cpu", "pods", "system-cluster-critical", "kubernetes.io/tls",
    "kubernetes.io/dockerconfigjson", "kubernetes.io/service-account-token", "bootstrap.kubernetes.io/token", "IPv4",
    "IPv6", "PreferDualStack", "Limited", "Queue", "Queuing", "Exempt", "Prefix", "ImplementationSpecific", "Ingress",
    "NoExecute", "NoSchedule", "RuntimeDefault", "Localhost", "Terminating", "PriorityClass",
    "kubernetes.io/kube-apiserver-client", "kubernetes.io/kubelet-serving",
)  # fmt: skip
NUMBERS = (
    0,
    1,
    -1,
    2,
    80,
    255,
    65535,
    65536,
    70000,
    2**31 - 1,
    2**31,
    -(2**31),
    2**53 + 1,
    2**63 - 1,
    -(2**63),
    2**63,
    2**64 - 1,
)
FLOATS = (0.0, -0.0, 0.5, 1e308, 5e-324, -1.5)
AMOUNTS = (
    "0", "1", "-1", "100m", "1Gi", "1.5", "0.5n", "1e3", "1E", "1Ei", "9" * 30, "1e-9999", "1e9999", "1e999999999",
    ".", "+", "1k1", "", 5, 0.1,
    "999999999999Ei", "-0", "0.000000000000000000001",
)  # fmt: skip
WRONG: tuple[Any, ...] = (
    None, True, False, 0, -1, 2**63, 1e300, "", "x", [], {}, [None], [[]], [{}], {"a": None}, {"": {}},
    {"\x00": 1}, [1, "a", {}],
)  # fmt: skip


def mutants(schema: Schema, valid: dict[str, Any], seed: str, count: int) -> list[Any]:
    """`count` of them, the same for the same seed."""
    chance = Random(seed)
    return [_mutated(schema, valid, chance) for _ in range(count)]


def _mutated(schema: Schema, valid: dict[str, Any], chance: Random) -> Any:
    body: Any = orjson.loads(orjson.dumps(valid))
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        body = change(schema, body, chance)
    return body


def change(schema: Schema, value: Any, chance: Random, depth: int = 0) -> Any:
    """The value with something odd in one place at or below it."""
    if depth and chance.random() < 0.12:
        return odd(schema, chance)
    if isinstance(value, dict) and schema.properties:
        present = [name for name in value if name in schema.properties]
        name = chance.choice(present if present and chance.random() < 0.6 else sorted(schema.properties))
        inner = schema.properties[name]
        if name in value:
            value[name] = change(inner, value[name], chance, depth + 1)
        else:
            value[name] = odd(inner, chance)
        if chance.random() < 0.05:
            del value[chance.choice(sorted(value))]
        return value
    if isinstance(value, dict) and schema.additional is not None:
        name = chance.choice(sorted(value)) if value and chance.random() < 0.5 else chance.choice(WORDS)
        value[name] = odd(schema.additional, chance)
        return value
    if isinstance(value, list) and schema.items is not None:
        if value and chance.random() < 0.7:
            at = chance.randrange(len(value))
            value[at] = change(schema.items, value[at], chance, depth + 1)
        elif value and chance.random() < 0.5:
            value.append(orjson.loads(orjson.dumps(chance.choice(value))))
        else:
            value.append(odd(schema.items, chance))
        return value
    return odd(schema, chance)


def odd(schema: Schema, chance: Random) -> Any:
    """Something for one place."""
    return chance.choice(WRONG) if chance.random() < 0.25 else made_up(schema, chance, 0)


def made_up(schema: Schema, chance: Random, depth: int) -> Any:
    """What the schema asks for, with strange leaves."""
    if schema.quantity:
        return chance.choice(AMOUNTS)
    if schema.int_or_string:
        return chance.choice((chance.choice(NUMBERS), chance.choice(WORDS)))
    if schema.properties:
        names = sorted(schema.properties)
        most = 0 if depth > 4 else min(len(names), chance.choice((0, 1, 2, 4, 60)) if depth < 2 else 2)
        return {name: made_up(schema.properties[name], chance, depth + 1) for name in chance.sample(names, most)}
    if schema.additional is not None:
        return {chance.choice(WORDS): made_up(schema.additional, chance, depth + 1) for _ in range(chance.randrange(3))}
    if schema.items is not None:
        return [made_up(schema.items, chance, depth + 1) for _ in range(chance.choice((0, 1, 1, 2, 3)))]
    leaves: Sequence[Any] = {"string": WORDS, "integer": NUMBERS, "number": FLOATS, "boolean": (True, False)}.get(
        schema.type, WRONG
    )
    return chance.choice(leaves)
