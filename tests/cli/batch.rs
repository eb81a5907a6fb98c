//! Many conversions.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use ckptmap::tensor::{Shape, Tensor, TensorSpec};
use serde_json::Value;

use crate::harness::{Place, Said};
use crate::rewrite::{rewrite, written};

const ADAM: &str = "testdata/optimizers/adam";
const JOBS: &str = "version: 1
defaults: {map: rules.yaml, like: testdata/templates/keras3_adam}
jobs:
  - {input: 'runs/{run}/model.ckpt-{step}', output: 'converted/{run}/ckpt-{step}'}
";

/// Series of Adam's fixture in `runs` directories, `steps` in each.
fn archive(runs: usize, steps: usize) -> Place {
    let place = Place::new();
    place.write("rules.yaml", fs::read(place.path(ADAM).join("rules.yaml")).unwrap());
    place.write("jobs.yaml", JOBS);
    for run in 0..runs {
        for step in 1..=steps {
            copy(&place, &format!("runs/run-{run:02}/model.ckpt-{}", step * 500));
        }
    }
    place
}

fn copy(place: &Place, to: &str) {
    for suffix in ["index", "data-00000-of-00001", "meta"] {
        let from = place.path(ADAM).join(format!("model.ckpt.{suffix}"));
        place.write(&format!("{to}.{suffix}"), fs::read(from).unwrap());
    }
}

fn remove(place: &Place, checkpoint: &str) {
    for suffix in ["index", "data-00000-of-00001", "meta"] {
        fs::remove_file(place.path(&format!("{checkpoint}.{suffix}"))).unwrap();
    }
}

fn report(place: &Place, name: &str) -> Value {
    serde_json::from_slice(&fs::read(place.path(name)).unwrap()).unwrap()
}

/// What became of the conversions, by how many there are of each sort.
fn counts(said: &Said) -> BTreeMap<String, u64> {
    let document: Value = serde_json::from_str(&said.out).unwrap_or_else(|_| panic!("{said}"));
    let counts = document["counts"].as_object().unwrap();
    let counts = counts.iter().map(|(key, count)| (key.clone(), count.as_u64().unwrap()));
    counts.filter(|(_, count)| *count > 0).collect()
}

fn only(key: &str, count: u64) -> BTreeMap<String, u64> {
    BTreeMap::from([(key.to_owned(), count)])
}

/// The index of every complete result, with what changes when it is written again.
fn done(place: &Place) -> BTreeMap<String, (u64, i64)> {
    let mut done = BTreeMap::new();
    for run in fs::read_dir(place.path("converted")).into_iter().flatten() {
        for file in fs::read_dir(run.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "index")
                && path.with_extension("ckptmap.json").exists()
            {
                let found = fs::metadata(&path).unwrap();
                done.insert(path.display().to_string(), (found.ino(), found.mtime_nsec()));
            }
        }
    }
    done
}

