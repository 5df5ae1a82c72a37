"""What a model is: the facts that export/ wrote beside it, read back and checked.

A model is a folder with `manifest.json`, `model.onnx` (perhaps with external data) and
`tokenizer.json`. Nothing in the manifest is typed by hand.
"""

import hashlib
import json
import re
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, ValidationError, model_validator

from structbert_lite.errors import InvalidModel

MANIFEST_NAME = "manifest.json"
MODEL_NAME = "model.onnx"
TOKENIZER_NAME = "tokenizer.json"

MATCHER_NAME = "matcher.npz"
LEXICAL_NAME = "lexical.npz"

# A graph with exits has a further input, bool: false runs every layer; and a further output, int64 [batch].
EXIT_SWITCH, EXIT_LAYER = "early_exit", "layer"
# One that reads a text once for all that is asked about it has further inputs, empty where there is no such text, and
# outputs: float32 [layers, heads, size, tokens] and [layers, heads, tokens, size].
PREFIX_KEYS, PREFIX_VALUES = "prefix_keys", "prefix_values"
KEYS, VALUES = "keys", "values"

Task = Literal["sentiment", "similarity", "embedding", "zero-shot", "rerank"]
# What the graph makes of its input: a text's logits, a pair's logits, or a text's vector.
Kind = Literal["classifier", "cross-encoder", "encoder"]
# The labels of a sentiment model that knows texts without an opinion, too; its logits may be in another order.
THREE_WAY = ("Negative", "Neutral", "Positive")
OPINIONS = ("Negative", "Positive")
# What the matcher of a Siamese model sees of its two vectors u and v, in the order of its weights.
Feature = Literal["u", "v", "abs_diff", "product"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())


class FileFact(_Frozen):
    """Size and digest of one file of the model."""

    bytes: PositiveInt
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class Source(_Frozen):
    """Where the weights come from: the checkpoint's name as it was given, and the digest of its weights file."""

    checkpoint: str
    layout: str
    weights_sha256: str


class Matcher(_Frozen):
    """The head of a Siamese model. Its file MATCHER_NAME holds `weight` float32 [features, dimensions] and `bias`.

    Its logit is the sum over features and dimensions of weight times feature, plus bias; `normalize`: u and v are
    brought to unit length first.
    """

    features: tuple[Feature, ...] = Field(min_length=1)
    normalize: bool


class Calibration(_Frozen):
    """A logit as a probability: sigmoid(scale * logit + bias), after Platt (1999)."""

    scale: float = 1.0
    bias: float = 0.0


class Thresholds(_Frozen):
    """Scores from which a pair's level is `high`, and below which it is `low`."""

    low: float = Field(ge=0, le=1)
    high: float = Field(ge=0, le=1)


class Decider(_Frozen):
    """Who decides about pairs that a Siamese model takes for alike: a cross-encoder in a folder beside its own.

    Asked where the Siamese score is `asked_from` or more. The score is then sigmoid(scale * z + encoder_scale * logit +
    bias): z is the cross-encoder's logit of "the same" (of entailment against everything else where it has three),
    the mean of both orders, and logit the Siamese one. `digest`: the cross-encoder that these numbers were fitted to.
    """

    model: str = Field(pattern=r"^[\w-][\w.-]*$")
    digest: str = Field(pattern="^[0-9a-f]{64}$")
    asked_from: float = Field(ge=0, le=1)
    scale: float
    encoder_scale: float
    bias: float


class Lexical(_Frozen):
    """Word overlap beside a reranker's logit. Its file LEXICAL_NAME holds `idf`, float32 [buckets].

    Score: sigmoid(logit_scale * logit + share * share of the query's weighted terms that the document has + saturation
    * the same with BM25's saturation + bias); `average_length` of a document, in terms.
    """

    logit_scale: float
    share: float
    saturation: float
    bias: float
    average_length: float = Field(gt=0)


class Uncertainty(_Frozen):
    """An answer is uncertain where no opinion has the probability `neutral` or more, or where the probabilities of the
    two opinions, which sum to 1, differ by less than `margin`.
    """

    neutral: float = Field(0.5, ge=0, le=1)
    margin: float = Field(0.5, ge=0, le=1)


class Exit(_Frozen):
    """Where a text may leave: after `layer` layers, if the exit's logits have this room around every answer.

    `label`: of the best label's logit above the next; `opinion` and `neutral`: around what decides which opinion is the
    better one, and whether the answer is uncertain, of a model that knows Neutral (export/early_exit/rules.py). These
    and the heads are in the graph; here they are for people. `share` of the texts that were checked left here.
    """

    layer: PositiveInt
    label: float
    opinion: float
    neutral: float
    share: float = Field(ge=0, le=1)


