"""How long an answer took on the server and what the cache had of it, as Server-Timing: pages and browsers show it."""

import time
from dataclasses import dataclass

from flask import Flask, Response, g

HEADER = "Server-Timing"


@dataclass
class Found:
    """`found` of `inputs` that models were asked for were in the cache: texts, pairs, windows of long documents."""

    inputs: int = 0
    found: int = 0


def tell_timing(app: Flask) -> None:
    """Answers that models had a part in get the header `total;dur=MILLISECONDS, cache;desc="FOUND/INPUTS"`."""
    app.after_request(_tell)


def note_lookup(tier: str, hits: int, misses: int) -> None:
    """Within a request: so many of its inputs were in this tier. The first tier, memory, is asked for all of them."""
    if g:
        noted = found()
        noted.found += hits
        noted.inputs += hits + misses if tier == "memory" else 0


def found() -> Found:
    """What the cache has had for this request so far."""
    if "found" not in g:
        g.found = Found()
    noted: Found = g.found
    return noted


def _tell(response: Response) -> Response:
    noted = found()
    if noted.inputs and "began" in g:
        milliseconds = (time.perf_counter() - g.began) * 1000
        response.headers[HEADER] = f'total;dur={milliseconds:.1f}, cache;desc="{noted.found}/{noted.inputs}"'
    return response
