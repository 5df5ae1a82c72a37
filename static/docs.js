// @ts-check
// Starts Swagger UI with files of this server alone: the validator badge would ask swagger.io.
"use strict";

const dark = matchMedia("(prefers-color-scheme: dark)");
const root = document.documentElement;
const follow = () => {
  const theme = root.dataset.theme === "auto" ? (dark.matches ? "dark" : "light") : root.dataset.theme;
  root.classList.toggle("dark-mode", theme === "dark");
};
dark.addEventListener("change", follow);
follow();

SwaggerUIBundle({
  url: new URL("openapi.json", location.href).pathname,
  dom_id: "#swagger-ui",
  validatorUrl: null,
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
});
