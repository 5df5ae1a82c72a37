"""Fine-tuning of the default models. torch and transformers are allowed here and nowhere at run time."""
