"""What stands before Flask: connections, admission, and the worker that owns both."""
