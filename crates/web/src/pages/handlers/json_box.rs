//! JSON that somebody types into a box: an object, and what is wrong with it in plain words, with the line.
use hookswitch_model::Object;
use serde_json::{Value, error::Category};

/// Reads an object.
pub(super) fn object(text: &str) -> Result<Object, String> {
    match serde_json::from_str::<Value>(text) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err("must be an object: {\"name\": ...}".to_owned()),
        Err(error) if error.classify() == Category::Eof => {
            Err(format!("is not whole: at its end, in line {}, a bracket or a quote is not closed", error.line()))
        }
        Err(error) => {
            let said = error.to_string();
            let said = said.rsplit_once(" at line ").map_or(said.as_str(), |(said, _)| said);
            Err(format!("is not JSON: line {}, character {}: {}", error.line(), error.column(), plain(said)))
        }
    }
}

/// What the reader of JSON says, as people do.
fn plain(said: &str) -> &str {
    match said {
        "key must be a string" => "a name stands within double quotes",
        "expected value" => "a value is missing, or a text is not within double quotes",
        "trailing comma" => "there is a comma too much",
        "trailing characters" => "there is more behind its end",
        "expected `,` or `}`" => "a comma or a } is missing before this",
        "expected `,` or `]`" => "a comma or a ] is missing before this",
        "expected `:`" => "a colon is missing behind the name",
        "invalid escape" => "a \\ is written as \\\\",
        said if said.starts_with("control character") => "a text can't go on in the next line: close its quote, or write \\n",
        said => said,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (text, part) in [
            ("{\n\"a\": [\n\"b\" \"c\"]}", "line 3, character 5: a comma or a ] is missing"),
            ("{\"a\": \"b", "is not whole: at its end, in line 1"),
            ("[1]", "must be an object"),
            ("{\"a\": \"b\nc\"}", "next line"),
            ("{\"a\": 1,}", "comma too much"),
            ("{a: 1}", "double quotes"),
            ("{\"a\": b}", "double quotes"),
            ("{} {}", "more behind its end"),
        ] {
            let said = object(text).unwrap_err();
            assert!(said.contains(part), "{text}: {said}");
        }
        assert!(object(" {\"a\": 1.50} ").is_ok());
    }
}
