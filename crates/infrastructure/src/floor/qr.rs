//! The code that is printed on a table.

use comanda_domain::ids::TableId;
use comanda_security::codes::TableCode;
use comanda_security::policy::Principal;
use qrcode::render::svg;
use qrcode::{EcLevel, QrCode};

use super::FloorService;
use crate::db::{Ask, DbError};
use crate::refusal::Refusal;
use crate::views::QrView;

/// Width and height of the picture at least, in its own units; it scales without loss.
const SIZE: u32 = 256;

impl FloorService {
    /// What the sticker on a table holds. It can be printed again and again; only rotating it makes it useless.
    ///
    /// # Errors
    /// `not_found`, `forbidden`.
    pub async fn qr(&self, ask: &Ask, who: &Principal, id: TableId) -> Result<QrView, Refusal> {
        let table = self.managed(ask, who, id).await?.table;
        let qr_version = u16::try_from(table.qr_version)
            .map_err(|_| DbError::Corrupt(format!("version {} of a printed code", table.qr_version)))?;
        let code = self.codes.table_code(&TableCode {
            tenant: ask.tenant,
            table: id,
            qr_version,
        });
        let url = format!("{}/t/{code}", self.public_url);
        Ok(QrView {
            svg: picture(&url)?,
            code,
            url,
            qr_version: table.qr_version,
        })
    }
}

/// The code as SVG, to be put into a page or printed as it is.
fn picture(url: &str) -> Result<String, Refusal> {
    let drawn = QrCode::with_error_correction_level(url, EcLevel::M)
        .map_err(|error| Refusal::Internal(error.to_string()))?
        .render::<svg::Color<'_>>()
        .min_dimensions(SIZE, SIZE)
        .build();
    // Without the declaration of an XML file, which has no place inside another document.
    Ok(drawn
        .find("<svg")
        .and_then(|start| drawn.get(start..))
        .unwrap_or(&drawn)
        .to_owned())
}

#[cfg(test)]
mod tests {
    use super::picture;

    #[test]
    fn a_code_becomes_a_picture() {
        let url = format!("http://localhost:8080/t/{}", "A".repeat(68));
        let svg = picture(&url).unwrap();
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>"), "{svg}");
        assert!(svg.contains("viewBox") && !svg.contains("<?xml"));
    }
}
