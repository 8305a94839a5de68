//! Small pictures, as SVG made here: no style, no script, readable without seeing (`role="img"` and a title in words).
use std::fmt::Write as _;

use crate::{html::Html, markup};

/// One column of [`columns`]: parts on top of each other, from below.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stack {
    /// How much of which class (`good`, `refused`, `bad`, `waiting`).
    pub(crate) parts: Vec<(&'static str, i64)>,
    /// What it says on hover; empty = nothing.
    pub(crate) title: String,
}

/// Columns side by side, the highest as high as the picture: `width` and `height` in pixels.
pub(crate) fn columns(stacks: &[Stack], width: u32, height: u32, title: &str) -> Html {
    let most = stacks.iter().map(|stack| stack.parts.iter().map(|(_, amount)| *amount).sum::<i64>()).max().unwrap_or(0).max(1);
    let step = f64::from(width) / stacks.len().max(1) as f64;
    let mut inner = String::new();
    // One shape for each class, however many columns there are: a list shows many such pictures.
    let (mut shapes, mut titles) = (Vec::<(&str, String)>::new(), String::new());
    for (at, stack) in stacks.iter().enumerate() {
        let (x, wide) = (at as f64 * step, step - 1.0);
        let mut put = |class: &'static str, top: f64, tall: f64| {
            let at = shapes.iter().position(|(known, _)| *known == class).unwrap_or_else(|| {
                shapes.push((class, String::new()));
                shapes.len() - 1
            });
            let _ = write!(shapes[at].1, "M{x:.1} {top:.1}h{wide:.1}v{tall:.1}h-{wide:.1}z");
        };
        put("ground", f64::from(height) - 1.0, 1.0);
        let mut top = f64::from(height);
        for (class, amount) in stack.parts.iter().filter(|(_, amount)| *amount > 0) {
            // What is there at all is seen.
            let tall = (*amount as f64 / most as f64 * f64::from(height)).max(1.5);
            top -= tall;
            put(class, top, tall);
        }
        if !stack.title.is_empty() {
            let title = markup!("<title>{}</title>", stack.title);
            let _ = write!(
                titles,
                "<rect class=\"over\" x=\"{x:.1}\" y=\"0\" width=\"{step:.1}\" height=\"{height}\">{title}</rect>"
            );
        }
    }
    for (class, shape) in &shapes {
        let _ = write!(inner, "<path class=\"{class}\" d=\"{shape}\"/>");
    }
    inner.push_str(&titles);
    svg("columns", width, height, title, &inner)
}

/// A line through points at equal distances; with the zero as a line of its own where it lies between them.
pub(crate) fn line(points: &[f64], width: u32, height: u32, title: &str) -> Html {
    let (low, high) = points.iter().fold((f64::MAX, f64::MIN), |(low, high), point| (low.min(*point), high.max(*point)));
    if points.is_empty() {
        return Html::default();
    }
    let (span, tall) = ((high - low).max(f64::EPSILON), f64::from(height) - 4.0);
    let y = |value: f64| if high - low > f64::EPSILON { 2.0 + (high - value) / span * tall } else { f64::from(height) / 2.0 };
    let step = f64::from(width) / (points.len().max(2) - 1) as f64;
    let mut inner = String::new();
    if low < 0.0 && high > 0.0 {
        let zero = y(0.0);
        let _ = write!(inner, "<line class=\"zero\" x1=\"0\" x2=\"{width}\" y1=\"{zero:.1}\" y2=\"{zero:.1}\"/>");
    }
    let mut path = String::new();
    for (at, point) in points.iter().enumerate() {
        let _ = write!(path, "{:.1},{:.1} ", at as f64 * step, y(*point));
    }
    let _ = write!(inner, "<polyline class=\"curve\" points=\"{}\"/>", path.trim_end());
    svg("line", width, height, title, &inner)
}

/// A bar from one moment to another, of `whole` in all: one line of a waterfall. In any unit, all the same.
pub(crate) fn bar(from: f64, length: f64, whole: f64, class: &str, title: &str) -> Html {
    const WIDTH: f64 = 300.0;
    let whole = whole.max(f64::EPSILON);
    let (x, wide) = (from / whole * WIDTH, (length / whole * WIDTH).max(2.0));
    let inner = format!(
        "<rect class=\"ground\" x=\"0\" y=\"9\" width=\"{WIDTH}\" height=\"1\"/><rect class=\"{}\" x=\"{:.1}\" y=\"3\" width=\"{wide:.1}\" height=\"12\" rx=\"2\"/>",
        crate::html::Escaped(class),
        x.min(WIDTH - 2.0)
    );
    svg("bar", 300, 18, title, &inner)
}

fn svg(class: &str, width: u32, height: u32, title: &str, inner: &str) -> Html {
    let title = markup!("<title>{}</title>", title);
    Html::of(format!(
        "<svg class=\"picture {class}\" role=\"img\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" preserveAspectRatio=\"none\">{title}{inner}</svg>"
    ))
}
