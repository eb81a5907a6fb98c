//! The `checkpoint` state file: which checkpoint of a directory is the latest, as a text message.
//!
//! ```text
//! model_checkpoint_path: "ckpt-3"
//! all_model_checkpoint_paths: "ckpt-2"
//! all_model_checkpoint_paths: "ckpt-3"
//! all_model_checkpoint_timestamps: 1795199253.3
//! last_preserved_timestamp: 1795199252.2
//! ```

use std::fmt;

/// The content of a state file. Paths are relative to its directory, or absolute.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct CheckpointState {
    /// The latest checkpoint.
    pub(crate) model_checkpoint_path: String,
    /// All checkpoints that are kept, the oldest first.
    pub(crate) all_model_checkpoint_paths: Vec<String>,
    /// When each was written, in seconds since 1970; a `CheckpointManager` notes it.
    pub(crate) all_model_checkpoint_timestamps: Vec<f64>,
    /// When a checkpoint was last kept for good.
    pub(crate) last_preserved_timestamp: f64,
}

/// Why a text is no state file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub(crate) struct StateError {
    /// Counted from 1.
    pub(crate) line: usize,
    /// What is wrong there.
    pub(crate) what: String,
}

impl CheckpointState {
    /// Reads a text message; what TensorFlow would not read is an error.
    pub(crate) fn parse(text: &str) -> Result<Self, StateError> {
        let mut text = Text { text, rest: text };
        let mut state = Self::default();
        let mut seen = (false, false);
        while let Some(name) = text.name()? {
            text.symbol(':', "a colon")?;
            match name {
                "model_checkpoint_path" => {
                    text.once(name, &mut seen.0)?;
                    state.model_checkpoint_path = text.string()?;
                }
                "all_model_checkpoint_paths" => {
                    text.values(&mut state.all_model_checkpoint_paths, Text::string)?;
                }
                "all_model_checkpoint_timestamps" => {
                    text.values(&mut state.all_model_checkpoint_timestamps, Text::number)?;
                }
                "last_preserved_timestamp" => {
                    text.once(name, &mut seen.1)?;
                    state.last_preserved_timestamp = text.number()?;
                }
                _ => return Err(text.error(format!("there is no field `{name}`"))),
            }
            let _ = text.eat(',') || text.eat(';');
        }
        Ok(state)
    }
}

/// As TensorFlow writes it; other than ASCII is escaped, which every version reads.
impl fmt::Display for CheckpointState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.model_checkpoint_path.is_empty() {
            let latest = Escaped(&self.model_checkpoint_path);
            writeln!(f, "model_checkpoint_path: \"{latest}\"")?;
        }
        for path in &self.all_model_checkpoint_paths {
            writeln!(f, "all_model_checkpoint_paths: \"{}\"", Escaped(path))?;
        }
        for &time in &self.all_model_checkpoint_timestamps {
            writeln!(f, "all_model_checkpoint_timestamps: {time:?}")?;
        }
        match self.last_preserved_timestamp {
            0.0 => Ok(()),
            time => writeln!(f, "last_preserved_timestamp: {time:?}"),
        }
    }
}

struct Escaped<'a>(&'a str);

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
struct Text<'a> {
    text: &'a str,
    rest: &'a str,
}

impl<'a> Text<'a> {
    fn error(&self, what: impl Into<String>) -> StateError {
        let read = self.text.len() - self.rest.len();
        let line = 1 + self.text.bytes().take(read).filter(|&byte| byte == b'\n').count();
        StateError { line, what: what.into() }
    }

    fn skip_blanks(&mut self) {
        loop {
            self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r', '\u{b}', '\u{c}']);
            let Some(comment) = self.rest.strip_prefix('#') else { return };
            self.rest = comment.trim_start_matches(|c| c != '\n');
        }
    }

