"""ModelScope's siamese-uninlu: a prompt and a text in, the tokens where a span starts and ends out.

It has no score of two texts. Asked to choose between 相似 and 不相似 in front of them, it gives one; see prompt.

published   the architecture as ModelScope runs it, text and prompt encoded apart; parity is checked against it
joint       the same function of one input, which becomes the ONNX graph
prompt      the question, where its two answers stand, and the tokenizer that asks it
checkpoint  tensors by ModelScope's keys -> the two above
"""
