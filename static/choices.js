// @ts-check
// Light and dark without a reload. Without this script the same links ask the server.
/** @type {Record<string, string>} */
const MEDIA = { auto: "(prefers-color-scheme: dark)", light: "not all", dark: "all" };
const YEAR = 365 * 24 * 3600;
const links = /** @type {HTMLElement[]} */ ([...document.querySelectorAll("#themes a")]);

/** @param {string} theme */
function choose(theme) {
  document.documentElement.dataset.theme = theme;
  /** @type {HTMLLinkElement} */ (document.getElementById("dark")).media = MEDIA[theme];
  document.cookie = `structbert-theme=${theme}; path=/; max-age=${YEAR}; samesite=lax`;
  for (const link of links) {
    if (link.dataset.theme === theme) link.ariaCurrent = "true";
    else link.removeAttribute("aria-current");
  }
  document.dispatchEvent(new Event("themechange"));
}

for (const link of links) {
  link.addEventListener("click", (event) => {
    event.preventDefault();
    choose(link.dataset.theme ?? "auto");
  });
}
