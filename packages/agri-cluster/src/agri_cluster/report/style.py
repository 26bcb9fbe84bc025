"""The look of the page."""

STYLE = """
:root{--ink:#1d2327;--soft:#5f6b73;--line:#dfe3e6;--good:#1b6e37;--bad:#b3261e;--wash:#f6f7f8}
*{box-sizing:border-box}html{scroll-padding-top:56px}
body{margin:0 auto;max-width:1168px;padding:32px 24px;color:var(--ink);background:#fff;
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
h1{font-size:26px;line-height:1.2;margin:0}h2{font-size:18px;margin:40px 0 6px}
h3{font-size:16px;margin:0;line-height:1.3}
p{margin:4px 0;max-width:78ch}.soft{color:var(--soft)}.source{overflow-wrap:anywhere}
a{color:inherit}
nav{position:sticky;top:0;z-index:1;background:#fffffff2;border-bottom:1px solid var(--line);
margin:20px 0 0;padding:10px 0;display:flex;flex-wrap:wrap;gap:4px 18px;font-size:14px}
nav a{text-decoration:none;color:var(--soft)}nav a:hover{color:var(--ink)}
.verdict{margin:16px 0 8px;padding:10px 14px;border-left:4px solid var(--soft);font-weight:600;
background:var(--wash);max-width:none}
.verdict.good{border-color:var(--good);background:#eef6f0}
.verdict.bad{border-color:var(--bad);background:#fcefee}
.warnings{margin:8px 0;padding:8px 14px 8px 34px;background:#fdf6e3;border-left:4px solid #b8930b}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(124px,1fr));gap:12px;margin:16px 0}
.fact{border:1px solid var(--line);border-radius:6px;padding:10px 12px;line-height:1.3}
.fact b{display:block;font-size:20px;line-height:1.3;white-space:nowrap;
font-variant-numeric:tabular-nums}
.faces{display:grid;grid-template-columns:repeat(auto-fill,minmax(92px,1fr));gap:8px;margin:12px 0}
.face{display:flex;gap:7px;align-items:center;text-decoration:none;font-size:12px;line-height:1.25;
border:1px solid var(--line);border-radius:6px;overflow:hidden;min-width:0}
.face:hover{border-color:var(--soft)}
.face img{width:42px;height:42px;object-fit:cover;flex:none;display:block}
.face b{font-size:14px}.face span{min-width:0;overflow:hidden;text-overflow:ellipsis}
.named{grid-template-columns:repeat(auto-fill,minmax(160px,1fr))}
figure{margin:12px 0;break-inside:avoid}
figure img{max-width:100%;height:auto;display:block;margin:0 auto}
figcaption{font-size:13px;color:var(--soft);margin-top:4px;max-width:78ch}
.pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,420px),1fr));gap:4px 24px}
.pair img{margin:0}
details{margin:10px 0}summary{cursor:pointer;color:var(--soft);font-size:14px}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:14px;margin:8px 0}
th,td{text-align:left;padding:6px 10px;border-bottom:1px solid var(--line);vertical-align:top}
th{font-weight:600;color:var(--soft)}
.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.best td:first-child{font-weight:600}
.settings td{overflow-wrap:anywhere}.settings td:first-child{color:var(--soft);width:34%}
.columns{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,420px),1fr));gap:0 28px;
align-items:start}
.card{border-top:1px solid var(--line);padding:14px 0 12px;break-inside:avoid}
.head{display:flex;flex-wrap:wrap;align-items:baseline;gap:2px 14px;margin-bottom:8px}
.head .soft{font-size:14px}
.swatch{display:inline-block;width:14px;height:14px;border-radius:3px;margin-right:8px;
vertical-align:-2px}
.row{display:grid;grid-template-columns:repeat(3,minmax(0,1fr)) minmax(0,1.04fr);gap:10px 16px}
.row figure{margin:0}.row figure img{width:100%;image-rendering:auto}
.row figcaption{margin:3px 0 0;font-size:12px}
.row svg{width:100%;height:auto;display:block}
svg text{font:9px system-ui,sans-serif;fill:#5f6b73}
svg .grid{stroke:#eceff1;stroke-width:1}svg .own{fill:none;stroke-width:1.8}
svg .all{fill:none;stroke:#b5bcc1;stroke-width:1.2;stroke-dasharray:4 3}
.card details{margin:6px 0 0}.card summary{font-size:12px}
.ids{font-size:12px;color:var(--soft);max-width:none;overflow-wrap:anywhere}
footer{margin-top:40px;padding-top:12px;border-top:1px solid var(--line);font-size:13px}
@media(max-width:760px){body{padding:20px 14px}.row{grid-template-columns:1fr}
.row svg{max-width:360px}nav{position:static}}
@media print{body{max-width:none;padding:0;font-size:10.5pt}h2{break-after:avoid}
nav,details{display:none}tr{break-inside:avoid}thead{display:table-header-group}
.facts{grid-template-columns:repeat(4,1fr)}.faces{grid-template-columns:repeat(10,1fr)}
.named{grid-template-columns:repeat(5,1fr)}figure img{max-height:120mm}
.pair{grid-template-columns:1fr 1fr}
.row{grid-template-columns:repeat(4,minmax(0,1fr));gap:8px}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
"""
