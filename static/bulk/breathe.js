// @ts-check
/** Lets the browser draw and take clicks before a long piece of work goes on. */
export const breathe = () => new Promise((done) => setTimeout(done));
