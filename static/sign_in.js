// @ts-check
// The page for those without a key: takes one, and has the browser keep it as if the browser had asked for it.
import { isKey } from "./key.js";
import { byId, texts } from "./page.js";

const address = location.pathname + location.search;
const field = byId("key-field");
const said = byId("key-said");

/**
 * Whether the server takes it. Without "omit" a browser would ask for a password by itself when it is refused.
 * @param {string} key
 */
async function fits(key) {
  const { status } = await fetch(address, { headers: { "X-API-Key": key }, credentials: "omit", cache: "no-store" });
  return status !== 401;
}

/**
 * HTTP Basic: of a request that a script makes with a password the browser keeps it for all others to this server, as fetch() cannot.
 * @param {string} key
 */
function keep(key) {
  return new Promise((done) => {
    const request = new XMLHttpRequest();
    request.open("GET", address, true, "key", key);
    request.addEventListener("loadend", done);
    request.send();
  });
}

byId("sign-in").addEventListener("submit", async (/** @type {Event} */ event) => {
  event.preventDefault();
  said.textContent = "";
  const key = field.value.trim();
  let problem = isKey(key) ? "" : "unusable";
  try {
    if (!problem && !(await fits(key))) problem = "wrong";
  } catch {
    problem = "unreachable";
  }
  field.ariaInvalid = String(Boolean(problem));
  if (problem) {
    said.textContent = texts[problem];
    field.focus();
    return;
  }
  await keep(key);
  location.replace(address);
});

byId("sign-in").hidden = false;
field.focus();
