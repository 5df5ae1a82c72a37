from structbert_lite.evaluation.perturbation import PERTURBATION
from training.examples import read_tsv
from training.paraphrases import HELD_OUT, as_pairs, read_paraphrases


def test_every_triple_is_trained_on_or_held_out() -> None:
    train, held = read_paraphrases(seed=20)
    assert 4 * HELD_OUT - 5 < len(held) <= 4 * HELD_OUT
    assert len(train) > 2500
    assert not {t.query for t in train} & {t.query for t in held}
    assert all(t.query and t.positive and t.negative for t in train + held)


def test_the_look_alike_has_more_in_common_with_the_text_than_the_paraphrase() -> None:
    train, _ = read_paraphrases(seed=20)
    common = [
        (
            len(set(t.query) & set(t.positive)) / len(set(t.query)),
            len(set(t.query) & set(t.negative)) / len(set(t.query)),
        )
        for t in train
    ]
    assert sum(same < other for same, other in common) > 0.9 * len(common)


def test_as_pairs() -> None:
    (triple, *_), _ = read_paraphrases(seed=20)
    same, other = as_pairs([triple])
    assert (same.text_a, same.text_b, same.alike) == (triple.query, triple.positive, 1.0)
    assert (other.text_a, other.text_b, other.alike) == (triple.query, triple.negative, 0.0)


def test_the_built_in_pairs_are_not_among_them() -> None:
    train, held = read_paraphrases(seed=20)
    ours = {text for t in train + held for text in (t.query, t.positive, t.negative)}
    assert not ours & {text for row in read_tsv(PERTURBATION) for text in (row["text_a"], row["text_b"])}
