"""Which tasks the page for whole files offers, and what its scripts must know of them."""

from typing import Any

from flask import url_for

from structbert_lite.engine import Engine

# The JSON routes that answer many rows at once. A reranking asks for one query at a time, and vectors make a file that
# no browser should hold: both are for the command line.
ROUTES = {"sentiment": "api.predict_batch", "similarity": "api.similarity", "zero-shot": "api.classify"}


def bulk_tasks(engine: Engine, neutral: bool) -> dict[str, dict[str, Any]]:
    """By task, of those that are served now: `api`, its route, and `labels` of its answers, in their order.

    Where a sentiment model knows Neutral there is also `neutral`, whether it may be an answer's label.
    """
    return {
        task: {"api": url_for(route), **_facts(task, engine, neutral)}
        for task, route in ROUTES.items()
        if task in engine.names
    }


def _facts(task: str, engine: Engine, neutral: bool) -> dict[str, Any]:
    manifest = engine.manifest(task)
    own = {"neutral": neutral} if manifest.has_neutral else {}
    return {"labels": list(manifest.answered_labels(neutral)), **own}
