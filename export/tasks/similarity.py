"""Similarity of two texts: a Siamese model (two vectors and a matcher) or a cross-encoder with two logits.

ModelScope's cross-encoders `nlp_structbert_sentence-similarity_*` have 0 不相似, 1 相似. Its siamese-uninlu is a span
extractor that chooses between the two: export/span.
"""

from export.tasks.task import Head, LabelRule, Task

LABELS = ("different", "similar")
SIMILARITY = Task(
    name="similarity",
    heads=(Head.MATCHER, Head.CLASSIFIER, Head.SPAN),
    modelscope=("sentence-similarity",),
    title="A model of how alike two Chinese texts are",
    logits=2,
    labels=LabelRule(
        words={
            "different": (
                "different",
                "dissimilar",
                "not_similar",
                "not_duplicate",
                "not_equivalent",
                "不相似",
                "不同",
            ),
            "similar": ("similar", "same", "duplicate", "equivalent", "相似", "相同"),
        },
        orders={None: LABELS},
    ),
    reads_pairs=True,
    scores_pairs=True,
)
