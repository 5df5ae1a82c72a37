"""deploy/compose.yaml against the Compose specification's schema, and against what it promises."""

import re
import subprocess
import sys

import pytest
import yaml

from structbert_lite.settings import PREFIX, PROJECT, Settings
from tests.deploy.nginx import TEMPLATE

DEPLOY = PROJECT / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
SERVICES = COMPOSE["services"]
each_service = pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES.keys())


@pytest.mark.parametrize("name", ["compose.yaml", "compose.tls.yaml"])
def test_the_specification_allows_it(name: str) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(DEPLOY / name)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@each_service
def test_every_container_is_locked_down_and_limited(service: dict) -> None:
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["restart"] == "unless-stopped"
    assert int(service["user"].split(":")[0]) > 0
    assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory", "pids"}
    assert service["healthcheck"]
    assert "privileged" not in service


def test_only_nginx_can_be_reached_from_outside_and_only_it_reaches_out() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["nginx"]
    assert SERVICES["nginx"]["ports"] == ["${PUBLISH:-127.0.0.1:8080}:8080"]
    open_networks = {name for name, network in COMPOSE["networks"].items() if not network.get("internal")}
    assert [name for name, service in SERVICES.items() if open_networks & set(service["networks"])] == ["nginx"]


def test_what_speaks_to_what_shares_a_network() -> None:
    networks = {name: set(service["networks"]) for name, service in SERVICES.items()}
    assert networks["nginx"] & networks["structbert"]
    assert networks["structbert"] & networks["redis"]
    assert not networks["nginx"] & networks["redis"]


def test_the_servers_settings_are_settings() -> None:
    given = SERVICES["structbert"]["environment"]
    settings = Settings.from_environment(given)
    assert settings.redis_url == "redis://redis:6379/0"
    assert settings.trusted_proxies == 1
    assert int(SERVICES["structbert"]["stop_grace_period"].removesuffix("s")) > settings.drain_seconds + 25
    assert not settings.allow_public_without_keys
    assert settings.api_keys_file == "/run/secrets/" + SERVICES["structbert"]["secrets"][0]
    assert all(name.startswith(PREFIX) for name in given)


def test_nginx_is_told_everything_that_its_template_asks_for() -> None:
    given = SERVICES["nginx"]["environment"]
    wanted = set(re.findall(r"\$\{(\w+)\}", TEMPLATE.read_text(encoding="utf-8")))
    assert wanted == given.keys() - {"NGINX_ENVSUBST_FILTER"}
    chosen = re.compile(given["NGINX_ENVSUBST_FILTER"].replace("$$", "$"))
    assert {name for name in [*wanted, "PATH", "HOSTNAME", "HOME"] if chosen.match(name)} == wanted
    assert given["REPLICA"].startswith("structbert:5000 ")


def test_nginx_waits_longer_and_takes_more_than_the_server() -> None:
    given, settings = SERVICES["nginx"]["environment"], Settings()
    assert int(given["READ_TIMEOUT"].removesuffix("s")) * 1000 > settings.timeout_ms
    assert int(given["BODY_LIMIT"].removesuffix("m")) > settings.max_body_mb


def test_files_that_are_mounted_are_there_and_secrets_are_not_in_git() -> None:
    mounted = [volume.split(":")[0] for volume in SERVICES["nginx"]["volumes"]]
    tls = yaml.safe_load((DEPLOY / "compose.tls.yaml").read_text(encoding="utf-8"))
    mounted += [volume.split(":")[0] for volume in tls["services"]["nginx"]["volumes"]]
    assert all((DEPLOY / file).is_file() for file in mounted)
    secrets = [secret["file"].removeprefix("./") for secret in (COMPOSE["secrets"] | tls["secrets"]).values()]
    ignored = (PROJECT / ".gitignore").read_text(encoding="utf-8").split()
    for secret in [*secrets, "settings.env", "kubernetes/base/api-keys", "kubernetes/base/redis-password"]:
        assert f"deploy/{secret}" in ignored


def test_redis_keeps_nothing_and_stays_within_its_limit() -> None:
    command = SERVICES["redis"]["command"]
    options = dict(zip(command[1::2], command[2::2], strict=True))
    assert options["--save"] == ""
    assert options["--appendonly"] == "no"
    assert options["--maxmemory-policy"] == "allkeys-lru"
    limit = SERVICES["redis"]["deploy"]["resources"]["limits"]["memory"]
    assert int(options["--maxmemory"].removesuffix("mb")) * 1.5 < int(limit.removesuffix("M"))
