"""The Kubernetes manifests against the API's own schemas, and against the server that they start."""

import re
from pathlib import Path

import kubernetes_validate
import pytest
import yaml
from flask import Flask
from flask.testing import FlaskClient

from structbert_lite.settings import PROJECT, Settings
from tests.telemetry.scrape import parse

FOLDER = PROJECT / "deploy" / "kubernetes" / "base"
QUEUE_FOLDER = PROJECT / "deploy" / "kubernetes" / "queue"
# The oldest and the newest API that the manifests are for.
VERSIONS = ("1.30", "1.37")


def load(path: Path) -> list[dict]:
    return list(yaml.safe_load_all(path.read_text(encoding="utf-8")))


KUSTOMIZATION = load(FOLDER / "kustomization.yaml")[0]
OBJECTS = [document for name in KUSTOMIZATION["resources"] for document in load(FOLDER / name)]
QUEUE = load(QUEUE_FOLDER / "autoscaler.yaml")[0]


def find(kind: str, name: str = "structbert") -> dict:
    (found,) = [o for o in OBJECTS if o["kind"] == kind and o["metadata"]["name"] == name]
    return found


def label(o: dict) -> str:
    return f"{o['kind']}-{o['metadata']['name']}"


POD = find("Deployment")["spec"]["template"]
SERVER = POD["spec"]["containers"][0]
PODS = [o["spec"]["template"] for o in OBJECTS if o["kind"] == "Deployment"]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("document", OBJECTS, ids=label)
def test_the_api_knows_every_field(document: dict, version: str) -> None:
    kubernetes_validate.validate(document, version, strict=True)


def test_the_checker_does_find_a_wrong_field() -> None:
    wrong = find("Service") | {"spec": find("Service")["spec"] | {"prots": []}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, VERSIONS[-1], strict=True)


def test_every_manifest_is_listed() -> None:
    assert {path.name for path in FOLDER.glob("*.yaml")} - {"kustomization.yaml"} == set(KUSTOMIZATION["resources"])


def test_selectors_find_the_pods_that_they_mean() -> None:
    labels = {pod["metadata"]["labels"]["app.kubernetes.io/name"]: pod["metadata"]["labels"] for pod in PODS}
    for o in OBJECTS:
        spec, name = o["spec"], o["metadata"]["name"]
        if o["kind"] == "Service":
            assert spec["selector"].items() <= labels[name].items()
        elif o["kind"] in {"Deployment", "PodDisruptionBudget"}:
            assert spec["selector"]["matchLabels"].items() <= labels[name].items()
        elif o["kind"] == "NetworkPolicy":
            assert spec["podSelector"]["matchLabels"].items() <= labels[name].items()
    for spread in POD["spec"]["topologySpreadConstraints"]:
        assert spread["labelSelector"]["matchLabels"].items() <= labels["structbert"].items()
    assert {o["metadata"]["name"] for o in OBJECTS if o["kind"] == "NetworkPolicy"} == labels.keys()


def test_ports_are_those_of_the_containers() -> None:
    for name in ("structbert", "structbert-redis"):
        container = find("Deployment", name)["spec"]["template"]["spec"]["containers"][0]
        ports = {port["name"] for port in container["ports"]}
        assert {port["targetPort"] for port in find("Service", name)["spec"]["ports"]} <= ports
        assert {port["port"] for port in find("NetworkPolicy", name)["spec"]["ingress"][0]["ports"]} <= ports
    assert SERVER["ports"][0]["containerPort"] == Settings().port


@pytest.mark.parametrize("pod", PODS, ids=lambda pod: pod["metadata"]["labels"]["app.kubernetes.io/name"])
def test_every_pod_is_locked_down_and_limited(pod: dict) -> None:
    spec = pod["spec"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] > 0
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert spec["automountServiceAccountToken"] is False
    for container in spec["containers"]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["resources"]["limits"].keys() == container["resources"]["requests"].keys() == {"cpu", "memory"}
        assert {"readinessProbe", "livenessProbe"} <= container.keys()
    names = {volume["name"] for volume in spec["volumes"]}
    assert all(mount["name"] in names for container in spec["containers"] for mount in container["volumeMounts"])


