"""What every answer must be, read from the server's own /openapi.json."""

import json
import re
from functools import cache
from typing import NoReturn

from jsonschema_rs import Draft202012Validator

from structbert_lite.web.refusals import UNREADABLE
from tests.fuzz.wire import Answer

REQUEST_ID = re.compile(r"[A-Za-z0-9_.-]{1,128}")
VARIABLE = re.compile(r"\\\{\w+\\\}")
# Answers of pages, which no document describes, and of `POST /`, which with JSON is TEI's.
PAGES = {200, 304, 308, 400, 401, 404, 405, 413, 415, 421, 422, 429, 503, 504}
ERRORS = ("ErrorAnswer", "OpenAIErrorAnswer", "CohereErrorAnswer", "JinaErrorAnswer", "TEIErrorAnswer")


class Contract:
    """`check` raises AssertionError for an answer that the document does not allow."""

    def __init__(self, document: dict) -> None:
        self.document = document
        # A variable may hold slashes: a model's name is a path.
        patterns = {path: VARIABLE.sub(".+", re.escape(path)) for path in document["paths"]}
        self._paths = [(re.compile(pattern, re.DOTALL), path) for path, pattern in patterns.items()]
        self._validator = cache(self._make_validator)

    def examples(self) -> list[tuple[str, dict]]:
        """(path, body) of every example of a request."""
        return [
            (path, example["value"])
            for path, methods in self.document["paths"].items()
            if "post" in methods
            for example in methods["post"]["requestBody"]["content"]["application/json"]["examples"].values()
        ]

    def check(self, method: str, path: str, answer: Answer) -> None:
        assert REQUEST_ID.fullmatch(answer.headers.get("x-request-id", "")), answer
        if answer.status >= 400 and b'"malformed_request"' in answer.body:  # no route has seen it
            assert (answer.status, answer.headers["connection"]) in {(status, "close") for status in UNREADABLE}, answer
            assert self._validator("#/components/schemas/ErrorAnswer").is_valid(parse_strictly(answer.body))
            return
        described = self._describe(method, path)
        if answer.status in {429, 503}:
            assert int(answer.headers["retry-after"]) >= 1
        if answer.status == 405:
            assert answer.headers["allow"]
        if method == "HEAD" or (method == "OPTIONS" and answer.status == 200):
            assert answer.body == b""
            assert answer.status < 500
        elif described is None:
            self._check_undescribed(answer)
        else:
            self._check_described(described, answer)

    def _describe(self, method: str, path: str) -> dict | None:
        """The document's answers to a route; None where it has none."""
        for pattern, name in self._paths:
            if pattern.fullmatch(path):
                operation = self.document["paths"][name].get(method.lower())
                return operation and operation["responses"]
        return None

    def _check_undescribed(self, answer: Answer) -> None:
        assert answer.status in PAGES, answer
        if answer.headers.get("content-type") == "application/json" and answer.status >= 400:
            value = parse_strictly(answer.body)
            assert any(self._validator(f"#/components/schemas/{name}").is_valid(value) for name in ERRORS), answer

    def _check_described(self, answers: dict, answer: Answer) -> None:
        kind = answers.get(str(answer.status))
        assert kind, f"{answer.status} is not described: {answer.body[:300]!r}"
        assert answer.status != 500, answer
        media_type, content = next(iter(kind["content"].items()))
        assert answer.headers["content-type"].partition(";")[0] == media_type
        if media_type == "application/json":
            value = parse_strictly(answer.body)
            assert self._validator(content["schema"]["$ref"]).is_valid(value), f"not as described: {value}"

    def _make_validator(self, reference: str) -> Draft202012Validator:
        return Draft202012Validator({"$ref": reference, "components": self.document["components"]})


def parse_strictly(body: bytes) -> object:
    """JSON in UTF-8. Raises ValueError for anything else, NaN and Infinity included."""
    return json.loads(body.decode("utf-8"), parse_constant=_refuse)


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
