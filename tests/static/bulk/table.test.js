// From lines of cells to a table: header, widths, columns, classes of rows, encodings.
import assert from "node:assert/strict";
import { test } from "node:test";
import { dayOf, guessColumns, guessDates } from "../../../static/bulk/column.js";
import { readDelimited } from "../../../static/bulk/delimited.js";
import { classOf } from "../../../static/bulk/empty_reviews.js";
import { readText } from "../../../static/bulk/encoding.js";
import { findHeader } from "../../../static/bulk/header.js";
import { readPasted } from "../../../static/bulk/paste.js";
import { allDifferent, readFile, rowsBelow, tableOf } from "../../../static/bulk/table.js";
import "../papa.js";

const nameOf = (number) => `列${number}`;

test("the header is below a title and below merged groups", () => {
  const rows = [["A1", "2024-05-01", "很好用", "5"], ["A2", "2024-05-02", "很差", "1"]];
  const header = ["编号", "日期", "内容", "星级"];
  assert.equal(findHeader([header, ...rows]), 0);
  assert.equal(findHeader([["5月评价导出", "", "", ""], header, ...rows]), 1);
  assert.equal(findHeader([["5月评价导出", "", "", ""], ["订单", "", "评价", ""], header, ...rows]), 2);
  assert.equal(findHeader([["订单", "", "评价", "评分"], header, ...rows]), 1);
});

test("names may be any, and a first row of data is no header", () => {
  assert.equal(findHeader([["甲", "乙"], ["很好", "北京"], ["很差", "上海"]]), 0);
  assert.equal(findHeader([["text"], ["很好"]]), 0);
  assert.equal(findHeader([["物流很快，包装也好，满意"], ["很差"]]), -1);
  assert.equal(findHeader([]), -1);
});

test("missing cells are empty, surplus ones a fault only where they are not", () => {
  const grid = [["id", "text", "", ""], ["1", "很好", "", ""], ["2"], ["3", "好", "", "", "", "多"]];
  const { columns, rows, faults } = rowsBelow(grid, 0, nameOf);
  assert.deepEqual(columns, ["id", "text", "列3", "列4"]);
  assert.deepEqual(rows[1], ["2", "", "", ""]);
  assert.deepEqual([...faults], [[2, { kind: "too_many_cells", cells: 6, width: 4 }]]);
  assert.deepEqual(rowsBelow(grid.slice(0, 3), 0, nameOf).columns, ["id", "text"]);
});

test("a header can be another row, or none", () => {
  assert.deepEqual(rowsBelow([["a"], ["b"], ["c"]], 1, nameOf), { columns: ["b"], rows: [["c"]], faults: new Map() });
  assert.deepEqual(rowsBelow([["a", "b"]], -1, nameOf), { columns: ["列1", "列2"], rows: [["a", "b"]], faults: new Map() });
  assert.deepEqual(allDifferent(["a", "a", "a.1"]), ["a", "a.1", "a.1.1"]);
});

test("several files are one table, with the file's name", () => {
  const source = (name, grid) => ({ name, file: new File([], name), grid, header: 0, facts: {} });
  const table = tableOf([source("a.csv", [["评论", "星级"], ["好", "5"]]), source("b.csv", [["星级", "评论", "文件"], ["1", "差", "旧"]])], { nameOf, source: "文件" });
  assert.deepEqual(table.columns, ["评论", "星级", "文件", "文件.1"]);
  assert.deepEqual(table.rows, [["好", "5", "", "a.csv"], ["差", "1", "旧", "b.csv"]]);
});

const guess = (columns, ...rows) => columns[guessColumns({ columns, rows }, 1)[0]];
const REPLY = "非常抱歉给您带来不便，请联系在线客服为您处理，祝您生活愉快！";

test("the column with the review wins over replies, products and addresses, by name and by content", () => {
  const columns = ["商品名称", "评价内容", "商家回复", "收货地址", "评价时间"];
  assert.equal(guess(columns, ["大容量双层真空保温杯", "漏水", REPLY, "上海市浦东新区世纪大道一百号", "2024-01-15"]), "评价内容");
  assert.equal(guess(["a", "b"], ...Array.from({ length: 20 }, (_, i) => [`第${i}次买，不错`, REPLY])), "a");
  assert.equal(guess(["review", "seller_reply"], ["bad", REPLY]), "review");
  assert.equal(guess(["id", "x"], ["1", "很好"], ["2", "很差"]), "x");
  assert.equal(guess(["评价等级", "买家留言"], ["好评", "可以"], ["差评", "不行"]), "买家留言");
  assert.equal(guess(["客户反馈", "处理意见"], ["坏了", REPLY]), "客户反馈");
  assert.equal(guess(["訂單編號", "商品名稱", "評價內容"], ["1", "大容量雙層真空保溫杯", "漏水"]), "評價內容");
  assert.equal(guess(["时间", "评论"], ["09:05", "1"]), "评论"); // nothing but numbers: the name alone is left
});

test("a file that is no workbook by its content is refused with what to do", async () => {
  const refused = (content, kind) => assert.rejects(readFile(new File([content], "a.xlsx")), (error) => error.kind === kind);
  await refused("评论\n很好\n", "no_workbook");
  await refused(new Uint8Array([0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]), "no_workbook"); // an old one, or a password
  await refused("", "empty_file");
});

