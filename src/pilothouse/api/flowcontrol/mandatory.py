"""The objects of flow control that stay as they are: the specs of `exempt` and `catch-all`, of both kinds.

Source of the facts: "Mandatory Configuration Objects" of the API priority and fairness docs.
"""

from pilothouse.api.machinery.view import JsonObject

EXEMPT, CATCH_ALL = "exempt", "catch-all"


def _everything(*groups: str) -> list[JsonObject]:
    """All requests of the groups."""
    resources = {
        "verbs": ["*"], "apiGroups": ["*"], "resources": ["*"], "clusterScope": True, "namespaces": ["*"],
    }  # fmt: skip
    return [
        {
            "subjects": [{"kind": "Group", "group": {"name": group}} for group in groups],
            "resourceRules": [resources],
            "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
        }
    ]


SCHEMAS: dict[str, JsonObject] = {
    EXEMPT: {
        "priorityLevelConfiguration": {"name": EXEMPT},
        "matchingPrecedence": 1,
        "rules": _everything("system:masters"),
    },
    CATCH_ALL: {
        "priorityLevelConfiguration": {"name": CATCH_ALL},
        "matchingPrecedence": 10000,
        "distinguisherMethod": {"type": "ByUser"},
        "rules": _everything("system:unauthenticated", "system:authenticated"),
    },
}
LEVELS: dict[str, JsonObject] = {
    EXEMPT: {"type": "Exempt", "exempt": {"nominalConcurrencyShares": 0, "lendablePercent": 0}},
    CATCH_ALL: {
        "type": "Limited",
        "limited": {"nominalConcurrencyShares": 5, "lendablePercent": 0, "limitResponse": {"type": "Reject"}},
    },
}
