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
            "Negative": (
                *("负面", "负向", "负", "负类", "负例", "消极", "差评", "不好", "坏", "贬义", "不满意", "悲观"),
                *("negative", "neg", "bad"),
            ),
            "Positive": (
                *("正面", "正向", "正", "正类", "正例", "积极", "好评", "好", "褒义", "满意", "乐观"),
                *("positive", "pos", "good"),
            ),
        },
        more={"Neutral": ("中性", "中立", "中", "中评", "neutral", "neu")},
        orders={None: LABELS},
    ),
    takes_own_labels=True,
)
