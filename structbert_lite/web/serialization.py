"""JSON as the contract wants it: UTF-8, no duplicate names, no lone surrogates, Chinese left readable."""

import base64
import json
import math
import re
from typing import Any

import jiter
import numpy as np
from flask import Response
from flask.json.provider import DefaultJSONProvider
from numpy.typing import NDArray

# Arrays and objects inside each other. Far below what Python can read, so that whatever was read can be written again.
MAX_DEPTH = 100
# 1e400 is JSON and no float: it would be read as infinity, which is then written as something that is not JSON. Only
# a body in which this is found can hold such a number. To search a large body costs more than to look at its values.
LARGE_NUMBER = re.compile(rb"[0-9](?:[eE]\+?[0-9]{3}|[0-9]{199})")
LARGE_BODY = 2000  # bytes
ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=DefaultJSONProvider.default)


class StrictJSON(DefaultJSONProvider):
    """Flask's JSON by these rules. A ValueError becomes a 400."""

    ensure_ascii = False
    sort_keys = False

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        return read_json(s.encode() if isinstance(s, str) else s)

    def response(self, *args: Any, **kwargs: Any) -> Response:
        return Response(write_json(self._prepare_response_obj(args, kwargs)), mimetype=self.mimetype)


def read_json(data: bytes) -> Any:
    """Raises ValueError for whatever is not strict JSON."""
    value = jiter.from_json(data, allow_inf_nan=False, catch_duplicate_keys=True)
    if len(data) > LARGE_BODY or data.count(b"[") + data.count(b"{") > MAX_DEPTH or LARGE_NUMBER.search(data):
        _check_depth_and_numbers(value)
    return value


def write_json(value: Any) -> bytes:
    """Compact, in the order of the fields, with a line end."""
    return (ENCODER.encode(value) + "\n").encode()


def as_base64(vector: NDArray[np.float32]) -> str:
    """A vector's float32 values, exact, in little-endian order."""
    return base64.b64encode(vector.astype("<f4").tobytes()).decode("ascii")


def _check_depth_and_numbers(value: Any) -> None:
    level: list[Any] = [[value]]
    for _ in range(MAX_DEPTH + 1):
        inner = [one for outer in level for one in (outer.values() if isinstance(outer, dict) else outer)]
        if math.inf in inner or -math.inf in inner:
            raise ValueError("a number is out of range")
        level = [one for one in inner if isinstance(one, dict | list)]
        if not level:
            return
    raise ValueError("nested too deeply")
