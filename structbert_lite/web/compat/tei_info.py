"""GET /info, as Text Embeddings Inference answers it, and the same below each task's own address."""

from collections.abc import Callable
from typing import Any

from flask import Response, jsonify
from flask_openapi3 import APIBlueprint
from pydantic import BaseModel, ConfigDict

from structbert_lite import __version__
from structbert_lite.engine import Engine
from structbert_lite.errors import TaskNotAvailable
from structbert_lite.manifest import Manifest
from structbert_lite.settings import Settings
from structbert_lite.web.compat.errors import TEI_ERRORS
from structbert_lite.web.compat.tei_addresses import TAG

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
    """/info is about the first installed task's model, /tei/TASK/info about that of one task."""
    for tasks, path in ((ORDER, "/info"), *(((task,), f"/tei/{task}/info") for task in ORDER)):
        api.get(path, tags=[TAG], responses={200: TEIInfo, 404: TEI_ERRORS[404]})(_view(path, tasks, engine, settings))


def _view(path: str, tasks: tuple[str, ...], engine: Engine, settings: Settings) -> Callable[[], Response]:
    def view() -> Response:
        task = next((task for task in tasks if task in engine.names), None)
        if task is None:
            raise TaskNotAvailable(tasks[0])
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

    view.__name__ = path.strip("/").replace("/", "_").replace("-", "_")
    view.__doc__ = "What TEI's clients ask for before they start."
    return view


def _kind(task: str, manifest: Manifest) -> dict[str, Any]:
    if manifest.kind == "encoder":
        return {"embedding": {"pooling": manifest.pooling}}
    answered = manifest.answered_labels(neutral=False)  # what /predict gives to such clients
    labels = {
        "id2label": {str(i): label for i, label in enumerate(answered)},
        "label2id": {label: i for i, label in enumerate(answered)},
    }
    return {"reranker" if task == "rerank" else "classifier": labels}
