//! What the program says to people who make mistakes: a long row of them, and everything it says
//! to each, in one text that is read from time to time as a whole.
//!
//! A message says what is wrong, where, and what to do. [`judge`] holds every scene to that as far
//! as it can be told without understanding it.

mod batch;
mod census;
mod checkpoints;
mod commands;
mod convert;
mod judge;
mod rules;
mod scene;
mod templates;

use std::fmt::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::harness::Said;
use scene::Scene;

/// All scenes, by chapters.
fn chapters() -> Vec<(&'static str, Vec<Scene>)> {
    vec![
        ("No checkpoint", checkpoints::none()),
        ("Damaged checkpoints", checkpoints::damaged()),
        ("The command line", commands::typed()),
        ("Looking at checkpoints", commands::looked_at()),
        ("Rule files: what is written in them", rules::written()),
        ("Rule files: patterns and targets", rules::filled_in()),
        ("Rule files: transforms", rules::transforms()),
        ("Rules that do not fit the checkpoint", rules::planned()),
        ("Templates", templates::leaves()),
        ("Optimizers and averages", templates::optimizers()),
        ("Proposed rules", templates::proposed()),
        ("Conversions", convert::written()),
        ("Proofs and differences", convert::compared()),
        ("The way back", convert::back()),
        ("Job files", batch::files()),
        ("Batches", batch::runs()),
    ]
}

/// Plays all scenes, several at a time, and gives what was said in their order.
fn play(scenes: &[Scene]) -> Vec<Said> {
    let next = AtomicUsize::new(0);
    let said = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(2, Into::into) {
            scope.spawn(|| {
                while let Some((at, scene)) = {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    scenes.get(at).map(|scene| (at, scene))
                } {
                    let answer = scene.play();
                    said.lock().unwrap_or_else(PoisonError::into_inner).push((at, answer));
                }
            });
        }
    });
    let mut said = said.into_inner().unwrap_or_else(PoisonError::into_inner);
    said.sort_by_key(|(at, _)| *at);
    said.into_iter().map(|(_, said)| said).collect()
}

/// Plays chapters, and holds them to what is asked of messages.
fn shown(name: &str, chapters: Vec<(&str, Vec<Scene>)>) -> usize {
    let mut text = String::new();
    let mut faults = Vec::new();
    let mut count = 0;
    for (chapter, scenes) in chapters {
        writeln!(text, "\n# {chapter}").unwrap();
        for (scene, said) in scenes.iter().zip(play(&scenes)) {
            count += 1;
            faults.extend(judge::faults(scene, &said));
            text += &scene.shown(&said);
        }
    }
    insta::with_settings!({
        // Systems have numbers of their own.
        filters => [(r"\(os error \d+\)", "(os error …)")],
        omit_expression => true,
        prepend_module_to_snapshot => false,
        snapshot_path => "../snapshots",
    }, {
        insta::assert_snapshot!(name, text);
    });
    assert!(faults.is_empty(), "{}\n\n{} in {count} scenes", faults.join("\n"), faults.len());
    count
}

#[test]
fn gallery() {
    let count = shown("gallery", chapters());
    assert!(count >= 120, "{count} scenes");
}

/// Parts that a build may lack: whoever builds with them is not told so.
#[cfg(not(any(feature = "cloud", feature = "tensorflow")))]
#[test]
fn left_out() {
    shown("gallery_left_out", vec![("Parts that were left out", commands::left_out())]);
}
