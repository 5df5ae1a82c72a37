"""JSON as the contract wants it: UTF-8, no duplicate names, no lone surrogates, Chinese left readable."""

import json
from typing import Any

from flask.json.provider import DefaultJSONProvider


class StrictJSON(DefaultJSONProvider):
    """Raises ValueError for whatever is not strict JSON; flask turns that into a 400."""

    ensure_ascii = False
    sort_keys = False
    compact = True

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        text = s.decode("utf-8") if isinstance(s, bytes) else s
        try:
            value = json.loads(text, object_pairs_hook=_refuse_duplicates, parse_constant=_refuse_constant)
            if "\\u" in text:  # only an escape can bring in half a surrogate pair
                json.dumps(value, ensure_ascii=False).encode("utf-8")
        except RecursionError:
            raise ValueError("nested too deeply") from None
        return value


def _refuse_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a name occurs twice in one object")
    return members


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
