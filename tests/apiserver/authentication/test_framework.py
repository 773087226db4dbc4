"""Several ways of telling who it is. Read from apiserver/pkg/authentication/request/{union,bearertoken}."""

import asyncio
from dataclasses import dataclass

import pytest

from pilothouse.api.machinery.errors import Unauthorized
from pilothouse.apiserver.authentication.framework import FirstOf, bearer_token
from pilothouse.apiserver.user import User
from pilothouse.net.http import Peer, Request

ANN, BOB = User("ann"), User("bob")
REFUSES = "refuses"


@dataclass
class Says:
    answer: User | str | None

    async def authenticate(self, _request: Request) -> User | None:
        if isinstance(self.answer, str):
            raise Unauthorized
        return self.answer


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([], None),
        ([None, None], None),
        ([None, ANN, BOB], ANN),
        ([REFUSES, ANN], ANN),
        ([ANN, REFUSES], ANN),
        ([REFUSES, None], REFUSES),
        ([None, REFUSES], REFUSES),
    ],
)
def test_the_first_that_knows_the_user_decides(answers: list[User | str | None], expected: User | str | None) -> None:
    who = FirstOf([Says(answer) for answer in answers])
    request = Request("GET", "/", {}, Peer(""))
    if expected == REFUSES:
        with pytest.raises(Unauthorized):
            asyncio.run(who.authenticate(request))
    else:
        assert asyncio.run(who.authenticate(request)) == expected


@pytest.mark.parametrize(
    ("header", "token"),
    [("Bearer abc", "abc"), ("bearer abc", "abc"), (" Bearer abc ", "abc"), ("Bearer abc d", "abc"), ("Bearer", ""),
     ("Bearer ", ""), ("Basic abc", ""), ("", "")],
)  # fmt: skip
def test_tokens(header: str, token: str) -> None:
    assert bearer_token(Request("GET", "/", {"authorization": header}, Peer(""))) == token
