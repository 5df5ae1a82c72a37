// @ts-check
// The most usual Chinese characters, simplified and traditional: bytes read in the wrong encoding give rare ones.
const COMMON = new Set(
  "的一是了我不人在他有这个上们来到时大地为子中你说生国年着就那和要她出也得里后自以会家可下而过天去能对小多然于心学么之都好看起发当没成只如事把还用第样道想作种开美总从无情己面最女但现前些所同日手又行意动方期它头经长儿回位分爱老因很给名法间知世什两次使身者被高已亲其进此话常与活正感见明问力理点文几定本公特做外相西果走将月十实向声车全信重三机工物气每并别真打太新比才便再书部水像眼等体却加电主界门利海受听表德少代员许先口由安写性马光白或住难望教命花结乐色更东神记处让应直字场平报友关放至认接告入内候民度觉路带万边风解叫金快原吃变通师立数四失满远格音轻目条呢始完今提求清空业思切怎非找片钱吗语元喜离言干流欢各即指合反题必该论交终请晚制保读运及则房早量火品近坐产答星精视五连司管类未且台夜久越观落尽形影红百吧识步术留市半热送容极随收首根讲整式取照办强拿计您装足双转诉米称客南节衣站黑断故包紧维系持千谁准联基买静复消算确酒需单念仅怕共息待跟穿室程号考皮费倒价图具刚响商礼细专黄块味改般破引食存注笔备习微试料调广查密底错座除购店货差评退换质包装味服务态度物速推荐满意失望" +
  "這個們來時為國說會過對學麼後當還樣種開總從無現經長兒愛給間兩進話與見問點幾實聲車機氣別書體電門聽員許寫難結樂東記處讓應場報關認覺帶萬邊風變師數滿遠輕條業錢嗎語離歡題該論終請製讀運則產連類觀盡紅識術熱極隨講辦計裝雙轉訴稱節斷緊維繫誰準聯買靜復確單僅號費價圖剛響禮細專塊習試調廣錯購貨評換質態薦滿訂貴東線級際麗務將歲幫錄腦碼購",
);

/**
 * The share of a text's characters beyond ASCII that are usual ones; punctuation counts neither way.
 * @param {string} text
 */
export function commonness(text) {
  let all = 0;
  let usual = 0;
  for (const character of text) {
    if (character < "\u2e80" || (character >= "\u3000" && character < "\u3100") || (character >= "\uff00" && character < "\uffe0")) {
      if (character > "\u00ff" || character < "\u0080") continue; // Latin and signs of either
    }
    all += 1;
    usual += Number(COMMON.has(character));
  }
  return all ? usual / all : 1;
}
