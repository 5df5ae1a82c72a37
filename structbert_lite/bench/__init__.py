"""What a model and its server cost on this machine, and what they do under load."""
