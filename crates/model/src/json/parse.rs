//! The strict parser: serde_json reads the syntax, this refuses what it would let pass.
//!
//! With `arbitrary_precision` serde_json hands over a number that is no plain integer as a map with one private key. A caller's own object
//! may use that very key; the two are told apart by their value, which arrives as an owned text from the number
//! scanner only. Objects with a private key are refused altogether: written out and read again by serde_json's own
//! reader they would turn into something else.
use std::{cell::RefCell, fmt};

use serde::de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// How deep objects and arrays may nest.
pub const DEPTH_MAX: usize = 64;

const PRIVATE_PREFIX: &str = "$serde_json::private::";
const PRIVATE_NUMBER: &str = "$serde_json::private::Number";

/// Why a body is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// Not UTF-8.
    #[error("is not UTF-8 (at byte {0})")]
    NotUtf8(usize),
    /// Not JSON, or something follows the value.
    #[error("is not valid JSON: {0}")]
    Syntax(String),
    /// One object names a key twice.
    #[error("the key {0:?} occurs twice in one object")]
    DuplicateKey(String),
    /// Objects and arrays nest deeper than [`DEPTH_MAX`].
    #[error("is nested deeper than {DEPTH_MAX}")]
    TooDeep,
    /// A key that only the parser's own machinery uses.
    #[error("the key {0:?} is reserved")]
    ReservedKey(String),
}

/// Reads one JSON value, strictly.
///
/// # Errors
/// Broken UTF-8, bad syntax, a duplicate key, nesting beyond [`DEPTH_MAX`], anything but white space after the value.
pub fn parse(body: &[u8]) -> Result<Value, JsonError> {
    let text = std::str::from_utf8(body).map_err(|error| JsonError::NotUtf8(error.valid_up_to()))?;
    let refused = RefCell::new(None);
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = Strict { depth: 0, refused: &refused }.deserialize(&mut reader);
    let syntax = |error: serde_json::Error| JsonError::Syntax(error.to_string());
    match value {
        Ok(value) => reader.end().map_err(syntax).map(|()| value),
        Err(error) => Err(refused.into_inner().unwrap_or_else(|| syntax(error))),
    }
}

/// Reads a value that is `depth` containers deep.
#[derive(Clone, Copy)]
struct Strict<'a> {
    depth: usize,
    /// What is wrong, where serde could only carry its words.
    refused: &'a RefCell<Option<JsonError>>,
}

impl Strict<'_> {
    fn refuse<E: de::Error>(&self, error: JsonError) -> E {
        let words = E::custom(&error);
        self.refused.replace(Some(error));
        words
    }

    fn inside<E: de::Error>(&self) -> Result<Self, E> {
        if self.depth < DEPTH_MAX { Ok(Self { depth: self.depth + 1, ..*self }) } else { Err(self.refuse(JsonError::TooDeep)) }
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: de::Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    // Integers that fit come as they are, all other numbers by the private key. There is no visit_f64: were the
    // exact numbers ever switched off, money would be refused rather than rounded.
    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::from(number))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::from(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inside = self.inside()?;
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(inside)? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        let Some(mut name) = members.next_key::<String>()? else {
            self.inside::<A::Error>()?;
            return Ok(Value::Object(object));
        };
        if name == PRIVATE_NUMBER {
            return members.next_value_seed(ScannedNumber { refused: self.refused });
        }
        let inside = self.inside()?;
        loop {
            if name.starts_with(PRIVATE_PREFIX) {
                return Err(self.refuse(JsonError::ReservedKey(name)));
            }
            if object.contains_key(&name) {
                return Err(self.refuse(JsonError::DuplicateKey(name)));
            }
            let value = members.next_value_seed(inside)?;
            object.insert(name, value);
            match members.next_key::<String>()? {
                Some(next) => name = next,
                None => return Ok(Value::Object(object)),
            }
        }
    }
}

/// The value behind the private key of a number. Only serde_json's number scanner gives an owned text; the texts of
/// a caller's object are borrowed.
struct ScannedNumber<'a> {
    refused: &'a RefCell<Option<JsonError>>,
}

impl ScannedNumber<'_> {
    fn reserved<E: de::Error>(&self) -> E {
        Strict { depth: 0, refused: self.refused }.refuse(JsonError::ReservedKey(PRIVATE_NUMBER.to_owned()))
    }
}

impl<'de> DeserializeSeed<'de> for ScannedNumber<'_> {
    type Value = Value;

    fn deserialize<D: de::Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ScannedNumber<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number")
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<Value, E> {
        text.parse::<Number>().map(Value::Number).map_err(E::custom)
    }

    fn visit_str<E: de::Error>(self, _: &str) -> Result<Value, E> {
        Err(self.reserved())
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<Value, E> {
        Err(self.reserved())
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<Value, E> {
        Err(self.reserved())
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        Err(self.reserved())
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<Value, E> {
        Err(self.reserved())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<Value, A::Error> {
        Err(self.reserved())
    }

    fn visit_map<A: MapAccess<'de>>(self, _: A) -> Result<Value, A::Error> {
        Err(self.reserved())
    }
}
