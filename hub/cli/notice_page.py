"""The one-time notice (一次性告知书) as a page to print: no script, nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

_STYLE: Final = """
@page { size: A4; margin: 18mm }
body { font: 11pt/1.5 "Noto Serif CJK SC", "Songti SC", SimSun, serif; color: #000;
  max-width: 174mm; margin: 0 auto; padding: 1em }
h1 { text-align: center; font-size: 18pt; letter-spacing: .2em; margin: 0 0 .2em }
h1 small, .en { font-size: 9pt; color: #444; letter-spacing: normal; font-weight: normal }
h1 small, li .en { display: block }
h2 { font-size: 12pt; border-bottom: 1px solid #000; margin: 1.2em 0 .3em }
li { margin: .3em 0; break-inside: avoid }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0 1em }
dt { color: #444 } dd { margin: 0 }
.brought { border: 2px solid #000; padding: 0 .8em .4em; margin-top: 1em }
.signed { display: flex; justify-content: space-between; margin-top: 2.5em }
footer { margin-top: 2em; border-top: 1px solid #888; font-size: 8pt; color: #444 }
@media print { body { padding: 0 } }
"""


@dataclass(frozen=True, slots=True)
class PageText:
    """A text in both languages."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Section:
    """What becomes of some materials, and a line for each; `is_brought`: by the applicant."""

    heading: PageText
    lines: Sequence[PageText]
    is_brought: bool


@dataclass(frozen=True, slots=True)
class NoticePage:
    """Everything that stands on the page; every text is escaped where it is written."""

    items: Sequence[PageText]
    matter: str
    decision_date: str
    sections: Sequence[Section]
    origin: str
    entry: int
    notice_digest: str

    def html(self) -> str:
        """The page, complete in one file."""
        items = "".join([f"<dd>{_both(item)}</dd>" for item in self.items])
        sections = "".join([_section(section) for section in self.sections if section.lines])
        return (
            '<!DOCTYPE html>\n<html lang="zh-CN"><head><meta charset="utf-8">'
            '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
            "style-src 'unsafe-inline'\">"
            f"<title>一次性告知书 {escape(self.matter)}</title><style>{_STYLE}</style></head>\n"
            "<body><h1>一次性告知书<small>One-time notice</small></h1>\n"
            f'<dl><dt>事项 <span class="en">Items</span></dt>{items}'
            f'<dt>办件编号 <span class="en">Matter</span></dt><dd>{escape(self.matter)}</dd>'
            '<dt>预计办结日 <span class="en">Expected decision</span></dt>'
            f"<dd>{escape(self.decision_date)}</dd></dl>\n{sections}"
            '<div class="signed"><span>经办人 <span class="en">Clerk</span>：____________</span>'
            '<span>申请人 <span class="en">Applicant</span>：____________</span>'
            '<span>日期 <span class="en">Date</span>：____________</span></div>\n'
            f"<footer>{escape(self.origin)} · 日志条目 log entry {self.entry} · "
            f"notice_digest {escape(self.notice_digest)}</footer></body></html>\n"
        )


def _section(section: Section) -> str:
    lines = "".join([f"<li>{_both(line)}</li>" for line in section.lines])
    heading = f'{escape(section.heading.zh)} <span class="en">{escape(section.heading.en)}</span>'
    kind = ' class="brought"' if section.is_brought else ""
    return f"<section{kind}><h2>{heading}</h2><ol>{lines}</ol></section>\n"


def _both(text: PageText) -> str:
    return f'{escape(text.zh)} <span class="en">{escape(text.en)}</span>'
