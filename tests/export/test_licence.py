"""The licence is what the checkpoint says about itself, and nothing is guessed."""

import pytest

pytest.importorskip("yaml", reason="needs requirements-export.txt")

from export.licence import read_card, read_licence


@pytest.mark.parametrize(
    ("files", "licence"),
    [
        ({}, "not stated by the checkpoint"),
        ({"README.md": "# A model\nlicense: mit\n"}, "not stated by the checkpoint"),
        ({"README.md": "---\nlicense: Apache License 2.0\n---\n# A model"}, "Apache License 2.0"),
        ({"README.md": "---\nlicense:\n- mit\n- apache-2.0\n---\n"}, "mit, apache-2.0"),
        ({"README.md": "---\nlicense: other\nlicense_name: research only\n---\n"}, "research only"),
        ({"README.md": "---\n: [broken\n---\n"}, "not stated by the checkpoint"),
        ({"README.md": "---\nlicense: mit\nno end"}, "not stated by the checkpoint"),
        (
            {"MODEL_CARD.md": "---\nlicense: research use\n---\nBody", "README.md": "---\nlicense: mit\n---\n"},
            "research use",
        ),
        ({"configuration.json": '{"license": "Apache-2.0"}'}, "Apache-2.0"),
    ],
)
def test_licence(tmp_path, files, licence):
    for name, content in files.items():
        (tmp_path / name).write_text(content, "utf-8")
    assert read_licence(tmp_path) == licence


def test_card_is_the_body_alone(tmp_path):
    assert read_card(tmp_path) == ""
    (tmp_path / "MODEL_CARD.md").write_text("---\nlicense: x\n---\n\nQuality: 95 %\n---\nmore\n", "utf-8")
    assert read_card(tmp_path) == "Quality: 95 %\n---\nmore"
