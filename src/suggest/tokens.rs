//! Letters and numbers of names.

/// Bytes and components of names that are looked at. A name has a prefix for each of its components,
/// and longer ones come from no program that somebody wrote.
const MAX_NAME: usize = 1024;
const MAX_COMPONENTS: usize = 64;

/// Whether a name is one that is looked at.
pub(super) fn is_usual(name: &str) -> bool {
    name.len() <= MAX_NAME && name.matches('/').count() < MAX_COMPONENTS
}

/// A run of letters or of digits in a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token<'n> {
    /// Itself.
    pub(super) text: &'n str,
    /// Its first byte in the name.
    pub(super) start: usize,
    /// Whether it is a number; `2d` and `3x3` are none.
    pub(super) is_number: bool,
    /// Whether a number ends where it begins.
    pub(super) behind_number: bool,
}

impl Token<'_> {
    /// The byte behind it.
    pub(super) fn end(&self) -> usize {
        self.start + self.text.len()
    }
}

/// Letters and numbers of a name, from left to right.
pub(super) fn tokens(name: &str) -> Vec<Token<'_>> {
    let bytes = name.as_bytes();
    let byte = |at: usize| bytes.get(at).copied().unwrap_or(b'/');
    let mut found: Vec<Token<'_>> = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        if byte(at).is_ascii_digit() {
            while byte(at).is_ascii_digit() {
                at += 1;
            }
            // `conv2d`: a dimension; `3x3`: a size.
            let letter_before = start > 0 && byte(start - 1).is_ascii_alphabetic();
            let dimension = letter_before && at == start + 1 && matches!(byte(at), b'd' | b'D');
            let size = byte(at) == b'x' && byte(at + 1).is_ascii_digit();
            if dimension {
                at += 1;
                continue;
            }
            if size {
                at += 1;
                while byte(at).is_ascii_digit() {
                    at += 1;
                }
                continue;
            }
            push(&mut found, name, start, at, true);
        } else if byte(at).is_ascii_alphabetic() || !byte(at).is_ascii() {
            while at < bytes.len() && (byte(at).is_ascii_alphabetic() || !byte(at).is_ascii()) {
                at += 1;
            }
            push(&mut found, name, start, at, false);
        } else {
            at += 1;
        }
    }
    found
}

fn push<'n>(found: &mut Vec<Token<'n>>, name: &'n str, start: usize, end: usize, number: bool) {
    let Some(text) = name.get(start..end) else { return };
    let before = found.last();
    let behind_number = before.is_some_and(|token| token.is_number && token.end() == start);
    found.push(Token { text, start, is_number: number, behind_number });
}

/// A name as text and numbers in turn, text first and last.
pub(super) struct Around<'n> {
    /// What stands before, between and behind numbers.
    pub(super) texts: Vec<&'n str>,
    /// They.
    pub(super) numbers: Vec<&'n str>,
}

/// Cuts a name at its numbers.
pub(super) fn around_numbers(name: &str) -> Around<'_> {
    let (mut texts, mut numbers) = (Vec::new(), Vec::new());
    let mut done = 0;
    for token in tokens(name).into_iter().filter(|token| token.is_number) {
        texts.push(name.get(done..token.start).unwrap_or_default());
        numbers.push(token.text);
        done = token.end();
    }
    texts.push(name.get(done..).unwrap_or_default());
    Around { texts, numbers }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_sizes() {
        let numbers = |name: &str| -> Vec<String> {
            let tokens = tokens(name);
            tokens.iter().filter(|t| t.is_number).map(|t| t.text.to_owned()).collect()
        };
        assert_eq!(numbers("conv2d_12/kernel"), ["12"]);
        assert_eq!(numbers("Conv2d_0a_1x1"), ["0"]);
        assert_eq!(numbers("block2a_3/h10"), ["2", "3", "10"]);
    }
}
