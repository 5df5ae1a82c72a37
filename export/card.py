"""The model card: README.md in the model's folder."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from structbert_lite.manifest import Manifest


def write_card(path: Path, manifest: Manifest, size: str, body: str) -> None:
    """Writes the card for `manifest`; `body` is what the checkpoint's own card says, Markdown, perhaps empty."""
    templates = FileSystemLoader(Path(__file__).parent)
    environment = Environment(loader=templates, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.get_template("card.md.j2")
    text = template.render(manifest=manifest, checks=manifest.checks, size=size, body=body)
    path.write_text(text.strip() + "\n", encoding="utf-8")
