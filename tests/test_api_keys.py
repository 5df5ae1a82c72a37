"""API keys: where they come from, how they are compared, and that nothing shows them."""

import hmac
from pathlib import Path

import pytest

from structbert_lite.api_keys import Keys, check_exposure, is_loopback, read_keys
from structbert_lite.errors import ConfigurationError
from structbert_lite.settings import Settings

SECRET = "correct-horse-battery"


def test_without_a_key_nobody_is_asked_for_one() -> None:
    assert not read_keys(Settings())


def test_keys_come_from_the_variable_and_from_the_file(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text("\ufeff# the shop\nthird,with-a-comma\n\n  # the app\n fourth=1:2 \r\n", encoding="utf-8")
    settings = Settings.from_environment(
        {"STRUCTBERT_API_KEYS": "first, second,", "STRUCTBERT_API_KEYS_FILE": str(file)}
    )
    keys = read_keys(settings)
    assert len(keys) == 4
    assert [keys.find(key) for key in ("first", "second", "third,with-a-comma", "fourth=1:2")] == [1, 2, 3, 4]
    assert not any(keys.find(key) for key in ("", "fir", "first ", "first, second", "# the shop", "密钥", "\udc80"))


@pytest.mark.parametrize(("given", "number"), [("first", 1), ("last", 3), ("none of them", None)])
def test_every_key_is_compared_whichever_fits(monkeypatch: pytest.MonkeyPatch, given: str, number: int | None) -> None:
    compared = []
    compare = hmac.compare_digest
    monkeypatch.setattr(hmac, "compare_digest", lambda a, b: compared.append((len(a), len(b))) or compare(a, b))
    assert Keys(["first", "middle", "last"]).find(given) == number
    assert compared == [(32, 32)] * 3  # digests: a key's length does not show either


@pytest.mark.parametrize("given", [",", " ", " , "])
def test_a_variable_without_a_key_does_not_open_the_door(given: str) -> None:
    with pytest.raises(ConfigurationError, match="STRUCTBERT_API_KEYS holds no key"):
        read_keys(Settings(api_keys=given))


@pytest.mark.parametrize("content", [b"", b"# only a comment\n\n"])
def test_a_file_without_a_key_does_not_open_the_door(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "keys").write_bytes(content)
    with pytest.raises(ConfigurationError, match="keys holds no key"):
        read_keys(Settings(api_keys_file=str(tmp_path / "keys")))


@pytest.mark.parametrize(("content", "why"), [(None, "No such file"), (b"\xff\xfe", "not UTF-8")])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None, why: str) -> None:
    if content:
        (tmp_path / "keys").write_bytes(content)
    with pytest.raises(ConfigurationError, match=f"STRUCTBERT_API_KEYS_FILE=.*keys cannot be read: .*{why}"):
        read_keys(Settings(api_keys_file=str(tmp_path / "keys")))


@pytest.mark.parametrize("key", ["with space", "密钥", "tab\there", "nul\0"])
def test_a_key_that_no_header_carries_is_refused_and_not_shown(key: str) -> None:
    with pytest.raises(ConfigurationError, match="key number 2") as refused:
        read_keys(Settings(api_keys=f"{SECRET},{key}"))
    assert SECRET not in str(refused.value)
    assert key not in str(refused.value)


def test_nothing_that_is_printed_has_a_key() -> None:
    settings = Settings.from_environment({"STRUCTBERT_API_KEYS": SECRET})
    for shown in (repr(settings), str(settings), repr(settings.model_dump()), settings.model_dump_json()):
        assert SECRET not in shown
    assert SECRET not in repr(Settings(redis_url=f"redis://:{SECRET}@host"))
    assert SECRET not in repr(read_keys(settings))
    assert SECRET not in repr(vars(read_keys(settings)))


@pytest.mark.parametrize("variable", ["STRUCTBERT_API_KEY", "STRUCTBERT_PORT"])
def test_a_setting_that_is_refused_does_not_show_the_keys(variable: str) -> None:
    with pytest.raises(ConfigurationError, match=variable) as refused:
        Settings.from_environment({"STRUCTBERT_API_KEYS": SECRET, "STRUCTBERT_API_KEY": SECRET, variable: "x" + SECRET})
    assert SECRET not in str(refused.value).replace(f"STRUCTBERT_PORT='x{SECRET}'", "")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "[::1]", "localhost"])
def test_loopback(host: str) -> None:
    assert is_loopback(host)
    check_exposure(Settings(), Keys(), [host])


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "[::]", "", "192.168.1.7", "8.8.8.8", "example.com", "localhost.evil"]
)
def test_other_machines_need_a_key_unless_the_operator_says_so(host: str) -> None:
    assert not is_loopback(host)
    with pytest.raises(ConfigurationError, match="STRUCTBERT_ALLOW_PUBLIC_WITHOUT_KEYS=1"):
        check_exposure(Settings(), Keys(), ["127.0.0.1", host])
    check_exposure(Settings(), Keys([SECRET]), [host])
    check_exposure(Settings.from_environment({"STRUCTBERT_ALLOW_PUBLIC_WITHOUT_KEYS": "1"}), Keys(), [host])
