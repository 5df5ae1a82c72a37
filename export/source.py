"""Where the checkpoint comes from: a folder on this machine, ModelScope or Hugging Face."""

import importlib
import logging
import re
from dataclasses import dataclass
from pathlib import Path

from export.refusal import ExportRefused

NEEDED = ("config.json", "vocab.txt or tokenizer.json", "pytorch_model.bin or model.safetensors")
OPTIONAL = (
    "configuration.json",
    "tokenizer_config.json",
    "label_mapping.json",
    "calibration.json",
    "lexical.npz",
    "modules.json",
    "sentence_bert_config.json",
    "config_sentence_transformers.json",
    "1_Pooling/config.json",
    "2_Dense/config.json",
    "2_Dense/model.safetensors or 2_Dense/pytorch_model.bin",
    "README.md",
    "MODEL_CARD.md",
)
SHARDS = ("model.safetensors.index.json", "model-*.safetensors")
WEIGHTS = ("pytorch_model.bin", "model.safetensors")
WORDS = ("vocab.txt", "tokenizer.json")
FILES = [*(name for names in OPTIONAL for name in names.split(" or ")), *SHARDS, "config.json", *WORDS, *WEIGHTS]
HUBS = {"modelscope": "ModelScope", "hf": "Hugging Face"}
MODELSCOPE_OWNERS = ("damo", "iic")  # one organisation under two names; both hold the StructBERT checkpoints
ID = re.compile(r"[\w.-]+/[\w.-]+")


@dataclass(frozen=True, slots=True)
class Source:
    """A checkpoint on this machine; `name` is fit for a manifest: no path of this machine is in it."""

    folder: Path
    name: str


def find_source(checkpoint: str) -> Source:
    """The folder of `checkpoint`, downloaded first where it is an id (`owner/name`, `hf:...`, `modelscope:...`).

    Raises ExportRefused when it is neither a folder nor an id, or cannot be downloaded.
    """
    hub, _, repository = checkpoint.partition(":")
    if hub not in HUBS:
        folder = Path(checkpoint)
        if checkpoint and folder.exists():
            if not folder.is_dir():
                raise ExportRefused(f"{checkpoint} is a file; --checkpoint takes the folder that holds it")
            return Source(folder, folder.resolve().name)
        repository = checkpoint
        hub = "modelscope" if checkpoint.split("/", maxsplit=1)[0] in MODELSCOPE_OWNERS else "hf"
    if not ID.fullmatch(repository):
        raise ExportRefused(f"{checkpoint} is neither a folder on this machine nor an id of the form owner/name")
    return Source(_download(hub, repository), f"{hub}:{repository}")


def _download(hub: str, repository: str) -> Path:
    try:
        if hub == "modelscope":
            client = importlib.import_module("modelscope_hub")
            logging.getLogger("modelscope_hub").setLevel(logging.ERROR)  # its retries would each be a warning
            hub_api = client.HubApi()
            # Unlike Hugging Face's, its client looks into its cache only when it is told to.
            try:
                cached = Path(hub_api.download_repo(repository, "model", local_files_only=True))
            except client.CacheNotFound:
                cached = None
            if cached is not None and _is_whole(cached):
                return cached
            return Path(hub_api.download_repo(repository, "model", allow_patterns=FILES))
        client = importlib.import_module("huggingface_hub")
        return Path(client.snapshot_download(repository, allow_patterns=FILES))
    except ImportError as error:
        raise ExportRefused(f"{error.name} is not installed; run: pip install -r requirements-export.txt") from None
    except Exception as error:  # each client has its own tree of network, licence and name errors
        folder = f"checkpoints/{repository.split('/')[1]}"
        raise ExportRefused(
            f"there is no folder {repository} here, and it could not be downloaded from {HUBS[hub]} "
            f"({type(error).__name__}); on a machine that reaches it, download {', '.join(NEEDED)} and, where they "
            f"exist, {', '.join(OPTIONAL)}, put them into the folder {folder} here and run this command again "
            f"with --checkpoint {folder}"
        ) from None


def _is_whole(folder: Path) -> bool:
    """Whether a copy of a ModelScope checkpoint has all that an export needs, and nothing that is half there."""
    names = {path.name for path in folder.iterdir()}
    needed = (
        ("config.json", "configuration.json"),
        ("vocab.txt", "tokenizer.json"),
        ("pytorch_model.bin", "model.safetensors"),
    )
    return (
        names.issuperset(needed[0])
        and all(names.intersection(either) for either in needed[1:])
        and not any(folder.rglob("*.incomplete"))
    )
