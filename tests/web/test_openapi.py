"""/openapi.json describes what the server does."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from jsonschema_rs import Draft202012Validator

from app import create_app
from structbert_lite.settings import Settings
from structbert_lite.tasks.inputs import is_blank


@pytest.fixture
def document(client: FlaskClient) -> dict:
    return client.get("/openapi.json").get_json()


def test_version_and_routes(document: dict) -> None:
    assert document["openapi"].startswith("3.1")
    assert {"/predict", "/predict_batch", "/models", "/livez", "/readyz", "/health", "/metrics"} <= set(
        document["paths"]
    )


def test_operation_ids_are_the_functions_names(document: dict) -> None:
    assert document["paths"]["/predict"]["post"]["operationId"] == "predict"


def test_every_reference_leads_somewhere(document: dict) -> None:
    def references(node: object) -> list[str]:
        if isinstance(node, dict):
            own = [node["$ref"]] if "$ref" in node else []
            return own + [r for value in node.values() for r in references(value)]
        return [r for value in node for r in references(value)] if isinstance(node, list) else []

    for reference in references(document):
        part = document
        for name in reference.removeprefix("#/").split("/"):
            part = part[name]


def test_the_request_type_forbids_what_the_server_refuses(document: dict) -> None:
    schema = document["components"]["schemas"]["PredictRequest"]
    assert schema["additionalProperties"] is False
    assert schema["required"] == ["text"]


@pytest.mark.parametrize(
    ("route", "name"),
    [
        ("/predict_batch", "ErrorAnswer"),
        ("/predict", "SharedErrorAnswer"),
        ("/v1/embeddings", "OpenAIErrorAnswer"),
        ("/v2/rerank", "CohereErrorAnswer"),
        ("/v1/rerank", "JinaErrorAnswer"),
        ("/tei/rerank/rerank", "TEIErrorAnswer"),
    ],
)
def test_the_errors_are_described(document: dict, route: str, name: str) -> None:
    for status in ("400", "404", "413", "415", "422", "503", "504"):
        answer = document["paths"][route]["post"]["responses"][status]
        assert answer["content"]["application/json"]["schema"] == {"$ref": f"#/components/schemas/{name}"}


def test_other_services_routes_are_described(document: dict) -> None:
    expected = {"/v1/embeddings", "/v1/models", "/v1/models/{model}", "/v1/rerank", "/v2/rerank", "/info"}
    assert expected <= set(document["paths"])
    forms = {part["$ref"].rsplit("/", 1)[1] for part in document["components"]["schemas"]["EmbedBody"]["oneOf"]}
    assert forms == {"EmbedRequest", "TEIEmbedRequest"}
    theirs = document["components"]["schemas"]["TEIEmbedRequest"]
    assert {"required": ["texts"]} in theirs["not"]["anyOf"]  # a body of both services is refused


def test_where_keys_are_needed_each_service_refuses_in_its_own_shape(tiny_models: Path) -> None:
    app = create_app(Settings(models=tiny_models, load="lazy", api_keys="k" * 32))
    client = app.test_client()
    paths = client.get("/openapi.json", headers={"X-API-Key": "k" * 32}).get_json()["paths"]
    for path, method, name in [
        ("/predict_batch", "post", "ErrorAnswer"),
        ("/v1/embeddings", "post", "OpenAIErrorAnswer"),
        ("/v1/models/{model}", "get", "OpenAIErrorAnswer"),
        ("/v2/rerank", "post", "CohereErrorAnswer"),
    ]:
        schema = paths[path][method]["responses"]["401"]["content"]["application/json"]["schema"]
        assert schema == {"$ref": f"#/components/schemas/{name}"}


def test_every_answer_to_an_example_is_of_the_described_type(tiny_client: FlaskClient, document: dict) -> None:
    for route, methods in document["paths"].items():
        for example in examples(methods):
            answer = tiny_client.post(route, json=example["value"]).get_json()
            reference = methods["post"]["responses"]["200"]["content"]["application/json"]["schema"]["$ref"]
            Draft202012Validator({"$ref": reference, "components": document["components"]}).validate(answer)


def examples(methods: dict) -> list[dict]:
    if "post" not in methods:
        return []
    return list(methods["post"]["requestBody"]["content"]["application/json"]["examples"].values())


def test_every_task_has_its_route(document: dict) -> None:
    assert {"/similarity", "/embed", "/classify", "/rerank"} <= set(document["paths"])


def test_every_example_of_a_request_is_answered(tiny_client: FlaskClient, document: dict) -> None:
    seen = 0
    for route, methods in document["paths"].items():
        for example in examples(methods):
            answer = tiny_client.post(route, json=example["value"])
            assert answer.status_code == 200, (route, answer.get_data(as_text=True))
            seen += 1
    assert seen >= 21


def test_a_body_of_two_forms_is_one_or_the_other(document: dict) -> None:
    schemas = document["components"]["schemas"]
    forms = {part["$ref"].rsplit("/", 1)[1] for part in schemas["SimilarityRequest"]["oneOf"]}
    assert forms == {"PairRequest", "PairsRequest"}
    assert all(schemas[form]["additionalProperties"] is False for form in forms)
    assert "<" not in json.dumps(document["components"])


def operations(document: dict) -> Iterator[tuple[str, str, dict]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def test_without_keys_there_are_no_security_schemes(document: dict) -> None:
    assert "securitySchemes" not in document["components"]


def test_every_answer_has_its_headers(document: dict) -> None:
    for _, _, operation in operations(document):
        for status, answer in operation["responses"].items():
            assert ("Retry-After" in answer["headers"]) == (status in {"429", "503"})
            assert "X-Request-ID" in answer["headers"]
    assert document["components"]["headers"].keys() == {"X-Request-ID", "Retry-After"}


def test_what_any_route_may_answer_is_described(document: dict) -> None:
    for path, method, operation in operations(document):
        assert {"200", "421"} <= operation["responses"].keys()
        assert ("429" in operation["responses"]) == (path not in {"/livez", "/readyz", "/health", "/metrics"})
        assert ("422" in operation["responses"]) == (method == "post")


def test_a_401_is_one_error(tiny_models: Path) -> None:
    client = create_app(Settings(models=tiny_models, load="lazy", api_keys="k" * 32)).test_client()
    document = client.get("/openapi.json", headers={"X-API-Key": "k" * 32}).get_json()
    for path in ("/models", "/metrics"):
        schema = document["paths"][path]["get"]["responses"]["401"]["content"]["application/json"]["schema"]
        assert schema == {"$ref": "#/components/schemas/ErrorAnswer"}
    assert document["components"]["securitySchemes"].keys() == {"bearer", "header", "basic"}


def test_a_vectors_size_is_stated(tiny_client: FlaskClient) -> None:
    schemas = tiny_client.get("/openapi.json").get_json()["components"]["schemas"]
    for name, field in [
        ("OpenAIEmbeddingsRequest", "dimensions"),
        ("TEIEmbedRequest", "dimensions"),
        ("CohereEmbedV2Request", "output_dimension"),
    ]:
        assert {"type": "integer", "const": 8} in schemas[name]["properties"][field]["anyOf"]


def test_no_text_that_is_taken_is_against_the_document(document: dict) -> None:
    text = document["components"]["schemas"]["PredictRequest"]["properties"]["text"]
    is_valid = Draft202012Validator(text).is_valid
    assert all(is_valid(character) for character in map(chr, range(0xD800)) if not is_blank(character))
    assert not any(map(is_valid, ("", " \n", "\u3000")))
