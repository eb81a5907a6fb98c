//! Checkpoints that are made rather than downloaded, by name.

use std::fs;
use std::path::Path;

use crate::bert::Bert;
use crate::many::Many;
use crate::v1::V1;

/// What is measured where nothing else is asked for.
pub(crate) const USUAL: &[&str] = &["bert-large", "many", "twins", "v1"];

/// What every made checkpoint is called in its directory.
pub(crate) const CHECKPOINT: &str = "model.ckpt";

/// One kind of checkpoint, with the rules that are measured on it.
pub(crate) trait Make {
    /// Writes the checkpoint; nothing stands there yet.
    fn write(&self, at: &Path);

    /// Rule files by name, each in full.
    fn rules(&self) -> Vec<(&'static str, String)>;

    /// What to run, in the words that [`crate::listing`] reads.
    fn steps(&self) -> &'static [&'static str];
}

/// The source that is called `NAME` or `NAME=SIZE`, at `scale` per cent of its size.
pub(crate) fn named(text: &str, scale: usize) -> Result<Box<dyn Make>, String> {
    const GB: usize = 1_000_000_000;
    let (name, size) = text.split_once('=').unwrap_or((text, ""));
    let scaled = |usual: usize, unit: usize| match size {
        "" => Ok((usual * unit * scale).div_ceil(100)),
        _ => match size.parse::<usize>() {
            Ok(size) => Ok((size * unit * scale).div_ceil(100)),
            Err(_) => Err(format!("`{text}`: the size is no whole number")),
        },
    };
    Ok(match name {
        "bert-large" => Box::new(Bert::of_layers(scaled(24, 1)?)),
        "large" => Box::new(Bert::of_bytes(scaled(8, GB)?)),
        "large-adam" => Box::new(Bert::with_adam_of_bytes(scaled(8, GB)?)),
        "many" => Box::new(Many { variables: scaled(200_000, 1)?, suggested: false }),
        "twins" => Box::new(Many { variables: scaled(2_000, 1)?, suggested: true }),
        "v1" => Box::new(V1 { variables: scaled(48, 1)? }),
        _ => {
            let known = "bert-large, large, large-adam, many, twins, v1";
            return Err(format!("there is no source `{name}`; there are: {known}"));
        }
    })
}

/// Makes a source in a directory: the rule files, and then the checkpoint, whose index comes last
/// of all.
pub(crate) fn make(source: &dyn Make, directory: &Path) {
    fs::create_dir_all(directory).unwrap();
    for (name, text) in source.rules() {
        fs::write(directory.join(format!("rules-{name}.yaml")), text).unwrap();
    }
    source.write(&directory.join(CHECKPOINT));
}
