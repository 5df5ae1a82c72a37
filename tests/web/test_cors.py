"""Scripts of other sites: nothing by default, the named sites where the settings name them."""

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from app import create_app
from structbert_lite.errors import ConfigurationError
from structbert_lite.settings import Settings

SITE = "https://shop.example"
ASKED = {
    "Origin": SITE,
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization, content-type, x-stainless-os",
}


@pytest.fixture(scope="module")
def shared(tiny_models: Path) -> FlaskClient:
    settings = Settings(models=tiny_models, load="lazy", api_keys="key", cors_origins=f"{SITE}, http://localhost:3000")
    return create_app(settings).test_client()


def sharing(answer) -> dict:
    return {name: value for name, value in answer.headers if name.startswith("Access-Control-")}


def test_off_by_default(client: FlaskClient) -> None:
    assert not sharing(client.options("/predict", headers=ASKED))
    assert not sharing(client.post("/predict", json={"text": "好"}, headers={"Origin": SITE}))


def test_a_preflight_needs_no_key(shared: FlaskClient) -> None:
    answer = shared.options("/predict", headers=ASKED)
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == SITE
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]
    assert answer.headers["Access-Control-Allow-Headers"] == ASKED["Access-Control-Request-Headers"]
    assert "Access-Control-Allow-Credentials" not in answer.headers


def test_a_preflight_for_a_request_without_headers_of_its_own(shared: FlaskClient) -> None:
    answer = shared.options("/predict", headers={"Origin": SITE, "Access-Control-Request-Method": "POST"})
    assert answer.status_code == 200
    assert "Access-Control-Allow-Headers" not in answer.headers


@pytest.mark.parametrize(("headers", "status"), [({"Authorization": "Bearer key"}, 200), ({}, 401)])
def test_a_named_site_reads_answers_and_errors(shared: FlaskClient, headers: dict, status: int) -> None:
    answer = shared.get("/models", headers=headers | {"Origin": SITE})
    assert answer.status_code == status
    assert answer.headers["Access-Control-Allow-Origin"] == SITE
    assert "X-Request-ID" in answer.headers["Access-Control-Expose-Headers"]
    assert "Origin" in answer.headers["Vary"]
    assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize(
    "origin",
    ["https://shop.example.evil", "http://shop.example", "https://shop.example:444", "https://shopxexample", "null"],
)
def test_no_other_site_does(shared: FlaskClient, origin: str) -> None:
    for answer in (
        shared.options("/predict", headers=ASKED | {"Origin": origin}),
        shared.get("/models", headers={"Origin": origin, "X-API-Key": "key"}),
    ):
        assert not sharing(answer)
        assert "Origin" in answer.headers["Vary"]


def test_a_preflight_does_not_use_up_the_quota(tiny_models: Path) -> None:
    settings = Settings(models=tiny_models, load="lazy", cors_origins="*", rate_limit="1/hour")
    client = create_app(settings).test_client()
    assert [client.options("/models", headers=ASKED).status_code for _ in range(3)] == [200] * 3
    answers = [client.get("/models", headers={"Origin": SITE}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]
    assert all(answer.headers["Access-Control-Allow-Origin"] == "*" for answer in answers)


def test_any_site(tiny_models: Path) -> None:
    client = create_app(Settings(models=tiny_models, load="lazy", cors_origins="*")).test_client()
    assert client.get("/models", headers={"Origin": SITE}).headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize("origins", ["*", SITE, f"{SITE},http://localhost:3000", f" {SITE} , * "])
def test_sites_that_can_be_named(origins: str) -> None:
    assert Settings.from_environment({"STRUCTBERT_CORS_ORIGINS": origins}).cors_origins == origins


@pytest.mark.parametrize("origins", ["shop.example", f"{SITE}/", f"{SITE} http://a", "https://", "**", "null"])
def test_what_is_no_site_is_refused(origins: str) -> None:
    with pytest.raises(ConfigurationError, match="STRUCTBERT_CORS_ORIGINS="):
        Settings.from_environment({"STRUCTBERT_CORS_ORIGINS": origins})


@pytest.mark.parametrize("hosts", ["https://a.example", "a.example:443", "a.example b.example", "*"])
def test_what_is_no_host_name_is_refused(hosts: str) -> None:
    with pytest.raises(ConfigurationError, match="STRUCTBERT_ALLOWED_HOSTS="):
        Settings.from_environment({"STRUCTBERT_ALLOWED_HOSTS": hosts})
