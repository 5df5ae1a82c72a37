// @ts-check
// Which column has the text, by its name and what is in it, which one has dates, and why a cell cannot be sent.
import { written } from "./cell.js";

const LOOKED_AT = 200; // rows
const LONGEST = 1000; // characters of a cell
const CHINESE = /\p{Script=Han}/gu;
const TEXT = /评价|评论|内容|留言|描述|反馈|意见|正文|文本|心得|吐槽|诉求|问题|句|text|review|comment|content|feedback|message|sentence|body|question|query/i;
const IS_TEXT = new RegExp(`(?:${TEXT.source})s?[\\s_]?[\\dab一二]?$`, "i");
// Somebody's answer to a text, or what is sold.
const ANSWER = /回复|答复|回应|商家|卖家|店铺|客服|(?:商品|产品)(?:描述|内容|标题|名称)|reply|response|answer|seller/i;
// Names of what stands beside a text: about it, or about who wrote it.
const BESIDE =
  /地址|名称|标题|昵称|用户|姓名|买家|会员|规格|型号|日期|时间|编号|单号|链接|图片|状态|类型|类别|分类|标签|等级|星级|评分|得分|打分|分数|次数|人$|者$|数$|分$|id$|address|name|title|user|author|date|time|url|link|image|status|type|category|label|tag|rating|score|star|count/i;
const NUMBER = /^[\s\d.,:%+\-/年月日时分秒¥￥$]*$/;
const DAY = /^(\d{4})[-/.年](\d{1,2})(?:[-/.月](\d{1,2}))?|^(\d{4})(\d{2})(\d{2})(?!\d)/;

/** @param {number[]} numbers */
const mean = (numbers) => (numbers.length ? numbers.reduce((sum, one) => sum + one, 0) / numbers.length : 0);

/**
 * Cells of a column, among the first rows, that are not empty.
 * @param {unknown[][]} rows
 * @param {number} place
 */
const cellsOf = (rows, place) =>
  rows.slice(0, LOOKED_AT).map((row) => written(row[place]).slice(0, LONGEST)).filter((cell) => cell.trim());

/**
 * How likely a column is to have the text that is asked about.
 * @param {string} name
 * @param {string[]} cells
 */
function likelihood(name, cells) {
  if (!cells.length || cells.every((cell) => NUMBER.test(cell))) return -1000;
  const chinese = mean(cells.map((cell) => cell.match(CHINESE)?.length ?? 0));
  const length = mean(cells.map((cell) => cell.length));
  const different = new Set(cells).size / cells.length;
  const repeats = cells.length >= 10 && different < 0.3 ? 60 : 0; // a choice among few, or one polite answer
  const named = ANSWER.test(name) ? -80 : IS_TEXT.test(name) ? 100 : BESIDE.test(name) ? -80 : TEXT.test(name) ? 60 : 0;
  return named - repeats + Math.min(chinese, 50) + Math.min(length, 100) / 100;
}

/**
 * Places of the `count` columns that most probably have the texts, in their order.
 * @param {{ columns: string[], rows: unknown[][] }} table
 * @param {number} count
 */
export function guessColumns({ columns, rows }, count) {
  const measured = columns.map((name, place) => ({ place, likely: likelihood(name, cellsOf(rows, place)) }));
  const best = measured.sort((one, other) => other.likely - one.likely || one.place - other.place).slice(0, count);
  return best.map(({ place }) => place).sort((one, other) => one - other);
}

/**
 * The day of a cell as `2026-01-02`, the month alone as `2026-01`; "" where it has none.
 * @param {unknown} cell
 */
export function dayOf(cell) {
  const found = DAY.exec(written(cell).trim());
  if (!found) return "";
  const [year, month, day] = found[1] ? [found[1], found[2], found[3]] : [found[4], found[5], found[6]];
  if (Number(year) < 1900 || Number(year) > 2200 || Number(month) < 1 || Number(month) > 12 || Number(day ?? 1) > 31) return "";
  return [year, month.padStart(2, "0"), ...(day ? [day.padStart(2, "0")] : [])].join("-");
}

/**
 * The column with dates, -1 where there is none.
 * @param {{ columns: string[], rows: unknown[][] }} table
 */
export function guessDates({ columns, rows }) {
  return columns.findIndex((_, place) => {
    const cells = cellsOf(rows, place);
    return cells.length > 1 && cells.filter((cell) => dayOf(cell)).length >= 0.8 * cells.length;
  });
}

/** @param {unknown} value */
function kindOf(value) {
  if (typeof value === "boolean") return "bool";
  if (Array.isArray(value)) return "list";
  if (typeof value === "number" || JSON.isRawJSON?.(value)) return /[.eE]/.test(written(value)) ? "float" : "int";
  return "dict";
}

/** What shops put where nobody wrote anything. */
const DEFAULT =
  /^[\s"“”【[(（]*(?:此用户没有填写(?:评价|评论)(?:内容)?|该?用户(?:未|没有?)(?:填写|及时作出|做出|作出|及时做出)?(?:任何)?(?:文字)?(?:评价|评论)(?:内容)?[，,]?(?:系统)?(?:默认)?(?:好评|给予好评)?|(?:用户|买家|顾客|评价方)(?:超时)?未(?:及时)?(?:作出|做出|填写)?(?:评价|评论)[，,]?(?:系统)?(?:默认)?好评[!！]?|系统默认(?:好评|评价)|默认(?:好评|评价|五星好评)|(?:暂无|没有|无)(?:评价|评论)(?:内容)?)[\s"“”】\]).。!！）]*$/;

/**
 * The class of a row whose text is not sent: "blank", "default"; "" for any other.
 * @param {unknown} value
 */
export function classOf(value) {
  if (value === undefined || value === null || (typeof value === "string" && !value.trim())) return "blank";
  return typeof value === "string" && value.length < 40 && DEFAULT.test(value) ? "default" : "";
}

/**
 * Why a cell cannot be scored, by the name of the reason in the texts, and its values; null where it can.
 * @param {string} name
 * @param {unknown} value
 * @param {boolean} damaged
 * @returns {import("./table.js").Reason | null}
 */
export function faultOf(name, value, damaged) {
  if (typeof value !== "string") return { kind: "no_text", name, type: kindOf(value) };
  return (damaged && value.includes("\ufffd")) || !value.isWellFormed() ? { kind: "damaged", name } : null;
}
