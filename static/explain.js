// @ts-check
// The words that decided an answer, marked in its text.
import { ask, Fault } from "./api.js";
import { form, filled, limits, texts } from "./page.js";

const LEVELS = 3; // of how much a word weighs
const SLIGHT = 0.1; // of the heaviest word's weight: less is not marked
const address = new URL(form.dataset.explain, location.href);

/**
 * What `text` is made of, in its order: strings and marks.
 * @param {string} text
 * @param {{ start: number, end: number, weight: number }[]} words offsets are in characters, not in UTF-16 units
 */
function marked(text, words) {
  const letters = [...text];
  const heaviest = Math.max(...words.map((word) => Math.abs(word.weight)), Number.MIN_VALUE);
  /** @type {(string | HTMLElement)[]} */
  const parts = [];
  let end = 0;
  for (const word of words) {
    const share = Math.abs(word.weight) / heaviest;
    if (share < SLIGHT) continue;
    const mark = document.createElement("mark");
    mark.textContent = letters.slice(word.start, word.end).join("");
    mark.dataset.weight = String(Math.ceil(share * LEVELS));
    if (word.weight < 0) mark.dataset.against = "";
    mark.title = filled(word.weight < 0 ? texts.speaks_against : texts.speaks_for, { weight: Math.abs(word.weight).toFixed(2) });
    parts.push(letters.slice(end, word.start).join(""), mark);
    end = word.end;
  }
  return [...parts, letters.slice(end).join("")];
}

/**
 * Makes the button of a `card` explain the answer to `text`, in the colour `tone`.
 * @param {any} card
 * @param {string} text
 * @param {string} tone
 * @param {string} [model] that answered, where it is not the default one
 */
export function offerExplanation(card, text, tone, model) {
  const shown = card.querySelector(".explained");
  const button = card.querySelector(".why button");
  const said = card.querySelector(".why span");
  button.addEventListener("click", async () => {
    button.disabled = true;
    said.textContent = "";
    try {
      const { answer } = await ask(model ? { text, model } : { text }, AbortSignal.timeout(60_000), address);
      shown.dataset.label = tone;
      shown.replaceChildren(...marked(text, answer.words));
      shown.hidden = false;
      button.hidden = true;
      said.textContent = texts.explained;
    } catch (fault) {
      const kind = fault instanceof Fault ? fault.kind : "broken";
      said.textContent = filled(texts.errors[kind] ?? texts.errors.other, limits);
      button.disabled = false;
    }
  });
}
