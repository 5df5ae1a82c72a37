"""A tiny base in ModelScope's layout, and a file of three labels that can be told apart by their words."""

import csv
import random
from pathlib import Path

import pytest

WORDS = {
    "咨询": ["房间", "早餐", "价格", "质量"],
    "投诉": ["太烂", "很差", "太慢", "浪费"],
    "建议": ["希望", "推荐", "下次", "还会"],
}
FILL = ["这部", "电影", "服务", "态度", "物流", "包装", "时间", "问题"]


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.export.make_checkpoint import make_model, make_vocabulary, write_modelscope

    return write_modelscope(tmp_path_factory.mktemp("base") / "tiny", make_model(seed=4), make_vocabulary(2000))


@pytest.fixture(scope="session")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """180 rows, a label with stray spaces and a text with two labels among them."""
    rng = random.Random(2)
    path = tmp_path_factory.mktemp("data") / "mine.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "content", "kind"])
        for n in range(180):
            label = list(WORDS)[n % 3]
            parts = [rng.choice(WORDS[label]), *rng.sample(FILL, 2), rng.choice(WORDS[label]), str(n)]
            rng.shuffle(parts)
            writer.writerow([n, "，".join(parts), f" {label}" if n == 7 else label])
        writer.writerow([181, "电影，问题", "咨询"])
        writer.writerow([182, "电影，问题", "投诉"])
    return path
