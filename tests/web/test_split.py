from structbert_lite.web.pages import number_cells, number_passages, split_cells, split_labels, split_lines


def test_lines() -> None:
    assert split_lines(" 一 \n\n二\n") == ["一", "二"]
    assert split_lines(" \n") == []


def test_a_blank_cell_is_a_cell_and_its_neighbours_stay_apart() -> None:
    assert split_cells("一\n\n三\n四") == ["一", "", "三", "四"]
    assert number_cells("一\n \n三\n四\n") == [(1, "一"), (3, "三"), (4, "四")]
    assert number_cells(" \n") == []


def test_a_cell_with_line_ends_is_pasted_between_quotes() -> None:
    assert split_cells('一\n"二\n又 ""二"""\n三') == ["一", '二\n又 "二"', "三"]
    assert split_cells('"一\n\n二"') == ["一\n\n二"]


def test_quotes_of_ordinary_lines_stay() -> None:
    for text in ('"好"\n"坏"', '他说 "好\n坏"', '"好\n坏', '"好\n坏" 吗', '"'):
        assert split_cells(text) == text.split("\n")


def test_passages_are_blocks_where_that_was_asked_for() -> None:
    assert number_passages("\n一\n二\n \n三\n\n", blocks=True) == [(1, "一\n二"), (2, "三")]
    assert number_passages("\n一\n二\n \n三\n\n", blocks=False) == [(2, "一"), (3, "二"), (5, "三")]
    assert number_passages("\n\n", blocks=True) == []


def test_labels_stand_once_each() -> None:
    assert split_labels("咨询，投诉、建议;咨询\n,a, b c ；\td\r\n") == ["咨询", "投诉", "建议", "a", "b c", "d"]
