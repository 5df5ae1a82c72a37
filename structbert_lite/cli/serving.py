"""The models that the server would choose."""

from pathlib import Path

from structbert_lite.errors import BadSettings, TaskNotAvailable
from structbert_lite.installed import choose_models
from structbert_lite.manifest import find_models
from structbert_lite.settings import PREFIX, Settings


def serving_folder(task: str) -> Path:
    """Folder of the model that serves `task` under the settings of the environment.

    Raises TaskNotAvailable, or BadSettings when there is no model at all.
    """
    settings = Settings.from_environment()
    require_models(settings)
    chosen = choose_models(settings)
    if task not in chosen:
        raise TaskNotAvailable(task)
    return settings.models / chosen[task]


def require_models(settings: Settings) -> None:
    """Raises BadSettings, with what to do, when there is no model of any task: a wheel has none."""
    if not find_models(settings.models):
        raise BadSettings(
            f"there is no model in {settings.models.absolute()}; {PREFIX}MODELS=FOLDER names a folder with one folder "
            "for each model: models/ of the project, or what python -m export wrote"
        )
