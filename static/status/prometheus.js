// What /metrics said at one instant.
const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? +(\S+)/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g;
const INFINITE = { "+Inf": Infinity, "-Inf": -Infinity };

const unescaped = (text) => text.replace(/\\(.)/g, (_, letter) => (letter === "n" ? "\n" : letter));

/** Samples {name, labels, value} of a text in Prometheus' format; comments are skipped. */
export function parse(text) {
  return text.split("\n").filter((line) => line && !line.startsWith("#")).map((line) => {
    const [, name, labels = "", value] = LINE.exec(line);
    const pairs = [...labels.matchAll(LABEL)].map(([, label, said]) => [label, unescaped(said)]);
    return { name, labels: Object.fromEntries(pairs), value: INFINITE[value] ?? Number(value) };
  });
}

/** Samples at `seconds`; sums, and what was counted since an earlier scrape. */
export class Scrape {
  constructor(text, seconds) {
    this.samples = parse(text);
    this.seconds = seconds;
  }

  /** The samples of `name` with labels for which `fits` is true. */
  of(name, fits = () => true) {
    return this.samples.filter((sample) => sample.name === name && fits(sample.labels));
  }

  total(name, fits) {
    return this.of(name, fits).reduce((sum, { value }) => sum + value, 0);
  }

  /** Values of a label, in order of appearance. */
  values(name, label) {
    return [...new Set(this.of(name).map(({ labels }) => labels[label]))];
  }

  /** A histogram's buckets [upper bound, count of it and all below], over all series that fit. */
  buckets(name, fits) {
    const counts = new Map();
    for (const { labels, value } of this.of(`${name}_bucket`, fits)) {
      const bound = INFINITE[labels.le] ?? Number(labels.le);
      counts.set(bound, (counts.get(bound) ?? 0) + value);
    }
    return [...counts].sort(([a], [b]) => a - b);
  }
}
