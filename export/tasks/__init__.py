"""One file a task: which architectures and heads it takes, and what its labels are."""

from export.tasks.embedding import EMBEDDING
from export.tasks.rerank import RERANK
from export.tasks.sentiment import SENTIMENT
from export.tasks.similarity import SIMILARITY
from export.tasks.task import Head, LabelRule, Task, spelling
from export.tasks.zero_shot import ZERO_SHOT

TASKS = {task.name: task for task in (SENTIMENT, SIMILARITY, EMBEDDING, ZERO_SHOT, RERANK)}

__all__ = ["TASKS", "Head", "LabelRule", "Task", "spelling"]
