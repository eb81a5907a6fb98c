//! The examples of `--help` and the man pages do what they say.

use std::collections::BTreeSet;
use std::env;
use std::path::Path;
use std::process::Command;

use crate::harness::Place;

const OLD: &str = "optimizers/adam";
const NEW: &str = "templates/keras3_adam";

/// What the examples take for granted.
fn place() -> Place {
    let place = Place::new();
    place.copy(OLD, "source");
    place.copy(NEW, "template");
    let copy = |from: &str, to: &str| place.write(to, std::fs::read(place.path(from)).unwrap());
    for part in ["index", "data-00000-of-00001", "meta"] {
        for step in [1000, 2000] {
            copy(&format!("source/model.ckpt.{part}"), &format!("old/model.ckpt-{step}.{part}"));
        }
        if part != "meta" {
            copy(&format!("template/model.ckpt.{part}"), &format!("fresh/ckpt.{part}"));
        }
    }
    place.write("old/checkpoint", "model_checkpoint_path: \"model.ckpt-2000\"\n");
    place.write("rules.yaml", std::fs::read(place.path("source/rules.yaml")).unwrap());
    place.write(
        "jobs.yaml",
        "version: 1\n\
         jobs:\n\
         - {input: 'old/model.ckpt-{step}', output: 'new/ckpt-{step}', map: rules.yaml, like: fresh/ckpt}\n",
    );
    place
}

/// The examples that a text has, each with what it is for.
fn examples(help: &str) -> Vec<(String, String)> {
    let (_, shown) = help.split_once("\nExamples:\n").unwrap_or_default();
    let mut examples: Vec<(String, String)> = Vec::new();
    for line in shown.lines().map(|line| line.strip_prefix("  ").unwrap()) {
        match (line.strip_prefix("# "), examples.last_mut()) {
            (Some(purpose), _) => examples.push((purpose.to_owned(), String::new())),
            (None, Some((_, lines))) => lines.extend([line, "\n"]),
            (None, None) => panic!("an example without a purpose: {help}"),
        }
    }
    examples
}

fn commands(place: &Place) -> Vec<String> {
    let help = place.ok("--help");
    let (_, listed) = help.split_once("Commands:\n").unwrap();
    let listed = listed.lines().take_while(|line| line.starts_with("  "));
    let names = listed.filter(|line| !line.starts_with("   ")).map(str::trim);
    names
        .map(|line| line.split_whitespace().next().unwrap().to_owned())
        .filter(|name| name != "help")
        .collect()
}

#[expect(clippy::print_stdout, reason = "how much has been looked at")]
#[test]
fn every_example_works() {
    let program = Path::new(env!("CARGO_BIN_EXE_ckptmap")).parent().unwrap();
    let path = format!("{}:{}", program.display(), env::var("PATH").unwrap());
    let (mut count, mut without) = (0, BTreeSet::new());
    for command in commands(&Place::new()) {
        let place = place();
        let found = examples(&place.ok(&format!("{command} --help")));
        let page = place.ok(&format!("man {command}")).replace("\\*(Aq", "'").replace('\\', "");
        if found.is_empty() {
            without.insert(command.clone());
        }
        for (purpose, lines) in &found {
            count += 1;
            let done = Command::new("bash")
                .args(["-c", &format!("set -e\n{lines}")])
                .current_dir(place.path("."))
                .env("PATH", &path)
                .env("HOME", place.path("."))
                .output()
                .unwrap();
            // That two checkpoints differ is an answer.
            let most = i32::from(command == "diff");
            let code = done.status.code().unwrap();
            let said = String::from_utf8_lossy(&done.stderr);
            assert!(code <= most, "{command}: {purpose}\n{lines}exit status {code}\n{said}");
            assert!(page.contains(purpose), "{command}: the man page lacks `{purpose}`");
        }
    }
    println!("{count} examples");
    assert!(without.is_empty(), "no examples: {without:?}");
    assert!(count > 20);
}

#[test]
fn a_page_for_every_command() {
    let place = Place::new();
    place.ok("man --output pages");
    let mut expected: Vec<String> =
        commands(&place).iter().map(|name| format!("pages/ckptmap-{name}.1")).collect();
    expected.push("pages/ckptmap.1".to_owned());
    expected.sort();
    assert_eq!(place.names("pages"), expected);
    for page in expected {
        let text = std::fs::read_to_string(place.path(&page)).unwrap();
        for heading in [".SH NAME", ".SH SYNOPSIS", ".SH \"EXIT STATUS\"", ".SH \"SEE ALSO\""] {
            assert!(text.contains(heading), "{page} lacks {heading}");
        }
    }
    let said = place.run("man conver");
    assert_eq!(said.code, 2);
    insta::assert_snapshot!(said.err, @"error: there is no command `conver`; `ckptmap --help` lists all of them");
}
