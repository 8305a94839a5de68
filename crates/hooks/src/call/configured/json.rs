//! JSON with `{{ expression }}` in its texts: how fields are mapped. A text that is nothing but an expression becomes its value, with
//! the value's own type; keys are as they were written.
use hookswitch_model::{Object, json::MASK};
use serde_json::Value as Json;

use super::text::Text;
use crate::condition::expression::Given;

/// JSON, ready to be given values.
#[derive(Debug)]
pub(crate) enum Template {
    Fixed(Json),
    Text(Text),
    List(Vec<Template>),
    Object(Vec<(String, Template)>),
}

impl Template {
    /// Reads what somebody wrote.
    ///
    /// # Errors
    /// Which text is wrong, and how.
    pub(crate) fn read(given: &Json) -> Result<Self, String> {
        match given {
            Json::String(text) => Ok(Self::Text(Text::read(text)?)),
            Json::Array(items) => Ok(Self::List(items.iter().map(Self::read).collect::<Result<_, _>>()?)),
            Json::Object(members) => {
                let read = |(name, value): (&String, &Json)| match Self::read(value) {
                    Ok(read) => Ok((name.clone(), read)),
                    Err(words) => Err(format!("{name} {words}")),
                };
                Ok(Self::Object(members.iter().map(read).collect::<Result<_, _>>()?))
            }
            plain => Ok(Self::Fixed(plain.clone())),
        }
    }

    /// With its values.
    ///
    /// # Errors
    /// Which expression gives nothing, and why.
    pub(crate) fn fill(&self, given: &Given<'_>) -> Result<Json, String> {
        self.made(&|text| text.value(given))
    }

    /// The same for the log: what is as good as a password is masked.
    ///
    /// # Errors
    /// As [`Self::fill`].
    pub(crate) fn shown(&self, given: &Given<'_>) -> Result<Json, String> {
        self.made(&|text| if text.gives_secret() { Ok(MASK.into()) } else { text.value(given) })
    }

    fn made(&self, value: &dyn Fn(&Text) -> Result<Json, String>) -> Result<Json, String> {
        match self {
            Self::Fixed(plain) => Ok(plain.clone()),
            Self::Text(text) => value(text),
            Self::List(items) => items.iter().map(|item| item.made(value)).collect(),
            Self::Object(members) => {
                let member = |(name, template): &(String, Self)| Ok((name.clone(), template.made(value)?));
                Ok(Json::Object(members.iter().map(member).collect::<Result<Object, String>>()?))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_are_mapped_with_their_types() {
        let template = json!({"Name": "{{object.name}}", "Credit__c": "{{object.credit}}", "list": ["{{object.id}}", 1, null, "x{{object.id}}"],
            "Digest": "{{ha1('u', 'r', object.name)}}"});
        let template = Template::read(&template).unwrap();
        let Json::Object(payload) = json!({"object": {"name": "Acme", "credit": 12.5, "id": 42}}) else { panic!() };
        let filled = template.fill(&Given::new(&payload)).unwrap();
        assert_eq!(filled["Digest"].as_str().unwrap().len(), 32);
        let shown = template.shown(&Given::new(&payload)).unwrap();
        let wanted = json!({"Name": "Acme", "Credit__c": 12.5, "list": [42, 1, null, "x42"], "Digest": MASK});
        assert_eq!(shown, wanted);
    }
}
