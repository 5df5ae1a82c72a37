"""`python -m export`: a PyTorch checkpoint becomes a quantized ONNX model under models/.

__main__      the command line
run, stages   the stages in order, and what each does
source        a folder, a ModelScope id or a Hugging Face id -> a local folder
tasks/        one file a task: which architectures and heads it takes, what its labels are
checkpoint    -> architecture, config, weights, keys, tensors, labels, pooling: reads a checkpoint strictly
siamese       the head of two vectors; batch_norm folds into it, matcher is what the server gets
tokenizer     tokenizer.json, copied or built from vocab.txt
convert       optimum's ONNX export; last_layer cuts it, onnx_file knows graphs of more than 2 GB
quantize      float32 -> int8 with scales that no other text can move; calibrate sees what they have to hold
checks        parity with PyTorch, int8 against float32; check_vectors the same for encoders
scores        calibration of a similarity score: pairs, platt, thresholds
early_exit/   exits for texts that are clear after a few layers; a command of its own, too
card, describe, licence, environment   what is told about the model
publish       built aside, then renamed: never half a model
"""
