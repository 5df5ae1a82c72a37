"""Reranking: a cross-encoder with one logit over query and passage."""

from export.architecture import BERT, XLM_ROBERTA
from export.tasks.task import Head, Task

RERANK = Task(
    name="rerank",
    heads=(Head.CLASSIFIER,),
    modelscope=("text-ranking",),
    title="A reranker of passages for a query",
    logits=1,
    reads_pairs=True,
    architectures=(BERT, XLM_ROBERTA),
)
