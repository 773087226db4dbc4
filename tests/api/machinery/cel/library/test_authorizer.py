"""Questions that expressions ask about access."""

import pytest

from fakes.cel_expressions import complaint, environment, evaluated
from pilothouse.api.machinery.cel.budget import Budget
from pilothouse.api.machinery.cel.library.authorizer import AccessQuestion, Authorizer, Decision, ResourceCheck
from pilothouse.api.machinery.cel.program import compile_expression
from pilothouse.api.machinery.cel.types import AUTHORIZER, RESOURCE_CHECK

TYPES = {"authorizer": AUTHORIZER, "authorizer.requestResource": RESOURCE_CHECK}


def asked(text: str) -> tuple[object, list[AccessQuestion]]:
    """The result, and what was asked on the way."""
    questions: list[AccessQuestion] = []

    def decide(question: AccessQuestion) -> Decision:
        questions.append(question)
        return Decision(question.verb == "get", "because", None if question.verb != "fail" else "broken")

    requested = ResourceCheck(decide, AccessQuestion(resource="pods", namespace="ns", name="web"))
    program = compile_expression(text, environment(TYPES))
    values = {"authorizer": Authorizer(decide), "authorizer.requestResource": requested}
    return program.evaluate(values, Budget()), questions


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("authorizer.path('/healthz').check('get').allowed()", AccessQuestion("get", path="/healthz")),
        (
            "authorizer.group('apps').resource('sets').subresource('s').namespace('a').name('b').check('get').allowed()",
            AccessQuestion("get", "", "apps", "sets", "s", "a", "b"),
        ),
        (
            "authorizer.group('').resource('pods').fieldSelector('a=b').labelSelector('c=d').check('get').allowed()",
            AccessQuestion("get", resource="pods", field_selector="a=b", label_selector="c=d"),
        ),
        (
            "authorizer.serviceAccount('ns', 'sa').group('').resource('pods').check('get').allowed()",
            AccessQuestion("get", resource="pods", service_account=("ns", "sa")),
        ),
        (
            "authorizer.requestResource.check('get').allowed()",
            AccessQuestion("get", resource="pods", namespace="ns", name="web"),
        ),
    ],
)
def test_what_is_asked(text: str, question: AccessQuestion) -> None:
    assert asked(text) == (True, [question])


def test_the_answer() -> None:
    assert asked("authorizer.path('/x').check('put').allowed()")[0] is False
    assert asked("authorizer.path('/x').check('put').reason()")[0] == "because"
    assert asked("authorizer.path('/x').check('fail').errored()")[0] is True
    assert asked("authorizer.path('/x').check('fail').error()")[0] == "broken"
    assert asked("authorizer.path('/x').check('put').error()")[0] == ""


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("authorizer.path(' ').check('get').allowed()", "path must not be empty"),
        ("authorizer.group('').resource('').check('get').allowed()", "resource must not be empty"),
        ("authorizer.serviceAccount('ns', 'A').path('/').check('get').allowed()", "Invalid service account name"),
        ("authorizer.serviceAccount('a.b', 'a').path('/').check('get').allowed()", "Invalid service account namespace"),
        (
            "[1, 2, 3].all(x, authorizer.path('/').check('get').allowed())",
            "operation cancelled: actual cost limit exceeded",
        ),
    ],
)
def test_what_fails(text: str, error: str) -> None:
    authorizer = Authorizer(lambda _question: Decision(allowed=True))
    assert evaluated(text, TYPES, authorizer=authorizer) == f"error: {error}"


def test_a_group_alone_cannot_be_checked() -> None:
    assert "no matching overload for 'check'" in complaint("authorizer.group('').check('get')", TYPES)


def test_who_has_to_wait_for_the_answer_says_so() -> None:
    class Later(Exception):
        pass

    def decide(_question: AccessQuestion) -> Decision:
        raise Later

    program = compile_expression("authorizer.path('/').check('get').allowed() || true", environment(TYPES))
    with pytest.raises(Later):
        program.evaluate({"authorizer": Authorizer(decide)}, Budget())
