"""Sentiment: index 0 is Negative, 1 is Positive, as in ModelScope's StructBERT sentiment models.

The order cannot be seen in the weights, so a checkpoint that names its labels otherwise is refused, unless the caller
states labels of its own.
"""

from export.tasks.task import Head, LabelRule, Task

LABELS = ("Negative", "Positive")
SENTIMENT = Task(
    name="sentiment",
    heads=(Head.CLASSIFIER,),
    modelscope=("sentiment-classification",),
    title="A sentiment classifier for Chinese text",
    logits=2,
    labels=LabelRule(
        words={
            "Negative": ("负面", "负向", "负", "消极", "negative", "neg"),
            "Positive": ("正面", "正向", "正", "积极", "positive", "pos"),
        },
        orders={None: LABELS},
    ),
    takes_own_labels=True,
)