test("dates are found, and days in them", () => {
  assert.equal(guessDates({ columns: ["a", "b"], rows: [["好", "2024-01-15 09:05:00"], ["1", "2024/1/6"]] }), 1);
  assert.equal(guessDates({ columns: ["a"], rows: [["20"], ["30"]] }), -1);
  assert.equal(dayOf("2024/1/6 08:00"), "2024-01-06");
  assert.equal(dayOf("2024年1月6日"), "2024-01-06");
  assert.equal(dayOf("20240106"), "2024-01-06");
  assert.equal(dayOf("2024-01"), "2024-01");
  assert.equal(dayOf("290011223344"), "");
  assert.equal(dayOf("2024-13-01"), "");
});

test("blank and default reviews are classes of their own", () => {
  for (const text of ["此用户没有填写评价。", "该用户没有填写评价", "默认好评", "系统默认好评！", "评价方未及时做出评价,系统默认好评!", "该用户未填写评价内容", "用户未及时评价，系统默认好评"]) {
    assert.equal(classOf(text), "default", text);
  }
  for (const text of ["好评", "默认好评是我懒得写，其实质量很差", "没有评价这么差的东西", "系统默认发的快递太慢"]) assert.equal(classOf(text), "", text);
  for (const cell of ["", " \u3000\n", null, undefined]) assert.equal(classOf(cell), "blank");
});

const grid = async (text, options) => (await readDelimited(text, options)).grid;

test("sep= is obeyed, empty lines in front are skipped, quoted delimiters do not count", async () => {
  assert.deepEqual(await grid("sep=;\r\na;b\r\n1;2,3\r\n"), [["a", "b"], ["1", "2,3"]]);
  assert.deepEqual(await grid("\r\n\r\nid,text\r\n1,好\r\n"), [["id", "text"], ["1", "好"]]);
  assert.deepEqual(await grid('"1;2;3;4",评论\n5,好\n'), [["1;2;3;4", "评论"], ["5", "好"]]);
  assert.deepEqual(await grid('"评论"\r"物流很快"\n"太差"\r"还行"\n'), [["评论"], ["物流很快"], ["太差"], ["还行"]]);
  assert.deepEqual(await grid("id|评论\n1|好，不错\n2|差, 慢\n"), [["id", "评论"], ["1", "好，不错"], ["2", "差, 慢"]]);
  assert.deepEqual(await grid("5月导出\nid;评论\n1;好\n2;差\n3;慢\n"), [["5月导出"], ["id", "评论"], ["1", "好"], ["2", "差"], ["3", "慢"]]);
  assert.deepEqual(await grid("a\tb\n\t2\n", { tabs: true }), [["a", "b"], ["", "2"]]);
});

test("a quote that swallows rows is told with its line, also where a second one closes it", async () => {
  const rows = Array.from({ length: 9 }, (_, i) => `${i},东西不错,5`);
  assert.deepEqual((await readDelimited(["id,text,n", '1,"好"\n', '2,"慢,1', ...rows].join("\n"))).broken, { line: 4, rows: 9 });
  assert.deepEqual((await readDelimited(["id,text,n", '2,"慢,1', ...rows, '9,"好",1'].join("\n"))).broken, { line: 2, rows: 10 });
  assert.equal((await readDelimited('id,text\n1,"第一行\n第二行\n第三行"\n')).broken, null);
  assert.equal((await grid(["id,text,n", '2,"慢,1', ...rows].join("\n"), { quotes: false })).length, 11);
});

test("Big5 and GB18030 are told apart by how common their characters are", async () => {
  const big5 = new Uint8Array([0xbd, 0x73, 0xb8, 0xb9, 0x2c, 0x61, 0x0a, 0x31, 0x2c, 0xab, 0xc8, 0xaa, 0x41, 0xba, 0x41, 0xab, 0xd7, 0xab, 0xdc, 0xae, 0x74]);
  assert.deepEqual(await readText(new Blob([big5])), { text: "編號,a\n1,客服態度很差", encoding: "big5", damaged: false });
  const gbk = new Uint8Array([0xce, 0xef, 0xc1, 0xf7, 0xba, 0xdc, 0xbf, 0xec]);
  assert.deepEqual(await readText(new Blob([gbk])), { text: "物流很快", encoding: "gb18030", damaged: false });
  assert.equal((await readText(new Blob([gbk]), "big5")).encoding, "big5");
  const utf16 = new Uint8Array([..."编号,评论\n1,物流很快\n"].flatMap((one) => [one.charCodeAt(0) & 255, one.charCodeAt(0) >> 8]));
  assert.equal((await readText(new Blob([utf16]))).text, "编号,评论\n1,物流很快\n");
  const swapped = utf16.map((_, i) => utf16[i ^ 1]);
  assert.deepEqual(await readText(new Blob([swapped])), { text: "编号,评论\n1,物流很快\n", encoding: "utf-16be", damaged: false });
  assert.equal((await readText(new Blob(["id,评论\n1,物流\0很快\n"]))).encoding, "utf-8"); // a stray zero
});

test("pasted rows are cells of a sheet or a text a line", async () => {
  assert.deepEqual((await readPasted("很好，下次还来\n\n物流慢", "p")).grid, [["很好，下次还来"], ["物流慢"]]);
  assert.equal((await readPasted("很好\n慢", "p")).header, -1);
  assert.equal((await readPasted("评论\n慢", "p")).header, 0);
  assert.deepEqual((await readPasted('编号\t评论\n1\t"两\n行"', "p")).grid, [["编号", "评论"], ["1", "两\n行"]]);
});
