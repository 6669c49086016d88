use super::*;
use crate::views::{ReceiptBranch, money};

fn ars(minor: i64) -> MoneyView {
    money(minor, Currency::parse("ARS").unwrap())
}

fn receipt(lang: &str) -> ReceiptView {
    let line = ReceiptLine {
        description: "Bife <b>de</b> chorizo".to_owned(),
        qty: 2,
        unit_price: ars(2_670_000),
        amount: ars(5_340_000),
        modifiers: vec!["Jugoso".to_owned(), "\"Huevo\" & frito".to_owned()],
        diner: Some("<script>alert('x')</script>".to_owned()),
    };
    let payment = ReceiptPayment {
        provider: "cash".to_owned(),
        amount: ars(5_340_000),
        tip: ars(100_000),
        refunded: ars(0),
        payer: Some("Ana".to_owned()),
    };
    ReceiptView {
        kind: "receipt",
        number: 7,
        business_day: "2026-11-24".to_owned(),
        currency: "ARS".to_owned(),
        lang: lang.to_owned(),
        branch: ReceiptBranch {
            name: "Buen Sabor Centro".to_owned(),
            address: Some("</p><img src=x onerror=alert(1)>".to_owned()),
            phone: None,
            header: None,
            footer: Some("Gracias\nVuelva pronto".to_owned()),
        },
        table: "SAL-01".to_owned(),
        waiter: Some("Leo".to_owned()),
        opened_at: "2026-11-24T23:00:00.000Z".to_owned(),
        closed_at: None,
        lines: vec![line],
        adjustments: Vec::new(),
        subtotal: ars(5_340_000),
        total: ars(5_340_000),
        payments: vec![payment],
        tips: ars(100_000),
        due: ars(0),
        public_url: Some("http://localhost:8080/v1/public/receipts/AQ".to_owned()),
    }
}

fn printed(view: &ReceiptView) -> String {
    page(view, chrono_tz::America::Argentina::Mendoza).html
}

#[test]
fn every_text_is_escaped() {
    let html = printed(&receipt("es"));
    for foreign in ["<script", "<img", "<b>", "alert('x')", "\"Huevo\""] {
        assert!(!html.contains(foreign), "{foreign} in {html}");
    }
    assert!(html.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;"));
    assert!(html.contains("&quot;Huevo&quot; &amp; frito"));
}

#[test]
fn the_page_needs_nothing_from_elsewhere() {
    let html = printed(&receipt("es"));
    assert!(html.starts_with("<!DOCTYPE html>"));
    for reference in ["<script", "<link", "<img", "src=", "href=", "url(", "@import"] {
        assert!(!receipt_without_foreign_text().contains(reference), "{reference}");
    }
    assert!(html.contains("width:80mm") && html.contains("@page"));
}

fn receipt_without_foreign_text() -> String {
    let mut plain = receipt("es");
    plain.branch.address = None;
    plain.lines.clear();
    printed(&plain)
}

#[test]
fn the_words_follow_the_language() {
    let spanish = printed(&receipt("es-AR"));
    assert!(spanish.contains("<html lang=\"es\">") && spanish.contains("Efectivo"));
    assert!(spanish.contains("53.400,00"));
    let english = printed(&receipt("en"));
    assert!(english.contains("<html lang=\"en\">") && english.contains("Cash"));
    assert!(english.contains("53,400.00"));
}

#[test]
fn times_are_those_of_the_branch() {
    assert!(printed(&receipt("es")).contains("2026-11-24 20:00"));
}

#[test]
fn amounts_are_grouped_by_thousands() {
    let amount = |minor| SPANISH.amount(&ars(minor));
    assert_eq!(amount(0), "0,00");
    assert_eq!(amount(99_999), "999,99");
    assert_eq!(amount(100_000), "1.000,00");
    assert_eq!(amount(123_456_789), "1.234.567,89");
    assert_eq!(amount(-123_456), "-1.234,56");
    let pesos = money(1_500_000, Currency::parse("CLP").unwrap());
    assert_eq!(ENGLISH.amount(&pesos), "1,500,000");
}
