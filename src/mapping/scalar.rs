//! Words of a rule file, written.

/// A word of YAML, in quotes where it would mean something else.
pub(crate) fn scalar(text: &str) -> String {
    const WORDS: &[&str] = &["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    let plain = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '/' | '.' | '-'))
        && !WORDS.contains(&text.to_ascii_lowercase().as_str());
    if plain {
        return text.to_owned();
    }
    if text.chars().any(char::is_control) {
        // JSON's strings are YAML's in double quotes.
        return serde_json::Value::from(text).to_string();
    }
    format!("'{}'", text.replace('\'', "''"))
}

/// A name in which a dollar stands for itself.
pub(crate) fn dollars(name: &str) -> String {
    name.replace('$', "$$")
}
