"""Errors in the shape that the caller's client reads, with our own statuses where that client does not need another."""

from collections.abc import Callable
from typing import Any

from flask import Response, jsonify, request
from flask_openapi3.types import ResponseDict
from pydantic import BaseModel, RootModel
from werkzeug.exceptions import HTTPException

from structbert_lite.paths import SHARED, Dialect, guess_dialect
from structbert_lite.web.request_telemetry import RequestState, request_state
from structbert_lite.web.schemas import ERRORS, ErrorAnswer, ErrorBody, with_examples

OPENAI_TYPES = {429: "rate_limit_error"}
OPENAI_CODES = {"unauthorized": "invalid_api_key", "rate_limited": "rate_limit_exceeded"}
TEI_TYPES = {
    "not_ready": "Unhealthy",
    "unauthorized": "Unauthorized",
    "rate_limited": "Overloaded",
    "overloaded": "Overloaded",
}


class OpenAIErrorFacts(BaseModel):
    """`type` is a class of errors of OpenAI's, `code` our own error type; `param` names the field at fault."""

    message: str
    type: str
    param: str | None
    code: str


class OpenAIErrorAnswer(ErrorBody):
    """An error in OpenAI's shape. `detail` is for the clients of Jina and Xinference, which ask the same routes."""

    model_config = with_examples(
        error={
            "error": {
                "message": "the text has no readable characters",
                "type": "invalid_request_error",
                "param": "input[3]",
                "code": "invalid_input",
            },
            "detail": "input[3]: the text has no readable characters",
        }
    )

    error: OpenAIErrorFacts
    detail: str


class CohereErrorAnswer(ErrorBody):
    """An error in Cohere's shape; the message begins with the field at fault."""

    model_config = with_examples(error={"message": "documents[3]: the text has no readable characters"})

    message: str


class JinaErrorAnswer(CohereErrorAnswer):
    """An error in the shapes of Cohere and of Jina, Xinference, Infinity and vLLM at once."""

    model_config = with_examples(
        error=dict.fromkeys(("message", "detail"), "documents[3]: the text has no readable characters")
    )

    detail: str


class TEIErrorAnswer(ErrorBody):
    """An error in TEI's shape; the message begins with the field at fault."""

    model_config = with_examples(
        error={"error": "inputs[3]: the text has no readable characters", "error_type": "Validation"}
    )

    error: str
    error_type: str


class SharedErrorAnswer(ErrorBody, RootModel[ErrorAnswer | TEIErrorAnswer | JinaErrorAnswer]):
    """An error in our own shape, or in that of the service whose body it was."""


OPENAI_ERRORS: ResponseDict = dict.fromkeys(ERRORS, OpenAIErrorAnswer)
COHERE_ERRORS: ResponseDict = dict.fromkeys(ERRORS, CohereErrorAnswer)
JINA_ERRORS: ResponseDict = dict.fromkeys(ERRORS, JinaErrorAnswer)
TEI_ERRORS: ResponseDict = dict.fromkeys(ERRORS, TEIErrorAnswer)
SHARED_ERRORS: ResponseDict = dict.fromkeys(ERRORS, SharedErrorAnswer)


def error_response(status: int, name: str, message: str, field: str | None = None) -> Response:
    """Flask's answer to this request for an error of our type `name`, at `field` where there is one."""
    state = request_state()
    if not state.dialect:
        state.dialect = guess_dialect(state.path, _read_body() if state.path in SHARED else b"")
    status, body = describe_to_client(state, status, name, message, field)
    response = jsonify(body)
    response.status_code = status
    return response


def describe_to_client(
    state: RequestState, status: int, name: str, message: str, field: str | None = None
) -> tuple[int, dict[str, Any]]:
    """Status and JSON of an error in the dialect of the request, which is known; log and metrics get its type."""
    state.error_type = name
    return shape_error(Dialect(state.dialect), status, name, message, field)


def shape_error(
    dialect: Dialect, status: int, name: str, message: str, field: str | None = None
) -> tuple[int, dict[str, Any]]:
    """Status and JSON of an error.

    TEI's clients wait and ask again after a 429, and some of them at once and for ever after a 503; too many items are
    a 422 to them, as too many of anything are in TEI.
    """
    if dialect == Dialect.TEI:
        status = 429 if name == "overloaded" else 422 if name == "payload_too_large" and field else status
    return status, _SHAPES[dialect](status, name, message, field)


def _read_body() -> bytes:
    try:
        return request.get_data()
    except HTTPException:  # it is too large, or cut off
        return b""


def _ours(status: int, name: str, message: str, field: str | None) -> dict[str, Any]:
    body = {"type": name, "message": message}
    if field:
        body["field"] = field
    return {"error": body}


def _openai(status: int, name: str, message: str, field: str | None) -> dict[str, Any]:
    kind = OPENAI_TYPES.get(status, "invalid_request_error" if status < 500 else "server_error")
    facts = {"message": message, "type": kind, "param": field, "code": OPENAI_CODES.get(name, name)}
    return {"error": facts, "detail": begin_with_field(field, message)}


def _cohere(status: int, name: str, message: str, field: str | None) -> dict[str, Any]:
    return {"message": begin_with_field(field, message)}


def _jina(status: int, name: str, message: str, field: str | None) -> dict[str, Any]:
    return dict.fromkeys(("message", "detail"), begin_with_field(field, message))


def _tei(status: int, name: str, message: str, field: str | None) -> dict[str, Any]:
    kind = TEI_TYPES.get(name, "Validation" if status < 500 else "Backend")
    return {"error": begin_with_field(field, message), "error_type": kind}


def begin_with_field(field: str | None, message: str) -> str:
    """The sentence of an error to a client that has no place for the field at fault."""
    return f"{field}: {message}" if field else message


_SHAPES: dict[Dialect, Callable[[int, str, str, str | None], dict[str, Any]]] = {
    Dialect.OURS: _ours,
    Dialect.OPENAI: _openai,
    Dialect.COHERE: _cohere,
    Dialect.JINA: _jina,
    Dialect.TEI: _tei,
}
