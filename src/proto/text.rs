//! The text form of messages, as far as a flat message of strings and numbers needs it: comments,
//! both kinds of quotes, every escape, strings in several pieces, lists in brackets.

use std::fmt;

/// Why a text is not the message it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub(crate) struct TextError {
    /// Counted from 1.
    pub(super) line: usize,
    /// What is wrong there.
    pub(super) what: String,
}

/// A string between quotes, as Python writes it where it escapes all but ASCII.
pub(super) struct Escaped<'a>(pub(super) &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.bytes().try_for_each(|byte| match byte {
            b'\t' => f.write_str("\\t"),
            b'\n' => f.write_str("\\n"),
            b'\r' => f.write_str("\\r"),
            b'"' | b'\'' | b'\\' => write!(f, "\\{}", char::from(byte)),
            b' '..=b'~' => write!(f, "{}", char::from(byte)),
            _ => write!(f, "\\{byte:03o}"),
        })
    }
}

/// The part of a text message that is still to be read.
pub(super) struct Text<'a> {
    text: &'a str,
    rest: &'a str,
}

impl<'a> Text<'a> {
    /// All of `text`.
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, rest: text }
    }

    pub(super) fn error(&self, what: impl Into<String>) -> TextError {
        let read = self.text.len() - self.rest.len();
        let line = 1 + self.text.bytes().take(read).filter(|&byte| byte == b'\n').count();
        TextError { line, what: what.into() }
    }

    fn skip_blanks(&mut self) {
        loop {
            self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r', '\u{b}', '\u{c}']);
            let Some(comment) = self.rest.strip_prefix('#') else { return };
            self.rest = comment.trim_start_matches(|c| c != '\n');
        }
    }

    pub(super) fn eat(&mut self, symbol: char) -> bool {
        self.skip_blanks();
        let rest = self.rest.strip_prefix(symbol);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    pub(super) fn symbol(&mut self, symbol: char, name: &str) -> Result<(), TextError> {
        if self.eat(symbol) { Ok(()) } else { Err(self.error(format!("{name} is missing"))) }
    }

    pub(super) fn once(&self, name: &str, seen: &mut bool) -> Result<(), TextError> {
        if std::mem::replace(seen, true) {
            return Err(self.error(format!("there is a second `{name}`")));
        }
        Ok(())
    }

    /// What `belongs` matches from here on.
    fn word(&mut self, belongs: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !belongs(c)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word
    }

    /// The name of the next field; `None` at the end.
    pub(super) fn name(&mut self) -> Result<Option<&'a str>, TextError> {
        self.skip_blanks();
        match self.word(|c| c.is_ascii_alphanumeric() || c == '_') {
            "" if self.rest.is_empty() => Ok(None),
            "" => Err(self.error("the name of a field is missing")),
            name => Ok(Some(name)),
        }
    }

    /// One value of a repeated field, or several in brackets.
    pub(super) fn values<T>(
        &mut self,
        values: &mut Vec<T>,
        read: impl Fn(&mut Self) -> Result<T, TextError>,
    ) -> Result<(), TextError> {
        if !self.eat('[') {
            values.push(read(self)?);
        } else if !self.eat(']') {
            values.push(read(self)?);
            while self.eat(',') {
                values.push(read(self)?);
            }
            self.symbol(']', "a closing bracket")?;
        }
        Ok(())
    }

    pub(super) fn number(&mut self) -> Result<f64, TextError> {
        self.skip_blanks();
        let word = self.word(|c| c.is_ascii_alphanumeric() || "+-._".contains(c));
        // Only the digits of a number may be followed by C's mark for a short one.
        let number =
            word.strip_suffix('f').filter(|rest| rest.ends_with(|c: char| c.is_ascii_digit()));
        number.unwrap_or(word).parse().map_err(|_| self.error(format!("`{word}` is no number")))
    }

    /// A string, or several in a row, which are one.
    pub(super) fn string(&mut self) -> Result<String, TextError> {
        let mut bytes = Vec::new();
        self.skip_blanks();
        if !self.rest.starts_with(['"', '\'']) {
            return Err(self.error("a string is missing"));
        }
        while let Some(quote) = self.rest.chars().next().filter(|c| matches!(c, '"' | '\'')) {
            self.eat(quote);
            self.quoted(quote, &mut bytes)?;
            self.skip_blanks();
        }
        String::from_utf8(bytes).map_err(|_| self.error("the string is not UTF-8"))
    }

    fn quoted(&mut self, quote: char, out: &mut Vec<u8>) -> Result<(), TextError> {
        loop {
            out.extend(self.word(|c| c != quote && c != '\\' && c != '\n').bytes());
            let mut chars = self.rest.chars();
            match chars.next() {
                Some('\\') => {
                    self.rest = chars.as_str();
                    self.escape(out)?;
                }
                Some(end) if end == quote => {
                    self.rest = chars.as_str();
                    return Ok(());
                }
                _ => return Err(self.error("the string does not end")),
            }
        }
    }

    /// What follows a backslash.
    fn escape(&mut self, out: &mut Vec<u8>) -> Result<(), TextError> {
        let mut chars = self.rest.chars();
        let named = match chars.next() {
            Some('x' | 'X') => {
                self.rest = chars.as_str();
                return self.digits(16, 2, out);
            }
            Some('u') => {
                self.rest = chars.as_str();
                return self.character(4, out);
            }
            Some('U') => {
                self.rest = chars.as_str();
                return self.character(8, out);
            }
            Some('0'..='7') => return self.digits(8, 3, out),
            Some('a') => 7,
            Some('b') => 8,
            Some('t') => b'\t',
            Some('n') => b'\n',
            Some('v') => 11,
            Some('f') => 12,
            Some('r') => b'\r',
            Some(c @ ('"' | '\'' | '\\' | '?')) => c.to_string().bytes().next().unwrap_or_default(),
            _ => return Err(self.error("the string has an unknown escape")),
        };
        self.rest = chars.as_str();
        out.push(named);
        Ok(())
    }

    /// At most `most` digits that stand for one byte.
    fn digits(&mut self, base: u32, most: usize, out: &mut Vec<u8>) -> Result<(), TextError> {
        let value = self.value(base, most).and_then(|(value, _)| u8::try_from(value).ok());
        out.push(value.ok_or_else(|| self.error("an escape in the string is no byte"))?);
        Ok(())
    }

    /// Exactly `digits` digits that stand for one character.
    fn character(&mut self, digits: usize, out: &mut Vec<u8>) -> Result<(), TextError> {
        let value = self.value(16, digits).filter(|&(_, count)| count == digits);
        let character = value.and_then(|(value, _)| char::from_u32(value));
        let character =
            character.ok_or_else(|| self.error("an escape in the string is no character"))?;
        out.extend(character.to_string().bytes());
        Ok(())
    }

    fn value(&mut self, base: u32, most: usize) -> Option<(u32, usize)> {
        let count = self.rest.chars().take(most).take_while(|c| c.is_digit(base)).count();
        let (digits, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some((u32::from_str_radix(digits, base).ok()?, count))
    }
}
