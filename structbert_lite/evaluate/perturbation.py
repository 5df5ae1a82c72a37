"""The built-in test set of text pairs: 250 of them, written for this project and under its licence.

The columns are text_a, text_b, label (0 unrelated, 1 weak: the same subject but another question or claim,
2 strong: the same meaning) and kind, with fifty pairs each:

strong  the same meaning with few characters in common (label 2)
weak    common words, another intention (label 1) or another subject altogether (label 0)
sense   the same word in another sense (label 0)
length  a few characters beside a paragraph (all labels)
noise   typing errors, symbols, full-width letters, emoji, English words, traditional characters (all labels)
"""

from pathlib import Path

PERTURBATION = Path(__file__).parent / "data" / "perturbation.tsv"
LABELS = ("unrelated", "weak", "strong")
KINDS = ("strong", "weak", "sense", "length", "noise")