    fn eat(&mut self, symbol: char) -> bool {
        self.skip_blanks();
        let rest = self.rest.strip_prefix(symbol);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn symbol(&mut self, symbol: char, name: &str) -> Result<(), StateError> {
        if self.eat(symbol) { Ok(()) } else { Err(self.error(format!("{name} is missing"))) }
    }

    fn once(&self, name: &str, seen: &mut bool) -> Result<(), StateError> {
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
    fn name(&mut self) -> Result<Option<&'a str>, StateError> {
        self.skip_blanks();
        match self.word(|c| c.is_ascii_alphanumeric() || c == '_') {
            "" if self.rest.is_empty() => Ok(None),
            "" => Err(self.error("the name of a field is missing")),
            name => Ok(Some(name)),
        }
    }

    /// One value of a repeated field, or several in brackets.
    fn values<T>(
        &mut self,
        values: &mut Vec<T>,
        read: impl Fn(&mut Self) -> Result<T, StateError>,
    ) -> Result<(), StateError> {
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

    fn number(&mut self) -> Result<f64, StateError> {
        self.skip_blanks();
        let word = self.word(|c| c.is_ascii_alphanumeric() || "+-._".contains(c));
        // Only the digits of a number may be followed by C's mark for a short one.
        let number =
            word.strip_suffix('f').filter(|rest| rest.ends_with(|c: char| c.is_ascii_digit()));
        number.unwrap_or(word).parse().map_err(|_| self.error(format!("`{word}` is no number")))
    }

    /// A string, or several in a row, which are one.
    fn string(&mut self) -> Result<String, StateError> {
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

    fn quoted(&mut self, quote: char, out: &mut Vec<u8>) -> Result<(), StateError> {
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
    fn escape(&mut self, out: &mut Vec<u8>) -> Result<(), StateError> {
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
    fn digits(&mut self, base: u32, most: usize, out: &mut Vec<u8>) -> Result<(), StateError> {
        let value = self.value(base, most).and_then(|(value, _)| u8::try_from(value).ok());
        out.push(value.ok_or_else(|| self.error("an escape in the string is no byte"))?);
        Ok(())
    }

    /// Exactly `digits` digits that stand for one character.
    fn character(&mut self, digits: usize, out: &mut Vec<u8>) -> Result<(), StateError> {
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

#[cfg(test)]
mod tests {
    use super::*;

    const MANAGED: &str = "model_checkpoint_path: \"ckpt-3\"\n\
        all_model_checkpoint_paths: \"ckpt-2\"\n\
        all_model_checkpoint_paths: \"ckpt-3\"\n\
        all_model_checkpoint_timestamps: 1795199252.2\n\
        all_model_checkpoint_timestamps: 1795199253.0\n\
        last_preserved_timestamp: 1795199250.0\n";

    #[test]
    fn what_a_manager_writes_comes_back() {
        let state = CheckpointState::parse(MANAGED).unwrap();
        assert_eq!(state.all_model_checkpoint_timestamps, [1_795_199_252.2, 1_795_199_253.0]);
        assert_eq!(state.to_string(), MANAGED);
    }

    #[test]
    fn names_are_escaped_as_tensorflow_does() {
        let path = "a\"b'c\\d\né\u{1}\u{7f}\t\r1";
        let state = CheckpointState { model_checkpoint_path: path.into(), ..Default::default() };
        let text = r#"model_checkpoint_path: "a\"b\'c\\d\n\303\251\001\177\t\r1""#;
        assert_eq!(state.to_string(), format!("{text}\n"));
        assert_eq!(CheckpointState::parse(text).unwrap(), state);
    }

    #[test]
    fn all_of_the_text_format_is_read() {
        let text = "# latest\nmodel_checkpoint_path : 'a' \"\\x62\\143\\u00e9\" ; \
            all_model_checkpoint_paths: [\"x\", 'y'],\n\
            all_model_checkpoint_timestamps: [1, 2f, -3.5e2, inf] # end";
        let state = CheckpointState::parse(text).unwrap();
        assert_eq!(state.model_checkpoint_path, "abcé");
        assert_eq!(state.all_model_checkpoint_paths, ["x", "y"]);
        assert_eq!(state.all_model_checkpoint_timestamps, [1.0, 2.0, -350.0, f64::INFINITY]);
        assert_eq!(CheckpointState::parse("").unwrap(), CheckpointState::default());
    }

    #[test]
    fn anything_else_is_refused_with_its_line() {
        let error = |text: &str| CheckpointState::parse(text).unwrap_err().to_string();
        assert_eq!(error("\nmodel: 'a'"), "line 2: there is no field `model`");
        assert_eq!(error("model_checkpoint_path 'a'"), "line 1: a colon is missing");
        assert_eq!(error("model_checkpoint_path: a"), "line 1: a string is missing");
        assert_eq!(error("model_checkpoint_path: 'a\n'"), "line 1: the string does not end");
        assert_eq!(error("last_preserved_timestamp: 0x1"), "line 1: `0x1` is no number");
        for text in [
            "model_checkpoint_path: '\\400'",
            "model_checkpoint_path: '\\xff'",
            "model_checkpoint_path: '\\u00'",
            "model_checkpoint_path: '\\U00110000'",
            "model_checkpoint_path: 'a' model_checkpoint_path: 'b'",
            "all_model_checkpoint_paths: ['a'",
            "PK\u{3}\u{4}",
        ] {
            assert!(CheckpointState::parse(text).is_err(), "{text}");
        }
    }
}
