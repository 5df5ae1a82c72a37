"""The model that the server would choose."""

from pathlib import Path

from structbert_lite.errors import TaskNotAvailable
from structbert_lite.installed import choose_models
from structbert_lite.settings import Settings


def serving_folder(task: str) -> Path:
    """Folder of the model that serves `task` under the settings of the environment. Raises TaskNotAvailable."""
    settings = Settings.from_environment()
    chosen = choose_models(settings)
    if task not in chosen:
        raise TaskNotAvailable(task)
    return settings.models / chosen[task]
