//! What an expression can cost at most on one event, found without evaluating it.
//!
//! One unit is about a nanosecond or a byte of memory that is written. `data.name == "x"` weighs next to nothing;
//! `data.tags.map(t, data.notes + data.notes)` is short too, and multiplies one length by another. All sums saturate:
//! too much is too much.
use cel::{
    IdedExpr,
    common::ast::{CallExpr, ComprehensionExpr, EntryExpr, Expr, LiteralValue, operators},
};
use serde_json::Value as Json;

/// Each step of the interpreter.
const STEP: u64 = 200;
/// Each turn of a loop.
const TURN: u64 = 500;
/// A value without a length of its own, in its box, in a list.
const ATOM: u64 = 64;
/// Comparing is faster than writing.
const BYTES_COMPARED: u64 = 2;
/// A number as text.
const NUMBER_TEXT: u64 = 400;

/// A pattern is compiled each time, state by state, of which a class of Unicode's characters has hundreds.
const PATTERN: u64 = 30_000;
const STATE: u64 = 500;
const CLASS_STATES: u64 = 300;
/// So many states cost about as much as one more look at each byte of the text.
const STATES_A_LOOK: u64 = 16;
/// A pattern that comes from the event: a few bytes can make any number of states.
const PATTERN_UNKNOWN: u64 = super::WEIGHT_INLINE_MAX + 1;
const PATTERN_BYTE: u64 = 10_000;

/// How large a value is at most.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Size<'j> {
    bytes: u64,
    /// How many turns a loop over it takes.
    length: u64,
    /// The greatest length of anything within it.
    length_within: u64,
    /// The largest thing that a loop over it, or over anything within it, goes through.
    item_bytes: u64,
    /// The value itself, if it stands in the payload.
    json: Option<&'j Json>,
}

impl<'j> Size<'j> {
    const ATOM: Self = Self { bytes: ATOM, length: 0, length_within: 0, item_bytes: 0, json: None };

    /// Of a member of the payload.
    pub(super) fn of(json: Option<&'j Json>) -> Self {
        let size = match json {
            Some(Json::String(text)) => Self::text(text.len()),
            Some(Json::Array(items)) => items.iter().fold(Self::ATOM, |sum, item| sum.with_item(Self::of(Some(item)))),
            // A loop over an object goes through its names.
            Some(Json::Object(members)) => members
                .iter()
                .fold(Self::ATOM, |sum, (name, value)| sum.with_item(Self::text(name.len())).with(Self::of(Some(value)))),
            _ => Self::ATOM,
        };
        Self { json, ..size }
    }

    fn text(length: usize) -> Self {
        Self { bytes: ATOM.saturating_add(count(length)), ..Self::ATOM }
    }

    /// With this somewhere in it.
    fn with(self, part: Self) -> Self {
        Self {
            bytes: self.bytes.saturating_add(part.bytes),
            length_within: self.length_within.max(part.length).max(part.length_within),
            item_bytes: self.item_bytes.max(part.item_bytes),
            ..self
        }
    }

    /// With this as one more of its items.
    fn with_item(self, item: Self) -> Self {
        let sum = self.with(item);
        Self { length: sum.length.saturating_add(1), item_bytes: sum.item_bytes.max(item.bytes), ..sum }
    }

    fn or(self, other: Self) -> Self {
        Self {
            bytes: self.bytes.max(other.bytes),
            length: self.length.max(other.length),
            length_within: self.length_within.max(other.length_within),
            item_bytes: self.item_bytes.max(other.item_bytes),
            json: None,
        }
    }

    /// Its member of this name.
    fn member(self, name: &str) -> Self {
        match self.json {
            Some(Json::Object(members)) => Self::of(members.get(name)),
            _ => self.within(),
        }
    }

    /// Anything that is in it.
    fn within(self) -> Self {
        Self { length: self.length_within, json: None, ..self }
    }

    /// What a loop's variable is, turn by turn. It has no more items than its bytes can be.
    fn item(self) -> Self {
        let length = self.length_within.min(self.item_bytes / ATOM);
        Self { bytes: self.item_bytes, length, length_within: length, json: None, ..self }
    }
}

