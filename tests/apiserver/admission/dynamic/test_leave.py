from fakes.admission import kinds, request
from fakes.served import schemas
from pilothouse.api.machinery.cel.library.authorizer import AccessQuestion
from pilothouse.api.machinery.selectors import FieldRequirement
from pilothouse.apiserver.admission.dynamic.leave import asked_for, authorizer_of
from pilothouse.apiserver.authorization.framework import Attributes, Decision, Verdict
from pilothouse.apiserver.user import User

JANE = User("jane", ("dev",))


class Listening:
    """Allows everything, and keeps what was asked last."""

    def __init__(self) -> None:
        self.asked = Attributes(User(""), "")

    def authorize(self, attributes: Attributes) -> Decision:
        self.asked = attributes
        return Decision(Verdict.ALLOW, "because")


def test_questions_of_resources_and_paths() -> None:
    listening = Listening()
    asked = authorizer_of(listening, JANE)
    question = AccessQuestion("get", "", "apps", "deployments", "scale", "here", "web", "metadata.name=web")
    assert asked.decide(question).reason == "because"
    fields = (FieldRequirement("metadata.name", "=", "web"),)
    expected = Attributes(JANE, "get", "apps", "*", "deployments", "scale", "here", "web", fields=fields)
    assert (listening.asked, listening.asked.fields) == (expected, fields)
    assert asked.decide(AccessQuestion("get", path="/healthz")).allowed
    assert listening.asked == Attributes(JANE, "get", path="/healthz", is_resource=False)


def test_what_cannot_be_read_narrows_nothing() -> None:
    listening = Listening()
    authorizer_of(listening, JANE).decide(AccessQuestion("list", resource="pods", field_selector="a"))
    assert listening.asked.fields == ()


def test_service_accounts() -> None:
    listening = Listening()
    authorizer_of(listening, JANE).decide(AccessQuestion("get", resource="pods", service_account=("here", "robot")))
    user = listening.asked.user
    assert user.name == "system:serviceaccount:here:robot"
    assert user.groups == ("system:serviceaccounts", "system:serviceaccounts:here", "system:authenticated")


def test_the_resource_of_the_request() -> None:
    listening = Listening()
    of = request(kinds(schemas()), "apps/v1/deployments/scale", "UPDATE", {}, {}, user=JANE)
    check = asked_for(listening, of)
    check.decide(check.question)
    assert listening.asked == Attributes(JANE, "", "apps", "*", "deployments", "scale", "default", "x")
