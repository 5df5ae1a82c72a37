"""A checkpoint that names its labels has to agree with Negative, Positive."""

import json
import shlex

import pytest

from export.labels import choose_labels, is_multi_label
from export.refusal import ExportRefused
from export.tasks import TASKS
from structbert_lite.manifest import split_labels


def write(folder, **files):
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(content, ensure_ascii=False), "utf-8")


@pytest.mark.parametrize(
    ("files", "where"),
    [
        ({}, "none"),
        ({"config": {"id2label": {"0": "LABEL_0", "1": "LABEL_1"}}}, "none"),
        ({"label_mapping": {"0": 0, "1": 1}}, "none"),
        ({"label_mapping": {"负面": 0, "正面": "1"}}, "label_mapping.json"),
        ({"configuration": {"model": {"label2id": {"消极": 0, "积极": 1}}}}, "configuration.json model.label2id"),
        ({"configuration": {"model": {"id2label": {"0": "neg", "1": "pos"}}}}, "configuration.json model.id2label"),
        (
            {"configuration": {"preprocessor": {"label2id": {"负向": 0, "正向": 1}}}},
            "configuration.json preprocessor.label2id",
        ),
        ({"config": {"id2label": {"0": "NEGATIVE", "1": "Positive"}}}, "config.json id2label"),
        # The first place in the order of look-up decides.
        (
            {"label_mapping": {"负面": 0, "正面": 1}, "config": {"id2label": {"0": "cat", "1": "dog"}}},
            "label_mapping.json",
        ),
    ],
)
def test_names_that_agree(tmp_path, files, where):
    write(tmp_path, **files)
    assert choose_labels(tmp_path, TASKS["sentiment"]) == (("Negative", "Positive"), where)


@pytest.mark.parametrize(
    ("files", "cause"),
    [
        (
            {"config": {"id2label": {"0": "positive", "1": "negative"}}},
            "config.json id2label calls label 0 'positive', which contradicts Negative",
        ),
        (
            {"label_mapping": {"正面": 0, "负面": 1}},
            "label_mapping.json calls label 0 '正面', which contradicts Negative",
        ),
        (
            {"configuration": {"model": {"label2id": {"不相似": 0, "相似": 1}}}},
            "'不相似', which is not known as Negative",
        ),
        ({"config": {"id2label": {"0": "负面", "1": "LABEL_1"}}}, "label 1 'LABEL_1', which is not known as Positive"),
        ({"config": {"id2label": {"0": "矛盾", "1": "蕴涵", "2": "中立"}}}, "names 3 labels"),
        ({"config": {"id2label": {"1": "neg", "2": "pos"}}}, "sentiment has two, 0 and 1"),
        ({"label_mapping": {"neg": "first"}}, "label_mapping.json is not a mapping"),
        ({"config": {"id2label": ["neg", "pos"]}}, "config.json id2label is not a mapping"),
        (
            {"configuration": {"task": "sentence-similarity"}},
            "the checkpoint is for sentence-similarity, not for sentiment",
        ),
    ],
)
def test_names_that_do_not(tmp_path, files, cause):
    write(tmp_path, **files)
    with pytest.raises(ExportRefused) as caught:
        choose_labels(tmp_path, TASKS["sentiment"])
    assert cause in str(caught.value)


SENTIMENT = TASKS["sentiment"]
OWN = ("咨询", "投诉", "建议")


@pytest.mark.parametrize(
    ("files", "given", "where"),
    [
        ({}, OWN, "--labels"),
        ({"config": {"id2label": dict(enumerate(OWN))}}, OWN, "config.json id2label"),
        ({"config": {"id2label": {"0": "LABEL_0", "1": "LABEL_1", "2": "LABEL_2"}}}, OWN, "--labels"),
        ({"config": {"id2label": {"0": "1", "1": "2", "2": "3"}}}, ("1", "2", "3"), "config.json id2label"),
        ({"config": {"id2label": {"0": "正面", "1": "负面"}}}, ("正面", "负面"), "config.json id2label"),
        ({}, ("负面", "正面"), "--labels"),
        ({}, ("Negative", "Positive"), "--labels"),
    ],
)
def test_labels_of_the_checkpoints_own(tmp_path, files, given, where):
    write(tmp_path, **files)
    assert choose_labels(tmp_path, SENTIMENT.with_labels(given), given) == (given, where)


