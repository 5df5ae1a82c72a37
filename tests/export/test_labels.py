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