class EarlyExit(_Frozen):
    """A classifier of `layers` layers with exits, in the order of their layers, and how it was checked.

    `agreement`: the share of `texts` that the model had not seen in the fit and for which label and verdict are those
    without exits; at least `asked`. `score_change`: of the label's probability, the mean over them; `time`: CPU time of
    a text beside the same without exits. `accuracy` and `accuracy_without`: where the texts had labels.
    """

    layers: PositiveInt
    exits: tuple[Exit, ...] = Field(min_length=1)
    texts: PositiveInt
    asked: float = Field(ge=0, le=1)
    agreement: float = Field(ge=0, le=1)
    score_change: float = Field(ge=0, le=1)
    time: float = Field(gt=0)
    accuracy: float | None = None
    accuracy_without: float | None = None


class PairTemplate(_Frozen):
    """How a model reads a pair that it is asked about in words: `text` with {a} and {b} in it, then `prompt`."""

    text: str
    prompt: str

    @model_validator(mode="after")
    def _check_places(self) -> Self:
        if re.findall(r"\{[ab]\}", self.text) != ["{a}", "{b}"]:
            raise ValueError("a template has {a} and then {b}, once each")
        return self

    def fill(self, a: str, b: str) -> tuple[str, str]:
        """The two parts that the tokenizer joins. Whatever `a` and `b` hold, a "{b}" too, stays as it is."""
        before, rest = self.text.split("{a}")
        between, after = rest.split("{b}")
        return f"{before}{a}{between}{b}{after}", self.prompt


class Manifest(_Frozen):
    """Facts about one model. `quantization`, `checks` and `tools` are records for people, not settings."""

    format: Literal[1] = 1
    name: str
    task: Task
    also_serves: tuple[Task, ...] = ()  # an encoder trained for similarity gives embeddings as well
    kind: Kind = "classifier"
    labels: tuple[str, ...] = ()  # of the logits, in their order; none where the output is a vector or one logit
    pooling: Literal["mean", "cls"] | None = None  # of an encoder: how its tokens' vectors become one
    dimensions: PositiveInt | None = None  # of an encoder's vector
    prompt: str = ""  # of an encoder for embeddings: what stands before every text
    multi_label: bool = False  # of a classifier: any number of its labels may fit, each with the sigmoid of its logit
    matcher: Matcher | None = None  # of a Siamese similarity model
    pair_template: PairTemplate | None = None  # of a cross-encoder that is asked for the similarity in words
    calibration: Calibration = Calibration()  # of a similarity model
    thresholds: Thresholds | None = None  # of a similarity model
    decider: Decider | None = None  # of a Siamese similarity model
    lexical: Lexical | None = None  # of a reranker
    uncertainty: Uncertainty | None = None  # of a sentiment model that has Neutral; None: the class's own values
    none: Calibration | None = None  # of a zero-shot model, for how well the best label fits; None: not calibrated
    early_exit: EarlyExit | None = None  # of a classifier whose graph has exits
    prefix: bool = False  # of a cross-encoder that can read the first text once for all that is asked about it
    max_tokens: PositiveInt  # of one encoding, special tokens included
    pad_id: int
    inputs: tuple[str, ...]  # of the ONNX graph, int64 [batch, tokens] each
    files: dict[str, FileFact]
    source: Source
    license: str
    quantization: dict[str, Any]
    checks: dict[str, Any]
    tools: dict[str, str]

    @model_validator(mode="after")
    def _check_shape(self) -> Self:
        """A task's model has what its pipeline needs."""
        needed = {
            "sentiment": (self.kind == "classifier" and len(self.labels) >= 2, "a classifier with two labels or more"),
            "similarity": (
                self.thresholds is not None and (self.matcher is not None if self.kind == "encoder" else True),
                "thresholds, and a matcher where it is an encoder",
            ),
            "embedding": (self.kind == "encoder", "an encoder"),
            "zero-shot": (
                self.kind == "cross-encoder" and {"entailment", "contradiction"} <= set(self.labels),
                "a cross-encoder with the labels entailment and contradiction",
            ),
            "rerank": (self.kind == "cross-encoder", "a cross-encoder"),
        }
        for task in self.tasks:
            fits, what = needed[task]
            if not fits:
                raise ValueError(f"a model for {task} has to be or have: {what}")
        if self.pair_template is not None and (self.kind, self.tasks) != ("cross-encoder", ("similarity",)):
            raise ValueError("a pair_template is for a cross-encoder that serves similarity alone")
        if self.prompt and self.tasks != ("embedding",):
            raise ValueError("a prompt is for a model that serves embedding alone")
        if self.multi_label and (self.tasks != ("sentiment",) or self.has_neutral):
            raise ValueError(f"multi_label is for a sentiment model with other labels than {', '.join(THREE_WAY)}")
        if self.decider is not None and self.matcher is None:
            raise ValueError("a decider is for a similarity model with a matcher")
        if self.lexical is not None and self.task != "rerank":
            raise ValueError("lexical is for a reranker")
        if self.uncertainty is not None and not self.has_neutral:
            raise ValueError(f"uncertainty is for a sentiment model with the labels {', '.join(THREE_WAY)}")
        if self.early_exit is not None and self.kind != "classifier":
            raise ValueError("early_exit is for a classifier")
        if self.prefix and self.kind != "cross-encoder":
            raise ValueError("prefix is for a cross-encoder")
        if self.none is not None and "zero-shot" not in self.tasks:
            raise ValueError("none is for a zero-shot model")
        if self.kind == "encoder" and (self.pooling is None or self.dimensions is None):
            raise ValueError("an encoder needs pooling and dimensions")
        return self

    @property
    def tasks(self) -> tuple[Task, ...]:
        """Everything that the model can serve, its main task first."""
        return (self.task, *self.also_serves)

    @property
    def has_neutral(self) -> bool:
        """Whether it is a sentiment model that tells texts without an opinion from the two opinions."""
        return "sentiment" in self.tasks and sorted(self.labels) == sorted(THREE_WAY)

    def answered_labels(self, neutral: bool) -> tuple[str, ...]:
        """The labels of a sentiment answer's probabilities; `neutral`: its label may be Neutral."""
        return (THREE_WAY if neutral else OPINIONS) if self.has_neutral else self.labels

    @property
    def digest(self) -> str:
        """SHA-256 over the names and digests of all files: two models with one digest give one answer."""
        lines = "".join(f"{name} {fact.sha256}\n" for name, fact in sorted(self.files.items()))
        return hashlib.sha256(lines.encode()).hexdigest()


