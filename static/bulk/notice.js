// @ts-check
// What is wrong, said to everybody.
import { byId, filled, limits, texts } from "../page.js";

/** @param {string} text */
const paragraph = (text) => Object.assign(document.createElement("p"), { textContent: text });

/**
 * Says a fault by its name in the texts, and the sentence that came with it; "" takes it back.
 * @param {string} kind
 * @param {string} [detail]
 */
export function complain(kind, detail = "") {
  const said = kind ? [paragraph(filled(texts.errors[kind] ?? texts.errors.other, limits))] : [];
  if (detail) said.push(Object.assign(paragraph(detail), { className: "detail", lang: "en" }));
  byId("error").replaceChildren(...said);
}
