"""What a checkpoint says besides its weights about how its answers are read: calibration.json, and tables beside it.

Keys by task: `neutral` and `margin` (sentiment with three labels), `none` (zero-shot), `decider` (a Siamese model),
`lexical` (a reranker, with the table lexical.npz). A similarity model's line and thresholds are export/scores.py's.
"""

import shutil
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from export.json_file import read_json
from export.refusal import ExportRefused
from export.scores import FILE_NAME
from structbert_lite.manifest import LEXICAL_NAME, Calibration, Decider, Lexical, Uncertainty

KEYS: dict[str, dict[str, tuple[type[BaseModel], tuple[str, ...]]]] = {
    "sentiment": {"uncertainty": (Uncertainty, ("neutral", "margin"))},
    "zero-shot": {"none": (Calibration, ())},
    "similarity": {"decider": (Decider, ())},
    "rerank": {"lexical": (Lexical, ())},
}


def read_heads(folder: Path, task: str, model: Path) -> dict[str, Any]:
    """Fields of the manifest that the checkpoint in `folder` gives; copies a table into the folder `model`.

    Raises ExportRefused when one of them lacks a number, or its table is missing.
    """
    given = read_json(folder / FILE_NAME)
    found: dict[str, Any] = {}
    for field, (kind, names) in KEYS.get(task, {}).items():
        values = {name: given[name] for name in names if name in given} if names else given.get(field)
        if not values:
            continue
        try:
            found[field] = kind.model_validate(values)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, (field, *first["loc"])))
            raise ExportRefused(f"{FILE_NAME}: {where}: {first['msg']}") from None
    if "lexical" in found:
        if not (folder / LEXICAL_NAME).is_file():
            raise ExportRefused(f"{FILE_NAME} has lexical, but {folder.name} has no {LEXICAL_NAME}")
        shutil.copyfile(folder / LEXICAL_NAME, model / LEXICAL_NAME)
    return found
