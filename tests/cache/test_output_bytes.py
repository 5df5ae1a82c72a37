import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from structbert_lite.cache.memory import ModelOutput, make_key
from structbert_lite.cache.shared import HEADER_BYTES, pack_output, unpack_output

VALUES = st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1, max_size=40)
KEY = make_key("m", ("好",))
PACKED = pack_output(KEY, ModelOutput(np.array([0.5, -1.25, 3e-42], np.float32), truncated=True))


@given(values=VALUES, truncated=st.booleans(), text=st.text())
def test_a_row_comes_back_to_the_last_bit(values: list[float], truncated: bool, text: str) -> None:
    row, key = ModelOutput(np.array(values, np.float32), truncated), make_key("m", (text,))
    back = unpack_output(key, pack_output(key, row), len(values))
    assert back.values.tobytes() == row.values.tobytes()
    assert back.values.dtype == np.float32
    assert back.values.flags.writeable  # as a row from the model is
    assert back.truncated is truncated


def test_the_layout_is_the_documented_one() -> None:
    assert PACKED[:9] == b"SBR1" + b"\x01" + b"\x03\x00\x00\x00"
    assert np.array_equal(np.frombuffer(PACKED[HEADER_BYTES:], "<f4"), np.array([0.5, -1.25, 3e-42], np.float32))


@pytest.mark.parametrize("bit", range(8 * len(PACKED)))
def test_one_wrong_bit_and_it_is_no_row(bit: int) -> None:
    data = bytearray(PACKED)
    data[bit // 8] ^= 1 << bit % 8
    assert unpack_output(KEY, bytes(data), 3) is None


@pytest.mark.parametrize("data", [b"", PACKED[:-1], PACKED[:-4], PACKED[:5], PACKED + b"\0" * 4, PACKED + b"\0"])
def test_another_length_is_no_row(data: bytes) -> None:
    assert unpack_output(KEY, data, 3) is None


@given(st.binary(max_size=60), st.integers(1, 12))
def test_any_other_bytes_are_no_row(data: bytes, width: int) -> None:
    assert unpack_output(KEY, data, width) is None


def test_another_keys_row_and_another_width_are_no_row() -> None:
    assert unpack_output(make_key("m", ("坏",)), PACKED, 3) is None
    assert unpack_output(KEY, PACKED, 2) is None
    assert unpack_output(KEY, PACKED, 4) is None


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_no_row(value: float) -> None:
    assert (
        unpack_output(KEY, pack_output(KEY, ModelOutput(np.array([1, value], np.float32), truncated=False)), 2) is None
    )
