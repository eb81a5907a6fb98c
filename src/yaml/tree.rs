//! YAML as a tree that keeps what checks of a file need: order, duplicate keys, and a way back
//! to line and column. The only place that knows the YAML library.

use std::cell::Cell;
use std::fmt;

use serde::de::{self, DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// A YAML value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Yaml {
    Null,
    Bool(bool),
    Integer(i64),
    Float(f64),
    Text(String),
    List(Vec<Yaml>),
    /// In the order of the file, duplicates included.
    Map(Vec<(String, Yaml)>),
}

impl Yaml {
    /// What messages call a value of this kind.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "a truth value",
            Self::Integer(_) | Self::Float(_) => "a number",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }
}

/// One step down the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// To the value of the map's entry number so-and-so, counted from 0 (keys may repeat).
    Entry(usize),
    /// To an item of a list.
    Item(usize),
}

/// Which part of the last step a message is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Anchor {
    /// An entry's key.
    Key,
    /// The value itself.
    Value,
}

/// Broken YAML: what, and the byte where it was noticed.
#[derive(Debug)]
pub(crate) struct YamlError {
    pub(crate) message: String,
    pub(crate) offset: Option<usize>,
}

/// Brackets may nest this deep; the library's time grows with the square of it.
const MAX_DEPTH: usize = 128;

/// The first bracket that is nested too deeply. Brackets in quotes count, which only matters where
/// more than a hundred of them are open.
fn too_deep(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    text.bytes().position(|byte| {
        match byte {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth > MAX_DEPTH
    })
}

/// Reads a file of one document.
pub(crate) fn parse(text: &str) -> Result<Yaml, YamlError> {
    if let Some(offset) = too_deep(text) {
        let message = format!("brackets are nested more than {MAX_DEPTH} deep");
        return Err(YamlError { message, offset: Some(offset) });
    }
    serde_yaml::from_str(text).map_err(|error| {
        let full = error.to_string();
        let message = full.split(" at line ").next().unwrap_or(&full).to_owned();
        YamlError { message, offset: error.location().map(|location| location.index()) }
    })
}

/// The byte offset at which the value or key at the end of `path` begins.
///
/// The library tells positions only in its errors, so this reads the text again with a reader that
/// fails on purpose where the path ends. It costs nothing until there is a message to place.
pub(crate) fn locate(text: &str, path: &[Step], anchor: Anchor) -> Option<usize> {
    seek(text, path, anchor).map(|(at, _)| at)
}

/// The same, but `None` where something else is wrong on the way.
pub(crate) fn arrive(text: &str, path: &[Step], anchor: Anchor) -> Option<usize> {
    seek(text, path, anchor).filter(|(_, arrived)| *arrived).map(|(at, _)| at)
}

fn seek(text: &str, path: &[Step], anchor: Anchor) -> Option<(usize, bool)> {
    let arrived = Cell::new(false);
    let reader = serde_yaml::Deserializer::from_str(text);
    let error = Seek { path, anchor, arrived: &arrived }.deserialize(reader).err()?;
    error.location().map(|location| (location.index(), arrived.get()))
}

impl<'de> Deserialize<'de> for Yaml {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        reader.deserialize_any(Build)
    }
}

struct Build;

