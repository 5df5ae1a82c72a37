// @ts-check
// Where sentences stand on a map. structbert_lite/web/scatter.py does the same, and says why.
const MARGIN = 24;
const LEAST_HEIGHT = 280;
const MOST_HEIGHT = 520;
const SPREAD = 42;
const PHONE = 280;
const WIDE = 560;
const RADIUS = 10;
const ROUNDS = 200;
const NAME = 8;
const IDEOGRAPH = 13;
const LETTER = 8;
const HALF_LINE = 9;
const ITERATIONS = 500; // of the power method

/** @typedef {{ x: number, y: number }} Place x in percent of the width, or in pixels of PHONE while places are moved; y in pixels */
/** @typedef {"left" | "right" | ""} Side of a point on which its name stands; "": nowhere */
/** @type {Side[]} */
const RIGHT_FIRST = ["right", "left"];
const LEFT_FIRST = RIGHT_FIRST.toReversed();
/** @typedef {[left: number, right: number, top: number, bottom: number]} Box in pixels */

const largest = (/** @type {number[]} */ numbers) => Math.max(...numbers.map(Math.abs));
const dot = (/** @type {number[]} */ a, /** @type {number[]} */ b) => a.reduce((sum, value, i) => sum + value * b[i], 0);
const within = (/** @type {number} */ value, /** @type {number} */ least, /** @type {number} */ most) => Math.min(Math.max(value, least), most);

export const heightOf = (/** @type {number} */ count) => within(160 + 12 * count, LEAST_HEIGHT, MOST_HEIGHT);

/** @param {string} text */
export function shortName(text) {
  const letters = [...text];
  return letters.slice(0, NAME).join("") + (letters.length > NAME ? "…" : "");
}

/**
 * A point for each row of a matrix of cosines.
 * @param {number[][]} cosines
 * @param {string[]} names
 * @returns {(Place & { side: Side })[]}
 */
export function pointsOf(cosines, names) {
  const height = heightOf(cosines.length);
  const [across, down] = components(centred(cosines));
  const scale = Math.max(largest(across), largest(down), 1e-9);
  const places = across.map((value, i) => ({
    x: ((50 + (SPREAD * value) / scale) * PHONE) / 100,
    y: height / 2 + ((height / 2 - MARGIN) * down[i]) / scale,
  }));
  moveApart(places, height);
  for (const place of places) place.x *= 100 / PHONE;
  const sides = sidesOf(places, names);
  return places.map((place, i) => ({ ...place, side: sides[i] }));
}

/**
 * The matrix with the mean of its rows, its columns and the whole taken out.
 * @param {number[][]} matrix
 */
function centred(matrix) {
  const means = matrix.map((row) => row.reduce((sum, value) => sum + value, 0) / row.length);
  const mean = means.reduce((sum, value) => sum + value, 0) / means.length;
  return matrix.map((row, i) => row.map((value, j) => value - means[i] - means[j] + mean));
}

/**
 * The two largest eigenvectors, times the root of their values, by power iteration.
 * @param {number[][]} matrix
 */
function components(matrix) {
  return [0, 1].map(() => {
    let vector = matrix.map((_, i) => Math.sin(i + 1)); // any start that is no eigenvector itself
    let value = 0;
    for (let round = 0; round < ITERATIONS; round++) {
      const next = matrix.map((row) => dot(row, vector));
      value = Math.hypot(...next);
      if (value < 1e-9) return matrix.map(() => 0);
      vector = next.map((part) => part / value);
    }
    matrix = matrix.map((row, i) => row.map((part, j) => part - value * vector[i] * vector[j]));
    const peak = /** @type {number} */ (vector.find((part) => Math.abs(part) > largest(vector) - 1e-9));
    return vector.map((part) => part * Math.sign(peak) * Math.sqrt(value));
  });
}

/**
 * Each two that cover each other give way by half of what is missing, until none do.
 * @param {Place[]} places
 * @param {number} height
 */
function moveApart(places, height) {
  const least = 2 * RADIUS + 2;
  const put = (/** @type {Place} */ place, /** @type {number} */ x, /** @type {number} */ y) => {
    place.x = within(x, RADIUS, PHONE - RADIUS);
    place.y = within(y, RADIUS, height - RADIUS);
  };
  for (let round = 0, moved = true; moved && round < ROUNDS; round++) {
    moved = false;
    for (let j = 0; j < places.length; j++) {
      for (let i = j + 1; i < places.length; i++) {
        const [one, other] = [places[i], places[j]];
        const [x, y] = [one.x - other.x, one.y - other.y];
        const distance = Math.hypot(x, y);
        if (distance > least - 0.01) continue;
        moved = true;
        const [dx, dy] = distance > 0.01 ? [x / distance, y / distance] : [Math.cos(i), Math.sin(i)];
        const step = (least - distance) / 2;
        put(one, one.x + dx * step, one.y + dy * step);
        put(other, other.x - dx * step, other.y - dy * step);
      }
    }
  }
}

/**
 * For each name a side on which it covers nothing, the one towards the middle first.
 * @param {Place[]} places
 * @param {string[]} names
 * @returns {Side[]}
 */
function sidesOf(places, names) {
  /** @type {Box[]} */
  const taken = places.map(({ x, y }) => {
    const middle = (WIDE * x) / 100;
    return [middle - RADIUS, middle + RADIUS, y - RADIUS, y + RADIUS];
  });
  const overlap = (/** @type {Box} */ one, /** @type {Box} */ other) => one[0] < other[1] && other[0] < one[1] && one[2] < other[3] && other[2] < one[3];
  return places.map((place, i) => {
    const x = (WIDE * place.x) / 100;
    const width = [...names[i]].reduce((sum, letter) => sum + (letter > "\u1fff" ? IDEOGRAPH : LETTER), 0);
    for (const side of x <= WIDE / 2 ? RIGHT_FIRST : LEFT_FIRST) {
      const start = side === "right" ? x + RADIUS + 3 : x - RADIUS - 3 - width;
      /** @type {Box} */
      const box = [start, start + width, place.y - HALF_LINE, place.y + HALF_LINE];
      if (box[0] >= 0 && box[1] <= WIDE && !taken.some((other, k) => k !== i && overlap(box, other))) {
        taken.push(box);
        return side;
      }
    }
    return "";
  });
}

export const cosinesOf = (/** @type {number[][]} */ vectors) => vectors.map((a) => vectors.map((b) => dot(a, b)));
