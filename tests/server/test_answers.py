"""Answers without the application look like those with it."""

import json
from email.utils import parsedate_to_datetime
from http.client import HTTPResponse
from io import BytesIO

import pytest

from structbert_lite.front.answers import wants_close, write_answer


class Wire:
    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, *_: object) -> BytesIO:
        return BytesIO(self._data)


def read(data: bytes) -> HTTPResponse:
    response = HTTPResponse(Wire(data))
    response.begin()
    return response


def test_a_refusal_is_a_whole_answer_in_the_errors_form() -> None:
    body = b'{"error":{"type":"overloaded","message":"try again later"}}\n'
    answer = read(write_answer(503, b"", body, (("Vary", "Origin"),), 7, stays=True))
    assert (answer.status, answer.headers["Retry-After"], answer.headers["Connection"]) == (503, "7", "keep-alive")
    assert answer.headers["Vary"] == "Origin"
    assert parsedate_to_datetime(answer.headers["Date"])
    assert len(answer.headers["X-Request-ID"]) == 32
    assert json.loads(answer.read()) == {"error": {"type": "overloaded", "message": "try again later"}}


def test_each_has_an_id_of_its_own_or_the_callers() -> None:
    head = b"GET / HTTP/1.1\r\nHost: x\r\nX-Request-Id: mine-1\r\n"
    ids = [
        read(write_answer(408, h, b"{}", (), 0, stays=False)).headers["X-Request-ID"]
        for h in (b"", b"", head, b"GET / HTTP/1.1\r\nX-Request-ID: not one\r\n")
    ]
    assert ids[2] == "mine-1"
    assert len(set(ids)) == 4
    assert "not one" not in ids


@pytest.mark.parametrize(
    ("head", "closes"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\n", False),
        (b"GET / HTTP/1.1\r\nConnection: keep-alive\r\n", False),
        (b"GET / HTTP/1.1\r\nconnection: Close\r\n", True),
        (b"GET / HTTP/1.1\r\nConnection: x, close\r\n", True),
        (b"GET / HTTP/1.0\r\nHost: x\r\n", True),
    ],
)
def test_a_client_that_wants_no_further_answer_gets_none(head: bytes, closes: bool) -> None:
    assert wants_close(head) is closes
