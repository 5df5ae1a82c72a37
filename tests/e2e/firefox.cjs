// For Playwright's driver on Debian's Firefox, by WebDriver BiDi. That lacks the command with which Playwright sets light or dark in every
// context, for which it gets one without effect, and the id of a download that is no navigation, for which its address will do.
const { Module } = require("node:module");
const compile = Module.prototype._compile;
Module.prototype._compile = function (source, file, ...more) {
  const known = !file.includes("playwright") ? source : source
    .replaceAll("emulation.setMediaFeaturesOverride", "session.status")
    .replaceAll("!event.download && !event.navigation", "false")
    .replaceAll("event.download ?? event.navigation", "event.download ?? event.navigation ?? event.url");
  return compile.call(this, known, file, ...more);
};
