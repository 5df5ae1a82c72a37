"""What a folder of sentence-transformers says beside the encoder: pooling, dense layers, longest input, prompt.

modules.json lists the modules that a text goes through; each has a folder with its config.json. Releases from 5.4 on
write the pooling as {"pooling_mode": "mean"}, a list where there are several; older ones as
{"pooling_mode_mean_tokens": true}.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from export.json_file import read_json, read_json_list
from export.refusal import ExportRefused

POOLING = "1_Pooling"
MODULES, LIMITS, PROMPTS = "modules.json", "sentence_bert_config.json", "config_sentence_transformers.json"
TOKENIZER = "tokenizer_config.json"  # where releases from 6 on keep the limit
UNLIMITED = 1_000_000  # transformers writes 10^30 for none
OLD_MODES = {"pooling_mode_mean_tokens": "mean", "pooling_mode_cls_token": "cls"}
# Dropout does nothing outside training, and whoever asks for a vector gets it at unit length.
WITHOUT_EFFECT = ("Transformer", "Pooling", "Normalize", "Dropout")


@dataclass(frozen=True, slots=True)
class SentenceModel:
    """`pooling` and `max_tokens` None: not stated. `dense`: folders, in order. `prompt` stands before every text."""

    pooling: str | None
    dense: tuple[Path, ...] = ()
    max_tokens: int | None = None
    prompt: str = ""


def read_sentence_model(folder: Path) -> SentenceModel:
    """Nothing stated where `folder` is none of sentence-transformers'.

    Raises ExportRefused for a module or a pooling that cannot be exported.
    """
    modules = read_json_list(folder / MODULES)
    dense, pooling = [], folder / POOLING
    for module in modules:
        name, place = (str(module.get(key, "")) for key in ("type", "path"))
        if Path(place).is_absolute() or ".." in Path(place).parts:
            raise ExportRefused(f"{MODULES} names {place}, which is not in {folder.name}")
        name, path = name.rsplit(".", 1)[-1], folder / place
        if name == "Dense":
            dense.append(path)
        elif name == "Pooling":
            pooling = path
        elif name not in WITHOUT_EFFECT:
            raise ExportRefused(f"{MODULES} names the module {module.get('type')}, which cannot be exported")
        if name == "Transformer" and place:
            raise ExportRefused(f"{MODULES} says that the encoder lies in {place}; put its files beside {MODULES}")
    if not modules and (alone := sorted(folder.glob("*_Dense"))):
        raise ExportRefused(
            f"{folder.name} has {alone[0].name} and no {MODULES} that says when it comes; add that file"
        )
    given = read_json(pooling / "config.json")
    prompt = _read_prompt(folder)
    mode = _read_mode(given, f"{pooling.name}/config.json")
    if prompt and mode == "mean" and given.get("include_prompt", True) is not True:
        raise ExportRefused(f"{pooling.name}/config.json leaves the prompt out of the mean, which cannot be exported")
    return SentenceModel(mode, tuple(dense), _read_limit(folder), prompt)


def _read_mode(given: dict[str, Any], where: str) -> str | None:
    stated = given.get("pooling_mode")
    modes = [stated] if isinstance(stated, str) else stated
    if modes is None:
        on = sorted(name for name, value in given.items() if name.startswith("pooling_mode_") and value is True)
        modes = [OLD_MODES.get(name, name) for name in on]
    if not modes:
        return None
    if modes not in (["mean"], ["cls"]):
        raise ExportRefused(f"{where} asks for {', '.join(map(str, modes))}; only mean or cls can be exported")
    mode: str = modes[0]
    return mode


def _read_limit(folder: Path) -> int | None:
    given = read_json(folder / LIMITS)
    if given.get("do_lower_case"):
        raise ExportRefused(
            f"{LIMITS} says do_lower_case, which lower-cases texts before the tokenizer; "
            "if the tokenizer does that itself, take the line out"
        )
    where, name = LIMITS, "max_seq_length"
    stated = given.get(name)
    if stated is None and (folder / MODULES).is_file():
        where, name = TOKENIZER, "model_max_length"
        stated = read_json(folder / TOKENIZER).get(name)
        if isinstance(stated, int | float) and stated >= UNLIMITED:
            return None
    if stated is not None and (type(stated) is not int or stated < 1):
        raise ExportRefused(f"{where} gives no usable {name}: {stated}")
    return stated


def _read_prompt(folder: Path) -> str:
    given = read_json(folder / PROMPTS)
    name = given.get("default_prompt_name")
    prompts = given.get("prompts") or {}
    if name is None:
        return ""
    if not isinstance(prompts, dict) or not isinstance(prompts.get(name), str):
        raise ExportRefused(f"{PROMPTS} has the default_prompt_name {name!r} and no such prompt")
    return str(prompts[name])
