// @ts-check
// What the name of a column says of it. structbert_lite/tables/header.py has rules of the same kind.
// Traditional characters of such names, so that both scripts are one. The command line has the same.
const TRADITIONAL = "評價論語點內饋見時間級數類編號單暱帳賬狀態連結鏈圖視頻標題籤簽名稱規來復釋處情結戶訂說發佈";
const SIMPLIFIED = "评价论语点内馈见时间级数类编号单昵账账状态连结链图视频标题签签名称规来复释处情结户订说发布";

/**
 * A column's name in simplified characters.
 * @param {string} name
 */
export const simplified = (name) => [...name].map((character) => SIMPLIFIED[TRADITIONAL.indexOf(character)] ?? character).join("");

const TEXT = /评价|评论|内容|留言|描述|反馈|意见|正文|文本|心得|吐槽|诉求|问题|句|text|review|comment|content|feedback|message|sentence|body|question|query/i;
const IS_TEXT = new RegExp(`(?:${TEXT.source})s?[\\s_]?[\\dab一二]?$`, "i");
// Somebody's answer to a text, or what is sold.
const ANSWER = /回复|回覆|答复|回应|处理|商家|卖家|店铺|客服|(?:商品|产品)(?:描述|内容|标题|名称)|reply|response|answer|seller/i;
// Names of what stands beside a text: about it, or about who wrote it.
const BESIDE =
  /地址|名称|标题|昵称|用户|姓名|买家|会员|规格|型号|日期|时间|编号|单号|链接|图片|状态|类型|类别|分类|标签|等级|星级|评分|得分|打分|分数|次数|人$|者$|数$|分$|id$|address|name|title|user|author|date|time|url|link|image|status|type|category|label|tag|rating|score|star|count/i;

/**
 * How much a name speaks for a column to have the texts, or against it.
 * @param {string} given
 */
export function claimOf(given) {
  const name = simplified(given);
  return ANSWER.test(name) ? -80 : IS_TEXT.test(name) ? 100 : BESIDE.test(name) ? -80 : TEXT.test(name) ? 60 : 0;
}

/** @param {string} name */
export const isTextName = (name) => claimOf(name) > 0;
