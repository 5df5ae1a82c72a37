"""JSON files of a checkpoint."""

import json
from pathlib import Path
from typing import Any

from export.refusal import ExportRefused


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file, empty where there is no such file.

    Raises ExportRefused when the file is not a JSON object.
    """
    content = _read(path)
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ExportRefused(f"{path.name} holds a {type(content).__name__}, not an object")
    return content


def read_json_list(path: Path) -> list[dict[str, Any]]:
    """The objects in a JSON file's array, none where there is no such file.

    Raises ExportRefused when the file is not an array of objects.
    """
    content = _read(path)
    if content is None:
        return []
    if not isinstance(content, list) or not all(isinstance(one, dict) for one in content):
        raise ExportRefused(f"{path.name} does not hold an array of objects")
    return content


def _read(path: Path) -> Any:
    """None where there is no such file."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except ValueError as error:
        raise ExportRefused(f"{path.name} is not valid JSON: {error}") from None