@pytest.mark.parametrize(
    ("files", "given", "cause"),
    [
        (
            {"config": {"id2label": dict(enumerate(OWN))}},
            OWN[::-1],
            "--labels says 建议, 投诉, 咨询, config.json id2label",
        ),
        (
            {"config": {"id2label": dict(enumerate(OWN))}},
            OWN[:2],
            "names 3 labels, ['咨询', '投诉', '建议']; --labels has 2",
        ),
        ({"config": {"id2label": dict(enumerate(OWN))}}, (*OWN[:2], "其他"), "'建议', which is not known as any of"),
        (
            {"config": {"id2label": {"0": "1", "1": "2"}}},
            ("2", "1"),
            "--labels says 2, 1, config.json id2label says 1, 2",
        ),
        ({"config": {"id2label": {"0": "cat", "1": "dog"}}}, None, "is exported by --labels with all of them"),
        ({"config": {"id2label": dict(enumerate(OWN))}}, None, "is exported by --labels with all of them"),
        ({}, ("正面", "负面"), "--labels says 正面, 负面, checkpoints of this kind have 负面, 正面"),
        ({}, ("甲", "甲"), "two or more labels of the checkpoint's own, each once"),
        ({}, ("甲", ""), "two or more labels of the checkpoint's own, each once"),
    ],
)
def test_labels_of_its_own_that_do_not_fit(tmp_path, files, given, cause):
    write(tmp_path, **files)
    with pytest.raises(ExportRefused) as caught:
        choose_labels(tmp_path, SENTIMENT.with_labels(given or ()), given)
    assert cause in str(caught.value)


UER = {"0": "negative (stars 1, 2 and 3)", "1": "positive (stars 4 and 5)"}  # jd-binary, dianping


@pytest.mark.parametrize(
    "names", [UER, {"0": "差评", "1": "好评"}, {"0": "负面情感", "1": "正面情感"}, {"0": " Neg ", "1": "ＧＯＯＤ"}]
)
def test_other_spellings_of_negative_and_positive(tmp_path, names):
    write(tmp_path, config={"id2label": names})
    assert choose_labels(tmp_path, SENTIMENT) == (("Negative", "Positive"), "config.json id2label")
    write(tmp_path, config={"id2label": {"0": names["1"], "1": names["0"]}})
    with pytest.raises(ExportRefused, match="which contradicts Negative"):
        choose_labels(tmp_path, SENTIMENT)


THREE = ("Negative", "Neutral", "Positive")


@pytest.mark.parametrize(
    ("names", "given"),
    [
        ({"0": "差评", "1": "中评", "2": "好评"}, THREE),
        ({"0": "好评", "1": "中性", "2": "负面"}, THREE[::-1]),
        ({"0": "negative", "1": "positive"}, ("差评", "好评")),
        ({"0": "正面", "1": "负面", "2": "讽刺"}, ("Positive", "Negative", "讽刺")),
    ],
)
def test_own_labels_may_be_spelled_otherwise_by_the_checkpoint(tmp_path, names, given):
    write(tmp_path, config={"id2label": names})
    assert choose_labels(tmp_path, SENTIMENT.with_labels(given), given) == (given, "config.json id2label")


@pytest.mark.parametrize(
    "names",
    [
        ("咨询", "投诉", "建议"),
        ("mildly negative (stars 1, 2)", "neither (star 3)", "very positive, indeed"),
        ("星级、一", "星级，二"),
        ("负面", "中性", "正面"),
        ("it's good", 'it is "bad"'),
        ("[a]", "[b]"),
        ("好评（物流）", "好评（质量）"),
        ("差评（物流）", "差评（质量）"),
        ("positive", "negative"),
    ],
)
def test_the_advice_of_a_refusal_works(tmp_path, names):
    write(tmp_path, config={"id2label": dict(enumerate(names))})
    with pytest.raises(ExportRefused) as caught:
        choose_labels(tmp_path, SENTIMENT)
    option, typed = shlex.split(str(caught.value).split("in the order of the logits: ")[1])
    given = split_labels(typed)
    assert (option, given) == ("--labels", names)
    assert choose_labels(tmp_path, SENTIMENT.with_labels(given), given) == (names, "config.json id2label")


def test_labels_of_which_any_number_may_fit(tmp_path):
    task = SENTIMENT.with_labels(OWN)
    for stated, found in ((None, False), ("single_label_classification", False), ("multi_label_classification", True)):
        write(tmp_path, config={"problem_type": stated})
        assert is_multi_label(tmp_path, task, OWN) is found
    assert not is_multi_label(tmp_path, TASKS["rerank"], ())
    for other, labels in (
        (SENTIMENT, ("Negative", "Positive")),
        (SENTIMENT.with_labels(THREE), THREE),
        (ZERO_SHOT, ENC),
    ):
        with pytest.raises(ExportRefused, match="only one can be right; if the checkpoint was trained to choose one"):
            is_multi_label(tmp_path, other, labels)
    write(tmp_path, config={"problem_type": "regression"})
    with pytest.raises(ExportRefused, match="problem_type regression, so its logits are no labels"):
        is_multi_label(tmp_path, task, OWN)


