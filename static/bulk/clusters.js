// @ts-check
// Groups of similar texts by their vectors, and the words that are typical of each.
//
// Leader clustering (Hartigan, Clustering Algorithms, 1975, chapter 3) with rounds of reassignment to the nearest mean: the same groups
// every time, no number of groups to guess. Vectors of texts about one thing all point the same way; what they have in common is taken
// out first (Mu and Viswanath, All-but-the-Top, 2018, without the principal components), so that a cosine says what sets them apart.
const ROUNDS = 3;
const LEAST = 3; // texts that are a group
const NEAR = 0.25; // cosine to the first text of a group
const NEAR_MEAN = 0.3; // cosine to its mean
const WORDS = 3; // in a group's name
const LONGEST = 4; // characters of a word

/**
 * @param {ArrayLike<number>} one
 * @param {ArrayLike<number>} other
 */
function dot(one, other) {
  let sum = 0;
  for (let i = 0; i < one.length; i += 1) sum += one[i] * other[i];
  return sum;
}

/** @param {Float32Array} vector */
function unit(vector) {
  const length = Math.sqrt(dot(vector, vector)) || 1;
  return vector.map((value) => value / length);
}

/** @param {ArrayLike<number>[]} vectors */
function meanOf(vectors) {
  const mean = new Float32Array(vectors[0].length);
  for (const vector of vectors) for (let i = 0; i < mean.length; i += 1) mean[i] += vector[i] / vectors.length;
  return mean;
}

/**
 * Groups of at least three, the largest first, each as places in `vectors`, the most typical text first. Those like no other are in none.
 * @param {Float32Array[]} given
 */
export function clustersOf(given) {
  if (!given.length) return [];
  const common = meanOf(given);
  const vectors = given.map((vector) => unit(vector.map((value, i) => value - common[i])));
  /** @type {Float32Array[]} */
  let means = [];
  /** @type {number[][]} */
  let groups = [];
  for (let round = 0; round <= ROUNDS; round += 1) {
    const leaders = round === 0;
    groups = means.map(() => []);
    vectors.forEach((vector, place) => {
      let best = -1;
      let nearest = leaders ? NEAR : NEAR_MEAN;
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
    means = groups.map((group) => unit(meanOf(group.map((place) => vectors[place]))));
  }
  return groups.map((group, i) => group.map((place) => ({ place, near: dot(vectors[place], means[i]) }))
    .sort((one, other) => other.near - one.near || one.place - other.place).map(({ place }) => place))
    .sort((one, other) => other.length - one.length || one[0] - other[0]);
}

// Characters with which no word of a name begins or ends.
const EMPTY = new Set("的了是我也都就不很在有和这那你他她它吗吧呢啊呀哦嘛还又太真说给把被让跟与及或而但没个们要会到去来上下着过得地么些为以可能一二两三几多少更最好只才再后前里用买像比从对如此其之所因于");

const words = typeof Intl.Segmenter === "function" ? new Intl.Segmenter("zh", { granularity: "word" }) : undefined;

/**
 * Places in a run of characters where a word may begin or end: those of the browser's dictionary, which differ a little from one to the
 * other; all places where it has none.
 * @param {string} run
 */
function bordersOf(run) {
  return words ? [...words.segment(run)].map(({ index }) => index).concat(run.length) : [...Array(run.length + 1).keys()];
}

/**
 * Words, and words that follow each other, of two to four Chinese characters together, and words of Latin letters.
 * @param {string} text
 */
function piecesOf(text) {
  /** @type {Set<string>} */
  const found = new Set();
  for (const [run] of text.matchAll(/\p{Script=Han}{2,}/gu)) {
    const borders = bordersOf(run);
    borders.forEach((from, i) => {
      for (const to of borders.slice(i + 1)) {
        const characters = [...run.slice(from, to)];
        if (characters.length > LONGEST) break;
        if (characters.length > 1 && !EMPTY.has(characters[0]) && !EMPTY.has(characters[characters.length - 1])) found.add(run.slice(from, to));
      }
    });
  }
  for (const [word] of text.toLowerCase().matchAll(/[a-z]{3,}/g)) found.add(word);
  return found;
}

/**
 * Names of groups of texts: the pieces that stand in most texts of one and in few of the others.
 * @param {string[]} texts
 * @param {number[][]} groups places in `texts`
 * @returns {string[][]}
 */
export function typicalWords(texts, groups) {
  const pieces = texts.map(piecesOf);
  /** @type {Map<string, number>} */
  const everywhere = new Map();
  for (const all of pieces) for (const piece of all) everywhere.set(piece, (everywhere.get(piece) ?? 0) + 1);
  return groups.map((group) => {
    /** @type {Map<string, number>} */
    const here = new Map();
    for (const place of group) for (const piece of pieces[place]) here.set(piece, (here.get(piece) ?? 0) + 1);
    const weighed = [...here].filter(([, count]) => count > 1).map(([piece, count]) => {
      const rest = (/** @type {number} */ (everywhere.get(piece)) - count + 0.5) / (texts.length - group.length + 1);
      return { piece, weight: count * Math.log(count / group.length / rest + 1) * (1 + 0.1 * piece.length) };
    }).sort((one, other) => other.weight - one.weight || (one.piece < other.piece ? -1 : 1));
    /** @type {string[]} */
    const named = [];
    for (const { piece } of weighed) {
      if (named.length === WORDS) break;
      if (!named.some((other) => other.includes(piece) || piece.includes(other) || other.slice(1) === piece.slice(0, -1) || other.slice(0, -1) === piece.slice(1))) named.push(piece);
    }
    return named;
  });
}
