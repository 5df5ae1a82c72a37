"""Embeddings: a plain encoder and how its tokens' vectors become one."""

from export.tasks.task import Head, Task

EMBEDDING = Task(
    name="embedding",
    heads=(Head.NONE,),
    modelscope=("sentence-embedding",),
    title="An encoder of texts as vectors",
)
