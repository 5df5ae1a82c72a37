"""Prefix attention: a text is read once, and each label asked about it attends to its keys and values.

What the graph of a cross-encoder that was trained for it can do besides reading a pair as ever.
"""
