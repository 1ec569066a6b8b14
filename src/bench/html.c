/* Pieces of a page: text and style. */
#include "bench/html.h"

void lcl_html_text(lcl_text *page, const char *text)
{
    for (; *text; text++) {
        switch (*text) {
        case '&': lcl_text_add(page, "&amp;"); break;
        case '<': lcl_text_add(page, "&lt;"); break;
        case '>': lcl_text_add(page, "&gt;"); break;
        case '"': lcl_text_add(page, "&quot;"); break;
        default: lcl_text_add_bytes(page, text, 1);
        }
    }
}

/* clang-format off */
static const char *const style[] = {
    ":root{color-scheme:light dark;--back:#f6f5f2;--card:#fff;--text:#1c2228;--dim:#646e78;",
    "--line:#e4e2dc;--track:#f0eeea;--bad:#b3261e;",
    "--c0:#2f6fb5;--c1:#d9730d;--c2:#23876a;--c3:#a8428c;--c4:#6657c9;--c5:#8a6d1f}",
    "@media(prefers-color-scheme:dark){:root{--back:#14171a;--card:#1c2024;--text:#e6e8ea;",
    "--dim:#98a2ac;--line:#2e343a;--track:#24292e;--bad:#ff8a80;",
    "--c0:#6ba6e8;--c1:#f0a04b;--c2:#4dbf98;--c3:#dd86c4;--c4:#a497f5;--c5:#cdb05a}}",
    ".c0{--c:var(--c0)}.c1{--c:var(--c1)}.c2{--c:var(--c2)}",
    ".c3{--c:var(--c3)}.c4{--c:var(--c4)}.c5{--c:var(--c5)}",
    "*{box-sizing:border-box}",
    "body{margin:0 auto;padding:2rem 1rem 4rem;max-width:84rem;background:var(--back);",
    "color:var(--text);font:15px/1.45 system-ui,sans-serif;",
    "font-variant-numeric:tabular-nums}",
    "h1{font-size:1.6rem;margin:0 0 .2rem}",
    "h2{font-size:1.1rem;margin:0}",
    "h3{font-size:1rem;margin:0;overflow-wrap:anywhere}",
    "p{margin:.15rem 0 0;color:var(--dim);font-size:.87rem}",
    /* cards */
    ".grid{display:grid;gap:1rem;margin-top:1rem;",
    "grid-template-columns:repeat(auto-fit,minmax(min(100%,39rem),1fr))}",
    ".devices{grid-template-columns:repeat(auto-fit,minmax(min(100%,24rem),1fr))}",
    ".card{background:var(--card);border:1px solid var(--line);border-radius:.6rem;",
    "padding:1rem 1.1rem;min-width:0}",
    ".wide{grid-column:1/-1}",
    ".device{border-top:4px solid var(--c)}",
    ".tiles{display:flex;flex-wrap:wrap;gap:.7rem 1.6rem;margin:.8rem 0 0}",
    ".tiles dt{color:var(--dim);font-size:.8rem}",
    ".tiles dd{margin:0;font-size:1.25rem;font-weight:600}",
    ".tiles small{font-size:.8rem;font-weight:400;color:var(--dim)}",
    ".scroll{overflow-x:auto}",
    /* tables */
    "table{border-collapse:collapse;width:100%;margin-top:.7rem;font-size:.87rem}",
    "th{font-weight:400;color:var(--dim);text-align:left;padding:0 .6rem .3rem 0}",
    "td{padding:.1rem .6rem .1rem 0;vertical-align:top}",
    "th,td{white-space:nowrap}",
    "tr.first td{border-top:1px solid var(--line)}",
    ".dim{color:var(--dim)}",
    ".bad{color:var(--bad);font-weight:600}",
    "td.why{white-space:normal;color:var(--dim)}",
    "th.n,td.n{text-align:right;padding-left:.6rem;padding-right:.1rem}",
    "td.bar{width:60%;min-width:12.5rem;padding-right:0}",
    /* drawings; values stand behind the bars */
    "svg{display:block}",
    "svg text{fill:var(--text);font-size:12px}",
    "svg .dim{fill:var(--dim)}",
    ".bar svg{width:calc(100% - 6.5rem);overflow:visible}",
    ".track{fill:var(--track)}",
    ".fill{fill:var(--c)}",
    ".mark{stroke:var(--text);stroke-width:1.5;stroke-dasharray:3 2}",
    ".axis{stroke:var(--line)}",
    ".roof{fill:none;stroke:var(--c);stroke-width:2}",
    "@media(max-width:40rem){body{padding:1rem .5rem 3rem}.card{padding:.8rem .7rem}",
    ".less{display:none}td.bar{min-width:10rem}}",
    "@media print{body{background:#fff}.card{break-inside:avoid}}",
};
/* clang-format on */

void lcl_html_head(lcl_text *page, const char *title)
{
    lcl_text_add(page, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta "
                       "charset=\"utf-8\">\n<meta name=\"viewport\" "
                       "content=\"width=device-width, initial-scale=1\">\n<title>");
    lcl_html_text(page, title);
    lcl_text_add(page, "</title>\n<style>\n");
    for (size_t i = 0; i < LCL_COUNT(style); i++)
        lcl_text_printf(page, "%s\n", style[i]);
    lcl_text_add(page, "</style>\n</head>\n");
}
