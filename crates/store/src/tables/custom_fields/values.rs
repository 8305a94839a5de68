//! The values of an object: kept in its own row by the ids of the definitions, shown by their keys.
//!
//! An object without values costs nothing: nobody asks for its definitions.
use std::collections::HashMap;

use hookswitch_model::{
    Object,
    objects::custom_field::{CustomField, ObjectType},
};

use super::concerning;
use crate::{Error, Tx};

/// The values for a row, from those by key; `None` = none is set.
///
/// # Errors
/// If they can't be written down.
pub fn stored(definitions: &[CustomField], values: &Object) -> Result<Option<String>, Error> {
    let by_id = definitions.iter().filter_map(|definition| {
        let value = values.get(&definition.key).filter(|value| !value.is_null())?;
        Some((definition.id.to_string(), value.clone()))
    });
    let by_id: Object = by_id.collect();
    if by_id.is_empty() { Ok(None) } else { serde_json::to_string(&by_id).map(Some).map_err(Error::engine) }
}

/// Shows rows' values by key. The definitions are asked for where a row has values, once for each reseller.
pub struct Shown {
    object_type: ObjectType,
    known: HashMap<i64, Vec<(String, String)>>,
}

impl Shown {
    /// For rows of this type.
    #[must_use]
    pub fn new(object_type: ObjectType) -> Self {
        Self { object_type, known: HashMap::new() }
    }

    /// The values of one row by key, in the order of the definitions.
    ///
    /// # Errors
    /// Whatever the engine says.
    pub fn of(&mut self, tx: &Tx<'_>, companies_id: i64, stored: Option<&str>) -> Result<Object, Error> {
        let Some(stored) = stored else { return Ok(Object::new()) };
        let mut by_id: Object = serde_json::from_str(stored).map_err(Error::engine)?;
        if !self.known.contains_key(&companies_id) {
            let definitions = concerning(tx, self.object_type, companies_id)?;
            let keys = definitions.into_iter().map(|definition| (definition.id.to_string(), definition.key)).collect();
            self.known.insert(companies_id, keys);
        }
        let keys = self.known.get(&companies_id).map_or(&[][..], Vec::as_slice);
        Ok(keys.iter().filter_map(|(id, key)| Some((key.clone(), by_id.shift_remove(id)?))).collect())
    }
}
