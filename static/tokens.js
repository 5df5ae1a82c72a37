// @ts-check
// A field of several short texts as chips. The field itself stays in the form, hidden, and is what is sent.
import { byId, filled, texts } from "./page.js";
import { LABEL_ENDS, splitLabels } from "./split.js";

const SEPARATOR = "，";

/**
 * Puts chips in the place of the text area `field`.
 * @param {any} field
 */
export function startTokens(field) {
  const box = byId(`${field.id}-tokens`);
  const list = box.querySelector("ul");
  const input = box.querySelector("input");
  const clear = box.querySelector(".clear");
  /** @type {string[]} */
  let tokens = [];
  let pressed = false;

  /** @param {string[]} changed */
  function set(changed) {
    tokens = [...new Set(changed)];
    field.value = tokens.join(SEPARATOR);
    list.hidden = tokens.length === 0;
    if (clear) clear.hidden = tokens.length < 2;
    // A chip that stays is left alone: the click that took the focus away may be on its button.
    const shown = [...list.children].filter((item) => tokens.includes(item.firstElementChild.textContent) || item.remove());
    list.append(...tokens.slice(shown.length).map(chip));
  }

  /** @param {string} token */
  function chip(token) {
    const item = byId("token").content.firstElementChild.cloneNode(true);
    item.querySelector("span").textContent = token;
    const button = item.querySelector("button");
    button.ariaLabel = filled(texts.remove_label, { label: token });
    button.addEventListener("click", () => {
      const next = item.nextElementSibling ?? item.previousElementSibling;
      set(tokens.filter((other) => other !== token));
      (next?.querySelector("button") ?? input).focus();
    });
    return item;
  }

  /**
   * What is written becomes chips; the line's end stays where it is still being written.
   * @param {string} text
   */
  function take(text) {
    const parts = text.split(LABEL_ENDS);
    input.value = parts.pop() ?? "";
    set([...tokens, ...splitLabels(parts.join("\n"))]);
  }

  input.addEventListener("input", (/** @type {InputEvent} */ event) => {
    if (!event.isComposing && LABEL_ENDS.test(input.value)) take(input.value);
  });
  input.addEventListener("compositionend", () => {
    if (LABEL_ENDS.test(input.value)) take(input.value);
  });
  input.addEventListener("paste", (/** @type {any} */ event) => {
    // A line of input would lose the pasted line ends.
    const pasted = event.clipboardData.getData("text/plain");
    if (!LABEL_ENDS.test(pasted)) return;
    event.preventDefault();
    take(`${input.value}${pasted}\n`);
  });
  input.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    if (event.isComposing || event.ctrlKey || event.metaKey) return;
    if (event.key === "Enter" && input.value.trim()) {
      event.preventDefault();
      take(`${input.value}\n`);
    } else if (event.key === "Backspace" && !input.value && tokens.length) {
      set(tokens.slice(0, -1));
    }
  });
  // Before anything asks for the field's value: the form's button, its key, the copied command. While the mouse is down
  // on one of them nothing may move, or the click would miss it: the chips come when it is up.
  input.addEventListener("blur", () => {
    if (!pressed) take(`${input.value}\n`);
    else field.value = [...new Set([...tokens, ...splitLabels(input.value)])].join(SEPARATOR);
  });
  document.addEventListener("pointerdown", () => { pressed = true; }, { capture: true });
  for (const kind of ["click", "pointercancel"]) {
    document.addEventListener(kind, () => {
      pressed = false;
      if (document.activeElement !== input) take(`${input.value}\n`);
    });
  }
  input.form.addEventListener("submit", () => take(`${input.value}\n`), { capture: true });
  field.addEventListener("change", () => {
    const changed = splitLabels(field.value);
    input.value = "";
    set([]);
    set(changed);
  });
  box.addEventListener("click", (/** @type {Event} */ event) => event.target === box && input.focus());
  clear?.addEventListener("click", () => {
    input.value = "";
    set([]);
    input.focus();
  });

  set(splitLabels(field.value));
  field.dataset.shown = input.id;
  field.hidden = true;
  box.hidden = false;
  /** @type {HTMLLabelElement} */ (document.querySelector(`label[for="${field.id}"]`)).htmlFor = input.id;
}
