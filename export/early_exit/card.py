"""What a model card says about exits: a section at its end."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from structbert_lite.manifest import Manifest


def append_section(card: Path, manifest: Manifest) -> None:
    """Adds the section for `manifest.early_exit` to the card; nothing where there is none."""
    facts = manifest.early_exit
    if facts is None:
        return
    templates = FileSystemLoader(Path(__file__).parent)
    environment = Environment(loader=templates, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    section = environment.get_template("card.md.j2").render(
        facts=facts,
        layers=" or ".join(str(found.layer) for found in facts.exits),
        rest=1 - sum(found.share for found in facts.exits),
        three_way=manifest.has_neutral,
    )
    card.write_text(f"{card.read_text(encoding='utf-8').rstrip()}\n\n{section.strip()}\n", encoding="utf-8")