def test_other_tasks_take_no_other_labels(tmp_path):
    assert TASKS["similarity"].with_labels(OWN) is TASKS["similarity"]
    with pytest.raises(
        ExportRefused, match=r"--labels takes each of different, similar once, in the order of the logits$"
    ):
        choose_labels(tmp_path, TASKS["similarity"], OWN)


ENC = ("entailment", "neutral", "contradiction")
CEN = ("contradiction", "entailment", "neutral")
ZERO_SHOT = TASKS["zero-shot"]


@pytest.mark.parametrize(
    ("files", "given", "found"),
    [
        ({"configuration": {"task": "zero-shot-classification"}}, None, (ENC, "none")),
        ({"configuration": {"task": "zero-shot-classification"}}, ENC, (ENC, "--labels")),
        ({"configuration": {"task": "nli"}}, None, (CEN, "none")),
        (
            {"configuration": {"task": "nli"}, "label_mapping": {"矛盾": 0, "蕴涵": 1, "中立": 2}},
            None,
            (CEN, "label_mapping.json"),
        ),
        (
            {"config": {"id2label": {"0": "CONTRADICTION", "1": "NEUTRAL", "2": "ENTAILMENT"}}},
            None,
            (ENC[::-1], "config.json id2label"),
        ),
        ({}, CEN, (CEN, "--labels")),
        ({"config": {"id2label": {"0": "LABEL_0", "1": "LABEL_1", "2": "LABEL_2"}}}, ENC, (ENC, "--labels")),
    ],
)
def test_the_order_of_nli_labels(tmp_path, files, given, found):
    write(tmp_path, **files)
    assert choose_labels(tmp_path, ZERO_SHOT, given) == found


@pytest.mark.parametrize(
    ("files", "given", "cause"),
    [
        ({}, None, "pass --labels with entailment, neutral, contradiction in the order of the logits"),
        ({"config": {"id2label": {"0": "LABEL_0", "1": "LABEL_1", "2": "LABEL_2"}}}, None, "does not name its labels"),
        ({}, ("entailment", "neutral"), "--labels takes each of entailment, neutral, contradiction once"),
        ({"configuration": {"task": "nli"}}, ENC, "checkpoints of this kind have contradiction, entailment, neutral"),
        (
            {"configuration": {"task": "zero-shot-classification"}, "label_mapping": {"矛盾": 0, "蕴涵": 1, "中立": 2}},
            None,
            "label_mapping.json calls label 0 '矛盾', which contradicts entailment",
        ),
        (
            {"label_mapping": {"矛盾": 0, "蕴涵": 1, "中立": 2}},
            ENC,
            "--labels says entailment, neutral, contradiction, label_mapping.json says contradiction, entailment",
        ),
        ({"label_mapping": {"矛盾": 0, "蕴涵": 1, "其他": 2}}, None, "'其他', which is not known as any of entailment"),
        ({"label_mapping": {"矛盾": 0, "contradiction": 1, "中立": 2}}, None, "gives two labels one meaning"),
        ({"label_mapping": {"负面": 0, "正面": 1}}, None, "names 2 labels, ['负面', '正面']; zero-shot has three"),
    ],
)
def test_an_order_of_nli_labels_that_nothing_tells(tmp_path, files, given, cause):
    write(tmp_path, **files)
    with pytest.raises(ExportRefused) as caught:
        choose_labels(tmp_path, ZERO_SHOT, given)
    assert cause in str(caught.value)


def test_similarity_has_modelscopes_order(tmp_path):
    expected = ("different", "similar")
    assert choose_labels(tmp_path, TASKS["similarity"]) == (expected, "none")
    write(tmp_path, label_mapping={"不相似": 0, "相似": 1})
    assert choose_labels(tmp_path, TASKS["similarity"]) == (expected, "label_mapping.json")
    write(tmp_path, label_mapping={"相似": 0, "不相似": 1})
    with pytest.raises(ExportRefused, match="'相似', which contradicts different"):
        choose_labels(tmp_path, TASKS["similarity"])


def test_one_logit_has_no_labels(tmp_path):
    assert choose_labels(tmp_path, TASKS["rerank"]) == ((), "none")
    with pytest.raises(ExportRefused, match="--task rerank has one logit"):
        choose_labels(tmp_path, TASKS["rerank"], ("good",))