def test_probes_ask_routes_that_the_server_has(client: FlaskClient) -> None:
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert client.get(SERVER[probe]["httpGet"]["path"]).status_code == 200
    assert SERVER["livenessProbe"]["httpGet"]["path"] == "/livez"


def test_the_servers_settings_are_settings() -> None:
    (generated,) = KUSTOMIZATION["configMapGenerator"]
    given = dict(literal.split("=", 1) for literal in generated["literals"])
    assert SERVER["envFrom"] == [{"configMapRef": {"name": generated["name"]}}]
    given |= {e["name"]: e["value"] for e in SERVER["env"] if "value" in e}
    settings = Settings.from_environment(given)
    assert not settings.allow_public_without_keys
    assert POD["spec"]["terminationGracePeriodSeconds"] > settings.drain_seconds + 25  # gunicorn.conf.py
    assert "$(REDIS_PASSWORD)" in str(given["STRUCTBERT_REDIS_URL"])
    keys, (volume,) = settings.api_keys_file.rsplit("/", 1), [v for v in POD["spec"]["volumes"] if v["name"] == "keys"]
    secrets = {secret["name"]: secret["files"] for secret in KUSTOMIZATION["secretGenerator"]}
    assert keys[1] in secrets[volume["secret"]["secretName"]]
    assert {"name": "keys", "mountPath": keys[0], "readOnly": True} in SERVER["volumeMounts"]
    for pod in PODS:
        reference = pod["spec"]["containers"][0]["env"][0]["valueFrom"]["secretKeyRef"]
        assert reference["key"] in secrets[reference["name"]]


def test_the_image_is_the_one_that_is_set_once() -> None:
    assert SERVER["image"] == KUSTOMIZATION["images"][0]["name"]


def test_redis_is_where_the_server_looks_for_it() -> None:
    (url,) = [e["value"] for e in SERVER["env"] if e["name"] == "STRUCTBERT_REDIS_URL"]
    name, port = re.search(r"@([\w-]+):(\d+)/", url).groups()
    assert find("Service", name)["spec"]["ports"][0]["port"] == int(port)


def test_the_autoscaler_scales_what_is_there_by_what_is_measured(app: Flask) -> None:
    for scaler in (find("HorizontalPodAutoscaler"), QUEUE):
        assert scaler["metadata"]["name"] == find("HorizontalPodAutoscaler")["metadata"]["name"]
    target = find("HorizontalPodAutoscaler")["spec"]["scaleTargetRef"]
    assert find(target["kind"], target["name"])["apiVersion"] == target["apiVersion"]
    assert "replicas" not in find("Deployment")["spec"]
    whole = find("HorizontalPodAutoscaler") | {"spec": find("HorizontalPodAutoscaler")["spec"] | QUEUE["spec"]}
    for version in VERSIONS:
        kubernetes_validate.validate(whole, version, strict=True)
    measured = parse(app.test_client().get("/metrics").get_data(as_text=True)).names()
    (queue,) = [metric["pods"] for metric in QUEUE["spec"]["metrics"] if metric["type"] == "Pods"]
    assert queue["metric"]["name"] in measured
    assert int(queue["target"]["averageValue"]) < Settings().queue_tokens
    (rule,) = load(QUEUE_FOLDER / "adapter.values.yaml")[0]["rules"]["custom"]
    assert rule["name"]["as"] == queue["metric"]["name"]
    assert f'__name__="{queue["metric"]["name"]}"' in rule["seriesQuery"]


def test_the_patch_keeps_the_cpu_metric() -> None:
    assert QUEUE["spec"]["metrics"][0] == find("HorizontalPodAutoscaler")["spec"]["metrics"][0]
    kustomization = load(QUEUE_FOLDER / "kustomization.yaml")[0]
    assert kustomization["resources"] == ["../base"]  # not the folder around it: kustomize takes that for a cycle
    assert kustomization["patches"] == [{"path": "autoscaler.yaml"}]
