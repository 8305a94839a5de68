//! A text as its reader understands it: escapes of JSON and of URLs read, every byte knowing where it came from.
//!
//! The whole text is read so, inside and outside of JSON's strings: it needn't be JSON, only hold some.
use std::ops::Range;

/// How much longer than itself a value can be written: `\u0022` for one byte, its backslash escaped again (`\\u0022`),
/// and once more.
pub(super) const EXPANSION_MAX: usize = 14;

/// JSON within JSON within JSON is read; deeper is not.
const LEVELS_MAX: usize = 3;

/// A text with its escapes read.
pub(super) struct View {
    /// What it says.
    pub(super) bytes: Vec<u8>,
    /// For each byte where its escape begins in the source, and at the end the source's length.
    starts: Vec<usize>,
}

impl View {
    fn with_capacity(bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes), starts: Vec::with_capacity(bytes + 1) }
    }

    fn push(&mut self, bytes: &[u8], start: usize) {
        self.bytes.extend_from_slice(bytes);
        self.starts.resize(self.bytes.len(), start);
    }

    /// What a range of the view is in the text: whole escapes.
    pub(super) fn source(&self, range: Range<usize>) -> Range<usize> {
        // The next byte may come from the same escape (a character of several bytes): the end is the next start.
        let last = range.end.checked_sub(1).and_then(|last| self.starts.get(last)).copied().unwrap_or(0);
        let rest = self.starts.get(range.end..).unwrap_or_default();
        let end = rest.iter().copied().find(|start| *start > last).unwrap_or(last);
        self.starts.get(range.start).copied().unwrap_or(0)..end
    }

    /// This view's places, seen from the source of the view below.
    fn over(mut self, below: &View) -> Self {
        for start in &mut self.starts {
            *start = below.starts.get(*start).copied().unwrap_or(0);
        }
        self
    }
}

/// The views in which something may be found that is not found in the text itself: none, if it has no escapes.
pub(super) fn of(text: &str) -> Vec<View> {
    let mut views: Vec<View> = percent(text.as_bytes()).into_iter().collect();
    let mut deepest = json(text.as_bytes());
    for _ in 1..LEVELS_MAX {
        let Some(view) = deepest else { return views };
        deepest = json(&view.bytes).map(|next| next.over(&view));
        views.extend(percent(&view.bytes).map(|next| next.over(&view)));
        views.push(view);
    }
    views.extend(deepest);
    views
}

/// `None` if there is no escape of JSON.
fn json(text: &[u8]) -> Option<View> {
    let mut next = memchr::memchr(b'\\', text)?;
    let mut view = View::with_capacity(text.len());
    let mut at = 0;
    loop {
        copy(&mut view, text, at..next);
        if next == text.len() {
            break;
        }
        at = next + read_escape(&mut view, text, next);
        next = memchr::memchr(b'\\', &text[at..]).map_or(text.len(), |found| at + found);
    }
    view.starts.push(text.len());
    Some(view)
}

fn copy(view: &mut View, text: &[u8], range: Range<usize>) {
    view.bytes.extend_from_slice(&text[range.clone()]);
    view.starts.extend(range);
}

/// Reads the escape at `at`, and returns how long it is. What is none stays as it is.
fn read_escape(view: &mut View, text: &[u8], at: usize) -> usize {
    let plain = match text.get(at + 1) {
        Some(b'n') => b'\n',
        Some(b't') => b'\t',
        Some(b'r') => b'\r',
        Some(b'b') => 8,
        Some(b'f') => 12,
        Some(byte @ (b'"' | b'\\' | b'/' | b'\'')) => *byte,
        Some(b'u') => return read_code(view, text, at),
        _ => {
            view.push(b"\\", at);
            return 1;
        }
    };
    view.push(&[plain], at);
    2
}

/// `\uXXXX`, or two of them for a character beyond the first 65536.
fn read_code(view: &mut View, text: &[u8], at: usize) -> usize {
    let first = code(text, at);
    let second = code(text, at + 6);
    let (character, length) = match (first, second) {
        (Some(high @ 0xd800..0xdc00), Some(low @ 0xdc00..0xe000)) => {
            (char::from_u32(0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00)), 12)
        }
        (Some(unit), _) => (char::from_u32(unit), 6),
        (None, _) => (None, 1),
    };
    match character {
        Some(character) => view.push(character.encode_utf8(&mut [0; 4]).as_bytes(), at),
        None => copy(view, text, at..at + length),
    }
    length
}

fn code(text: &[u8], at: usize) -> Option<u32> {
    let digits = text.get(at..at + 6)?.strip_prefix(b"\\u")?;
    digits.iter().try_fold(0, |code, digit| Some(code << 4 | char::from(*digit).to_digit(16)?))
}

/// `None` if there is no escape of a URL.
pub(super) fn percent(text: &[u8]) -> Option<View> {
    memchr::memchr(b'%', text)?;
    let mut view = View::with_capacity(text.len());
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        let digit = |offset: usize| text.get(at + offset).and_then(|digit| char::from(*digit).to_digit(16));
        match (byte, digit(1), digit(2)) {
            (b'%', Some(high), Some(low)) => {
                #[allow(clippy::cast_possible_truncation)] // two hex digits
                view.push(&[(high << 4 | low) as u8], at);
                at += 3;
            }
            _ => {
                view.push(&[*byte], at);
                at += 1;
            }
        }
    }
    view.starts.push(text.len());
    Some(view)
}
