"""The one rule for encodings, and JSON that every reader takes."""

import json
from pathlib import Path

import pytest

from structbert_lite.tables.source import UnknownEncoding, read_text, to_json


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030", "gbk"])
def test_a_text_is_read_in_the_encoding_that_it_has(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "a.txt").write_bytes("咨询\r\n投诉\n".encode(encoding))
    text, found = read_text(tmp_path / "a.txt")
    assert text == "咨询\n投诉\n"
    assert found == encoding.replace("gbk", "gb18030")


@pytest.mark.parametrize("data", [b"\xff\xff\xff", b"\xef\xbb\xbf\xff", b"\xff\xfe\x00"])
def test_other_bytes_are_refused_with_the_name(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.txt").write_bytes(data)
    with pytest.raises(UnknownEncoding, match=r"a\.txt is "):
        read_text(tmp_path / "a.txt")


def test_numbers_that_json_does_not_have_are_null() -> None:
    value = {"a": float("nan"), "b": [1.5, float("-inf"), {"c": (float("inf"), "好")}]}
    assert json.loads(to_json(value)) == {"a": None, "b": [1.5, None, {"c": [None, "好"]}]}
    assert to_json({"a": 0.1}) == '{"a": 0.1}'
