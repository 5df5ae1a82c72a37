// @ts-check
// What /metrics said at one instant.
const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?[ \t]+(\S+)/gm;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g;
/** @typedef {Record<string, string>} Labels of a sample */
/** @typedef {{ name: string, labels: Labels, value: number }} Sample */
/** @typedef {(labels: Labels) => boolean} Fits whether a series counts */
/** @typedef {[bound: number, count: number]} Bucket of a histogram: an upper bound, and how many are not above it */

/** @type {Record<string, number>} */
const INFINITE = { "+Inf": Infinity, "-Inf": -Infinity };

const unescaped = (/** @type {string} */ text) => text.replace(/\\(.)/g, (_, letter) => (letter === "n" ? "\n" : letter));

/**
 * Samples of a text in Prometheus' format; a line that is none, a comment or a broken one, is skipped.
 * @param {string} text
 * @returns {Sample[]}
 */
export function parse(text) {
  return [...text.matchAll(LINE)].map(([, name, labels = "", value]) => {
    const pairs = [...labels.matchAll(LABEL)].map(([, label, said]) => [label, unescaped(said)]);
    return { name, labels: Object.fromEntries(pairs), value: INFINITE[value] ?? Number(value) };
  });
}

/** Samples at `seconds`; sums, and what was counted since an earlier scrape. */
export class Scrape {
  /**
   * @param {string} text
   * @param {number} seconds of the epoch
   */
  constructor(text, seconds) {
    this.samples = parse(text);
    this.seconds = seconds;
  }

  /**
   * The samples of `name` with labels for which `fits` is true.
   * @param {string} name
   * @param {Fits} [fits]
   */
  of(name, fits = () => true) {
    return this.samples.filter((sample) => sample.name === name && fits(sample.labels));
  }

  /**
   * @param {string} name
   * @param {Fits} [fits]
   */
  total(name, fits) {
    return this.of(name, fits).reduce((sum, { value }) => sum + value, 0);
  }

  /**
   * Values of a label, in order of appearance.
   * @param {string} name
   * @param {string} label
   */
  values(name, label) {
    return [...new Set(this.of(name).map(({ labels }) => labels[label]))];
  }

  /**
   * A histogram's buckets, over all series that fit.
   * @param {string} name
   * @param {Fits} [fits]
   * @returns {Bucket[]}
   */
  buckets(name, fits) {
    const counts = new Map();
    for (const { labels, value } of this.of(`${name}_bucket`, fits)) {
      const bound = INFINITE[labels.le] ?? Number(labels.le);
      counts.set(bound, (counts.get(bound) ?? 0) + value);
    }
    return [...counts].sort(([a], [b]) => a - b);
  }
}
