"""A body that turns out to be no HTTP while the application reads it."""

from typing import Any

from gunicorn.http.errors import ParseException


class Body:
    """gunicorn's body, whose errors of framing are those of a connection that broke: the web framework knows them."""

    def __init__(self, body: Any) -> None:
        self._body = body

    def read(self, size: int | None = None) -> bytes:
        """Raises OSError where a chunk is none."""
        try:
            data: bytes = self._body.read(size)
        except ParseException as error:
            raise OSError("the body is not framed as HTTP says") from error
        return data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._body, name)
