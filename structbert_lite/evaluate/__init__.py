"""What a model does with labelled data: quality, stability, behaviour, and two models side by side."""
