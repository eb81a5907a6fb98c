//! Names from files, made safe to show.

use std::borrow::Cow;
use std::fmt::Write;

use crate::object::VARIABLE_VALUE;

/// Longer texts lose their middle: nobody reads so much, and a file may have made it up.
const MOST: usize = 2000;

/// `text` with everything spelled out that could move the cursor, hide, or reverse what stands
/// around it: control characters, marks of direction, and characters without width.
pub fn escape(text: &str) -> Cow<'_, str> {
    if text.len() > MOST {
        let half = MOST / 2;
        let start = (0..=half).rev().find_map(|at| text.get(..at)).unwrap_or_default();
        let end = (text.len() - half..text.len()).find_map(|at| text.get(at..)).unwrap_or_default();
        let left_out = text.len() - start.len() - end.len();
        return format!("{}… {left_out} bytes …{}", escape(start), escape(end)).into();
    }
    if !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            c if is_unsafe(c) => drop(write!(escaped, "\\u{{{:x}}}", u32::from(c))),
            c => escaped.push(c),
        }
    }
    Cow::Owned(escaped)
}

fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

/// A stored key as people call it: the value of a TF2 variable goes by its path.
pub fn display_name(key: &str) -> Cow<'_, str> {
    let path = key.strip_suffix(VARIABLE_VALUE).and_then(|key| key.strip_suffix("/.ATTRIBUTES/"));
    escape(path.unwrap_or(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_lose_their_middle() {
        let long = format!("a{}\u{202e}{}z", "ä".repeat(4000), "ö".repeat(4000));
        let shown = escape(&long);
        assert!(shown.starts_with("aää") && shown.ends_with("ööz") && shown.len() < 2100);
        assert!(shown.contains("ä… 14"), "{shown}");
    }

    #[test]
    fn nothing_reaches_the_terminal_raw() {
        assert_eq!(escape("model/dense"), "model/dense");
        assert_eq!(escape("a\x1b[31m\n"), "a\\u{1b}[31m\\n");
        assert_eq!(escape("\u{202e}gnp"), "\\u{202e}gnp");
        assert_eq!(display_name("a/.ATTRIBUTES/VARIABLE_VALUE"), "a");
    }
}
