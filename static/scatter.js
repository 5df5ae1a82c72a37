// Where sentences stand on a map. structbert_lite/web/scatter.py does the same, and says why.
const LINE = 20;
const MARGIN = 24;
const LEAST_HEIGHT = 280;
const SPREAD = 42;
const ROUNDS = 500;

const largest = (numbers) => Math.max(...numbers.map(Math.abs));
const dot = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);

export const heightOf = (count) => Math.max(LEAST_HEIGHT, LINE * count + 2 * MARGIN);

/** A point {x, y, labelY} for each row of a matrix of cosines. */
export function pointsOf(cosines) {
  const height = heightOf(cosines.length);
  const [across, down] = components(centred(cosines));
  const scale = Math.max(largest(across), largest(down), 1e-9);
  const x = across.map((value) => 50 + (SPREAD * value) / scale);
  const y = down.map((value) => height / 2 + ((height / 2 - MARGIN) * value) / scale);
  const labels = apart(y, height);
  return x.map((_, i) => ({ x: x[i], y: y[i], labelY: labels[i] }));
}

/** The matrix with the mean of its rows, its columns and the whole taken out. */
function centred(matrix) {
  const means = matrix.map((row) => row.reduce((sum, value) => sum + value, 0) / row.length);
  const mean = means.reduce((sum, value) => sum + value, 0) / means.length;
  return matrix.map((row, i) => row.map((value, j) => value - means[i] - means[j] + mean));
}

/** The two largest eigenvectors, times the root of their values, by power iteration. */
function components(matrix) {
  return [0, 1].map(() => {
    let vector = matrix.map((_, i) => Math.sin(i + 1)); // any start that is no eigenvector itself
    let value = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const next = matrix.map((row) => dot(row, vector));
      value = Math.hypot(...next);
      if (value < 1e-9) return matrix.map(() => 0);
      vector = next.map((part) => part / value);
    }
    matrix = matrix.map((row, i) => row.map((part, j) => part - value * vector[i] * vector[j]));
    const peak = vector.find((part) => Math.abs(part) > largest(vector) - 1e-9);
    return vector.map((part) => part * Math.sign(peak) * Math.sqrt(value));
  });
}

/** Places of labels at least a line from each other, in the order of `y`. */
function apart(y, height) {
  const order = y.map((_, i) => i).sort((a, b) => y[a] - y[b]);
  const places = order.map((i) => y[i]);
  for (let i = 1; i < places.length; i++) places[i] = Math.max(places[i], places[i - 1] + LINE);
  let lowest = height - MARGIN;
  for (let i = places.length - 1; i >= 0; i--) {
    places[i] = Math.min(places[i], lowest);
    lowest = places[i] - LINE;
  }
  const placed = [];
  order.forEach((i, place) => { placed[i] = places[place]; });
  return placed;
}

export const cosinesOf = (vectors) => vectors.map((a) => vectors.map((b) => dot(a, b)));
