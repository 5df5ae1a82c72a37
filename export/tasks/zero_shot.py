"""Zero-shot classification: an NLI cross-encoder over premise and hypothesis.

Two orders are in use. ModelScope's zero-shot pipeline reads index 0 as entailment and 2 as contradiction; the cards of
`nlp_structbert_nli_*` say 0 矛盾, 1 蕴涵, 2 中立. The weights do not tell them apart, so any other checkpoint has to
name its labels.
"""

from export.tasks.task import Head, LabelRule, Task

LABELS = ("entailment", "neutral", "contradiction")
ZERO_SHOT = Task(
    name="zero-shot",
    heads=(Head.CLASSIFIER,),
    modelscope=("zero-shot-classification", "nli"),
    title="An NLI cross-encoder for zero-shot classification of Chinese text",
    logits=3,
    labels=LabelRule(
        words={
            "entailment": ("entailment", "entail", "entails", "entailed", "蕴涵", "蕴含"),
            "neutral": ("neutral", "中立", "中性"),
            "contradiction": ("contradiction", "contradict", "contradicts", "contradictory", "矛盾"),
        },
        orders={
            "zero-shot-classification": LABELS,
            "nli": ("contradiction", "entailment", "neutral"),
        },
    ),
    reads_pairs=True,
)
