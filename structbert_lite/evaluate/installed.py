"""The models that the server would use, for studies: loaded when they are first asked, without a cache."""

from pathlib import Path

from structbert_lite.engine import Engine
from structbert_lite.manifest import read_manifest
from structbert_lite.request_context import RequestContext
from structbert_lite.settings import Settings

SECONDS = 600.0  # for one call


def open_engine(model: Path | None = None) -> Engine:
    """An engine of the installed models, or of the one in the folder `model` alone."""
    settings = Settings.from_environment().model_copy(update={"load": "lazy", "cache_mb": 0, "redis_url": ""})
    if model is not None:
        folder = model.resolve()
        names = {f"{task.replace('-', '_')}_model": folder.name for task in read_manifest(folder).tasks}
        settings = settings.model_copy(update={"models": folder.parent, **names})
    return Engine(settings)


def patient_context() -> RequestContext:
    """The context of a call that may take SECONDS."""
    return RequestContext.within(SECONDS)