#[test]
fn two_hundred_of_which_one_is_damaged_and_one_has_a_wrong_shape() {
    let place = archive(20, 10);
    let data = "runs/run-03/model.ckpt-2500.data-00000-of-00001";
    let whole = fs::read(place.path(data)).unwrap();
    place.edit(data, |bytes| bytes[40] ^= 1);
    let wrong = "runs/run-11/model.ckpt-500";
    remove(&place, wrong);
    rewrite(&place, ADAM, wrong, |new| {
        let kernel = new.tensors.get_mut("model/dense_2/kernel").unwrap();
        let turned = Shape::new([2, 5]).unwrap();
        let turned = TensorSpec::new(kernel.spec().dtype(), turned).unwrap();
        *kernel = Tensor::new(turned, kernel.data().to_vec()).unwrap();
    });

    let first = place.run("batch jobs.yaml --report report.json --html report.html");
    assert_eq!(first.code, 1, "{first}");
    let lines: Vec<&str> = first.out.lines().collect();
    assert_eq!(lines.len(), 3, "{first}");
    assert!(lines[0].contains("runs/run-03/model.ckpt-2500"), "{first}");
    assert!(lines[0].contains("checksum"), "{first}");
    assert!(lines[1].contains("runs/run-11/model.ckpt-500"), "{first}");
    assert!(lines[1].contains("rules.yaml:"), "{first}");
    assert!(lines[2].starts_with("200 checkpoints: 198 converted, 2 failed"), "{first}");
    let told = report(&place, "report.json");
    assert_eq!(told["counts"]["converted"], 198);
    let page = fs::read_to_string(place.path("report.html")).unwrap();
    assert!(page.contains("<summary>2 failed</summary>"), "{page}");
    assert!(!place.path("converted/run-03/ckpt-2500.index").exists());
    assert_eq!(place.names("converted").iter().filter(|name| name.contains("ckptmap-")).count(), 0);

    let before = done(&place);
    fs::write(place.path(data), whole).unwrap();
    copy(&place, wrong);
    let second = place.run("batch jobs.yaml --json");
    assert_eq!(second.code, 0, "{second}");
    let mut expected = only("converted", 2);
    expected.insert("unchanged".to_owned(), 198);
    assert_eq!(counts(&second), expected);
    let after = done(&place);
    assert_eq!(after.len(), 200);
    assert!(before.iter().all(|(name, found)| after[name] == *found));

    // Each is what a conversion of its own is, but for the number of its `save_counter`.
    place.ok("convert runs/run-07/model.ckpt-500 --map rules.yaml --like \
              testdata/templates/keras3_adam -o alone/ckpt --quiet --save-counter 1");
    let same = place.run("diff alone/ckpt converted/run-07/ckpt-500");
    assert_eq!(same.code, 0, "{same}");
    let index = |name: &str| fs::read(place.path(name)).unwrap();
    assert_eq!(index("alone/ckpt.index"), index("converted/run-07/ckpt-500.index"));
}

#[test]
fn killed_twenty_times_nothing_is_lost_and_nothing_done_twice() {
    let place = archive(10, 20);
    let mut known = BTreeMap::new();
    for round in 0..20 {
        let mut child = place
            .command("batch jobs.yaml -j 3 --quiet")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        thread::sleep(Duration::from_millis(5 + 7 * round));
        child.kill().unwrap();
        child.wait().unwrap();
        // What a run left complete, no other touches.
        let now = done(&place);
        assert!(known.iter().all(|(name, found)| now.get(name) == Some(found)), "round {round}");
        known = now;
    }
    let last = place.run("batch jobs.yaml --json");
    assert_eq!(last.code, 0, "{last}");
    let counts = counts(&last);
    let unchanged = counts.get("unchanged").copied().unwrap_or_default();
    // A record without its index is of a conversion that was killed: only these are done again.
    assert!(usize::try_from(unchanged).unwrap() <= known.len(), "{counts:?} {}", known.len());
    assert!(usize::try_from(unchanged).unwrap() + 3 * 20 >= known.len(), "{counts:?}");
    let all = done(&place);
    assert_eq!(all.len(), 200);
    let names = place.names("converted");
    // Index, record and data of each, and ten lists.
    assert_eq!(names.len(), 3 * 200 + 10, "{names:#?}");
    let checked = place.run("check converted/run-00/ckpt-500 converted/run-09/ckpt-10000");
    assert_eq!(checked.code, 0, "{checked}");
    assert_eq!(counts_of(&place, "batch jobs.yaml --json"), only("unchanged", 200));
}

fn counts_of(place: &Place, command: &str) -> BTreeMap<String, u64> {
    counts(&place.run(command))
}

