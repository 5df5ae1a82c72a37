"""JSON as the contract wants it: UTF-8, no duplicate names, no lone surrogates, Chinese left readable."""

import json
import math
from typing import Any

from flask.json.provider import DefaultJSONProvider

# Arrays and objects inside each other. Far below what Python can read, so that whatever was read can be written again.
MAX_DEPTH = 100
TOO_DEEP = "nested too deeply"


class StrictJSON(DefaultJSONProvider):
    """Raises ValueError for whatever is not strict JSON; flask turns that into a 400."""

    ensure_ascii = False
    sort_keys = False
    compact = True

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        text = s.decode("utf-8") if isinstance(s, bytes) else s
        try:
            value = json.loads(
                text, object_pairs_hook=_refuse_duplicates, parse_constant=_refuse_constant, parse_float=_finite
            )
            if "\\u" in text:  # only an escape can bring in half a surrogate pair
                json.dumps(value, ensure_ascii=False).encode("utf-8")
        except RecursionError:
            raise ValueError(TOO_DEEP) from None
        if text.count("[") + text.count("{") > MAX_DEPTH:  # only then it can be
            _refuse_depth(value)
        return value


def _refuse_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a name occurs twice in one object")
    return members


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _finite(number: str) -> float:
    """1e400 is JSON and no float: Python reads infinity, which it then writes as something that is not JSON."""
    value = float(number)
    if math.isinf(value):
        raise ValueError("a number is out of range")
    return value


def _refuse_depth(value: Any) -> None:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return
    raise ValueError(TOO_DEEP)
