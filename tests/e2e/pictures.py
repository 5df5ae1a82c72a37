"""Pictures of every page, light, dark, on a phone, in English: `python -m tests.e2e.pictures FOLDER [PAGE...]`."""

import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from structbert_lite.settings import PROJECT
from tests.e2e.conftest import CHROMIUM, CHROMIUM_ARGUMENTS
from tests.running import run

PAGES = {"sentiment": "/", "similarity": "/ui/similarity", "classify": "/ui/classify", "rerank": "/ui/rerank"}
PAGES |= {"embed": "/ui/embed", "bulk": "/ui/bulk", "status": "/ui/status"}
LOOKS = {
    "light": {"color_scheme": "light", "viewport": {"width": 800, "height": 600}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 800, "height": 600}},
    "phone": {"color_scheme": "light", "viewport": {"width": 360, "height": 640}, "device_scale_factor": 2},
    "english": {"color_scheme": "light", "viewport": {"width": 800, "height": 600}, "locale": "en"},
}
COLOURS = 128
DISHES = ["招牌牛肉面", "火锅汤底", "外卖米饭", "红豆甜品"]
REMARKS = ["很好吃", "太咸了", "份量足", "等了一个小时", "下次还来", "不新鲜", "价格公道"]
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
        reviews = "\n".join(
            f"{i},第{i % 977}次点{DISHES[i % 4]}{REMARKS[i * i % 7]}，{REMARKS[i % 5]},{'上海' if i % 3 else '北京'}"
            for i in range(6000)
        )
        file = {"name": "reviews.csv", "mimeType": "", "buffer": f"编号,评论,城市\n{reviews}\n".encode()}
        page.set_input_files("#file", file)
        page.click("#choices .primary")
        page.wait_for_function("() => document.querySelector('#bar').value > 0.3", timeout=60_000)
        return
    example = {"classify": 1}.get(name, 0)
    page.click(f".chips button >> nth={example}")
    page.wait_for_selector("#result .answer", timeout=60_000)


def take(browser: Browser, url: str, name: str, look: str, folder: Path) -> None:
    context = browser.new_context(**({"locale": "zh-CN"} | LOOKS[look]))
    page = context.new_page()
    page.goto(url + PAGES[name])
    use(page, name)
    page.evaluate("document.activeElement.blur(), scrollTo(0, 0)")
    file = folder / f"{name}-{look}.png"
    page.screenshot(path=file, full_page=True)
    context.close()
    Image.open(file).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(file, optimize=True)


def main(folder: Path, names: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    scratch = tempfile.TemporaryDirectory()
    with scratch, run(PROJECT / "models", Path(scratch.name) / "log") as server, sync_playwright() as driver:
        server.wait_until_ready()
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGUMENTS)
        for name in names or PAGES:
            for look in LOOKS:
                take(browser, f"http://127.0.0.1:{server.port}", name, look, folder)
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
