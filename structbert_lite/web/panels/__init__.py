"""One file a task: the form on its page, read and answered without any script."""

from structbert_lite.web.pages import Panel
from structbert_lite.web.panels import embedding, rerank, sentiment, similarity, zero_shot

# In the order of the navigation.
PANELS: tuple[Panel, ...] = (sentiment.PANEL, similarity.PANEL, zero_shot.PANEL, rerank.PANEL, embedding.PANEL)
