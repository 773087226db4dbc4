"""Answers in plain words, as the kubelet gives them: it speaks to clients that print what they get."""

from pilothouse.net.http import Response

PLAIN = "text/plain; charset=utf-8"


class Refused(Exception):
    """Why somebody does not get what they ask for. The message is the answer."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def text(status: int, words: str) -> Response:
    """An answer that is nothing but words."""
    return Response(status, words.encode(), content_type=PLAIN)


def not_allowed(words: str, *allowed: str) -> Response:
    """405, naming the methods that are."""
    return Response(405, words.encode(), {"Allow": ", ".join(allowed)} if allowed else {}, PLAIN)
