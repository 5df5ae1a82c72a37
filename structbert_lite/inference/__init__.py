"""Tensors and threads: texts in, logits out. Knows no task and no HTTP."""
