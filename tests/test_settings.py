from pathlib import Path

import pytest
from pydantic import ValidationError

from structbert_lite.errors import ConfigurationError
from structbert_lite.settings import Settings


def test_defaults_need_no_environment() -> None:
    assert Settings.from_environment({}).port == 5000


def test_a_variable_sets_its_field() -> None:
    settings = Settings.from_environment({"STRUCTBERT_PORT": "8080", "PATH": "/bin", "STRUCTBERT_CACHE_MB": "0"})
    assert (settings.port, settings.cache_mb) == (8080, 0)
    assert Settings.from_environment({"STRUCTBERT_SENTIMENT_NEUTRAL": "1"}).sentiment_neutral is True


def test_an_unknown_variable_is_refused_by_name() -> None:
    with pytest.raises(ConfigurationError, match="STRUCTBERT_PROT is not a setting"):
        Settings.from_environment({"STRUCTBERT_PROT": "8080"})


@pytest.mark.parametrize(
    ("name", "value"),
    [("PORT", "0"), ("PORT", "many"), ("LOG_LEVEL", "loud"), ("CACHE_MB", "-1"), ("SENTIMENT_NEUTRAL", "maybe")],
)
def test_an_unusable_value_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=f"STRUCTBERT_{name}="):
        Settings.from_environment({f"STRUCTBERT_{name}": value})


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError):
        Settings().port = 1


@pytest.mark.parametrize(
    ("setting", "cache_home", "folder"),
    [
        ("", "/caches", "/caches/structbert-lite"),
        ("", "", "/home/somebody/.cache/structbert-lite"),
        ("", "relative", "/home/somebody/.cache/structbert-lite"),
        ("/somewhere", "/caches", "/somewhere"),
        ("off", "/caches", None),
    ],
)
def test_where_prepacked_weights_lie(
    monkeypatch: pytest.MonkeyPatch, setting: str, cache_home: str, folder: str | None
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", cache_home)
    monkeypatch.setenv("HOME", "/home/somebody")
    assert Settings(prepacked=setting).prepacked_folder == (Path(folder) if folder else None)
