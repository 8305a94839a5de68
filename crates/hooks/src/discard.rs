//! What the log says of something that was discarded: who did it, and why.
use hookswitch_model::{
    Object,
    field::{self, Field},
    refusal::FieldErrors,
};
use serde_json::Value;

/// In words: by somebody, without a reason.
pub(crate) fn words(by: &str) -> String {
    format!("discarded by {by}")
}

/// In words, with the `reason` that stands among the filters, which is taken out of them.
///
/// # Errors
/// A reason that is none, by name.
pub(crate) fn words_with_reason(by: &str, filters: &mut Object) -> Result<String, FieldErrors> {
    let mut words = words(by);
    if let Some(reason) = filters.shift_remove(Field::REASON.name) {
        let given = [(Field::REASON.name.to_owned(), reason)].into_iter().collect();
        let checked = field::check_create(&[Field::REASON], &given)?;
        let reason = checked.get(Field::REASON.name).and_then(Value::as_str).filter(|reason| !reason.is_empty());
        words.extend(reason.map(|reason| format!(": {reason}")));
    }
    Ok(words)
}
