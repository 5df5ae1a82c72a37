"""What each stage of an export does, and what it says about it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx
from tokenizers import Tokenizer

from export.calibrate import calibrate
from export.check_vectors import check_int8_vectors, check_matcher
from export.checkpoint import Checkpoint
from export.checks import PARITY_BOUND, check_int8, check_parity
from export.config import longest_input
from export.convert import convert
from export.describe import megabytes
from export.encoding import LONGEST, Item, encode, load_tokenizer
from export.last_layer import keep_first_token
from export.matcher import FoldedMatcher
from export.onnx_file import load_graph
from export.pairs import LabelledPairs, make_pairs
from export.prefix.check import Group, check_layout, check_prefix, compare_int8
from export.prefix.graph import add_prefix
from export.progress import Stage
from export.quantize import quantize
from export.refusal import ExportRefused
from export.scores import Found, fit_scores, read_scores
from export.span.prompt import PromptingTokenizer, join_apart, load_prompting
from export.tasks import Head
from export.texts import PARITY_TEXTS
from export.tokenizer import pad_id, write_tokenizer
from structbert_lite.inference.model import Session
from structbert_lite.inference.tokenizer import Tokenizer as ServingTokenizer
from structbert_lite.manifest import MODEL_NAME, TOKENIZER_NAME

ASKED, LONGEST_LABEL = 5, 40  # labels asked about a text, and characters of one, where texts stand in for them


@dataclass(frozen=True, slots=True)
class Loaded:
    """What the first stage finds out."""

    checkpoint: Checkpoint
    how: str  # the tokenizer came to be
    tokenizer: Tokenizer | PromptingTokenizer
    limits: tuple[int, int]  # the longest input, the id of padding
    matcher: FoldedMatcher | None

    def make_items(self, texts: Sequence[str]) -> Sequence[Item]:
        return make_pairs(texts) if self.checkpoint.reads_pairs else texts


def load(checkpoint: Checkpoint, model: Path, texts: list[str], wanted: int | None) -> Loaded:
    """Writes the tokenizer into the folder `model`; `wanted`: the longest input, None for the default."""
    config, architecture = checkpoint.config, checkpoint.architecture
    path = model / TOKENIZER_NAME
    asks = checkpoint.head is Head.SPAN
    joins = checkpoint.reads_pairs and not asks
    how = write_tokenizer(checkpoint.folder, path, config.vocab_size, texts, architecture, joins)
    padding = pad_id(path, architecture)
    if padding != config.pad_token_id:
        raise ExportRefused(
            f"the tokenizer's {architecture.pad} is {padding}, config.json says pad_token_id {config.pad_token_id}"
        )
    most = longest_input(config, architecture)
    if wanted is not None and wanted > most:
        raise ExportRefused(f"--max-tokens {wanted} is more than the checkpoint can read, which is {most}")
    tokenizer: Tokenizer | PromptingTokenizer
    if asks:
        how += f", {join_apart(path)}"
        tokenizer, max_tokens = load_prompting(path, wanted, most, padding)
    else:
        max_tokens = wanted or min(LONGEST, most, checkpoint.max_tokens or most)
        special = Tokenizer.from_file(str(path)).num_special_tokens_to_add(joins)
        if max_tokens < special + (2 if joins else 1):
            room = "two texts" if joins else "a text"
            raise ExportRefused(f"{max_tokens} tokens leave no room for {room} beside {special} special ones")
        tokenizer = load_tokenizer(path, max_tokens, padding)
    matcher = checkpoint.siamese.fold() if checkpoint.siamese else None
    return Loaded(checkpoint, how, tokenizer, (max_tokens, padding), matcher)


def make_float32(checkpoint: Checkpoint, work: Path, stage: Stage) -> tuple[Path, Path]:
    """(the whole graph, the one with a last layer of the first tokens alone where it can be)."""
    whole = convert(checkpoint.model, work, checkpoint.pooling, checkpoint.architecture.inputs)
    stage.say(f"{megabytes(*whole.parent.glob('model.onnx*'))} MB")
    if checkpoint.pooling == "mean":
        stage.say("all tokens in the last layer, for their mean")
        return whole, whole
    graph = load_graph(whole)
    is_cut = keep_first_token(graph)
    read = "tokens of the answers" if checkpoint.head is Head.SPAN else "first token"
    stage.say(
        f"last layer for the {read} alone"
        if is_cut
        else "all tokens in the last layer: the graph does not end as those that are known"
    )
    if checkpoint.has_prefix:
        config = checkpoint.config
        try:
            add_prefix(graph, config.num_attention_heads, config.hidden_size // config.num_attention_heads)
        except ValueError as error:
            raise ExportRefused(f"the graph cannot read a text once: {error}") from None
        stage.say("a text is read once for all its labels")
    elif not is_cut:
        return whole, whole
    cut = whole.with_name("cut.onnx")
    onnx.save(graph, cut)
    return whole, cut


def prove_parity(loaded: Loaded, float32: Path, tokenizer: Path, stage: Stage) -> dict[str, Any]:
    """Differences of everything that the float32 graph computes from PyTorch, for the manifest."""
    found: dict[str, Any] = {"parity_max_difference": _prove_outputs(loaded, float32, stage)}
    found["parity_bound"] = PARITY_BOUND
    if loaded.matcher is not None:
        found["matcher_max_difference"] = _prove_matcher(loaded, float32, stage)
    if loaded.checkpoint.has_prefix:
        found["prefix_max_difference"] = _prove_prefix(loaded, float32, tokenizer, stage)
    return found


def _prove_outputs(loaded: Loaded, float32: Path, stage: Stage) -> float:
    checkpoint = loaded.checkpoint
    items = loaded.make_items(PARITY_TEXTS)
    model = checkpoint.reference or checkpoint.model
    parity = check_parity(model, float32, loaded.tokenizer, items, checkpoint.pooling)
    what = "logit" if checkpoint.pooling is None else "vector"
    noun = "pairs" if checkpoint.reads_pairs else "texts"
    stage.say(f"max |Δ{what}| {parity:.1e} on {len(items)} {noun} (limit {PARITY_BOUND:.0e})")
    return parity


def _prove_prefix(loaded: Loaded, float32: Path, tokenizer: Path, stage: Stage) -> float:
    check_layout(Tokenizer.from_file(str(tokenizer)), PARITY_TEXTS[1])
    serving = ServingTokenizer(tokenizer, loaded.limits[0])
    graph = Session(float32, loaded.checkpoint.architecture.inputs, loaded.limits[1])
    difference = check_prefix(loaded.checkpoint.model, graph, serving, list(_groups(PARITY_TEXTS)))
    stage.say(f"max |Δlogit| of a text read once {difference:.1e}")
    return difference


def _compare_prefix(loaded: Loaded, model: Path, float32: Path, texts: Sequence[str], stage: Stage) -> dict[str, Any]:
    inputs, pad_id = loaded.checkpoint.architecture.inputs, loaded.limits[1]
    before, after = Session(float32, inputs, pad_id), Session(model / MODEL_NAME, inputs, pad_id)
    tokenizer = ServingTokenizer(model / TOKENIZER_NAME, loaded.limits[0])
    facts = compare_int8(before, after, tokenizer, list(_groups(texts)))
    stage.say(
        f"read once, the same best one of {ASKED} for {facts['best_label_agreement']:.1%} of {facts['texts']} texts"
    )
    return facts


def _groups(texts: Sequence[str]) -> Iterator[Group]:
    """Each text, and some of the others as what is asked about it."""
    for i, text in enumerate(texts):
        yield text, [texts[(i + step) % len(texts)][:LONGEST_LABEL] for step in range(1, ASKED + 1)]


def _prove_matcher(loaded: Loaded, float32: Path, stage: Stage) -> float:
    checkpoint = loaded.checkpoint
    if checkpoint.siamese is None or checkpoint.pooling is None:
        raise ValueError("only an encoder with a head for pairs has a matcher")
    pairs = make_pairs(PARITY_TEXTS)
    difference = check_matcher(
        checkpoint.model, checkpoint.siamese, checkpoint.pooling, float32, loaded.tokenizer, pairs
    )
    stage.say(f"max |Δlogit| of {len(pairs)} pairs through the folded matcher {difference:.1e}")
    return difference


def make_int8(
    loaded: Loaded, graphs: tuple[Path, Path], target: Path, texts: list[str], stage: Stage
) -> dict[str, Any]:
    whole, float32 = graphs
    # The other half of the texts is new to the int8 file.
    items = [*loaded.make_items(PARITY_TEXTS), *loaded.make_items(texts[::2])]
    inputs = loaded.checkpoint.architecture.inputs
    # Calibrated before the cut: one row of each text would be too few, and costs little per token.
    feeds = (encode(loaded.tokenizer, [item], inputs) for item in stage.watch(items, len(items)))
    calibrations = calibrate(whole, feeds)
    try:
        quantization = quantize(float32, target, calibrations)
    except ValueError as error:
        raise ExportRefused(f"the graph cannot be quantized: {error}") from error
    stage.say(f"{quantization['scheme']}, {megabytes(*target.parent.glob(f'{target.name}*'))} MB")
    return quantization


def prove_int8(
    loaded: Loaded, float32: Path, model: Path, texts: list[str], least: float, stage: Stage
) -> dict[str, Any]:
    """How far the int8 graph in the folder `model` is from the float32 one, for the manifest."""
    found = {"int8": _prove_rows(loaded, float32, model / MODEL_NAME, texts, least, stage)}
    if loaded.checkpoint.has_prefix:
        found["prefix_int8"] = _compare_prefix(loaded, model, float32, texts, stage)
    return found


def _prove_rows(
    loaded: Loaded, float32: Path, int8: Path, texts: list[str], least: float, stage: Stage
) -> dict[str, Any]:
    items = loaded.make_items(texts)
    pairs = loaded.checkpoint.reads_pairs
    if loaded.checkpoint.kind == "encoder":
        scorer = (loaded.matcher, make_pairs(texts)) if loaded.matcher is not None else None
        facts = check_int8_vectors(float32, int8, loaded.tokenizer, stage.watch(texts, len(texts)), least, scorer)
        stage.say(f"mean cosine {facts['mean_cosine']:.4f} over {len(items)} texts (bound {least:.2f})")
        stage.say(f"lowest {facts['lowest_cosine']:.4f}")
    else:
        multi_label = loaded.checkpoint.multi_label
        facts = check_int8(float32, int8, loaded.tokenizer, stage.watch(items, len(items)), least, pairs, multi_label)
        noun = "pairs" if pairs else "texts"
        if "label_agreement" in facts:
            stage.say(f"same label for {facts['label_agreement']:.1%} of {len(items)} {noun} (bound {least:.1%})")
        else:
            stage.say(f"correlation {facts['correlation']:.4f} over {len(items)} {noun} (bound {least:.2f})")
    if "logit_spread" in facts:
        stage.say(f"max |Δlogit| {facts['max_logit_difference']:.4f} where the spread is {facts['logit_spread']:.4f}")
    stage.say(f"alone or in a batch {facts['batch_max_difference']:.1e}")
    return facts


def calibrate_score(loaded: Loaded, int8: Path, labelled: LabelledPairs | None, stage: Stage) -> Found:
    if labelled is not None:
        found = fit_scores(int8, loaded.tokenizer, loaded.matcher, labelled)
        stage.say(f"on {len(labelled.pairs)} pairs")
    else:
        found = read_scores(loaded.checkpoint.folder)
        stage.say("as the checkpoint states" if found[2]["source"] != "none" else "none: scores are not calibrated")
    calibration, thresholds, _ = found
    stage.say(f"scale {calibration.scale:.4g}, bias {calibration.bias:.4g}")
    stage.say(f"low below {thresholds.low:.3f}, high from {thresholds.high:.3f}")
    return found
