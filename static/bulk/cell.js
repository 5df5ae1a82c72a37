// @ts-check
/**
 * A cell as it is written into a file.
 * @param {unknown} cell
 */
export function written(cell) {
  if (typeof cell === "string") return cell;
  return cell === undefined || cell === null ? "" : JSON.stringify(cell);
}
