//! The mappings that come with the program, and rule files that lean on other files.

use serde_json::Value;

use crate::harness::{Place, Said};

fn json(answer: &str) -> Value {
    serde_json::from_str(answer).unwrap_or_else(|error| panic!("{error}: {answer}"))
}

/// Plans the convolutional model with these rules.
fn plan(place: &Place, rules: &str, more: &str) -> Said {
    place.write("rules.yaml", format!("version: 1\n{rules}"));
    place.run(&format!("plan testdata/conv3/model.ckpt --map rules.yaml {more}"))
}

#[test]
fn all_of_them() {
    let place = Place::new();
    let answer = place.ok("mappings");
    let names: Vec<&str> =
        answer.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert!(names.contains(&"bert-hf") && names.is_sorted(), "{answer}");
    for line in answer.lines() {
        assert!(line.contains("->"), "{line}");
    }
    let listed = json(&place.ok("mappings --json"));
    assert_eq!(listed["schema"], 1);
    let listed = listed["mappings"].as_array().unwrap();
    let found: Vec<&str> = listed.iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(found, names);
    assert!(listed.iter().all(|one| one["title"].as_str().unwrap().contains("->")));
}

#[test]
fn one_of_them() {
    let place = Place::new();
    let text = place.ok("mappings vgg-keras");
    let built = include_str!("../../mappings/vgg-keras.yaml");
    assert_eq!(text, built);
    assert_eq!(place.ok("mappings builtin:vgg-keras"), built);
    let document = json(&place.ok("mappings vgg-keras --json"));
    assert_eq!(document["schema"], 1);
    assert_eq!(document["mapping"]["name"], "vgg-keras");
    assert_eq!(document["text"], built);
    // What is printed can be used as it is.
    place.write("mine.yaml", text);
    let said = place.run("plan testdata/conv3/model.ckpt --map mine.yaml");
    let same = place.run("plan testdata/conv3/model.ckpt --map builtin:vgg-keras");
    assert_eq!(said.err.replace("mine.yaml", "builtin:vgg-keras"), same.err);
    assert!(said.code == 1 && said.err.starts_with("error: this is no slim VGG"), "{said}");
}

#[test]
fn unknown_ones() {
    let place = Place::new();
    let mut all = String::new();
    for args in [
        "mappings vgg-kears",
        "mappings zzz",
        "mappings vgg-kears --json",
        "plan testdata/conv3/model.ckpt --map builtin:vgg-kears",
        "plan testdata/conv3/model.ckpt --map builtin:",
        "mappings a b",
    ] {
        let said = place.run(args);
        all = format!("{all}## {args}\n{said}\n");
    }
    insta::assert_snapshot!(all);
}

#[test]
fn rules_for_something_else() {
    let place = Place::new();
    let said = place.run("plan testdata/conv3/model.ckpt --map builtin:bert-hf");
    let first = said.err.lines().next().unwrap();
    assert!(said.code == 1 && first.contains("for another model"), "{said}");
    assert!(first.contains("`testdata/conv3/model.ckpt`") && first.contains("`model/…`"), "{said}");
    assert!(said.err.matches("matches no variable").count() <= 3, "{said}");
    let said = place.run("plan testdata/conv3/model.ckpt --map builtin:bert-hf --json");
    let problems = json(&said.out)["problems"].as_array().unwrap().clone();
    assert_eq!(problems[0]["kind"], "fit", "{said}");
    assert_eq!(problems.iter().filter(|problem| problem["kind"] == "fit").count(), 1);
}

