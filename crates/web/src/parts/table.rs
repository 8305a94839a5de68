//! Rows and columns; where it is narrow each row is a card, with the columns' titles in it.
use askama::Template;

use crate::html::Html;

/// A table.
#[derive(Debug, Clone, Default, Template)]
#[template(path = "parts/table.html")]
pub(crate) struct Table {
    /// What it shows, for who can't see it.
    pub(crate) caption: String,
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: Vec<Row>,
    /// What is said where there are no rows.
    pub(crate) empty: Empty,
    /// New rows are put in at its top while somebody looks (`app.js`).
    pub(crate) live: bool,
}

/// A column.
#[derive(Debug, Clone, Default)]
pub(crate) struct Column {
    pub(crate) title: String,
    /// `number` for numbers and amounts.
    pub(crate) class: &'static str,
    /// Where the same list is in the order of this column; and whether it is.
    pub(crate) sort: Option<Sort>,
}

/// How a list is put into a column's order.
#[derive(Debug, Clone)]
pub(crate) struct Sort {
    pub(crate) href: String,
    pub(crate) now: Option<Direction>,
}

/// In which direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Up,
    Down,
}

impl Sort {
    fn aria(&self) -> &'static str {
        match self.now {
            Some(Direction::Up) => "ascending",
            Some(Direction::Down) => "descending",
            None => "none",
        }
    }

    fn arrow(&self) -> &'static str {
        match self.now {
            Some(Direction::Up) => " ↑",
            Some(Direction::Down) => " ↓",
            None => "",
        }
    }
}

/// A row.
#[derive(Debug, Clone, Default)]
pub(crate) struct Row {
    /// What tells it from all others: its id.
    pub(crate) key: String,
    /// One for each column.
    pub(crate) cells: Vec<Html>,
}

/// What is said where there are no rows: what will be here, the button to begin with, and the command that does the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Empty {
    pub(crate) words: String,
    /// Address and words of a button.
    pub(crate) button: Option<(String, String)>,
    pub(crate) curl: String,
}

impl Empty {
    pub(crate) fn new(words: impl Into<String>) -> Self {
        Self { words: words.into(), ..Self::default() }
    }

    pub(crate) fn button(mut self, href: &str, words: &str) -> Self {
        self.button = Some((href.to_owned(), words.to_owned()));
        self
    }

    /// The command that does the same: a method and its parameters.
    pub(crate) fn curl(mut self, method: &str, params: &str) -> Self {
        self.curl = format!(
            "curl -s http://127.0.0.1:3080/api/ -H 'X-Api-Key: KEY' -d '{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"{method}\",\"params\":{params}}}'"
        );
        self
    }
}

impl Table {
    /// Of columns with these titles.
    pub(crate) fn new(caption: &str, titles: &[&str]) -> Self {
        let columns = titles.iter().map(|title| Column { title: (*title).to_owned(), ..Column::default() }).collect();
        Self { caption: caption.to_owned(), columns, ..Self::default() }
    }

    /// Columns of numbers, by their titles.
    pub(crate) fn numbers(mut self, titles: &[&str]) -> Self {
        for column in self.columns.iter_mut().filter(|column| titles.contains(&column.title.as_str())) {
            column.class = "number";
        }
        self
    }

    /// Columns whose texts are cut where they are too long for a line.
    pub(crate) fn cut(mut self, class: &'static str, titles: &[&str]) -> Self {
        for column in self.columns.iter_mut().filter(|column| titles.contains(&column.title.as_str())) {
            column.class = class;
        }
        self
    }

    /// One more row.
    pub(crate) fn row(&mut self, key: impl Into<String>, cells: Vec<Html>) {
        self.rows.push(Row { key: key.into(), cells });
    }

    /// As markup.
    pub(crate) fn html(&self) -> Html {
        // Its template has nothing that can fail.
        Html::of(self.render().unwrap_or_default())
    }
}
