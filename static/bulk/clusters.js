// @ts-check
// Groups of similar texts by their vectors, and the words that are typical of each.
//
// Leader clustering (Hartigan, Clustering Algorithms, 1975, chapter 3) with two rounds of reassignment to the nearest mean: one pass, the
// same groups every time, no number of groups to guess.
const ROUNDS = 2;
const LEAST = 3; // texts that are a group
const WORDS = 3; // in a group's name

/**
 * @param {ArrayLike<number>} one
 * @param {ArrayLike<number>} other
 */
function dot(one, other) {
  let sum = 0;
  for (let i = 0; i < one.length; i += 1) sum += one[i] * other[i];
  return sum;
}

/** @param {ArrayLike<number>[]} vectors */
function meanOf(vectors) {
  const mean = new Float32Array(vectors[0].length);
  for (const vector of vectors) for (let i = 0; i < mean.length; i += 1) mean[i] += vector[i];
  const length = Math.sqrt(dot(mean, mean)) || 1;
  return mean.map((value) => value / length);
}

/**
 * Groups of at least three, the largest first, each as places in `vectors`, the most typical text first. Those like no other are in none.
 * @param {ArrayLike<number>[]} vectors of unit length
 * @param {number} least cosine to the mean of a group
 */
export function clustersOf(vectors, least) {
  /** @type {ArrayLike<number>[]} */
  let means = [];
  /** @type {number[][]} */
  let groups = [];
  for (let round = 0; round <= ROUNDS; round += 1) {
    const leaders = round === 0;
    groups = means.map(() => []);
    vectors.forEach((vector, place) => {
      let best = -1;
      let nearest = least;
      for (let i = 0; i < means.length; i += 1) {
        const cosine = dot(vector, means[i]);
        if (cosine >= nearest) [best, nearest] = [i, cosine];
      }
      if (best >= 0) groups[best].push(place);
      else if (leaders) {
        means.push(vector);
        groups.push([place]);
      }
    });
    groups = groups.filter((group) => group.length >= (leaders ? 2 : LEAST));
    means = groups.map((group) => meanOf(group.map((place) => vectors[place])));
  }
  return groups.map((group, i) => ({ group, mean: means[i] }))
    .map(({ group, mean }) => group.map((place) => ({ place, near: dot(vectors[place], mean) })).sort((one, other) => other.near - one.near).map(({ place }) => place))
    .sort((one, other) => other.length - one.length || one[0] - other[0]);
}

const EMPTY = new Set("的了是我也都就不很在有和这那你他她它吗吧呢啊还又太真说给把被让跟与及或而但没个们要会到去来上下".split(""));
for (const word of ["没有", "什么", "这个", "那个", "就是", "不是", "一个", "我们", "他们", "可以", "真的", "非常", "感觉", "还是", "但是", "因为", "所以", "如果", "已经", "自己", "觉得", "这么", "那么", "怎么", "一点"]) EMPTY.add(word);

/** @param {string} text */
function wordsOf(text) {
  const found = new Set();
  for (const { segment, isWordLike } of new Intl.Segmenter("zh", { granularity: "word" }).segment(text)) {
    if (isWordLike && !EMPTY.has(segment) && !/^[\d.]+$/.test(segment)) found.add(segment);
  }
  return /** @type {Set<string>} */ (found);
}

/**
 * Names of groups of texts: the words that stand in most texts of one and in few of the others (share in it, times log of share over share in all).
 * @param {string[]} texts
 * @param {number[][]} groups places in `texts`
 * @returns {string[][]}
 */
export function typicalWords(texts, groups) {
  const words = texts.map(wordsOf);
  /** @type {Map<string, number>} */
  const everywhere = new Map();
  for (const all of words) for (const word of all) everywhere.set(word, (everywhere.get(word) ?? 0) + 1);
  return groups.map((group) => {
    /** @type {Map<string, number>} */
    const here = new Map();
    for (const place of group) for (const word of words[place]) here.set(word, (here.get(word) ?? 0) + 1);
    const weight = (/** @type {[string, number]} */ [word, count]) =>
      (count / group.length) * Math.log((count / group.length) / (/** @type {number} */ (everywhere.get(word)) / texts.length) + 1) * (word.length > 1 ? 1 : 0.4);
    return [...here].filter(([, count]) => count > 1).sort((one, other) => weight(other) - weight(one) || one[0].localeCompare(other[0])).slice(0, WORDS).map(([word]) => word);
  });
}