/// What it costs to make variables of these sizes.
pub(super) fn made(sizes: &[(&str, Size<'_>)]) -> u64 {
    sizes.iter().fold(0_u64, |sum, (_, size)| sum.saturating_add(size.bytes))
}

/// The most that evaluating it can cost, with variables of these sizes. They are made for it first.
pub(super) fn weight<'e>(expression: &'e IdedExpr, sizes: Vec<(&'e str, Size<'_>)>) -> u64 {
    let mut scale = Scale { weight: made(&sizes), known: sizes };
    scale.size(expression);
    scale.weight
}

struct Scale<'e, 'j> {
    /// The variables, innermost last.
    known: Vec<(&'e str, Size<'j>)>,
    weight: u64,
}

impl<'e, 'j> Scale<'e, 'j> {
    fn add(&mut self, weight: u64) {
        self.weight = self.weight.saturating_add(weight);
    }

    /// How large the result is at most; what it costs is added up.
    fn size(&mut self, expression: &'e IdedExpr) -> Size<'j> {
        self.add(STEP);
        match &expression.expr {
            Expr::Literal(LiteralValue::String(text)) => Size::text(text.inner().len()),
            Expr::Literal(LiteralValue::Bytes(bytes)) => Size::text(bytes.inner().len()),
            Expr::Ident(name) => self.known.iter().rev().find(|(known, _)| known == name).map_or(Size::ATOM, |(_, size)| *size),
            Expr::Select(select) => self.size(&select.operand).member(&select.field),
            Expr::List(list) => {
                let size = list.elements.iter().fold(Size::ATOM, |sum, item| sum.with_item(self.size(item)));
                self.written(size)
            }
            Expr::Map(map) => {
                let size = map.entries.iter().fold(Size::ATOM, |sum, entry| match &entry.expr {
                    EntryExpr::MapEntry(entry) => sum.with_item(self.size(&entry.key)).with(self.size(&entry.value)),
                    EntryExpr::StructField(field) => sum.with(self.size(&field.value)),
                });
                self.written(size)
            }
            Expr::Call(call) => self.call(call),
            Expr::Comprehension(comprehension) => self.comprehension(comprehension),
            Expr::Literal(_) | Expr::Struct(_) | Expr::Unspecified => Size::ATOM,
        }
    }

    fn written(&mut self, size: Size<'j>) -> Size<'j> {
        self.add(size.bytes);
        size
    }

    fn call(&mut self, call: &'e CallExpr) -> Size<'j> {
        let parts: Vec<Size> = call.target.as_deref().into_iter().chain(&call.args).map(|part| self.size(part)).collect();
        let bytes = parts.iter().fold(0, |sum: u64, part| sum.saturating_add(part.bytes));
        let any = parts.iter().copied().fold(Size::default(), Size::or);
        match (call.func_name.as_str(), parts.as_slice()) {
            (operators::CONDITIONAL, [_, one, other]) => one.or(*other),
            (operators::INDEX, [held, _]) => self.index(*held, call.args.last()),
            (operators::ADD, [one, other]) => {
                let length = one.length.saturating_add(other.length);
                self.written(Size { bytes, length, ..any })
            }
            // Two values are compared no further than the shorter one goes.
            (operators::EQUALS | operators::NOT_EQUALS, [one, other]) => {
                self.add(one.bytes.min(other.bytes) / BYTES_COMPARED);
                Size::ATOM
            }
            (operators::IN, _) => {
                self.add(bytes / BYTES_COMPARED);
                Size::ATOM
            }
            ("matches", [text, pattern]) => {
                self.add(matching(*text, *pattern, call.args.last()));
                Size::ATOM
            }
            (name, _) if name.starts_with(|first: char| first.is_ascii_alphabetic()) => {
                // Such as string(): no function makes more of what it is given than a text of a number.
                self.written(Size { bytes: bytes.saturating_add(NUMBER_TEXT), ..any })
            }
            _ => {
                self.add(bytes);
                Size::ATOM
            }
        }
    }

    fn index(&mut self, held: Size<'j>, index: Option<&IdedExpr>) -> Size<'j> {
        match (index.map(|index| &index.expr), held.json) {
            (Some(Expr::Literal(LiteralValue::String(name))), _) => held.member(name.inner()),
            (Some(Expr::Literal(LiteralValue::Int(_))), _) | (_, Some(Json::Object(_))) => held.within(),
            // The error that this is no index quotes the whole list.
            _ => self.written(held.within()),
        }
    }

    /// A loop: what one turn costs, as often as there can be items. `map` and `filter` also gather what each turn gives.
    fn comprehension(&mut self, comprehension: &'e ComprehensionExpr) -> Size<'j> {
        let range = self.size(&comprehension.iter_range);
        // Each item is copied into the loop's variable.
        self.add(range.bytes);
        let before = self.weight;
        self.known.push((&comprehension.iter_var, range.item()));
        self.known.push((&comprehension.accu_var, Size::ATOM));
        let turn = self.size(&comprehension.loop_step);
        self.size(&comprehension.loop_cond);
        self.size(&comprehension.result);
        self.known.truncate(self.known.len() - 2);
        let each = (self.weight - before).saturating_add(TURN);
        self.weight = before.saturating_add(each.saturating_mul(range.length));
        let [bytes, length] = [turn.bytes, turn.length].map(|of_turn| of_turn.saturating_mul(range.length));
        Size { bytes, length, ..turn }.or(range)
    }
}

/// Compiling a pattern and trying it on a text. One that was written out was compiled when it was saved.
fn matching(text: Size<'_>, pattern: Size<'_>, written: Option<&IdedExpr>) -> u64 {
    let Some(IdedExpr { expr: Expr::Literal(LiteralValue::String(written)), .. }) = written else {
        return pattern.bytes.saturating_mul(PATTERN_BYTE).saturating_add(PATTERN_UNKNOWN).saturating_add(text.bytes);
    };
    let states = states(written.inner());
    let looks = text.bytes.saturating_mul(1 + states / STATES_A_LOOK);
    states.saturating_mul(STATE).saturating_add(PATTERN).saturating_add(looks)
}

/// About how many states a pattern has, rather too many: a count such as `{2,5}` repeats all of it.
fn states(pattern: &str) -> u64 {
    let before = std::iter::once(' ').chain(pattern.chars());
    let of = |(before, character): (char, char)| match (before, character) {
        (_, '.') | ('[' | ':', '^') | ('\\', 'a'..='z' | 'A'..='Z') => CLASS_STATES,
        (_, character) if !character.is_ascii() => CLASS_STATES,
        _ => 1,
    };
    let once = before.zip(pattern.chars()).map(of).fold(0, u64::saturating_add);
    let counts = pattern.split('{').skip(1).filter_map(|rest| {
        let (count, _) = rest.split_once('}')?;
        count.split(',').filter_map(|number| number.trim().parse::<u64>().ok()).max()
    });
    counts.fold(once, |states, count| states.saturating_mul(count.max(1)))
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
