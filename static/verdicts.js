// @ts-check
// What a page says of an answer. structbert_lite/web/pages.py does the same.
const CLOSE = 0.3;

/**
 * {kind, label, share} of a prediction: "sure" of its label, "unsure" and only leaning to it, "none": no opinion.
 * @param {{ label: string, score: number, probabilities: Record<string, number>, neutral?: number, uncertain?: boolean }} answer
 */
export function verdictOf({ label, score, probabilities, neutral, uncertain }) {
  if (neutral !== undefined && (label === "Neutral" || (uncertain && neutral >= 0.5))) return { kind: "none", label, share: neutral };
  const [best, second] = [...Object.values(probabilities), 0, 0].sort((a, b) => b - a);
  return { kind: uncertain ?? best - second < CLOSE ? "unsure" : "sure", label, share: score };
}

/**
 * The labels that fit, best first; none where none does.
 * @param {{ labels: string[], scores: number[], none: number }} answer
 * @param {boolean} apart each was scored by itself
 */
export function fittingLabels({ labels, scores, none }, apart) {
  if (!apart && none >= 0.5) return [];
  const least = apart ? 0.5 : scores[0] - CLOSE;
  return labels.filter((_, i) => scores[i] >= least);
}