#[test]
fn interrupted_it_says_what_is_left() {
    let place = archive(10, 20);
    let mut command = place.command("batch jobs.yaml -j 2 --report report.json --quiet");
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while done(&place).is_empty() {
        thread::sleep(Duration::from_millis(1));
    }
    let id = child.id().to_string();
    Command::new("kill").args(["-INT", &id]).status().unwrap();
    let status = child.wait().unwrap();
    assert_eq!(status.code(), Some(130));
    let told = report(&place, "report.json");
    let (converted, left) = (&told["counts"]["converted"], &told["counts"]["not_done"]);
    assert_eq!(converted.as_u64().unwrap() + left.as_u64().unwrap(), 200);
    assert_eq!(converted.as_u64().unwrap(), done(&place).len() as u64);
    assert!(!place.names("converted").iter().any(|name| name.contains("scratch")));
    place.ok("batch jobs.yaml --quiet");
    assert_eq!(done(&place).len(), 200);
}

#[test]
fn two_runs_at_once_share_the_work() {
    let place = archive(5, 20);
    let begin = || {
        let mut command = place.command("batch jobs.yaml -j 2 --json");
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let runs = [begin(), begin(), begin()];
    let mut converted = 0;
    for run in runs {
        let output = run.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(document["counts"]["failed"], 0);
        converted += document["counts"]["converted"].as_u64().unwrap();
    }
    assert_eq!(converted, 100);
    assert_eq!(place.names("converted").len(), 3 * 100 + 5);
}

#[test]
fn what_changed_is_done_again_and_nothing_else() {
    let place = archive(2, 2);
    place.ok("batch jobs.yaml --quiet");
    assert_eq!(counts_of(&place, "batch jobs.yaml --json"), only("unchanged", 4));

    let reasons = |command: &str| {
        let document: Value = serde_json::from_str(&place.ok(command)).unwrap();
        let jobs = document["jobs"].as_array().unwrap().clone();
        let done = jobs.into_iter().filter(|job| job["outcome"] != "unchanged");
        done.map(|job| format!("{}: {}", job["input"], job["reason"])).collect::<Vec<_>>()
    };
    let quote = |what: &str, why: &str| format!("\"{what}\": \"{why}\"");
    // The same bytes, written again: for a file of data that cannot be told from others.
    copy(&place, "runs/run-01/model.ckpt-500");
    let source = [quote("runs/run-01/model.ckpt-500", "the source changed")];
    assert_eq!(reasons("batch jobs.yaml --json"), source);
    place.write(
        "rules.yaml",
        format!(
            "{}# more\n",
            String::from_utf8_lossy(&fs::read(place.path("rules.yaml")).unwrap(),)
        ),
    );
    assert_eq!(reasons("batch jobs.yaml --json").len(), 4);
    fs::remove_file(place.path("converted/run-00/ckpt-500.data-00000-of-00001")).unwrap_or(());
    fs::remove_file(place.path("converted/run-00/ckpt-500.data-00000-of-00002")).unwrap_or(());
    let gone = [quote("runs/run-00/model.ckpt-500", "data files of the result were gone")];
    assert_eq!(reasons("batch jobs.yaml --json"), gone);
    assert_eq!(reasons("batch jobs.yaml --json --redo").len(), 4);
    // A checkpoint in between: the numbers of the later ones are others.
    copy(&place, "runs/run-01/model.ckpt-750");
    assert_eq!(
        reasons("batch jobs.yaml --json"),
        [
            quote("runs/run-01/model.ckpt-750", "").replace("\"\"", "null"),
            quote("runs/run-01/model.ckpt-1000", "`save_counter` changed")
        ]
    );
    assert_eq!(counts_of(&place, "batch jobs.yaml --json"), only("unchanged", 5));
    // That an old source is gone changes nothing for the later ones.
    remove(&place, "runs/run-01/model.ckpt-500");
    assert_eq!(counts_of(&place, "batch jobs.yaml --json"), only("unchanged", 4));
    // Results of a program that made something else of the same.
    let record = "converted/run-00/ckpt-500.ckptmap.json";
    let text = fs::read_to_string(place.path(record)).unwrap();
    place.write(record, text.replace("\"results\": 1", "\"results\": 0"));
    let results = quote("runs/run-00/model.ckpt-500", "what this program makes of it changed");
    assert_eq!(reasons("batch jobs.yaml --json"), [results]);
}

#[test]
fn only_what_a_record_names_is_removed() {
    let place = archive(1, 1);
    place.ok("batch jobs.yaml --quiet");
    let at = |name: &str| format!("converted/run-00/ckpt-500{name}");
    // As a `CheckpointManager` does, and somebody who keeps notes.
    fs::remove_file(place.path(&at(".index"))).unwrap();
    place.write(&at(".data-notes.txt"), "precious");
    place.write(&at(".data-backup.index"), "another checkpoint");
    fs::create_dir(place.path(&at(".data-folder"))).unwrap();
    place.ok("batch jobs.yaml --quiet");
    assert_eq!(fs::read_to_string(place.path(&at(".data-notes.txt"))).unwrap(), "precious");
    assert!(place.path(&at(".data-backup.index")).exists());
    // A data file that the record does not name is nobody's to take away.
    fs::remove_file(place.path(&at(".index"))).unwrap();
    place.write(&at(".data-00000-of-00007"), "of somebody");
    let said = place.run("batch jobs.yaml");
    assert_eq!(said.code, 1, "{said}");
    assert!(said.out.contains("a data file without an index"), "{said}");
    assert_eq!(fs::read_to_string(place.path(&at(".data-00000-of-00007"))).unwrap(), "of somebody");
}

#[test]
fn a_record_is_of_one_checkpoint_alone() {
    let place = archive(1, 1);
    place.ok("batch jobs.yaml --quiet");
    let copy = |from: &str, to: &str| {
        let at = |name: &str| place.path(&format!("converted/run-00/{name}"));
        fs::copy(at(from), at(to)).unwrap();
    };
    copy("ckpt-500.index", "other.index");
    copy("ckpt-500.ckptmap.json", "other.ckptmap.json");
    place.write(
        "jobs.yaml",
        "version: 1\njobs:\n  - {input: runs/run-00/model.ckpt-500, output: converted/run-00/other, \
         map: rules.yaml, like: testdata/templates/keras3_adam, save_counter: 1}\n",
    );
    assert_eq!(counts_of(&place, "batch jobs.yaml --json"), only("converted", 1));
    place.ok("check converted/run-00/other");
}

#[test]
fn killed_while_it_converts_again() {
    let place = archive(4, 10);
    place.ok("batch jobs.yaml --quiet");
    for round in 0..12 {
        let mut command = place.command("batch jobs.yaml -j 3 --quiet --redo");
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        thread::sleep(Duration::from_millis(4 + 9 * round));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    // At every instant the old one or the new one stood there.
    let all: Vec<String> = done(&place).into_keys().collect();
    assert_eq!(all.len(), 40);
    let said = place.run(&format!("check {}", all.join(" ")));
    assert!(!said.out.contains("damaged"), "{said}");
    assert_eq!(place.run("batch jobs.yaml --quiet").code, 0);
    // No file stands there that no record names.
    let names = place.names("converted");
    let records = names.iter().filter(|name| name.ends_with(".ckptmap.json"));
    let data: usize =
        records.clone().map(|name| report(&place, name)["data"].as_array().unwrap().len()).sum();
    assert_eq!(records.count(), 40);
    assert_eq!(names.len(), 2 * 40 + data + 4, "{names:#?}");
}

#[test]
fn what_somebody_else_wrote_is_not_replaced() {
    let place = archive(1, 2);
    place.ok("convert testdata/conv3 --map testdata/conv3/rules-keras2.yaml -o \
              converted/run-00/ckpt-500 --quiet");
    let before = place.files("converted");
    let said = place.run("batch jobs.yaml");
    assert_eq!(said.code, 1, "{said}");
    assert!(said.out.contains("it was not written by a batch; `--force` replaces it"), "{said}");
    let kept = place.files("converted");
    assert!(before.iter().all(|file| kept.contains(file)));
    // Nor what was written again where a batch had been.
    place.ok("convert testdata/conv3 --map testdata/conv3/rules-keras2.yaml -o \
              converted/run-00/ckpt-1000 --quiet --force");
    let said = place.run("batch jobs.yaml");
    assert!(said.out.contains("it was written again since; `--force`"), "{said}");
    place.ok("batch jobs.yaml --force --quiet");
    assert_eq!(counts_of(&place, "batch jobs.yaml --json"), only("unchanged", 2));
}

#[test]
fn a_series_is_listed_in_its_order() {
    let place = archive(1, 3);
    copy(&place, "runs/run-00/model.ckpt-20000");
    place.ok("batch jobs.yaml --quiet");
    let state =
        |place: &Place| fs::read_to_string(place.path("converted/run-00/checkpoint")).unwrap();
    let plain = |text: &str| {
        let lines = text.split_inclusive('\n').filter(|line| !line.contains("timestamps"));
        lines.collect::<String>()
    };
    let first = "model_checkpoint_path: \"ckpt-20000\"\n\
                 all_model_checkpoint_paths: \"ckpt-500\"\n\
                 all_model_checkpoint_paths: \"ckpt-1000\"\n\
                 all_model_checkpoint_paths: \"ckpt-1500\"\n\
                 all_model_checkpoint_paths: \"ckpt-20000\"\n";
    assert_eq!(plain(&state(&place)), first);
    // `CheckpointManager` knows only what has a time.
    assert_eq!(state(&place).matches("timestamps: 1").count(), 4);
    // Somebody trained on: that stays the latest.
    let trained = first.replace("path: \"ckpt-20000\"", "path: \"ckpt-20001\"");
    let trained = format!("{trained}all_model_checkpoint_paths: \"ckpt-20001\"\n");
    place.write("converted/run-00/checkpoint", &trained);
    place.ok("batch jobs.yaml --quiet");
    assert_eq!(plain(&state(&place)), trained);
    let timed = state(&place);
    assert_eq!(timed.matches("timestamps: 1").count(), 5);
    place.ok("batch jobs.yaml --quiet");
    assert_eq!(state(&place), timed);
    copy(&place, "runs/run-00/model.ckpt-700");
    place.ok("batch jobs.yaml --quiet");
    let with_it = trained.replace(
        "paths: \"ckpt-1000\"",
        "paths: \"ckpt-700\"\nall_model_checkpoint_paths: \"ckpt-1000\"",
    );
    assert_eq!(plain(&state(&place)), with_it);
    let counter = place.ok("show converted/run-00/ckpt-20000 save_counter");
    assert!(counter.ends_with("\n5\n"), "{counter}");

    // A `CheckpointManager` has turned over all of the series: what it has stays the latest.
    let rotated = "model_checkpoint_path: \"ckpt-3\"\nall_model_checkpoint_paths: \"ckpt-3\"\n";
    place.write("converted/run-00/checkpoint", rotated);
    place.ok("batch jobs.yaml --quiet");
    assert!(state(&place).starts_with("model_checkpoint_path: \"ckpt-3\"\n"));
    assert!(
        plain(&state(&place)).ends_with("\"ckpt-20000\"\nall_model_checkpoint_paths: \"ckpt-3\"\n")
    );
    // What is not a batch's is listed if it was: it stands there.
    for name in ["500", "1500"] {
        fs::remove_file(place.path(&format!("converted/run-00/ckpt-{name}.ckptmap.json"))).unwrap();
    }
    assert_eq!(place.run("batch jobs.yaml --quiet").code, 1);
    assert_eq!(plain(&state(&place)).matches("all_model").count(), 6);
    place.write("converted/run-00/checkpoint", "{{{");
    let said = place.run("batch jobs.yaml --quiet --report report.json");
    assert_eq!(said.code, 1, "{said}");
    assert!(said.err.contains("could not be listed"), "{said}");
    assert_eq!(report(&place, "report.json")["errors"].as_array().unwrap().len(), 1);

    place.write("jobs.yaml", JOBS.replace("{step}'}", "{step}', state: false}"));
    fs::remove_file(place.path("converted/run-00/checkpoint")).unwrap();
    place.ok("batch jobs.yaml --quiet --force");
    assert!(!place.path("converted/run-00/checkpoint").exists());
}

#[test]
fn shares_are_all_of_it_and_their_reports_go_together() {
    let place = archive(4, 5);
    for index in 0..3 {
        place.ok(&format!("batch jobs.yaml --shard {index}/3 --report part-{index}.json --quiet"));
    }
    let total: u64 = (0..3)
        .map(|index| {
            let part = report(&place, &format!("part-{index}.json"));
            assert_eq!(part["shard"]["index"], index);
            assert_eq!(part["counts"]["unchanged"], 0);
            part["counts"]["converted"].as_u64().unwrap()
        })
        .sum();
    assert_eq!(total, 20);
    assert_eq!(place.names("converted").len(), 3 * 20 + 4);
    let merged =
        place.ok("batch --merge-reports part-0.json part-1.json part-2.json --report all.json");
    assert!(merged.starts_with("20 checkpoints: 20 converted"), "{merged}");
    assert_eq!(report(&place, "all.json")["jobs"].as_array().unwrap().len(), 20);
    let lacking = place.run("batch --merge-reports part-0.json part-2.json");
    assert_eq!(lacking.code, 2, "{lacking}");
    assert!(lacking.err.contains("are in none of these reports: no share 1/3"), "{lacking}");
    let twice = place.run("batch --merge-reports part-0.json part-0.json part-2.json");
    assert!(twice.err.contains("tell of the same conversion"), "{twice}");
    let none = place.run("batch --merge-reports jobs.yaml");
    assert!(none.err.contains("`jobs.yaml` is no report of a batch"), "{none}");
    let kept = place.run("batch jobs.yaml --report jobs.yaml");
    assert_eq!(kept.code, 2, "{kept}");
    assert!(kept.err.contains("give `--report` another name"), "{kept}");
}

#[test]
fn shares_of_clusters_are_never_guessed() {
    let place = archive(1, 4);
    let run = |share: &str, variables: &[(&str, &str)]| {
        let mut command =
            place.command(&format!("batch jobs.yaml --dry-run --json --shard {share}"));
        command.envs(variables.iter().copied());
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap(), output.stdout)
    };
    let (code, error, _) = run("slurm", &[]);
    assert_eq!(code, Some(2));
    assert!(error.contains("`SLURM_ARRAY_TASK_ID` is not set"), "{error}");
    let task = |id, min, max, step, count| {
        [
            ("SLURM_ARRAY_TASK_ID", id),
            ("SLURM_ARRAY_TASK_MIN", min),
            ("SLURM_ARRAY_TASK_MAX", max),
            ("SLURM_ARRAY_TASK_STEP", step),
            ("SLURM_ARRAY_TASK_COUNT", count),
        ]
    };
    let (code, error, _) = run("slurm", &task("3", "3", "3", "1", "1"));
    assert_eq!(code, Some(2));
    assert!(error.contains("a single task"), "{error}");
    let (code, error, out) = run("slurm", &task("12", "10", "12", "2", "2"));
    assert_eq!(code, Some(0), "{error}");
    let document: Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(document["shard"]["index"], 1);
    assert_eq!(document["counts"]["planned"], 2);
    let pod = [("JOB_COMPLETION_INDEX", "0")];
    let (code, error, _) = run("kubernetes", &pod);
    assert_eq!(code, Some(2));
    assert!(error.contains("`JOB_COMPLETIONS` is not set"), "{error}");
}

#[test]
fn a_dry_run_writes_nothing() {
    let place = archive(1, 2);
    rewrite(&place, ADAM, "runs/run-00/model.ckpt-1500", |new| {
        new.tensors.remove("model/dense/bias");
    });
    let before = place.names(".");
    let said = place.run("batch jobs.yaml --dry-run");
    assert_eq!(said.code, 1, "{said}");
    assert!(said.out.contains("3 checkpoints: 2 planned, 1 failed"), "{said}");
    assert_eq!(place.names("."), before);
}

#[test]
fn the_first_failure_may_end_it() {
    let place = archive(1, 9);
    place.write("runs/run-00/model.ckpt-500.index", "no index");
    let said = place.run("batch jobs.yaml -j 1 --fail-fast --json");
    assert_eq!(said.code, 1, "{said}");
    let counts = counts(&said);
    assert_eq!(counts["failed"], 1);
    assert_eq!(counts["not_done"], 8);
}

#[test]
fn a_conversion_that_needs_more_memory_waits_for_it() {
    // Text is read whole: this takes 12 MiB.
    let place = Place::new();
    let text = Tensor::string(&vec![b'x'; 3 << 20]);
    for step in 1..=4 {
        written(&place, &format!("runs/a/model.ckpt-{step}"), &[("names", text.clone())]);
    }
    place.write("rules.yaml", "version: 1\nrules: [{from: names, to: names}]\n");
    place.write("jobs.yaml", JOBS.replace(", like: testdata/templates/keras3_adam", ""));
    let said = place.run("batch jobs.yaml -j 4 --memory 4MiB");
    assert_eq!(said.code, 1, "{said}");
    assert!(said.out.contains("--memory "), "{said}");
    place.ok("batch jobs.yaml -j 4 --memory 24MiB --quiet");
    assert_eq!(counts_of(&place, "batch jobs.yaml --json"), only("unchanged", 4));
}

#[test]
fn what_cannot_be_looked_through_or_told_apart_is_told() {
    let place = archive(3, 2);
    place.write("runs/run-01/checkpoint", "{{garbage");
    place.write("runs/run-02/checkpoint", "model_checkpoint_path: \"model.ckpt-500\"\n");
    let jobs = JOBS.replace("/model.ckpt-{step}'", "'").replace("/ckpt-{step}", "/ckpt");
    place.write("jobs.yaml", jobs);
    let said = place.run("batch jobs.yaml");
    assert_eq!(said.code, 1, "{said}");
    assert!(said.out.contains("3 checkpoints: 1 converted, 2 failed"), "{said}");
    assert!(said.out.contains("holds 2 checkpoints"), "{said}");
    place.write("jobs.yaml", JOBS);
    std::os::unix::fs::symlink("loop", place.path("runs/loop")).unwrap();
    place.ok("batch jobs.yaml --quiet");
    let name = std::os::unix::ffi::OsStrExt::from_bytes(b"bad\xff");
    fs::create_dir(place.path("runs").join::<&std::ffi::OsStr>(name)).unwrap();
    let said = place.run("batch jobs.yaml --quiet");
    assert_eq!(said.code, 1, "{said}");
    assert!(said.err.contains("its name is not UTF-8"), "{said}");
}

#[test]
fn one_place_by_several_names_is_one_place() {
    let place = archive(1, 2);
    fs::create_dir(place.path("real")).unwrap();
    std::os::unix::fs::symlink("real", place.path("link")).unwrap();
    let two = |first: &str, second: &str| {
        let job = |step, output| {
            format!("  - {{input: runs/run-00/model.ckpt-{step}, output: {output}}}\n")
        };
        let head = JOBS.split("  - ").next().unwrap();
        place.write("jobs.yaml", format!("{head}{}{}", job(500, first), job(1000, second)));
        let said = place.run("batch jobs.yaml --dry-run");
        (said.code, said.err)
    };
    for (first, second) in
        [("real/m", "link/m"), ("real/m", "real/../real/m"), ("new/m", "./new/m")]
    {
        let (code, error) = two(first, second);
        assert_eq!(code, 2, "{error}");
        assert!(error.contains("would be written twice"), "{error}");
    }
    assert_eq!(two("real/m", "link/n").0, 0);
    for output in ["./runs/{run}/{n}-new", "x/../runs/{run}/{n}-new", "runs/{run}/{n}/inside"] {
        place.write(
            "jobs.yaml",
            format!("version: 1\ndefaults: {{map: rules.yaml}}\njobs:\n  - {{input: './runs/{{run}}/{{n}}', output: '{output}'}}\n"),
        );
        let said = place.run("batch jobs.yaml --dry-run");
        assert_eq!(said.code, 2, "{said}");
        assert!(said.err.contains("would be converted in its turn"), "{said}");
    }
}

#[test]
fn a_dry_run_knows_where_nothing_can_be_written() {
    let place = archive(1, 1);
    fs::create_dir(place.path("folder")).unwrap();
    for output in ["c/m.index", "c[1]/m", "c/", "folder"] {
        place.write("jobs.yaml", JOBS.replace("converted/{run}/ckpt-{step}", output));
        let said = place.run("batch jobs.yaml --dry-run");
        assert_eq!(said.code, 1, "{said}");
    }
}

#[test]
fn reports_that_say_anything_are_merged_or_refused() {
    let place = archive(1, 2);
    place.ok("batch jobs.yaml --quiet --report r.json");
    let text = fs::read_to_string(place.path("r.json")).unwrap();
    for (from, to) in [
        ("\"number\": 1", "\"number\": 18446744073709551614"),
        ("\"total\": 2", "\"total\": 18446744073709551615"),
        ("\"schema\": 1", "\"schema\": 7"),
    ] {
        assert!(text.contains(from));
        place.write("h.json", text.replace(from, to));
        let said = place.run("batch --merge-reports h.json");
        assert_eq!(said.code, 2, "{said}");
    }
    let said = place.run("batch jobs.yaml --report afile/r.json");
    assert_eq!(said.code, 0, "{said}");
    let said = place.run("batch jobs.yaml --report r.json/x.json");
    assert_eq!(said.code, 2, "{said}");
    let said = place.run("batch jobs.yaml --report x --html x");
    assert_eq!(said.code, 2, "{said}");
}

#[test]
fn mistakes_are_shown_in_the_job_files_own_text() {
    let place = archive(1, 1);
    place.write("jobs.yaml", "version: 1\njobs:\n  - {input: 'runs/{run}/model.ckpt-{step}', output: 'new/{rnu}', mpa: x}\n");
    let said = place.run("batch jobs.yaml");
    assert_eq!(said.code, 2, "{said}");
    insta::assert_snapshot!(said.err, @r"
    error: this job has no rules
     --> jobs.yaml:3:5
      |
    3 |   - {input: 'runs/{run}/model.ckpt-{step}', output: 'new/{rnu}', mpa: x}
      |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: say which: `map: rules.yaml` or `map: builtin:NAME`, here or in `defaults`
    error: `input` has no part `{rnu}`; it has `{run}`, `{step}`
     --> jobs.yaml:3:58
      |
    3 |   - {input: 'runs/{run}/model.ckpt-{step}', output: 'new/{rnu}', mpa: x}
      |                                                          ^^^^^
    error: there is no key `mpa` here
     --> jobs.yaml:3:66
      |
    3 |   - {input: 'runs/{run}/model.ckpt-{step}', output: 'new/{rnu}', mpa: x}
      |                                                                  ^^^
      |
      = help: known here: input, optional, output, map, set, like, reverse, keep_missing, for, keep_names, save_counter, state, shard_size, link, reflink, verify, sync
    3 problems; nothing was written
    ");
    let said = place.run("batch nowhere.yaml");
    assert_eq!(said.code, 2, "{said}");
    assert!(said.err.contains("nowhere.yaml"), "{said}");
    let said = place.run("batch");
    assert_eq!(said.code, 2, "{said}");
}
