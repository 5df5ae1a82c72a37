"""Requests that somebody might send."""

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from hypothesis import strategies as st

MARK = "<the part at fault>"
TEXTS = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        [
            "好",
            "这部电影太烂了，完全浪费时间",
            "",
            " \t\r\n",
            "\x00",
            "好\x00坏",
            "\u200b\u200e\ufeff",
            "\u202e坏好\u202c",
            "مرحبا שלום",
            "👨‍👩‍👧‍👦🏳️‍🌈👍🏽",
            "e" + "\u0301" * 300,
            "\ufffd\uffff\U0010ffff",
            "𠀀𪛖",
            "{}{}{}",
            "<script>alert(1)</script>",
            "[CLS][SEP][MASK]",
            "%00%ff\\u0000",
            "../../etc/passwd",
        ]
    ),
    # No hang on what is long: runs of one character are where quadratic algorithms show.
    st.builds(
        lambda piece, times: piece * times,
        st.sampled_from(["好", "a", " ", "\u0301", "👍", "。", "好 ", "\u200b", "中\n"]),
        st.sampled_from([100, 1_000, 20_000]),
    ),
)
NUMBERS = st.one_of(
    st.integers(),
    st.sampled_from([0, 1, -1, 8, 2**31, 2**63, -(2**63), 2**64, 10**30, 10**400]),
    st.floats(allow_nan=False, allow_infinity=False),
)
LEAVES = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS)
NAMES = st.sampled_from(
    "text texts text_a text_b pairs labels multi_label hypothesis_template neutral none query documents top_n "
    "return_documents "
    "inputs input parameters candidate_labels source_sentence sentences truncate truncation_direction prompt_name "
    "normalize dimensions encoding_format model rank_fields raw_scores return_text top_k function_to_apply".split()
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(NAMES | TEXTS, inner, max_size=4)),
    max_leaves=10,
)
# Written by hand: what json.dumps would never write.
ODD_JSON = st.sampled_from(
    [
        b"",
        b"{",
        b"null",
        b'{"text": "\xe5\xa5"}',
        b'{"text": "\\ud800"}',
        b'{"text": "\\udc00\\ud800"}',
        b'{"text": "\\u0000"}',
        b'{"text": "a", "text": "b"}',
        b'{"text": NaN}',
        b'{"text": "a"} {}',
        b'{"text": "a"}\x00',
        b"\xef\xbb\xbf{}",
        '{"text": "好"}'.encode("utf-16"),
        '{"text": "好"}'.encode("gb18030"),
        b"{'text': 'a'}",
        b'{"text": "a",}',
        b'{"text": "a"} // why',
        b'{"text": "\x01"}',
    ]
)
NUMERALS = st.sampled_from(["1e400", "-1e400", "1" * 5000, "1E+99999999", "-0", "1e-400", "0." + "3" * 9999])
NESTS = st.builds(
    lambda pair, depth, core: pair[0] * depth + core + pair[1] * depth,
    st.sampled_from([("[", "]"), ('{"a":', "}"), ('[{"text":', "}]")]),
    st.sampled_from([1, 30, 90, 99, 100, 101, 500, 960, 975, 980, 1_000, 20_000]),
    st.sampled_from(["1", '"好"', '"\\u597d"', ""]),
)
MEDIA_TYPES = st.sampled_from(
    [
        "application/json; charset=utf-8",
        "application/json; charset=utf-16",
        "application/json; charset=\xff",
        'application/json;charset="',
        "APPLICATION/JSON",
        "application/json, text/plain",
        "application/problem+json",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "multipart/form-data; boundary=b",
        "",
        ";;",
        "\x7f",
    ]
)
HEADERS = st.one_of(
    st.tuples(
        st.just("X-Request-Timeout-Ms"),
        st.sampled_from(
            ["1", "30000", "0", "-1", "+5", "1e3", "", " 7 ", "9" * 18, "9" * 19, "0" * 5000 + "1", "\xb2"]
        ),
    ),
    st.tuples(
        st.just("X-Request-ID"),
        st.sampled_from(["a-1", "x" * 128, "x" * 129, "", "a b", "\xe9", "a\tb", "<b>", "${jndi:ldap://x}"]),
    ),
    st.tuples(
        st.just("Host"),
        st.sampled_from(["localhost", "127.0.0.1", "[::1]", "[::1", "[v1.x]", "evil.example", "", "@:0"]),
    ),
    st.tuples(
        st.just("Authorization"), st.sampled_from(["Bearer", "Bearer \xff", "Basic !", "Basic /w==", "Digest a=b"])
    ),
    st.tuples(st.just("Accept"), st.sampled_from(["*/*", "text/html", "application/xml", "", "q=x;;,"])),
    st.tuples(st.just("Origin"), st.sampled_from(["null", "https://evil.example", "\xff"])),
    st.tuples(st.just("Cookie"), st.sampled_from(["a=b", ";;;", "=\xff", "session=" + "x" * 2000])),
    st.tuples(st.just("Content-Encoding"), st.sampled_from(["gzip", "br", "identity"])),
    st.tuples(st.just("Transfer-Encoding"), st.just("chunked")),
    st.tuples(st.just("X-Forwarded-For"), st.sampled_from(["1.2.3.4", "x", "1.2.3.4, " * 50])),
    st.tuples(st.just("User-Agent"), st.sampled_from(["", "unknown/None; hf_hub/0.36.2; python/3.11", "\xff" * 50])),
    st.tuples(st.just("Range"), st.sampled_from(["bytes=0-0", "bytes=-1", "lines=x"])),
    st.tuples(st.just("If-None-Match"), st.sampled_from(["*", '"x', "W/"])),
)
PAGES = ["/", "/ui/similarity", "/ui/classify", "/ui/rerank", "/ui/embed"]
FORM_FIELDS = ["text", "texts", "text_a", "text_b", "pairs", "labels", "query", "documents", "hypothesis_template", "x"]
OTHER_PATHS = [
    "/docs",
    "/openapi.json",
    "/static/",
    "/static/../app.py",
    "/docs/assets/x",
    "/predict/",
    "/nothing",
    "/%ff",
]
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "X"]


