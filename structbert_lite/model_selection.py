"""Which model serves each task; loads none of them, so that gunicorn's master may ask before it forks."""

from pathlib import Path
from typing import get_args

from structbert_lite.errors import ConfigurationError, TaskNotAvailable
from structbert_lite.manifest import Task, check_files, find_models, read_decider, read_manifest
from structbert_lite.settings import PREFIX, Settings


def choose_models(settings: Settings) -> dict[str, str]:
    """Folder name of the model that serves each task.

    The one that the settings name, else the folder called like the task, else the first by name.
    Raises ConfigurationError when they name a folder that holds no such model.
    """
    found = find_models(settings.models)
    chosen = {}
    for task in get_args(Task):
        names = [name for name, manifest in found.items() if task in manifest.tasks]
        wanted = getattr(settings, f"{task.replace('-', '_')}_model")
        if wanted and wanted not in names:
            there = ", ".join(names) or "none"
            raise ConfigurationError(f"{wanted!r} is no {task} model in {settings.models}; there are: {there}")
        if names:
            chosen[task] = wanted or (task if task in names else names[0])
    return chosen


def check_models(settings: Settings) -> None:
    """Compares the digests of every model that would be served, and loads none of them.

    Raises InvalidModel with the file's name, or ConfigurationError.
    """
    for name in sorted(set(choose_models(settings).values())):  # one model may serve two tasks
        folder = settings.models / name
        manifest = read_manifest(folder)
        check_files(folder, manifest)
        if decider := read_decider(folder, manifest):
            check_files(*decider)


def serving_folder(task: str) -> Path:
    """Folder of the model that serves `task` under the settings of the environment.

    Raises TaskNotAvailable, or ConfigurationError when there is no model at all.
    """
    settings = Settings.from_environment()
    require_models(settings)
    chosen = choose_models(settings)
    if task not in chosen:
        raise TaskNotAvailable(task)
    return settings.models / chosen[task]


def require_models(settings: Settings) -> None:
    """Raises ConfigurationError, with what to do, when there is no model of any task: a wheel has none."""
    if not find_models(settings.models):
        raise ConfigurationError(
            f"there is no model in {settings.models.absolute()}; {PREFIX}MODELS=FOLDER names a folder with one folder "
            "for each model: models/ of the project, or what python -m export wrote"
        )
