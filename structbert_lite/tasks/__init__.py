"""One file a task: the caller's inputs to encodings, logits to results."""
