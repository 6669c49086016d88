//! A receipt as one page: 80 mm wide, everything in the page itself, no scripts, every text escaped.

use std::borrow::Cow;
use std::fmt::Write;

use chrono::DateTime;
use chrono_tz::Tz;
use comanda_domain::money::{Currency, Money};
use comanda_security::hash::sha256_base64;

use crate::views::{MoneyView, ReceiptLine, ReceiptPayment, ReceiptView};

const STYLE: &str = "\
@page{size:80mm auto;margin:0}\
*{box-sizing:border-box}\
body{width:80mm;margin:0 auto;padding:4mm;background:#fff;color:#000;\
font:12px/1.35 ui-monospace,Menlo,Consolas,monospace;overflow-wrap:anywhere}\
header,footer{text-align:center}\
h1{font-size:16px;margin:0 0 1mm}\
p{margin:0;white-space:pre-line}\
table{width:100%;border-collapse:collapse;border-top:1px dashed #000;margin-top:2mm;padding-top:1mm}\
td{padding:.6mm 0;vertical-align:top}\
td:last-child{text-align:right;white-space:nowrap;padding-left:2mm}\
small{display:block;font-size:10px}\
.strong td{font-weight:bold;font-size:14px}\
footer{border-top:1px dashed #000;margin-top:2mm;padding-top:2mm}\
@media screen{html{background:#eee}body{margin:6mm auto;box-shadow:0 1mm 4mm rgba(0,0,0,.25)}}";

/// The words of a language.
struct Words {
    lang: &'static str,
    receipt: &'static str,
    pre_bill: &'static str,
    table: &'static str,
    waiter: &'static str,
    business_day: &'static str,
    opened: &'static str,
    closed: &'static str,
    subtotal: &'static str,
    total: &'static str,
    tips: &'static str,
    tip: &'static str,
    due: &'static str,
    refunded: &'static str,
    shared: &'static str,
    cash: &'static str,
    card_terminal: &'static str,
    transfer: &'static str,
    /// Between thousands, and before the decimals.
    separators: (char, char),
}

const SPANISH: Words = Words {
    lang: "es",
    receipt: "Comprobante",
    pre_bill: "Cuenta (sin pagar)",
    table: "Mesa",
    waiter: "Atendido por",
    business_day: "Fecha",
    opened: "Desde",
    closed: "Hasta",
    subtotal: "Subtotal",
    total: "Total",
    tips: "Propinas",
    tip: "propina",
    due: "A pagar",
    refunded: "devuelto",
    shared: "Compartido",
    cash: "Efectivo",
    card_terminal: "Tarjeta",
    transfer: "Transferencia",
    separators: ('.', ','),
};

const ENGLISH: Words = Words {
    lang: "en",
    receipt: "Receipt",
    pre_bill: "Bill (unpaid)",
    table: "Table",
    waiter: "Served by",
    business_day: "Date",
    opened: "From",
    closed: "To",
    subtotal: "Subtotal",
    total: "Total",
    tips: "Tips",
    tip: "tip",
    due: "To pay",
    refunded: "refunded",
    shared: "Shared",
    cash: "Cash",
    card_terminal: "Card",
    transfer: "Transfer",
    separators: (',', '.'),
};

impl Words {
    /// English for every language that there are no words of.
    fn of(lang: &str) -> &'static Self {
        match lang.split('-').next() {
            Some("es") => &SPANISH,
            _ => &ENGLISH,
        }
    }

    fn provider<'a>(&self, name: &'a str) -> Cow<'a, str> {
        match name {
            "cash" => self.cash.into(),
            "card_terminal" => self.card_terminal.into(),
            "transfer" => self.transfer.into(),
            "mercado_pago" => "Mercado Pago".into(),
            "sandbox" => "Sandbox".into(),
            other => other.into(),
        }
    }

    /// An amount as it is printed: `46.600,00`.
    fn amount(&self, money: &MoneyView) -> String {
        let Some(currency) = Currency::parse(&money.currency) else {
            return money.amount.to_string();
        };
        let decimal = Money::new(money.amount, currency).to_decimal();
        let (sign, digits) = decimal
            .strip_prefix('-')
            .map_or(("", decimal.as_str()), |rest| ("-", rest));
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let (thousands, point) = self.separators;
        let mut text = sign.to_owned();
        for (place, digit) in (1..=whole.len()).rev().zip(whole.chars()) {
            text.push(digit);
            if place > 1 && place % 3 == 1 {
                text.push(thousands);
            }
        }
        if !fraction.is_empty() {
            text.push(point);
            text.push_str(fraction);
        }
        text
    }
}

/// A receipt as a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// All of it.
    pub html: String,
    /// What a browser may do with it: apply its own style, and nothing else.
    pub content_security_policy: String,
}

/// The page of a receipt, with times of the branch's zone.
pub fn page(view: &ReceiptView, zone: Tz) -> Page {
    Page {
        html: html(view, zone),
        content_security_policy: content_security_policy(),
    }
}

