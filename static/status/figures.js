// @ts-check
// Numbers for people, from two scrapes. Nothing was counted in between: null.
/** @typedef {import("./prometheus.js").Scrape} Scrape */
/** @typedef {import("./prometheus.js").Labels} Labels */
/** @typedef {import("./prometheus.js").Fits} Fits */
/** @typedef {import("./prometheus.js").Bucket} Bucket */

const share = (/** @type {number} */ part, /** @type {number} */ whole) => (whole > 0 ? part / whole : null);
// The page's own questions are no load.
const isWork = (/** @type {{ route?: string }} */ { route = "" }) => !["/metrics", "/livez", "/readyz", "/health", "/static/<path:filename>"].includes(route);

/** @type {(before: Scrape, after: Scrape, name: string, fits?: Fits) => number} */
const grown = (before, after, name, fits) => after.total(name, fits) - before.total(name, fits);

/**
 * Buckets of what came between.
 * @param {Scrape} before
 * @param {Scrape} after
 * @param {string} name
 * @param {Fits} fits
 * @returns {Bucket[]}
 */
function between(before, after, name, fits) {
  const old = new Map(before.buckets(name, fits));
  return after.buckets(name, fits).map(([bound, count]) => [bound, count - (old.get(bound) ?? 0)]);
}

/**
 * The value below which a share of observations lies, on a straight line within its bucket, as Prometheus does.
 * @param {Bucket[]} buckets
 * @param {number} wanted
 */
export function quantile(buckets, wanted) {
  const all = buckets.at(-1)?.[1] ?? 0;
  if (all <= 0) return null;
  const i = buckets.findIndex(([, count]) => count >= wanted * all);
  const [lower, below] = i > 0 ? buckets[i - 1] : [0, 0];
  const [upper, count] = buckets[i];
  return upper === Infinity ? lower : lower + ((upper - lower) * (wanted * all - below)) / (count - below);
}

/**
 * What happened from `before` to `after`, in seconds, bytes and shares.
 * @param {Scrape} before
 * @param {Scrape} after
 */
export function figures(before, after) {
  const delays = between(before, after, "structbert_http_request_duration_seconds", isWork);
  const hits = grown(before, after, "structbert_cache_hits_total");
  // An input that one tier has not is looked up in the next one: the first tier saw all of them.
  const asked = grown(before, after, "structbert_cache_misses_total", ({ tier }) => tier === "memory")
    + grown(before, after, "structbert_cache_hits_total", ({ tier }) => tier === "memory");
  return {
    requests: grown(before, after, "structbert_http_requests_total", isWork),
    // What the server itself did not manage; a question that cannot be answered is no fault of its.
    failed: grown(before, after, "structbert_http_requests_total", (labels) => isWork(labels) && Number(labels.status) >= 500),
    rate: share(grown(before, after, "structbert_http_requests_total", isWork), after.seconds - before.seconds),
    p50: quantile(delays, 0.5),
    p95: quantile(delays, 0.95),
    p99: quantile(delays, 0.99),
    rows: share(grown(before, after, "structbert_batch_rows_sum"), grown(before, after, "structbert_batch_rows_count")),
    hits: share(hits, asked),
  };
}

/**
 * What is so at the instant of a scrape.
 * @param {Scrape} scrape
 */
export function levels(scrape) {
  return {
    // The scrape is a request itself.
    inFlight: Math.max(scrape.total("structbert_http_requests_in_flight") - 1, 0),
    waiting: scrape.total("structbert_queue_entries"),
    memory: scrape.total("process_resident_memory_bytes"),
    cache: scrape.total("structbert_cache_bytes"),
    cached: scrape.total("structbert_cache_entries"),
  };
}

/**
 * Micro-batches since the start by their rows, up to the largest there was.
 * @param {Scrape} scrape
 */
export function batches(scrape) {
  const buckets = scrape.buckets("structbert_batch_rows");
  const all = buckets.at(-1)?.[1] ?? 0;
  const sizes = buckets.map(([to, count], i) => {
    const [below, fewer] = buckets[i - 1] ?? [0, 0];
    return { from: below + 1, to, share: share(count - fewer, all) ?? 0 };
  });
  return sizes.slice(0, sizes.findLastIndex(({ share: part }) => part > 0) + 1);
}

/**
 * Each route since the start, the busiest first.
 * @param {Scrape} scrape
 */
export function routes(scrape) {
  const rows = scrape.values("structbert_http_requests_total", "route").map((route) => {
    const same = (/** @type {Labels} */ labels) => labels.route === route;
    const delays = scrape.buckets("structbert_http_request_duration_seconds", same);
    return {
      route,
      requests: scrape.total("structbert_http_requests_total", same),
      failed: scrape.total("structbert_http_requests_total", (labels) => same(labels) && Number(labels.status) >= 400),
      p50: quantile(delays, 0.5),
      p99: quantile(delays, 0.99),
    };
  });
  return rows.filter(isWork).sort((one, other) => other.requests - one.requests);
}

/** Each task and what it has answered. */
export const models = (/** @type {Scrape} */ scrape) => scrape.of("structbert_model_info").map(({ labels: { task, model } }) => ({
  task,
  model,
  loaded: scrape.total("structbert_model_loaded", (labels) => labels.model === model) > 0,
  items: scrape.total("structbert_items_total", (labels) => labels.task === task),
}));
