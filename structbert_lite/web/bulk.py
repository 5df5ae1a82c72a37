"""Which tasks the page for whole files offers, and what its scripts must know of them."""

from flask import url_for

from structbert_lite.engine import Engine

# The JSON routes that answer many rows at once. A reranking asks for one query at a time, and vectors make a file that
# no browser should hold: both are for the command line.
ROUTES = {"sentiment": "api.predict_batch", "similarity": "api.similarity", "zero-shot": "api.classify"}


def bulk_tasks(engine: Engine) -> dict[str, dict]:
    """By task, of those that are served now: `api`, its route, and `labels` of its model, in the model's order."""
    return {
        task: {"api": url_for(route), "labels": list(engine.manifest(task).labels)}
        for task, route in ROUTES.items()
        if task in engine.names
    }
