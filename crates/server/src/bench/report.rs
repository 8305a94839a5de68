//! What was found, as a table for people, as JSON for programs, as Markdown for the docs.
use std::fmt::Write as _;

use serde_json::{Value, json};

/// One measured figure.
#[derive(Debug, Clone)]
pub(super) struct Figure {
    what: String,
    value: f64,
    unit: &'static str,
    wanted: Option<Wanted>,
}

/// What a figure is to be.
#[derive(Debug, Clone, Copy)]
enum Wanted {
    AtLeast(f64),
    AtMost(f64),
}

impl Figure {
    pub(super) fn new(what: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self { what: what.into(), value, unit, wanted: None }
    }

    #[must_use]
    pub(super) fn at_least(self, wanted: f64) -> Self {
        Self { wanted: Some(Wanted::AtLeast(wanted)), ..self }
    }

    #[must_use]
    pub(super) fn at_most(self, wanted: f64) -> Self {
        Self { wanted: Some(Wanted::AtMost(wanted)), ..self }
    }

    fn met(&self) -> Option<bool> {
        self.wanted.map(|wanted| match wanted {
            Wanted::AtLeast(bound) => self.value >= bound,
            Wanted::AtMost(bound) => self.value <= bound,
        })
    }

    fn cells(&self) -> [String; 4] {
        let wanted = match self.wanted {
            Some(Wanted::AtLeast(bound)) => format!(">= {} {}", number(bound), self.unit),
            Some(Wanted::AtMost(bound)) => format!("<= {} {}", number(bound), self.unit),
            None => String::new(),
        };
        let met = match self.met() {
            Some(true) => "yes",
            Some(false) => "NO",
            None => "",
        };
        [self.what.clone(), format!("{} {}", number(self.value), self.unit), wanted, met.to_owned()]
    }

    fn json(&self) -> Value {
        let wanted = match self.wanted {
            Some(Wanted::AtLeast(bound)) => json!({"at_least": bound}),
            Some(Wanted::AtMost(bound)) => json!({"at_most": bound}),
            None => Value::Null,
        };
        json!({"what": self.what, "value": self.value, "unit": self.unit, "wanted": wanted, "met": self.met()})
    }
}

/// Three digits that count, thousands separated.
fn number(value: f64) -> String {
    let magnitude = value.abs();
    if magnitude < 10.0 {
        return format!("{value:.3}");
    }
    if magnitude < 1000.0 {
        return format!("{value:.1}");
    }
    let digits = format!("{:.0}", magnitude);
    let mut text = String::from(if value < 0.0 { "-" } else { "" });
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// What one scenario found.
#[derive(Debug, Clone)]
pub(super) struct Section {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) figures: Vec<Figure>,
}

impl Section {
    /// For a terminal.
    pub(super) fn text(&self) -> String {
        let rows: Vec<_> = self.figures.iter().map(Figure::cells).collect();
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths = [width(0), width(1), width(2)];
        let mut text = format!("\n{}: {}\n", self.name, self.about);
        for [what, value, wanted, met] in rows {
            let line = format!("  {what:a$}  {value:>b$}  {wanted:c$}  {met}", a = widths[0], b = widths[1], c = widths[2]);
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }

    /// For the docs.
    pub(super) fn markdown(&self) -> String {
        let mut text =
            format!("\n### {}\n\n{}\n\n| what | measured | wanted | met |\n|---|---:|---|---|\n", self.name, self.about);
        for [what, value, wanted, met] in self.figures.iter().map(Figure::cells) {
            // Writing to a text can't fail.
            let _ = writeln!(text, "| {what} | {value} | {wanted} | {met} |");
        }
        text
    }

    /// For programs.
    pub(super) fn json(&self) -> Value {
        json!({"name": self.name, "about": self.about, "figures": self.figures.iter().map(Figure::json).collect::<Vec<_>>()})
    }

    /// True if no figure misses what is wanted of it.
    pub(super) fn met(&self) -> bool {
        self.figures.iter().all(|figure| figure.met() != Some(false))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_show_what_counts() {
        assert_eq!([0.1234, 12.34, 1234.4, -1_234_567.0].map(number), ["0.123", "12.3", "1,234", "-1,234,567"]);
    }

    #[test]
    fn a_missed_bound_is_said() {
        let figure = Figure::new("rate", 7.0, "/s").at_least(8.0);
        let section = Section { name: "x", about: "y", figures: vec![figure] };
        assert!(!section.met());
        assert!(section.text().ends_with("rate  7.000 /s  >= 8.000 /s  NO\n"), "{}", section.text());
    }
}
