"""Which model serves each task; loads none of them, so that gunicorn's master may ask before it forks."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import get_args

from structbert_lite.errors import ConfigurationError, TaskNotAvailable
from structbert_lite.manifest import Manifest, Task, check_files, find_models, read_decider
from structbert_lite.settings import PREFIX, Settings


@dataclass(frozen=True, slots=True)
class Selection:
    """`choices`: the folders that serve each task, the default first; `manifests`: of these, and of what they ask."""

    choices: dict[str, tuple[str, ...]]
    manifests: dict[str, Manifest]

    @property
    def names(self) -> dict[str, str]:
        """The folder that serves each task where a request names none."""
        return {task: default for task, (default, *_) in self.choices.items()}


def select_models(settings: Settings) -> Selection:
    """What is served: the model that the settings name, else the folder called like the task, else the first by name.

    Beside it, where a request names them, the alternatives that the settings list, each for every task that it serves.
    Raises ConfigurationError when the settings name a folder that holds no such model, InvalidModel for a malformed
    manifest, and for a similarity model without the one that it asks.
    """
    found = find_models(settings.models)
    further = _alternatives(settings, found)
    choices = {
        task: (default, *(name for name in further if task in found[name].tasks and name != default))
        for task, default in _choose(settings, found).items()
    }
    manifests = {name: found[name] for name in sorted(set(chain(*choices.values())))}  # one model may serve two tasks
    for name in list(manifests):
        if decider := read_decider(settings.models / name, manifests[name]):
            manifests[decider[0].name] = decider[1]
    return Selection(choices, manifests)


def check_models(settings: Settings) -> None:
    """Compares the digests of every model that would be served, and loads none of them.

    Raises InvalidModel with the file's name, or ConfigurationError.
    """
    manifests = select_models(settings).manifests
    with ThreadPoolExecutor() as pool:  # hashing leaves the interpreter to the others
        checks = [pool.submit(check_files, settings.models / name, manifest) for name, manifest in manifests.items()]
    for check in checks:
        check.result()


def serving_folder(task: str) -> Path:
    """Folder of the model that serves `task` under the settings of the environment.

    Raises TaskNotAvailable, or ConfigurationError when there is no model at all.
    """
    settings = Settings.from_environment()
    chosen = _choose(settings, require_models(settings))
    if task not in chosen:
        raise TaskNotAvailable(task)
    return settings.models / chosen[task]


def require_models(settings: Settings) -> dict[str, Manifest]:
    """The installed models by folder name. Raises ConfigurationError where there is none: a wheel brings none."""
    found = find_models(settings.models)
    if not found:
        raise ConfigurationError(
            f"there is no model in {settings.models.absolute()}; {PREFIX}MODELS=FOLDER names a folder with one folder "
            "for each model: models/ of the project, or what python -m export wrote"
        )
    return found


def _choose(settings: Settings, found: dict[str, Manifest]) -> dict[str, str]:
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


def _alternatives(settings: Settings, found: dict[str, Manifest]) -> list[str]:
    names = [name.strip() for name in settings.alternatives.split(",") if name.strip()]
    for i, name in enumerate(names):
        if name not in found:
            there = ", ".join(found) or "none"
            raise ConfigurationError(
                f"{PREFIX}ALTERNATIVES: {name!r} is no model in {settings.models}; there are: {there}"
            )
        if name in names[:i]:
            raise ConfigurationError(f"{PREFIX}ALTERNATIVES names {name!r} twice")
    return names
