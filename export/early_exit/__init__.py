"""Exits of a classifier: texts that are clear after a few layers leave there.

layers    where a layer of the quantized graph begins, and what the exits read there
fit       ridge regression of the model's own logits, and how sure one has to be
rules     which answers a text's logits decide, and the room around each
graph     the exits in the graph itself: heads, rules, and the layers behind them for those that stay
rows      the texts: half of them to fit, a quarter each to choose and to check
reading   what exits would read of texts, and the time of each layer
check     the finished graph beside the one without exits
step      the whole of it on a model folder
card      what the model card says of it
__main__  `python -m export.early_exit`
"""

AGREEMENT = 0.995  # the share of texts that have to keep their answer, unless another one is asked for