/// The style is allowed by its hash, so that a style that somebody slipped in would not be.
fn content_security_policy() -> String {
    let digest = sha256_base64(STYLE.as_bytes());
    format!(
        "default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

fn html(view: &ReceiptView, zone: Tz) -> String {
    let words = Words::of(&view.lang);
    let title = if view.kind == "receipt" {
        words.receipt
    } else {
        words.pre_bill
    };
    let mut page = Writer {
        words,
        html: String::with_capacity(4096),
    };
    page.raw("<!DOCTYPE html>\n<html lang=\"");
    page.raw(words.lang);
    page.raw(
        "\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>",
    );
    page.text(&format!("{title} {} · {}", view.number, view.branch.name));
    page.raw("</title><style>");
    page.raw(STYLE);
    page.raw("</style></head>\n<body>\n");
    page.header(view, title);
    page.about(view, zone);
    page.lines(&view.lines);
    page.sums(view);
    page.payments(view);
    page.footer(view);
    page.raw("</body></html>\n");
    page.html
}

struct Writer {
    words: &'static Words,
    html: String,
}

impl Writer {
    /// Markup of our own.
    fn raw(&mut self, markup: &str) {
        self.html.push_str(markup);
    }

    /// Anything that somebody wrote.
    fn text(&mut self, text: &str) {
        self.html.push_str(&escaped(text));
    }

    fn paragraph(&mut self, text: &str) {
        self.raw("<p>");
        self.text(text);
        self.raw("</p>\n");
    }

    fn row(&mut self, class: &str, left: &str, small: &[String], right: &str) {
        self.raw(class);
        self.raw("<td>");
        self.text(left);
        for line in small.iter().filter(|line| !line.is_empty()) {
            self.raw("<small>");
            self.text(line);
            self.raw("</small>");
        }
        self.raw("</td><td>");
        self.text(right);
        self.raw("</td></tr>\n");
    }

    fn plain(&mut self, left: &str, right: &str) {
        self.row("<tr>", left, &[], right);
    }

    fn header(&mut self, view: &ReceiptView, title: &str) {
        self.raw("<header><h1>");
        self.text(&view.branch.name);
        self.raw("</h1>\n");
        for line in [&view.branch.address, &view.branch.phone, &view.branch.header]
            .into_iter()
            .flatten()
        {
            self.paragraph(line);
        }
        self.raw("</header>\n<table>\n");
        self.row(
            "<tr class=\"strong\">",
            title,
            &[],
            &format!("N.º {}", view.number),
        );
    }

    fn about(&mut self, view: &ReceiptView, zone: Tz) {
        let words = self.words;
        self.plain(words.table, &view.table);
        if let Some(waiter) = &view.waiter {
            self.plain(words.waiter, waiter);
        }
        self.plain(words.business_day, &view.business_day);
        self.plain(words.opened, &local(&view.opened_at, zone));
        if let Some(closed_at) = &view.closed_at {
            self.plain(words.closed, &local(closed_at, zone));
        }
        self.raw("</table>\n<table>\n");
    }

    fn lines(&mut self, lines: &[ReceiptLine]) {
        for line in lines {
            let words = self.words;
            let each = if line.qty == 1 {
                String::new()
            } else {
                format!("{} × {}", line.qty, words.amount(&line.unit_price))
            };
            let small = [
                line.modifiers.join(", "),
                each,
                line.diner.clone().unwrap_or(words.shared.to_owned()),
            ];
            let left = format!("{} {}", line.qty, line.description);
            self.row("<tr>", &left, &small, &words.amount(&line.amount));
        }
        self.raw("</table>\n<table>\n");
    }

    fn sums(&mut self, view: &ReceiptView) {
        let words = self.words;
        self.plain(words.subtotal, &words.amount(&view.subtotal));
        let total = format!("{} {}", view.currency, words.amount(&view.total));
        self.row("<tr class=\"strong\">", words.total, &[], &total);
        self.raw("</table>\n");
    }

    fn payments(&mut self, view: &ReceiptView) {
        let words = self.words;
        self.raw("<table>\n");
        for payment in &view.payments {
            self.payment(payment);
        }
        if view.tips.amount != 0 {
            self.plain(words.tips, &words.amount(&view.tips));
        }
        self.row("<tr class=\"strong\">", words.due, &[], &words.amount(&view.due));
        self.raw("</table>\n");
    }

    fn payment(&mut self, payment: &ReceiptPayment) {
        let words = self.words;
        let some = |label: &str, money: &MoneyView| {
            if money.amount == 0 {
                String::new()
            } else {
                format!("{label} {}", words.amount(money))
            }
        };
        let small = [
            payment.payer.clone().unwrap_or_default(),
            some(words.tip, &payment.tip),
            some(words.refunded, &payment.refunded),
        ];
        let left = words.provider(&payment.provider);
        self.row("<tr>", &left, &small, &words.amount(&payment.amount));
    }

    fn footer(&mut self, view: &ReceiptView) {
        if view.branch.footer.is_none() && view.public_url.is_none() {
            return;
        }
        self.raw("<footer>\n");
        for line in [&view.branch.footer, &view.public_url].into_iter().flatten() {
            self.paragraph(line);
        }
        self.raw("</footer>\n");
    }
}

/// The branch's clock time of an instant of the view.
fn local(at: &str, zone: Tz) -> String {
    match DateTime::parse_from_rfc3339(at) {
        Ok(instant) => instant.with_timezone(&zone).format("%Y-%m-%d %H:%M").to_string(),
        Err(_) => at.to_owned(),
    }
}

/// Text that means nothing to a browser, between tags and inside quotes alike.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            // Control characters have no place in a page, apart from line breaks.
            other if other.is_control() && other != '\n' => {
                let _ = write!(safe, "\u{fffd}");
            }
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests;
