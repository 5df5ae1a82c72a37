from structbert_lite.web.pages import split_labels, split_lines, split_passages


def test_lines() -> None:
    assert split_lines(" 一 \n\n二\n") == ["一", "二"]
    assert split_lines(" \n") == []


def test_passages_are_blocks_where_there_is_a_blank_line() -> None:
    assert split_passages("一\n二") == ["一", "二"]
    assert split_passages("\n一\n二\n \n三\n\n") == ["一\n二", "三"]


def test_blank_lines_around_the_whole_part_nothing() -> None:
    assert split_passages("\n\n一\n二\n\n") == ["一", "二"]


def test_labels_stand_once_each() -> None:
    assert split_labels("咨询，投诉、建议;咨询\n,a, b c ；") == ["咨询", "投诉", "建议", "a", "b c"]
