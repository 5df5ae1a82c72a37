// @ts-check
// Where a sheet's table begins: the row with the names of columns.
import { isTextName, simplified } from "./names.js";

const LOOKED_AT = 20; // rows
const FULL = 0.6; // of the cells that rows usually have
const LONGEST_NAME = 30; // characters
const KNOWN =
  /^(?:序号|编号|.{0,4}(?:id|ID|编号|单号)|.{0,4}(?:日期|时间)|.{0,4}(?:内容|评价|评论|留言|描述|反馈|回复|文本|标题|备注)|.{0,3}(?:星级|评分|分数|等级|打分)|.{0,3}(?:昵称|用户名?|姓名|买家|会员)|.{0,3}(?:商品|产品|名称|品牌|规格|价格|金额|数量|城市|地区|渠道|来源|类型|类别|状态|标签)|texts?|text_?[ab12]|sentences?\d?|reviews?|comments?|contents?|messages?|titles?|names?|dates?|times?|stars?|ratings?|scores?|labels?|products?|user\w*|category|source|status|repl(?:y|ies)|n|no\.?)$/i;
const SENTENCE = /[，。！？；,!?;]/;

const filled = (/** @type {string[]} */ row) => row.filter((cell) => cell.trim()).length;
const known = (/** @type {string[]} */ row) => row.filter((cell) => KNOWN.test(simplified(cell.trim()))).length;

/** @param {string[]} row */
export const hasKnownName = (row) => known(row) > 0;

/**
 * The number of the row with the names; -1 where no row has any.
 *
 * It is the first that has nearly as many cells as rows usually have: a title has one, a row of merged groups has gaps. Where one of
 * the next two is more surely a header, by common names, it is that one.
 * @param {string[][]} grid
 */
export function findHeader(grid) {
  const some = grid.slice(0, LOOKED_AT);
  const counts = some.map(filled);
  const sorted = counts.filter(Boolean).sort((one, other) => one - other);
  if (!sorted.length) return -1;
  const usual = sorted[Math.floor(sorted.length / 2)];
  const first = counts.findIndex((count) => count >= Math.max(1, Math.ceil(usual * FULL)));
  for (let row = first + 1; row <= first + 2 && row < some.length; row += 1) {
    if (counts[row] > counts[first] && known(some[row]) * 2 >= counts[row]) return row;
  }
  const isData = some[first].some((cell) => cell.length > LONGEST_NAME || (SENTENCE.test(cell) && cell.length > 5));
  return isData && !known(some[first]) ? -1 : first;
}

/**
 * How surely a sheet has the table: 4 a column whose name says that it has the texts, 3 several columns, 2 rows, 1 a cell, 0 nothing.
 * @param {string[][]} grid
 */
function rankOf(grid) {
  const header = findHeader(grid);
  if (grid.filter(filled).length < 2) return Number(grid.some(filled));
  if (header < 0 || !grid.slice(header + 1).some(filled)) return 2;
  return grid[header].some((name) => isTextName(name.trim())) ? 4 : filled(grid[header]) > 1 ? 3 : 2;
}

/**
 * The sheet of that name and its rows; without a name the first of the visible ones that look most like the table.
 * @template {{ name: string, hidden: boolean }} Sheet
 * @param {Sheet[]} sheets
 * @param {(sheet: Sheet) => string[][]} rowsOf
 * @param {string} [name]
 * @returns {{ chosen: Sheet | undefined, rows: string[][] }}
 */
export function pickSheet(sheets, rowsOf, name) {
  const wanted = sheets.find((sheet) => sheet.name === name);
  if (wanted) return { chosen: wanted, rows: rowsOf(wanted) };
  const visible = sheets.filter((sheet) => !sheet.hidden);
  /** @type {{ chosen: Sheet | undefined, rows: string[][] }} */
  let best = { chosen: visible[0] ?? sheets[0], rows: [] };
  let most = 0;
  for (const chosen of visible.length ? visible : sheets) {
    const rows = rowsOf(chosen);
    const rank = rankOf(rows);
    if (rank > most) [best, most] = [{ chosen, rows }, rank];
    if (rank === 4) break;
  }
  return best;
}
