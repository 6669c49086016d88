//! How large an event may be.

use serde_json::Value;

use crate::refusal::Refusal;

/// What an envelope may measure in every transport, in bytes.
const MAX_ENVELOPE: usize = 64 * 1024;

/// Room for what the envelope adds to the stored `data` and `attributes`: names, ids, time, number, epoch and the
/// address of the schema, of which only the public URL varies.
const ENVELOPE_FRAME: usize = 2 * 1024;

/// Refuses an event that no transport would carry.
///
/// # Errors
/// [`Refusal::PayloadTooLarge`].
pub(super) fn require_fitting(data: &Value, attributes: &Value) -> Result<(), Refusal> {
    let bytes = data.to_string().len() + attributes.to_string().len() + ENVELOPE_FRAME;
    if bytes > MAX_ENVELOPE {
        return Err(Refusal::PayloadTooLarge);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn data_and_attributes_count_together_in_bytes() {
        let attributes = json!({ "correlationid": "req" });
        let data = |letters: usize| json!({ "notes": "ñ".repeat(letters) });
        let around = data(0).to_string().len() + attributes.to_string().len() + ENVELOPE_FRAME;
        let most = (MAX_ENVELOPE - around) / 2;
        assert!(require_fitting(&data(most), &attributes).is_ok());
        assert!(matches!(
            require_fitting(&data(most + 1), &attributes),
            Err(Refusal::PayloadTooLarge)
        ));
        let more = json!({ "correlationid": "request" });
        assert!(require_fitting(&data(most), &more).is_err());
    }
}