def read_manifest(folder: Path) -> Manifest:
    """The manifest of the model in `folder`.

    Raises InvalidModel when it is missing or malformed.
    """
    path = folder / MANIFEST_NAME
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise InvalidModel(f"{folder} is not a model: it has no {MANIFEST_NAME}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise InvalidModel(f"{path} is malformed: {where}: {first['msg']}") from None


def read_decider(folder: Path, manifest: Manifest) -> tuple[Path, Manifest] | None:
    """Folder and manifest of the cross-encoder that the similarity model in `folder` asks; None where it asks none.

    Raises InvalidModel when it is not there or is not the one that the model's numbers were fitted to.
    """
    if manifest.decider is None:
        return None
    other = folder.parent / manifest.decider.model
    try:
        found = read_manifest(other)
    except InvalidModel as error:
        raise InvalidModel(f"{folder} asks the model {manifest.decider.model}, but {error}") from None
    if found.digest != manifest.decider.digest or found.kind != "cross-encoder":
        raise InvalidModel(
            f"{folder} asks the model {manifest.decider.model}, and {other} is not the one it was made for"
        )
    return other, found


def check_files(folder: Path, manifest: Manifest) -> None:
    """Compares every file of the model with its recorded size and digest.

    Raises InvalidModel, with the file's name, at the first that differs.
    """
    heads = [MATCHER_NAME] * (manifest.matcher is not None) + [LEXICAL_NAME] * (manifest.lexical is not None)
    for name in (MODEL_NAME, TOKENIZER_NAME, *heads):
        if name not in manifest.files:
            raise InvalidModel(f"{folder / MANIFEST_NAME} does not list {name}")
    for name, fact in manifest.files.items():
        path = folder / name
        try:
            if path.stat().st_size != fact.bytes:
                raise InvalidModel(f"{path} has {path.stat().st_size} bytes, its manifest says {fact.bytes}")
            if file_sha256(path) != fact.sha256:
                raise InvalidModel(f"{path} does not have the SHA-256 that its manifest records")
        except OSError as error:
            raise InvalidModel(f"{path} cannot be read: {error.strerror}") from None


def file_sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def split_labels(given: str) -> tuple[str, ...]:
    """Labels as a command line has them: with , ; or 、 ， ； or line ends between them, or as a JSON array of strings.

    The array is for labels that have such marks in them. Raises ValueError where one is begun and is none.
    """
    if not re.match(r'\s*\[\s*["\]]', given):
        return tuple(filter(None, map(str.strip, re.split("[,，、;；\n]", given))))
    try:
        names = json.loads(given)
    except ValueError as error:
        raise ValueError(f"this is no JSON array of labels: {error}") from None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError("this is no JSON array of strings")
    return tuple(name.strip() for name in names)


def find_models(models: Path) -> dict[str, Manifest]:
    """Manifests of all models below `models` by folder name, in order of name.

    Raises InvalidModel when one of them is malformed. A folder without a manifest is not a model.
    """
    folders = sorted(path.parent for path in models.glob(f"*/{MANIFEST_NAME}"))
    return {folder.name: read_manifest(folder) for folder in folders if not folder.name.startswith(".")}
