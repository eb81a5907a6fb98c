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

use super::text::{Escaped, Text, TextError};

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

impl CheckpointState {
    /// Reads a text message; what TensorFlow would not read is an error.
    pub(crate) fn parse(text: &str) -> Result<Self, TextError> {
        let mut text = Text::new(text);
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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

    proptest! {
        #[test]
        fn any_path_comes_back(path in any::<String>()) {
            let state = CheckpointState { model_checkpoint_path: path, ..Default::default() };
            prop_assert_eq!(CheckpointState::parse(&state.to_string()), Ok(state));
        }

        #[test]
        fn any_text_is_read_or_refused(value in "[\\\\\"'a-fxuU0-9\\[\\],é ]{0,12}") {
            let _ = CheckpointState::parse(&format!("all_model_checkpoint_paths: {value}"));
        }
    }
}
