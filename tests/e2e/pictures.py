"""Pictures of the pages: `python -m tests.e2e.pictures FOLDER` makes those of docs/images.

With names of pages it takes each of them in every look: light, dark, on a phone, in English.
"""

import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from structbert_lite.settings import PROJECT
from tests.e2e.conftest import CHROMIUM, CHROMIUM_ARGUMENTS
from tests.running import run

PAGES = {"sentiment": "/", "similarity": "/ui/similarity", "classify": "/ui/classify", "rerank": "/ui/rerank"}
PAGES |= {"aspects": "/ui/aspects", "embed": "/ui/embed", "bulk": "/ui/bulk", "status": "/ui/status"}
WIDE = {"width": 1120, "height": 700}
LOOKS = {
    "light": {"color_scheme": "light", "viewport": WIDE},
    "dark": {"color_scheme": "dark", "viewport": WIDE},
    "phone": {"color_scheme": "light", "viewport": {"width": 360, "height": 640}, "device_scale_factor": 2},
    "english": {"color_scheme": "light", "viewport": WIDE, "locale": "en"},
}
# Those of the documentation: the page and its look.
PICTURES = {
    "page": ("sentiment", "light"),
    "page-similarity": ("similarity", "dark"),
    "page-classify": ("classify", "light"),
    "page-rerank": ("rerank", "dark"),
    "page-aspects": ("aspects", "light"),
    "page-embed": ("embed", "light"),
    "page-phone": ("classify", "phone"),
    "page-bulk": ("bulk", "light"),
    "page-status": ("status", "dark"),
}
MOST_HEIGHT = 1500
COLOURS = 128
BATCH = """texts => fetch("/predict_batch", {
  method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify({texts}),
})"""


def use(page: Page, name: str) -> None:
    """Does what a visitor would, so that there is something to see."""
    if name == "status":
        for i in range(8):
            texts = [f"这家店的第{i}道菜{'很' * j}好吃" for j in range(i * i + 1)]
            page.evaluate(BATCH, texts)
            page.wait_for_timeout(1500)
        return
    if name == "bulk":
        page.wait_for_load_state()
        page.click("#sample")
        page.click("#choices .primary", timeout=60_000)
        page.wait_for_function("() => document.querySelector('#bar').value === 1", timeout=120_000)
        page.wait_for_timeout(3000)  # insight is made after the last row
        return
    example = {"sentiment": 2, "classify": 2, "aspects": 1}.get(name, 0)
    page.click(f".chips button >> nth={example}")
    page.wait_for_selector("#result .answer", timeout=60_000)
    if name == "sentiment":
        page.click(".why button")
        page.wait_for_selector(".explained mark")


def take(browser: Browser, url: str, name: str, look: str, file: Path) -> None:
    context = browser.new_context(**({"locale": "zh-CN"} | LOOKS[look]))
    page = context.new_page()
    page.goto(url + PAGES[name])
    use(page, name)
    page.evaluate("document.activeElement.blur(), scrollTo(0, 0)")
    page.screenshot(path=file, full_page=True)
    context.close()
    image = Image.open(file).convert("RGB")
    most = min(image.height, MOST_HEIGHT * LOOKS[look].get("device_scale_factor", 1))
    shown = image.crop((0, 0, image.width, most))
    # By coverage: else colours that few pixels have, a short bar's, become others.
    shown.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(file, optimize=True)


def main(folder: Path, names: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    scratch = tempfile.TemporaryDirectory()
    with scratch, run(PROJECT / "models", Path(scratch.name) / "log") as server, sync_playwright() as driver:
        server.wait_until_ready()
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGUMENTS)
        looks = {f"{name}-{look}": (name, look) for name in names for look in LOOKS}
        for picture, (name, look) in (looks or PICTURES).items():
            take(browser, f"http://127.0.0.1:{server.port}", name, look, folder / f"{picture}.png")
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