impl<'de> Visitor<'de> for Build {
    type Value = Yaml;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value without tags")
    }

    fn visit_unit<E>(self) -> Result<Yaml, E> {
        Ok(Yaml::Null)
    }

    fn visit_none<E>(self) -> Result<Yaml, E> {
        Ok(Yaml::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Yaml, E> {
        Ok(Yaml::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Yaml, E> {
        Ok(Yaml::Integer(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Yaml, E> {
        i64::try_from(value).map(Yaml::Integer).map_err(|_| E::custom("a number beyond 63 bits"))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Yaml, E> {
        Ok(Yaml::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Yaml, E> {
        Ok(Yaml::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Yaml, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Yaml::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Yaml, A::Error> {
        let mut map = Vec::new();
        while let Some(Key(key)) = entries.next_key()? {
            map.push((key, entries.next_value()?));
        }
        Ok(Yaml::Map(map))
    }
}

/// A map's key: text, or a number read as text (`{1: …}`).
struct Key(String);

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        match Yaml::deserialize(reader)? {
            Yaml::Text(text) => Ok(Key(text)),
            Yaml::Integer(number) => Ok(Key(number.to_string())),
            Yaml::Bool(value) => Ok(Key(value.to_string())),
            other => Err(de::Error::custom(format!("{} cannot be a key", other.kind()))),
        }
    }
}

/// Walks down `path` and fails where it ends.
#[derive(Clone, Copy)]
struct Seek<'p> {
    path: &'p [Step],
    anchor: Anchor,
    /// Whether the end of the path was reached.
    arrived: &'p Cell<bool>,
}

impl Seek<'_> {
    fn here<E: de::Error>(self) -> E {
        // A scalar or a list in the middle of the path is not its end.
        self.arrived.set(self.path.is_empty());
        E::custom("here")
    }
}

impl<'de> DeserializeSeed<'de> for Seek<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seek<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the value a message is about")
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        Err(self.here())
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<(), E> {
        Err(self.here())
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<(), E> {
        Err(self.here())
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<(), E> {
        Err(self.here())
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<(), E> {
        Err(self.here())
    }

    fn visit_str<E: de::Error>(self, _: &str) -> Result<(), E> {
        Err(self.here())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let Some((Step::Item(wanted), rest)) = self.path.split_first() else {
            return Err(self.here());
        };
        for _ in 0..*wanted {
            items.next_element::<IgnoredAny>()?;
        }
        items.next_element_seed(Seek { path: rest, ..self })?;
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let Some((Step::Entry(wanted), rest)) = self.path.split_first() else {
            return Err(self.here());
        };
        for _ in 0..*wanted {
            entries.next_entry::<IgnoredAny, IgnoredAny>()?;
        }
        if rest.is_empty() && self.anchor == Anchor::Key {
            entries.next_key_seed(Seek { path: rest, ..self })?;
        }
        entries.next_key::<IgnoredAny>()?;
        entries.next_value_seed(Seek { path: rest, ..self })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str =
        "version: 1\nrules:\n  - from: 'a/(.+)'\n    to: b\n  - {drop: ['é', \"x\"], drop: y}\n";

    fn at(path: &[Step], anchor: Anchor) -> &'static str {
        let offset = locate(TEXT, path, anchor).unwrap();
        TEXT[offset..].split_inclusive(['\'', '"', ':', ']', '}', '\n']).next().unwrap()
    }

    #[test]
    fn places_are_exact_in_block_and_flow_style() {
        use Step::{Entry, Item};
        assert_eq!(at(&[Entry(1)], Anchor::Key), "rules:");
        assert_eq!(at(&[Entry(1), Item(0), Entry(1)], Anchor::Value), "b\n");
        assert_eq!(at(&[Entry(1), Item(0), Entry(0)], Anchor::Value), "'");
        assert_eq!(at(&[Entry(1), Item(1), Entry(0), Item(1)], Anchor::Value), "\"");
        assert_eq!(at(&[Entry(1), Item(1), Entry(1)], Anchor::Key), "drop:");
        assert_eq!(at(&[Entry(1), Item(1), Entry(1)], Anchor::Value), "y}");
    }

    #[test]
    fn duplicates_and_order_are_kept() {
        let Yaml::Map(entries) = parse("b: 1\na: x\nb: [null, 1.5]\n").unwrap() else { panic!() };
        let keys: Vec<&str> = entries.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(keys, ["b", "a", "b"]);
        assert_eq!(entries[2].1, Yaml::List(vec![Yaml::Null, Yaml::Float(1.5)]));
    }

    #[test]
    fn broken_yaml_has_a_place() {
        let error = parse("rules:\n  - {from: a, to: b\nversion: 1\n").unwrap_err();
        assert!(error.offset.is_some(), "{error:?}");
        let error = parse("from: \"a\\d\"\n").unwrap_err();
        assert_eq!(error.message, "found unknown escape character");
    }
}
