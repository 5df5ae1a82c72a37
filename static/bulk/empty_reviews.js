// @ts-check
// Reviews in which a customer has said nothing. structbert_lite/bulk/empty_reviews.py has the same rules, in the same words.
const WHO = "(此|该|本|这位|这个|当前)?(用户|买家|顾客|客户|消费者|评价方|评论者|会员|住客|客人|您|对方)";
const NOT = "(没有|尚未|暂未|并未|还未|未能|未|没)(及时|按时|在规定时间内|在有效期内|对本次服务|对商品|对该商品|对此商品)?";
const VERB = "(进行|做出|作出|给出|填写|写下|写|发表|发布|提交|留下|添加|输入)";
const OPINION = "(任何|文字|具体|有效|的)*(评价|评论|点评|评语)(内容|信息)?";
const ANYTHING = "(任何|文字|具体|有效|的)*(评价|评论|点评|评语|留言|内容|文字)(内容|信息)?";
const SILENT = `(${WHO}${NOT}${VERB}${ANYTHING}|${WHO}?${NOT}${VERB}?${OPINION}|暂?无${OPINION})`;
const PRAISE = "(五星|5星|满分|全5星)?(好评|评价|评论|中评|五星|5星)";
const GIVEN = `(系统|平台|商城)(已|将)?(自动)?默认(为|的|给予|给出|做出|作出|其)?(${PRAISE})?|(自动)?默认(为|的)?${PRAISE}`;
const AUTOMATIC = `(系统|平台)自动(默认|给予|给出|做出|作出)?(为|的)?${PRAISE}`;
const LATE = "(超时|逾期|(\\d+|十五|七)(天|日)(之?内|后)?)?";
const STATED = new RegExp(`^(?:${LATE}(${SILENT}(${GIVEN}|${AUTOMATIC})?|${GIVEN}|${AUTOMATIC}|好评系统默认)[了哦呢]?)$`);
const TRADITIONAL = "沒寫評價論戶買統認點內時給發為動顧費對輸絕語";
const SIMPLIFIED = "没写评价论户买统认点内时给发为动顾费对输绝语";
const MARKS = /[^\p{L}\p{N}]+/gu;
const LONGEST = 40; // characters; no such phrase is longer

const simplified = (/** @type {string} */ character) => SIMPLIFIED[TRADITIONAL.indexOf(character)] ?? character;

/**
 * The class of a row whose text is not sent: "blank"; "default" for the words that a shop puts in a review's place; "" for any other.
 * The whole text has to be such words.
 * @param {unknown} value
 */
export function classOf(value) {
  if (value === undefined || value === null) return "blank";
  if (typeof value !== "string") return "";
  if (!value.trim()) return "blank"; // what else nobody can see the server says, which has the list
  if (value.length > 2 * LONGEST || [...value].length > LONGEST) return "";
  return STATED.test([...value.normalize("NFKC").replace(MARKS, "")].map(simplified).join("")) ? "default" : "";
}
