//! What a shell is told when TAB is pressed. `tests/terminal` does the same in real terminals.

use std::env;
use std::path::Path;
use std::process::Command;

use crate::harness::Place;

/// What bash would offer at the end of this line, whose words it has taken apart like that.
fn offered(place: &Place, line: &str, words: &[&str]) -> Vec<String> {
    let program = Path::new(env!("CARGO_BIN_EXE_ckptmap")).parent().unwrap();
    let script = "source <(ckptmap completions bash)\n\
        COMP_LINE=$1; COMP_POINT=${#1}; shift\n\
        COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1))\n\
        word=${COMP_WORDS[COMP_CWORD]}\n\
        [[ $word == [:=] ]] && word=\n\
        _ckptmap ckptmap \"${word#[\\\"\\']}\" \"\"\n\
        [[ ${#COMPREPLY[@]} == 0 ]] || printf '%s\\n' \"${COMPREPLY[@]}\"\n";
    let done = Command::new("bash")
        .args(["-c", script, "bash", line])
        .args(words)
        .current_dir(place.path("."))
        .env("PATH", format!("{}:{}", program.display(), env::var("PATH").unwrap()))
        .output()
        .unwrap();
    let said = String::from_utf8(done.stderr).unwrap();
    // That `compopt` has nothing to change outside of a terminal is no mistake.
    assert!(said.lines().all(|line| line.contains("compopt")), "{line}: {said}");
    String::from_utf8(done.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// The same where bash takes words apart at blanks only.
fn at_blanks(place: &Place, line: &str) -> Vec<String> {
    offered(place, line, &line.split(' ').collect::<Vec<_>>())
}

#[test]
fn commands_and_options() {
    let place = Place::new();
    assert_eq!(at_blanks(&place, "ckptmap sc"), ["scopes", "schema"]);
    assert_eq!(at_blanks(&place, "ckptmap convert x --keep-"), ["--keep-missing", "--keep-names"]);
    assert_eq!(at_blanks(&place, "ckptmap list x --sort "), ["key", "name", "size"]);
    assert_eq!(at_blanks(&place, "ckptmap completions "), ["bash", "zsh", "fish", "powershell"]);
}

#[test]
fn checkpoints_by_their_prefixes() {
    let place = Place::new();
    place.copy("conv3", "runs");
    place.write("runs/model.ckpt-7.index", "");
    place.write("runs/model.ckpt-7.data-00000-of-00001", "");
    place.write("runs/events.log", "");
    assert_eq!(at_blanks(&place, "ckptmap list ru"), ["runs/"]);
    assert_eq!(at_blanks(&place, "ckptmap list runs/"), ["runs/model.ckpt", "runs/model.ckpt-7"]);
    assert_eq!(at_blanks(&place, "ckptmap list ./runs/model.ckpt-"), ["./runs/model.ckpt-7"]);
    assert!(at_blanks(&place, "ckptmap list nowhere/").is_empty());
    assert!(at_blanks(&place, "ckptmap list s3://bucket/").is_empty());
}

#[test]
fn names_of_variables() {
    let place = Place::new();
    let line = "ckptmap show testdata/conv_bn_dense/model.ckpt model/d";
    assert_eq!(at_blanks(&place, line), ["model/dense/", "model/dense_1/"]);
    // Where all go on in the same way, so does the word.
    let line = "ckptmap show testdata/conv_bn_dense/model.ckpt mod";
    assert_eq!(at_blanks(&place, line).len(), 7);
    let line = "ckptmap list --stats testdata/conv_bn_dense model/dense_1/";
    assert_eq!(at_blanks(&place, line), ["model/dense_1/bias", "model/dense_1/kernel"]);
    // TF2 objects by their paths.
    let line = "ckptmap show testdata/templates/keras3_adam model/hidden_1/";
    assert_eq!(at_blanks(&place, line), ["model/hidden_1/_kernel", "model/hidden_1/bias"]);
    let line = "ckptmap show testdata/conv3/manifest.json model/";
    assert!(at_blanks(&place, line).is_empty());
}

/// Bash takes these words apart, and replaces the last part only.
#[test]
fn words_with_colons_and_equals_signs() {
    let place = Place::new();
    let names = ["bert-hf", "bert-kerashub", "bert-model-garden"];
    let line = "ckptmap plan x --map builtin:be";
    assert_eq!(
        offered(&place, line, &["ckptmap", "plan", "x", "--map", "builtin", ":", "be"]),
        names
    );
    let line = "ckptmap plan x --map=builtin:be";
    let words = ["ckptmap", "plan", "x", "--map", "=", "builtin", ":", "be"];
    assert_eq!(offered(&place, line, &words), names);
    let line = "ckptmap plan x --map builtin:";
    assert_eq!(offered(&place, line, &["ckptmap", "plan", "x", "--map", "builtin", ":"]).len(), 26);
    let line = "ckptmap suggest testdata/optimizers/adam --like testdata/templates/keras3_adam --hint model/dense/kernel=model/h";
    let mut words: Vec<&str> = line.split(' ').collect();
    words.pop();
    words.extend(["model/dense/kernel", "=", "model/h"]);
    assert_eq!(
        offered(&place, line, &words),
        ["model/head/", "model/hidden_1/", "model/hidden_2/"]
    );
    assert_eq!(at_blanks(&place, "ckptmap mappings vg"), ["vgg-keras"]);
    // A quotation that is open.
    let line = "ckptmap show testdata/conv3/model.ckpt 'model/conv2d_1/k";
    let words: Vec<&str> = line.split(' ').collect();
    assert_eq!(offered(&place, line, &words), ["model/conv2d_1/kernel"]);
}

/// A name that a stranger chose does not become a command.
#[test]
fn names_that_mean_something_to_a_shell_are_not_offered() {
    let place = Place::new();
    place.write("a $(touch gone).index", "");
    place.write("a;b.index", "");
    place.write("a`b`.yaml", "");
    place.write("--force.index", "");
    place.write("=ls.index", "");
    place.write("ab.index", "");
    assert_eq!(at_blanks(&place, "ckptmap list a"), ["ab"]);
    assert!(at_blanks(&place, "ckptmap plan ab --map a").is_empty());
    assert_eq!(at_blanks(&place, "ckptmap list "), ["ab", "testdata/"]);
}

#[test]
fn every_shell_gets_a_script() {
    let place = Place::new();
    for (shell, sign) in [
        ("bash", "complete -o nospace -o bashdefault -o default -F _ckptmap ckptmap"),
        ("zsh", "compdef"),
        ("fish", "complete --keep-order --exclusive --command ckptmap"),
        ("powershell", "Register-ArgumentCompleter -Native -CommandName ckptmap"),
    ] {
        let script = place.ok(&format!("completions {shell}"));
        assert!(script.contains(sign) && script.contains("CKPTMAP_COMPLETE"), "{script}");
    }
}
