"""A checkpoint that names its labels has to agree with Negative, Positive."""

import json

import pytest

from export.labels import choose_labels
from export.refusal import ExportRefused
from export.tasks import TASKS


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
