// The page's scripts, their tests, and this file.
import js from "@eslint/js";
import globals from "globals";

// tsc looks only at files that ask for it, for it would look into those of others, too.
const checked = {
  create: (context) => ({
    Program(node) {
      if (!context.sourceCode.text.startsWith("// @ts-check\n")) context.report({ node, message: "The first line is // @ts-check." });
    },
  }),
};

export default [
  { ignores: ["static/vendor/**"] },
  js.configs.recommended,
  {
    rules: {
      eqeqeq: "error",
      "no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_", destructuredArrayIgnorePattern: "^_" }],
      "no-var": "error",
      "prefer-const": ["error", { destructuring: "all" }],
      "no-restricted-properties": ["error",
        ...["innerHTML", "outerHTML", "insertAdjacentHTML"].map((property) => ({ property, message: "Texts of strangers are no markup: textContent, append()." }))],
      "object-shorthand": "error",
      "no-implicit-coercion": "error",
      "no-throw-literal": "error",
    },
  },
  { files: ["static/**"], plugins: { types: { rules: { checked } } }, rules: { "types/checked": "error" }, languageOptions: { globals: { ...globals.browser, Papa: "readonly", SwaggerUIBundle: "readonly", uPlot: "readonly" } } },
  { files: ["tests/static/**"], languageOptions: { globals: globals.node } },
];
