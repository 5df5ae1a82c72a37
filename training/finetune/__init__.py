"""`python -m training sentiment`: a classifier of a user's own labels, from a file to a model that the server loads."""
