"""GET /info, as Text Embeddings Inference answers it."""

from typing import Any

from flask import Response, jsonify
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, ConfigDict

from structbert_lite import __version__
from structbert_lite.engine import Engine
from structbert_lite.errors import TaskNotAvailable
from structbert_lite.manifest import Manifest
from structbert_lite.settings import Settings
from structbert_lite.web.compat.errors import TEI_ERRORS

TAG = Tag(name="Text Embeddings Inference", description="Its bodies are taken by our own routes")
# TEI serves one model: ours is the first of these that is installed.
ORDER = ("embedding", "rerank", "sentiment", "similarity", "zero-shot")


class TEIInfo(BaseModel):
    """One of the installed models, the embedding model where there is one; /models has all of them."""

    model_config = ConfigDict(protected_namespaces=())

    model_id: str
    model_sha: str
    model_dtype: str
    model_type: dict[str, Any]
    max_concurrent_requests: int
    max_input_length: int
    max_batch_tokens: int
    max_batch_requests: int
    max_client_batch_size: int
    auto_truncate: bool
    version: str


def add_routes(api: APIBlueprint, engine: Engine, settings: Settings) -> None:
    @api.get("/info", tags=[TAG], responses={200: TEIInfo, 404: TEI_ERRORS[404]})
    def info() -> Response:
        """What TEI's clients ask for before they start."""
        task = next((task for task in ORDER if task in engine.names), None)
        if task is None:
            raise TaskNotAvailable(ORDER[0])
        manifest = engine.manifest(task)
        return jsonify(
            {
                "model_id": manifest.name,
                "model_sha": manifest.digest,
                "model_dtype": "int8" if manifest.quantization else "float32",
                "model_type": _kind(task, manifest),
                "max_concurrent_requests": settings.http_threads,
                "max_input_length": manifest.max_tokens,
                "max_batch_tokens": settings.batch_tokens,
                "max_batch_requests": settings.max_batch,
                "max_client_batch_size": settings.max_items,
                "auto_truncate": True,
                "version": __version__,
            }
        )


def _kind(task: str, manifest: Manifest) -> dict[str, Any]:
    if manifest.kind == "encoder":
        return {"embedding": {"pooling": manifest.pooling}}
    answered = manifest.answered_labels(neutral=False)  # what /predict gives to such clients
    labels = {
        "id2label": {str(i): label for i, label in enumerate(answered)},
        "label2id": {label: i for i, label in enumerate(answered)},
    }
    return {"reranker" if task == "rerank" else "classifier": labels}
