"""Every link inside the repository leads somewhere, and every page and picture is led to."""

import pytest

from structbert_lite.settings import PROJECT
from tests.docs.pages import PAGES, anchors, links, name_of, read


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page) -> None:
    for link in links(read(page)):
        if link.startswith(("http://", "https://")):
            continue
        place, _, anchor = link.partition("#")
        target = (page.parent / place).resolve() if place else page
        assert target.is_relative_to(PROJECT), link
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(read(target)), link


def test_the_index_lists_every_page_of_the_documentation() -> None:
    index = PROJECT / "docs/README.md"
    listed = {(index.parent / link.partition("#")[0]).resolve() for link in links(read(index))}
    assert set((PROJECT / "docs").glob("*.md")) - {index} <= listed


def test_every_picture_is_shown() -> None:
    shown = {(page.parent / link).resolve() for page in PAGES for link in links(read(page))}
    assert not set((PROJECT / "docs/images").iterdir()) - shown
