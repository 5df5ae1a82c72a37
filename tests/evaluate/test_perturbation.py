from collections import Counter

from structbert_lite.evaluate.rows import KINDS, LABELS, PERTURBATION, label_numbers, read_rows

ROWS = read_rows(PERTURBATION, ["text_a", "text_b", "label", "kind"])


def test_fifty_pairs_of_each_kind() -> None:
    assert Counter(row["kind"] for row in ROWS) == dict.fromkeys(KINDS, 50)


def test_labels_are_balanced() -> None:
    counts = Counter(label_numbers(PERTURBATION, ROWS, LABELS))
    assert set(counts) == {0, 1, 2}
    assert all(abs(count - len(ROWS) / 3) <= 3 for count in counts.values())


def test_each_kind_has_its_labels() -> None:
    found = {kind: {row["label"] for row in ROWS if row["kind"] == kind} for kind in KINDS}
    everything = {"0", "1", "2"}
    assert found == {"strong": {"2"}, "weak": {"0", "1"}, "sense": {"0"}, "length": everything, "noise": everything}


def test_no_pair_stands_twice_in_either_order() -> None:
    assert len({frozenset((row["text_a"], row["text_b"])) for row in ROWS}) == len(ROWS)
    assert all(row["text_a"].strip() and row["text_b"].strip() for row in ROWS)


def test_strong_pairs_share_few_characters() -> None:
    for row in ROWS:
        if row["kind"] == "strong":
            a, b = set(row["text_a"]), set(row["text_b"])
            assert len(a & b) / len(a | b) <= 0.25, row


def test_pairs_of_different_length_are_different_in_length() -> None:
    for row in ROWS:
        if row["kind"] == "length":
            short, long = sorted((len(row["text_a"]), len(row["text_b"])))
            assert short <= 12, row
            assert long >= 60, row
