"""What a run folder remembers, so that a killed run goes on where it was."""

import json
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from training.finetune.refusal import FinetuneRefused

NAME = "state.json"
RESUME = "resume.pt"  # the training loop's


@dataclass(slots=True)
class State:
    """`setup`: everything that decides the outcome; `epochs`: the dev figures after each; `done`: no more to come."""

    setup: dict[str, Any]
    epochs: list[dict[str, float]] = field(default_factory=list)
    done: bool = False

    @classmethod
    def open(cls, folder: Path, setup: dict[str, Any]) -> Self:
        """The state in `folder`, a new one where there is none.

        Raises FinetuneRefused where the folder holds a run with another setup, and names what differs.
        """
        setup = json.loads(json.dumps(setup))
        if not (folder / NAME).is_file():
            if (folder / RESUME).exists():
                raise FinetuneRefused(f"{folder} holds a run of another command; give another folder with --run")
            return cls(setup)
        stored = cls(**json.loads((folder / NAME).read_text("utf-8")))
        if differs := [
            name for name in setup.keys() | stored.setup.keys() if setup.get(name) != stored.setup.get(name)
        ]:
            raise FinetuneRefused(
                f"{folder} holds a run with another {', '.join(sorted(differs))}; give another folder with --run, or "
                "begin again with --restart"
            )
        return stored

    def save(self, folder: Path) -> None:
        aside = folder / f"{NAME}.tmp"
        aside.write_text(json.dumps(asdict(self), ensure_ascii=False, indent=2), "utf-8")
        aside.replace(folder / NAME)

    @property
    def best(self) -> int:
        """The epoch with the highest macro-F1, of equal ones the one with the lowest loss; 0 before the first."""
        if not self.epochs:
            return 0
        return int(max(self.epochs, key=lambda one: (one["macro_f1"], -one["loss"]))["epoch"])

    def note(self, figures: dict[str, float]) -> None:
        """Adds the figures of an epoch; a resumed run may measure its last one again."""
        self.epochs = [one for one in self.epochs if one["epoch"] < figures["epoch"]] + [figures]

    def has_lost(self, patience: int) -> bool:
        """Whether `patience` epochs in a row were no better than the best."""
        return bool(self.epochs) and self.epochs[-1]["epoch"] - self.best >= patience


def forget(folder: Path) -> None:
    """Removes the run in `folder`, and nothing else that may lie there."""
    if not (folder / NAME).is_file():
        return
    for epoch in folder.glob("epoch*"):
        shutil.rmtree(epoch)
    for name in (RESUME, NAME):
        (folder / name).unlink(missing_ok=True)
