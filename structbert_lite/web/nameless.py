"""gunicorn without its name in every answer."""

from gunicorn.http import wsgi


class NamelessResponse(wsgi.Response):
    """An answer without a Server header; gunicorn has no setting for that."""

    def default_headers(self) -> list[str]:
        return [header for header in super().default_headers() if not header.startswith("Server:")]


def hide_name() -> None:
    """Leaves the Server header out of every answer of this process and of those forked from it."""
    wsgi.Response = NamelessResponse
