"""`python -m export`: a PyTorch checkpoint becomes a quantized ONNX model under models/.

__main__   the command line
run        the six stages in order
source     a folder, a ModelScope id or a Hugging Face id -> a local folder
checkpoint -> config, weights, keys, labels: reads a checkpoint strictly
tokenizer  tokenizer.json, copied or built from vocab.txt
convert    optimum's ONNX export
quantize   float32 -> int8 with scales that no other text can move
checks     parity with PyTorch, int8 against float32
card, licence, environment   what is told about the model
publish    built aside, then renamed: never half a model
"""
