// Cells of a workbook as they are stored: dates, digits, characters, sheets.
import assert from "node:assert/strict";
import { test } from "node:test";
import { zipSync } from "../../../static/vendor/fflate/browser.js";
import { pickSheet } from "../../../static/bulk/header.js";
import { dated, isoDated, kindOfFormat } from "../../../static/bulk/xlsx/number_format.js";
import { Workbook } from "../../../static/bulk/xlsx/reader.js";
import { writeWorkbook } from "../../../static/bulk/xlsx/writer.js";

const encode = (text) => new TextEncoder().encode(text);
const OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const relation = (id, kind, target) => `<Relationship Id="${id}" Type="${OFFICE}/${kind}" Target="${target}"/>`;

/** A workbook of sheets given as {name, cells, state, kind}; `cells` is the inside of sheetData. */
function workbook(sheets, { pr = "", formats = [], strings = "", prefix = "" } = {}) {
  const tag = (name) => `${prefix}${name}`;
  const parts = {
    "_rels/.rels": `<Relationships>${relation("rId1", "officeDocument", "/xl/workbook.xml")}</Relationships>`,
    "xl/workbook.xml": `<${tag("workbook")}><${tag("workbookPr")} ${pr}/><${tag("sheets")}>${
      sheets.map(({ name, state = "visible" }, i) => `<${tag("sheet")} name="${name}" sheetId="${i + 1}" state="${state}" r:id="rId${i + 1}"/>`).join("")
    }</${tag("sheets")}></${tag("workbook")}>`,
    "xl/_rels/workbook.xml.rels": `<Relationships>${
      sheets.map(({ kind = "worksheet" }, i) => relation(`rId${i + 1}`, kind, `sheets/${i + 1}.xml`)).join("")
    }${relation("s", "styles", "styles.xml")}${relation("t", "sharedStrings", "sharedStrings.xml")}</Relationships>`,
    "xl/styles.xml": `<styleSheet><numFmts>${formats.map((code, i) => `<numFmt numFmtId="${200 + i}" formatCode="${code.replaceAll('"', "&quot;")}"/>`).join("")}</numFmts>
      <cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs><xf numFmtId="0"/>${formats.map((_, i) => `<xf numFmtId="${200 + i}"/>`).join("")}</cellXfs></styleSheet>`,
    "xl/sharedStrings.xml": `<sst>${strings}</sst>`,
  };
  sheets.forEach(({ cells = "", kind = "worksheet" }, i) => {
    parts[`xl/sheets/${i + 1}.xml`] = `<?xml version="1.0"?><${tag(kind)}><${tag("sheetData")}>${cells}</${tag("sheetData")}></${tag(kind)}>`;
  });
  return zipSync(Object.fromEntries(Object.entries(parts).map(([name, text]) => [name, encode(text)])));
}

const read = (cells, options) => {
  const book = new Workbook(workbook([{ name: "a", cells }], options));
  return book.rows(book.sheets[0]);
};

test("every minute of a day is that minute, from a float of 15 digits", () => {
  for (let minute = 0; minute < 1440; minute += 1) {
    const serial = Number((45_306 + minute / 1440).toPrecision(15));
    const clock = `${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}:00`;
    assert.equal(dated(serial, "date time", false), minute ? `2024-01-15 ${clock}` : "2024-01-15");
  }
});

test("a serial number is a day since 1900 or 1904, a time of day or a length of time", () => {
  assert.equal(dated(43_844, "date", true), "2024-01-15");
  assert.equal(dated(1, "date", false), "1900-01-01");
  assert.equal(dated(59, "date", false), "1900-02-28");
  assert.equal(dated(60, "date", false), "1900-02-29");
  assert.equal(dated(61, "date", false), "1900-03-01");
  assert.equal(dated(0.3541666666666667, "time", false), "08:30:00");
  assert.equal(dated(1.253472222222222, "elapsed", false), "30:05:00");
  assert.equal(dated(0.9999999, "date time", false), "1900-01-01");
  assert.equal(dated(-1, "date", false), "-1");
  assert.equal(dated(5e7, "date", false), "50000000");
});

const FORMATS = {
  date: ["yyyymmdd", "yyyymm", 'yyyy"年"m"月"d"日"', "[DBNum1][$-804]yyyy\"年\"m\"月\"", "ggge\"年\"m\"月\"d\"日\"", "mmm-yy", "yyyy-mm-dd;;", "[$-804]aaaa;@", "m/d", "yyyy年m月d日"],
  "date time": ["yyyy-mm-ddThh:mm:ss", "yyyymmddhhmmss", "yyyy/m/d h:mm;@", 'd"天"h"小时"', "yyyy-mm-dd hh:mm:ss.000"],
  time: ["h:mm", '上午/下午h"时"mm"分"', "[$-F400]h:mm:ss AM/PM", "mm:ss.0"],
  elapsed: ["[h]:mm", "[mm]:ss", "[Red][h]:mm:ss"],
  "": ["General", "0.00", '"第"0"天"', '0"年"', "0.00%", "¥#,##0.00", 'General"d"', "@", "[Red]0;[Blue]0", "0.00E+00", "_(* #,##0.00_)"],
};
for (const [kind, codes] of Object.entries(FORMATS)) {
  test(`formats that show ${kind || "a number"}`, () => {
    for (const code of codes) assert.equal(kindOfFormat(164, code), kind, code);
  });
}

test("ISO dates are the day that stands there, in any time zone; what is none stays", () => {
  assert.equal(isoDated("2024-01-15T00:00:00"), "2024-01-15");
  assert.equal(isoDated("2024-01-15T23:30:00.000Z"), "2024-01-15 23:30:00");
  assert.equal(isoDated("2024-01-15"), "2024-01-15");
  assert.equal(isoDated("08:30"), "08:30:00");
  assert.equal(isoDated("T08:30:00"), "08:30:00");
  assert.equal(isoDated("morning"), "morning");
  assert.equal(isoDated(""), "");
});

test("a workbook's own formats, epoch and shared strings", () => {
  const strings = "<si><t>好</t></si><si><r><t>很</t></r><r><t xml:space=\"preserve\"> 好</t></r><rPh><t>hao</t></rPh></si>";
  const cells = '<row r="1"><c r="A1" s="1"><v>43844</v></c><c r="B1" t="s"><v>0</v></c><c r="C1" t="s"><v>1</v></c></row>';
  assert.deepEqual(read(cells, { formats: ["yyyymmdd"], strings, pr: 'date1904="true"' }), [["2024-01-15", "好", "很 好"]]);
});

test("digits that a float would lose stay; other numbers are as they were meant", () => {
  const cells = '<row><c><v>123456789012345678</v></c><c><v>0.1</v></c><c><v>4.5000000000000001E-2</v></c><c><v>1E5</v></c><c t="b"><v>1</v></c><c t="e"><v>#N/A</v></c></row>';
  assert.deepEqual(read(cells), [["123456789012345678", "0.1", "0.045", "100000", "TRUE", ""]]);
});

test("cells without references follow each other; gaps and missing rows are empty", () => {
  const cells = '<row><c t="str"><v>a</v></c><c r="D1"><v>1</v></c></row><row r="3"><c t="inlineStr"><is><t>b</t></is></c></row>';
  assert.deepEqual(read(cells), [["a", "", "", "1"], ["", "", "", ""], ["b", "", "", ""]]);
});

test("characters beyond U+FFFF, those that XML cannot hold, and prefixes of names", () => {
  assert.deepEqual(read('<row><c t="inlineStr"><is><t>&#x20BB7;野家&#134071;&amp;lt;</t></is></c><c t="str"><v>a_x000D_b_x005F_x0041_</v></c></row>'),
    [["𠮷野家𠮷&lt;", "a\rb_x0041_"]]);
  assert.deepEqual(read('<x:row><x:c t="inlineStr"><x:is><x:t>好</x:t></x:is></x:c></x:row>', { prefix: "x:" }), [["好"]]);
});

test("a formula is its result; one without is empty and counted, as libraries write a text that begins with =", () => {
  const cells = `<row><c><f>1+1</f><v>2</v></c><c t="str"><f>A1&amp;""</f><v>好</v></c><c t="str"><f>""</f><v></v></c><c><f>1+1</f><v/></c></row>
    <row><c><f>_=太差</f></c><c t="inlineStr"><is><t>=1+1</t></is></c></row>`;
  const book = new Workbook(workbook([{ name: "a", cells }]));
  assert.deepEqual(book.rows(book.sheets[0]), [["2", "好", "", ""], ["", "=1+1", "", ""]]);
  assert.equal(book.sheets[0].uncomputed, 2);
});

test("line ends and blanks of a cell are those that a parser of XML gives", () => {
  assert.deepEqual(read('<row><c t="inlineStr"><is><t>一\r\n二\r三&#13;四</t></is></c><c t="inlineStr"><is><t xml:space="preserve"> \t </t></is></c></row>'),
    [["一\n二\n三\r四", " \t "]]);
});

const TABLE = '<row><c t="str"><v>编号</v></c><c t="str"><v>评价</v></c></row><row><c><v>1</v></c><c t="str"><v>很好</v></c></row>';
const COVER = '<row><c t="str"><v>请阅读本说明</v></c></row><row><c t="str"><v>1. 本表由系统导出</v></c></row>';

test("the first visible sheet with a table is read, and any other by its name", () => {
  const book = new Workbook(workbook([
    { name: "图表", kind: "chartsheet" }, { name: "字典", state: "veryHidden", cells: TABLE }, { name: "说明", cells: COVER }, { name: "数据", cells: TABLE },
  ]));
  assert.deepEqual(book.sheets.map(({ name, hidden }) => [name, hidden]), [["字典", true], ["说明", false], ["数据", false]]);
  const rowsOf = (sheet) => book.rows(sheet);
  assert.equal(pickSheet(book.sheets, rowsOf).chosen.name, "数据");
  assert.equal(pickSheet(book.sheets, rowsOf, "字典").chosen.name, "字典");
  assert.equal(pickSheet(book.sheets.slice(1, 2), rowsOf).chosen.name, "说明");
  const grids = { 汇总: [["指标", "数值"], ["总评论数", "3"]], 明细: [["编号", "评论"], ["1", "很好"]] };
  const named = Object.keys(grids).map((name) => ({ name, hidden: false }));
  assert.equal(pickSheet(named, ({ name }) => grids[name]).chosen.name, "明细"); // its header names the texts
});

test("what is no workbook is refused", () => {
  assert.throws(() => new Workbook(encode("no zip")));
  assert.throws(() => new Workbook(zipSync({ "a.xml": encode("<a/>") })), /no workbook/);
});

test("what is written is read back: ids, formulas' look-alikes, characters that XML cannot hold", () => {
  const rows = [["编号", "文"], ["290011223344556677", "=1+1 <&> \u0001 _x0041_"], ["001", 3.5], ["", "两\n行"], ["  ", "又\r\n一\r行"]];
  const book = new Workbook(writeWorkbook([{ name: "a/b", rows, filter: true }, { name: "A B", rows: [["x"]] }]));
  assert.deepEqual(book.sheets.map(({ name }) => name), ["a b", "A B 2"]);
  assert.deepEqual(book.rows(book.sheets[0]), rows.map((cells) => cells.map(String)));
});
