"""JSON files of a checkpoint."""

import json
from pathlib import Path
from typing import Any

from export.refusal import ExportRefused


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file, empty where there is no such file.

    Raises ExportRefused when the file is not a JSON object.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise ExportRefused(f"{path.name} is not valid JSON: {error}") from None
    if not isinstance(content, dict):
        raise ExportRefused(f"{path.name} holds a {type(content).__name__}, not an object")
    return content
