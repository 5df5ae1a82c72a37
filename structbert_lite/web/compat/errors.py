"""Errors in the shape that the caller's client reads, with our own statuses."""

from collections.abc import Callable
from typing import Any

from flask import Response, jsonify
from flask_openapi3.types import ResponseDict
from pydantic import BaseModel, RootModel

from structbert_lite.web.compat.dialect import Dialect, dialect_of
from structbert_lite.web.request_telemetry import RequestState, request_state
from structbert_lite.web.schemas import ERRORS, ErrorAnswer, ErrorBody, with_examples

OPENAI_TYPES = {429: "rate_limit_error"}
OPENAI_CODES = {"unauthorized": "invalid_api_key", "rate_limited": "rate_limit_exceeded"}
TEI_TYPES = {"not_ready": "Unhealthy", "unauthorized": "Unauthorized", "rate_limited": "Overloaded"}


class OpenAIErrorFacts(BaseModel):
    """`type` is a class of errors of OpenAI's, `code` our own error type; `param` names the field at fault."""

    message: str
    type: str
    param: str | None
    code: str


class OpenAIErrorAnswer(ErrorBody):
    """An error in OpenAI's shape."""

    model_config = with_examples(
        error={
            "error": {
                "message": "the text has no readable characters",
                "type": "invalid_request_error",
                "param": "input[3]",
                "code": "invalid_input",
            }
        }
    )

    error: OpenAIErrorFacts


class CohereErrorAnswer(ErrorBody):
    """An error in Cohere's shape; the message begins with the field at fault."""

    model_config = with_examples(error={"message": "documents[3]: the text has no readable characters"})

    message: str


class TEIErrorAnswer(ErrorBody):
    """An error in TEI's shape; the message begins with the field at fault."""

    model_config = with_examples(
        error={"error": "inputs[3]: the text has no readable characters", "error_type": "Validation"}
    )

    error: str
    error_type: str


class SharedErrorAnswer(ErrorBody, RootModel[ErrorAnswer | TEIErrorAnswer]):
    """An error in our own shape, or in TEI's where the body was one of TEI's."""


OPENAI_ERRORS: ResponseDict = dict.fromkeys(ERRORS, OpenAIErrorAnswer)
COHERE_ERRORS: ResponseDict = dict.fromkeys(ERRORS, CohereErrorAnswer)
TEI_ERRORS: ResponseDict = dict.fromkeys(ERRORS, TEIErrorAnswer)
SHARED_ERRORS: ResponseDict = dict.fromkeys(ERRORS, SharedErrorAnswer)


def error_response(status: int, name: str, message: str, field: str | None = None) -> Response:
    """Flask's answer to this request for an error of our type `name`, at `field` where there is one."""
    response = jsonify(error_body(request_state(), status, name, message, field))
    response.status_code = status
    return response


def error_body(state: RequestState, status: int, name: str, message: str, field: str | None = None) -> dict[str, Any]:
    """The same as what JSON holds, in the dialect of the request; the log and the metrics get its type."""
    state.error_type = name
    return SHAPES[dialect_of(state)](status, name, message, field)


def _ours(status: int, name: str, message: str, field: str | None) -> dict[str, Any]:
    body = {"type": name, "message": message}
    if field:
        body["field"] = field
    return {"error": body}


def _openai(status: int, name: str, message: str, field: str | None) -> dict[str, Any]:
    kind = OPENAI_TYPES.get(status, "invalid_request_error" if status < 500 else "server_error")
    return {"error": {"message": message, "type": kind, "param": field, "code": OPENAI_CODES.get(name, name)}}


def _cohere(status: int, name: str, message: str, field: str | None) -> dict[str, Any]:
    return {"message": _beginning_with(field, message)}


def _tei(status: int, name: str, message: str, field: str | None) -> dict[str, Any]:
    kind = TEI_TYPES.get(name, "Validation" if status < 500 else "Overloaded" if status == 503 else "Backend")
    return {"error": _beginning_with(field, message), "error_type": kind}


def _beginning_with(field: str | None, message: str) -> str:
    return f"{field}: {message}" if field else message


SHAPES: dict[Dialect, Callable[[int, str, str, str | None], dict[str, Any]]] = {
    Dialect.OURS: _ours,
    Dialect.OPENAI: _openai,
    Dialect.COHERE: _cohere,
    Dialect.TEI: _tei,
}
