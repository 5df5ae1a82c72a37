"""Exits of a classifier: texts that are clear after a few layers leave there.

layers    where a layer of the quantized graph begins, and what the exits read there
fit       ridge regression of the model's own logits, and how sure one has to be
rules     which answers a text's logits decide, and the room around each
graph     the exits in the graph itself: heads, rules, and the layers behind them for those that stay
step      the whole of it on a model folder
__main__  `python -m export.early_exit`
"""
