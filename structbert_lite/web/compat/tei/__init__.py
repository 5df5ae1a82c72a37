"""Text Embeddings Inference and Hugging Face: their bodies on the paths of our own routes. One file a task."""