/// Folders that contain themselves, once and twice over.
#[test]
fn folders_without_an_end() {
    let place = Place::new();
    for name in ["a", "b"] {
        std::os::unix::fs::symlink(".", place.path(name)).unwrap();
    }
    for include in ["a/rules.yaml", "a/rules.yaml, b/rules.yaml"] {
        place.write("rules.yaml", format!("version: 1\ninclude: [{include}]\nunmatched: drop\n"));
        let mut command = place.command("plan testdata/conv3/model.ckpt --map rules.yaml");
        command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
        let mut child = command.spawn().unwrap();
        let begun = std::time::Instant::now();
        while child.try_wait().unwrap().is_none() {
            if begun.elapsed().as_secs() > 20 {
                child.kill().unwrap();
                child.wait().unwrap();
                panic!("[{include}] has no end");
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }
}

/// The sentence first, then at most three of each kind; all of them as JSON.
#[test]
fn the_sentence_and_a_few_details() {
    let place = Place::new();
    let variables =
        "refuse: [{has: 'model/.+', say: 'this is a model'}]\nrules: [{from: nothing, to: x}]";
    let said = plan(&place, variables, "");
    assert_eq!(said.code, 1, "{said}");
    insta::assert_snapshot!(said);
    let unmatched = |said: &Said| said.err.matches("is claimed by no rule").count();
    assert_eq!(unmatched(&said), 3);
    assert_eq!(unmatched(&plan(&place, "rules: [{from: nothing, to: x}]", "")), 6);
    let all = json(&plan(&place, variables, "--json").out);
    assert_eq!(all["problems"].as_array().unwrap().len(), 8);
}

#[test]
fn files_that_include_others() {
    let place = Place::new();
    place.write("in/common.yaml", "version: 1\ninclude: [deep/rest.yaml]\nrules: [{from: 'model/conv2d/(.+)', to: 'first/$1'}]\n");
    place.write(
        "in/deep/rest.yaml",
        "version: 1\nparams: {n: 2}\nrules: [{from: 'model/(.+)', to: 'rest_$n/$1'}]\n",
    );
    let said = plan(
        &place,
        "include: [in/common.yaml]\nrules: [{from: 'model/conv2d_1/(.+)', to: 'mine/$1'}]\n",
        "--set n=7",
    );
    assert_eq!(said.code, 0, "{said}");
    insta::assert_snapshot!(said.out);
    // The same from elsewhere: files lie beside the rule file, not where one stands.
    place.write("elsewhere/readme", "");
    let mut command =
        place.command("plan ../testdata/conv3/model.ckpt --map ../rules.yaml --set n=7");
    let output = command.current_dir(place.path("elsewhere")).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn included_files_with_mistakes() {
    let place = Place::new();
    place.write("broken.yaml", "version: 1\nrules:\n  - {from: \"a\\d\", to: b}\n");
    place
        .write("wrong.yaml", "version: 1\nrules:\n  - {from: '(', to: b}\n  - {from: a, to: $1}\n");
    place.write("latin.yaml", b"version: 1\n# caf\xe9\n");
    place.write("folder/readme", "");
    let mut all = String::new();
    for include in [
        "broken.yaml",
        "wrong.yaml",
        "latin.yaml",
        "folder",
        "gone.yaml",
        "../rules.yaml",
        "rules.yaml",
        "'builtin:bert-hg'",
    ] {
        let said = plan(
            &place,
            &format!("include: [{include}]\nrules: [{{from: '(.+)', to: '$1'}}]\n"),
            "",
        );
        all = format!("{all}## {include}\n{}\n", said.err);
    }
    insta::assert_snapshot!(all);
}

#[test]
fn two_values_from_two_files() {
    let place = Place::new();
    place.write("a.yaml", "version: 1\nrules: [{from: 'model/conv2d/bias', to: x}]\n");
    let said = plan(
        &place,
        "include: [a.yaml]\nunmatched: drop\nrules: [{from: 'model/conv2d_1/bias', to: x}]\n",
        "",
    );
    // Both places are shown, each in its file.
    assert!(said.err.contains("a.yaml:2") && said.err.contains("rules.yaml:4"), "{said}");
}

/// A rule file that somebody sent reads nothing that lies elsewhere, by whatever way.
#[test]
fn links_lead_nowhere_else() {
    let place = Place::new();
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("secret.txt"), "a line that is nobody's business\n")
        .unwrap();
    let link = |to: &std::path::Path, name: &str| {
        std::os::unix::fs::symlink(to, place.path(name)).unwrap();
    };
    link(&outside.path().join("secret.txt"), "rows.txt");
    link(outside.path(), "in");
    for name in ["rows.txt", "in/secret.txt"] {
        for rules in [
            format!("rules: [{{from: 'model/conv2d/bias', to: x, apply: [{{gather: {name}}}]}}]"),
            format!("include: [{name}]"),
        ] {
            let said = plan(&place, &rules, "");
            assert!(said.code == 1 && !said.err.contains("nobody's business"), "{said}");
        }
    }
}

#[test]
fn values_of_several_sources_for_machines() {
    let place = Place::new();
    let rules = "unmatched: drop\nrules:\n  - {from: ['model/conv2d/bias', 'model/conv2d_1/bias'], to: x, apply: [{concat: 0}]}\n\
                 fill: [{leaf: z, shape: [], with: 1}]\n";
    let said = plan(&place, rules, "--json --for read");
    assert_eq!(said.code, 0, "{said}");
    let document = json(&said.out);
    let values = document["values"].as_array().unwrap();
    let by = |target: &str| values.iter().find(|value| value["target"] == target).unwrap();
    assert_eq!(by("x")["sources"], serde_json::json!(["model/conv2d/bias", "model/conv2d_1/bias"]));
    assert_eq!(by("x")["source"], "model/conv2d/bias");
    assert_eq!(by("x")["transforms"], serde_json::json!(["concat: 0"]));
    assert_eq!(by("z")["sources"], serde_json::json!([]));
    assert_eq!(document["averages"], Value::Null);
    place.ok("convert testdata/conv3/model.ckpt --map rules.yaml -o new/ckpt --for read");
    place.ok("verify new/ckpt --against testdata/conv3/model.ckpt --map rules.yaml --for read");
}

/// A head that does not fit keeps the template's values, and everybody hears of it.
#[test]
fn skipped_heads() {
    let place = Place::new();
    let rules = "version: 1\nroot: model\noptimizer: {to: optimizer}\nrules:\n  - {from: 'model/dense/(.+)', to: 'head/$1', skip_mismatch: true}\n  \
                 - {from: 'model/dense_1/(.+)', to: 'hidden_2/$1'}\n  - {from: 'model/dense_2/(.+)', to: 'hidden_1/$1', skip_mismatch: true}\n";
    place.write("rules.yaml", rules);
    let args = "testdata/optimizers/adam/model.ckpt --map rules.yaml --like testdata/templates/keras3_adam";
    let said = place.run(&format!("plan {args}"));
    assert_eq!(said.code, 0, "{said}");
    insta::assert_snapshot!(said);
    let document = json(&place.run(&format!("plan {args} --json")).out);
    let fates: Vec<&str> = document["variables"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["name"] == "model/dense/kernel")
        .map(|one| one["fate"].as_str().unwrap())
        .collect();
    assert_eq!(fates, ["skipped, because it does not fit"]);
}

#[test]
fn a_refused_wrong_argument_is_underlined() {
    let place = Place::new();
    place.write("rows.txt", "0\nx\n");
    let mut all = String::new();
    for apply in [
        "{slice: 'a:'}",
        "{pad: [[0, 0], [0, -8]]}",
        "{gather: rows.txt}",
        "{split: {axis: 0, siezs: [1]}}",
        "{cast: flaot32}",
    ] {
        let said = plan(
            &place,
            &format!(
                "unmatched: drop\nrules:\n  - from: 'model/conv2d/bias'\n    to: x\n    apply: [transpose, {apply}]\n"
            ),
            "",
        );
        assert_eq!(said.code, 1, "{said}");
        all = format!("{all}## {apply}\n{}\n", said.err);
    }
    insta::assert_snapshot!(all);
}

/// Slots take the way of their variables, there and back.
#[test]
fn slots_there_and_back_bit_for_bit() {
    let place = Place::new();
    place.copy("optimizers/adam", "old");
    let rules = "version: 1\nroot: model\noptimizer: {to: optimizer}\nrules:\n  \
                 - {from: 'model/dense/kernel', to: hidden_1/kernel, apply: [transpose, {flip: 0}]}\n  \
                 - {from: 'model/dense_1/kernel', to: hidden_2/kernel, apply: [{gates: [4, 2, 0, 1, 3]}]}\n  \
                 - {from: 'model/dense_2/kernel', to: head/kernel, apply: [{reshape: [10]}, {unpartition: {strategy: mod, parts: 3}}, {reshape: [5, 2]}]}\n  \
                 - {from: 'model/dense/bias', to: hidden_1/bias, apply: [{split_axis: {axis: 0, into: [5, 1]}}, {merge_axes: [0, 1]}, {gates: [1, 2, 3, 4, 0]}]}\n  \
                 - {from: 'model/dense_1/bias', to: hidden_2/bias}\n  - {from: 'model/dense_2/bias', to: head/bias, apply: [{flip: -1}]}\n";
    place.write("rules.yaml", rules);
    for template in ["legacy_adam", "keras2_adam", "keras3_adam"] {
        let like = format!("--like testdata/templates/{template}");
        place.ok(&format!("convert old/model.ckpt --map rules.yaml {like} -o new/{template}"));
        place
            .ok(&format!("verify new/{template} --against old/model.ckpt --map rules.yaml {like}"));
        let list = place.ok(&format!("plan old/model.ckpt --map rules.yaml {like}"));
        let slots = list.lines().filter(|line| line.contains("/Adam")).collect::<Vec<_>>();
        assert_eq!(
            slots.iter().filter(|line| line.contains("transpose, flip: 0")).count(),
            2,
            "{list}"
        );
        let back =
            format!("convert new/{template} --map rules.yaml --reverse --like old/model.ckpt");
        let said = place.run(&format!("{back} -o back/{template}"));
        assert!(said.code == 0 && !said.err.contains("as it is"), "{said}");
        place.ok(&format!("diff old/model.ckpt back/{template}"));
    }
}
