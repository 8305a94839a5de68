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

    /// With its values; beside it the same for the log, where what is as good as a password is masked, and these secrets.
    ///
    /// # Errors
    /// Which expression gives nothing, and why.
    pub(crate) fn fill(&self, given: &Given<'_>) -> Result<Filled, String> {
        match self {
            Self::Fixed(plain) => Ok(Filled { value: plain.clone(), shown: plain.clone(), secrets: Vec::new() }),
            Self::Text(text) => {
                let value = text.value(given)?;
                let secrets = value.as_str().filter(|_| text.gives_secret()).map(str::to_owned);
                let shown = if text.gives_secret() { MASK.into() } else { value.clone() };
                Ok(Filled { value, shown, secrets: secrets.into_iter().collect() })
            }
            Self::List(items) => {
                let filled = items.iter().map(|item| item.fill(given)).collect::<Result<Vec<_>, _>>()?;
                let (mut values, mut shown, mut secrets) = (Vec::new(), Vec::new(), Vec::new());
                for item in filled {
                    values.push(item.value);
                    shown.push(item.shown);
                    secrets.extend(item.secrets);
                }
                Ok(Filled { value: values.into(), shown: shown.into(), secrets })
            }
            Self::Object(members) => {
                let (mut values, mut shown, mut secrets) = (Object::new(), Object::new(), Vec::new());
                for (name, template) in members {
                    let member = template.fill(given)?;
                    values.insert(name.clone(), member.value);
                    shown.insert(name.clone(), member.shown);
                    secrets.extend(member.secrets);
                }
                Ok(Filled { value: values.into(), shown: shown.into(), secrets })
            }
        }
    }
}

/// JSON with its values.
#[derive(Debug)]
pub(crate) struct Filled {
    pub(crate) value: Json,
    /// For the log.
    pub(crate) shown: Json,
    /// What is masked there, wherever it comes back.
    pub(crate) secrets: Vec<String>,
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
        let Filled { value, shown, secrets } = template.fill(&Given::new(&payload)).unwrap();
        assert_eq!(
            (value["Digest"].as_str().unwrap().len(), &secrets[..]),
            (32, &[value["Digest"].as_str().unwrap().to_owned()][..])
        );
        let wanted = json!({"Name": "Acme", "Credit__c": 12.5, "list": [42, 1, null, "x42"], "Digest": MASK});
        assert_eq!(shown, wanted);
    }
}
