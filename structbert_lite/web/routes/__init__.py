"""One file a task: the types of its requests and answers, and its routes."""
