"""The figures of a text read once: a line for each number of labels, and a refusal where nothing is read once."""

from click.testing import CliRunner

from benchmarks.read_once import COUNTS, main
from structbert_lite.settings import PROJECT


def test_a_line_for_each_number_of_labels() -> None:
    result = CliRunner().invoke(main, ["--rounds", "1", "--requests", "1"])
    assert result.exit_code == 0, result.output
    rows = [line.split(" | ") for line in result.output.splitlines() if line.startswith("| ")][2:]
    assert [int(row[0].strip("| ")) for row in rows] == list(COUNTS)
    assert all(float(cell.strip("| ")) > 0 for row in rows for cell in row[1:])


def test_a_model_that_reads_pairs_alone_is_refused() -> None:
    result = CliRunner().invoke(main, [str(PROJECT / "models" / "rerank")])
    assert result.exit_code == 1
    assert "was not trained to read a text once" in result.output
