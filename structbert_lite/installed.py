"""Which model serves each task; loads none of them, so that gunicorn's master may ask before it forks."""

from typing import get_args

from structbert_lite.errors import BadSettings
from structbert_lite.manifest import Task, check_files, find_models, read_decider, read_manifest
from structbert_lite.settings import Settings


def choose_models(settings: Settings) -> dict[str, str]:
    """Folder name of the model that serves each task.

    The one that the settings name, else the folder called like the task, else the first by name.
    Raises BadSettings when they name a folder that holds no such model.
    """
    found = find_models(settings.models)
    chosen = {}
    for task in get_args(Task):
        names = [name for name, manifest in found.items() if task in manifest.tasks]
        wanted = getattr(settings, f"{task.replace('-', '_')}_model")
        if wanted and wanted not in names:
            there = ", ".join(names) or "none"
            raise BadSettings(f"{wanted!r} is no {task} model in {settings.models}; there are: {there}")
        if names:
            chosen[task] = wanted or (task if task in names else names[0])
    return chosen


def check_models(settings: Settings) -> None:
    """Compares the digests of every model that would be served, and loads none of them.

    Raises ModelRefused with the file's name, or BadSettings.
    """
    for name in sorted(set(choose_models(settings).values())):  # one model may serve two tasks
        folder = settings.models / name
        manifest = read_manifest(folder)
        check_files(folder, manifest)
        if decider := read_decider(folder, manifest):
            check_files(*decider)