@dataclass(frozen=True)
class Request:
    """`target` is the path as it is sent. `content_type` None: no such field. `chunked`: without a Content-Length."""

    method: str
    target: str
    content_type: str | None
    headers: list[tuple[str, str]]
    body: bytes
    chunked: bool

    def encode(self) -> bytes:
        fields = {"Host": "localhost", "Connection": "close"}
        fields |= {} if self.content_type is None else {"Content-Type": self.content_type}
        own = {name for name, _ in self.headers}
        lines = [f"{self.method} {self.target} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in fields.items() if name not in own]
        lines += [f"{name}: {value}" for name, value in self.headers if name != "Transfer-Encoding"]
        body = self.body
        if self.chunked:
            lines.append("Transfer-Encoding: chunked")
            body = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in _cut(body)) + b"0\r\n\r\n"
        elif body or self.method in {"POST", "PUT", "PATCH"}:
            lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def _cut(body: bytes) -> list[bytes]:
    return [body[start : start + 1000] for start in range(0, len(body), 1000)]


def requests(examples: list[tuple[str, dict]], paths: list[str]) -> st.SearchStrategy[Request]:
    """Requests for JSON routes, mostly near to one of `examples`, for `paths` and for pages."""
    near = st.sampled_from(examples).flatmap(lambda example: _near(*example))
    far = st.builds(
        _make,
        st.sampled_from(paths + PAGES + OTHER_PATHS),
        st.one_of(ODD_JSON, st.binary(max_size=200), VALUES.map(_dump), NESTS.map(str.encode)),
        st.sampled_from(["POST", "POST", *METHODS]),
        MEDIA_TYPES | st.just("application/json"),
        st.lists(HEADERS, max_size=3),
        st.booleans(),
    )
    forms = st.builds(
        _make,
        st.sampled_from(PAGES),
        st.dictionaries(st.sampled_from(FORM_FIELDS), TEXTS, max_size=5).map(_form) | st.binary(max_size=200),
        st.just("POST"),
        st.just("application/x-www-form-urlencoded") | MEDIA_TYPES,
        st.lists(HEADERS, max_size=2),
        st.booleans(),
    )
    return st.one_of(near, near, far, forms)


def _near(path: str, body: dict) -> st.SearchStrategy[Request]:
    """An example as it is, or with one part put in, replaced or taken out."""
    part = st.one_of(VALUES.map(_dump), NESTS.map(str.encode), NUMERALS.map(str.encode), st.none())
    spots = st.sampled_from(list(_spots(body))) | st.tuples(NAMES | TEXTS)
    bodies = st.one_of(st.just(_dump(body)), st.builds(lambda spot, new: _put(body, spot, new), spots, part))
    return st.builds(
        _make,
        st.just(path),
        bodies,
        st.just("POST"),
        st.just("application/json"),
        st.lists(HEADERS, max_size=1),
        st.booleans(),
    )


def _spots(value: object, at: tuple = ()) -> Iterator[tuple]:
    if at:
        yield at
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from _spots(item, (*at, key))


def _put(body: dict, spot: tuple, new: bytes | None) -> bytes:
    """`body` as JSON with `new` at `spot`, or with nothing there."""
    body = copy.deepcopy(body)
    holder: Any = body
    for key in spot[:-1]:
        holder = holder[key]
    holder[spot[-1]] = MARK
    if new is None:
        del holder[spot[-1]]
    return _dump(body).replace(_dump(MARK), new or b"")


def _dump(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def _form(fields: dict[str, str]) -> bytes:
    return urlencode(fields).encode()


def _make(target: str, body: bytes, method: str, media_type: str, headers: list, chunked: bool) -> Request:
    headers = list(dict(headers).items())
    chunked = chunked and ("Transfer-Encoding", "chunked") in headers
    return Request(method, target, media_type or None, headers, body, chunked)
