"""Whatever is sent, the answer is one that the document describes, in time."""

import json

import hypothesis
import pytest

from structbert_lite.cli.server import Server
from tests.fuzz import FUZZ
from tests.fuzz.contract import Contract
from tests.fuzz.strategies import Request, requests
from tests.fuzz.wire import exchange, read_answers


@pytest.fixture(scope="session")
def contract(server: Server) -> Contract:
    ask = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    (answer,) = read_answers(exchange(server.port, ask), ["GET"])
    return Contract(json.loads(answer.body))


def check(server: Server, contract: Contract, request: Request) -> None:
    (answer,) = read_answers(exchange(server.port, request.encode()), [request.method])
    contract.check(request.method, request.target, answer)


def test_any_request_is_answered_as_the_document_says(server: Server, contract: Contract) -> None:
    @hypothesis.settings(FUZZ, max_examples=400)
    @hypothesis.given(requests(contract.examples(), list(contract.document["paths"])))
    def run(request: Request) -> None:
        check(server, contract, request)

    run()
