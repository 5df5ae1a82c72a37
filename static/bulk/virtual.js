// @ts-check
// A table of which only the rows in sight are in the page. All rows are of one height.
const AROUND = 8; // rows above and below those in sight

export class VirtualRows {
  /** @type {number[]} */
  #rows = [];
  #shown = "";

  /**
   * @param {HTMLElement} scroller
   * @param {HTMLTableSectionElement} body
   * @param {number} height of a row in pixels
   * @param {(row: number, place: number) => HTMLTableRowElement} draw
   */
  constructor(scroller, body, height, draw) {
    this.scroller = scroller;
    this.body = body;
    this.height = height;
    this.draw = draw;
    scroller.addEventListener("scroll", () => this.#render(), { passive: true });
    new ResizeObserver(() => this.#render()).observe(scroller);
  }

  get rows() {
    return this.#rows;
  }

  /**
   * @param {number[]} rows in their order
   * @param {unknown} version of what they hold: where it is the same, rows that are in sight already stay as they are
   */
  show(rows, version) {
    this.#rows = rows;
    this.version = version;
    this.#render();
  }

  /** @param {number} height */
  #spacer(height) {
    const row = document.createElement("tr");
    row.ariaHidden = "true";
    row.style.height = `${height}px`;
    return row;
  }

  #render() {
    const first = Math.max(0, Math.floor(this.scroller.scrollTop / this.height) - AROUND);
    const count = Math.ceil(this.scroller.clientHeight / this.height) + 2 * AROUND;
    const window = this.#rows.slice(first, first + count);
    const shown = `${first} ${this.#rows.length} ${this.version} ${window.join()}`;
    if (shown === this.#shown) return;
    this.#shown = shown;
    const focused = /** @type {HTMLElement | null} */ (document.activeElement?.closest("[data-row]"));
    const kept = this.body.contains(focused) ? focused?.dataset.row : undefined;
    const drawn = window.map((row, i) => {
      const one = this.draw(row, first + i);
      one.dataset.row = String(row);
      one.ariaRowIndex = String(first + i + 2); // behind the header, counted from one
      return one;
    });
    this.body.replaceChildren(
      this.#spacer(first * this.height), ...drawn, this.#spacer(Math.max(0, this.#rows.length - first - window.length) * this.height));
    if (kept !== undefined) /** @type {HTMLElement | null} */ (this.body.querySelector(`[data-row="${kept}"] button`))?.focus({ preventScroll: true });
  }
}
