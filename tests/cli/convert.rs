use crate::harness::Place;

const CONV3: &str = "convert testdata/conv3/model.ckpt --map testdata/conv3/rules-keras2.yaml";

#[test]
fn the_mapping_is_printed() {
    insta::assert_snapshot!(Place::new().run(&format!("{CONV3} -o new/ckpt")));
}

#[test]
fn the_plan_is_the_same_and_writes_nothing() {
    let place = Place::new();
    let plan = place.ok(&CONV3.replace("convert", "plan"));
    assert!(place.names("").is_empty());
    let done = place.ok(&format!("{CONV3} -o new/ckpt"));
    assert!(done.starts_with(&plan), "{done}");
}

#[test]
fn every_value_arrives_bit_for_bit() {
    let place = Place::new();
    place.ok(&format!("{CONV3} -o new/ckpt"));
    let list = |at: &str| -> serde_json::Value {
        serde_json::from_str(&place.ok(&format!("list {at} --json"))).unwrap()
    };
    let (old, new) = (list("testdata/conv3/model.ckpt"), list("new/ckpt"));
    assert_eq!(new["schema"], 1);
    assert_eq!(new["object_based"], true);
    let data =
        |prefix: &str| std::fs::read(place.path(&format!("{prefix}.data-00000-of-00001"))).unwrap();
    let bytes = |list: &serde_json::Value, data: &[u8], name: &str| {
        let variables = list["variables"].as_array().unwrap();
        let at = &variables.iter().find(|v| v["name"] == name).unwrap()["storage"];
        let from = usize::try_from(at["offset"].as_u64().unwrap()).unwrap();
        data[from..from + usize::try_from(at["bytes"].as_u64().unwrap()).unwrap()].to_vec()
    };
    for (old_name, path) in [
        ("model/conv2d/kernel", "model/conv_1/kernel"),
        ("model/conv2d/bias", "model/conv_1/bias"),
        ("model/conv2d_1/kernel", "model/conv_2/kernel"),
        ("model/conv2d_2/bias", "model/conv_3/bias"),
    ] {
        let key = format!("{path}/.ATTRIBUTES/VARIABLE_VALUE");
        assert_eq!(
            bytes(&new, &data("new/ckpt"), &key),
            bytes(&old, &data("testdata/conv3/model.ckpt"), old_name),
            "{path}"
        );
    }
}

#[test]
fn the_default_destination_is_a_directory_beside() {
    let place = Place::new();
    place.copy("conv3", "runs/a");
    place.ok("convert runs/a/model.ckpt --map testdata/conv3/rules-keras2.yaml");
    let names = place.names("runs/a-tf2");
    assert_eq!(names, ["runs/a-tf2/model.ckpt.data-00000-of-00001", "runs/a-tf2/model.ckpt.index"]);
}

#[test]
fn what_exists_is_replaced_only_by_force() {
    let place = Place::new();
    place.ok(&format!("{CONV3} -o new/ckpt"));
    let before = place.files("new");
    insta::assert_snapshot!(place.run(&format!("{CONV3} -o new/ckpt")));
    assert_eq!(place.files("new"), before);
    place.ok(&format!("{CONV3} -o new/ckpt --force"));
    place.ok("check new/ckpt");
}

#[test]
fn a_source_is_never_its_own_destination() {
    let place = Place::new();
    place.copy("conv3", "old");
    std::fs::hard_link(place.path("old/model.ckpt.index"), place.path("old/other.index")).unwrap();
    let before = place.files("old");
    let rules = "--map testdata/conv3/rules-keras2.yaml --force";
    let said = place.run(&format!("convert old/model.ckpt {rules} -o old/model.ckpt"));
    insta::assert_snapshot!(said);
    let said = place.run(&format!("convert old/model.ckpt {rules} -o old/other"));
    assert_eq!(said.code, 2, "{said}");
    assert_eq!(place.files("old"), before);
}

#[test]
fn destinations_that_cannot_be_written_or_found() {
    let place = Place::new();
    place.write("file", "in the way");
    for to in ["run[1]/ckpt", "new/ckpt.index", "new/", "file/ckpt", "/proc/ckpt"] {
        let said = place.run(&format!("{CONV3} -o {to}"));
        assert_eq!(said.code, 2, "{to}: {said}");
        insta::assert_snapshot!(said.err);
    }
    assert_eq!(place.names(""), ["file"]);
}

#[test]
fn names_can_be_kept() {
    let place = Place::new();
    place.ok(&format!("{CONV3} -o new/ckpt --keep-names"));
    let list = place.ok("list new/ckpt model/conv2d/* model/conv_1/*");
    assert!(list.ends_with("4 variables, 672 B; of 13, 2.0 KiB\n"), "{list}");
}

#[test]
fn read_wants_no_counter() {
    let place = Place::new();
    let restore = place.ok(&format!("{CONV3} -o new/a --save-counter 7"));
    assert!(restore.contains("save_counter") && restore.contains("= 7"), "{restore}");
    let read = place.ok(&format!("{CONV3} -o new/b --for read"));
    assert!(!read.contains("save_counter"), "{read}");
    assert_eq!(place.run(&format!("{CONV3} -o new/c --for read --save-counter 1")).code, 2);
}

#[test]
fn leaves_without_a_source_can_be_filled() {
    let place = Place::new();
    let rules = std::fs::read_to_string(place.path("testdata/conv3/rules-keras2.yaml")).unwrap();
    let fill = "fill:\n  - {leaf: bn/gamma, shape: [3], with: ones}\n  - {leaf: step, shape: [], dtype: int64, with: 5}\n";
    place.write("rules.yaml", rules + fill);
    let answer = place.ok("convert testdata/conv3/model.ckpt --map rules.yaml -o new/ckpt");
    assert!(answer.contains("model/bn/gamma"), "{answer}");
    place.ok("check new/ckpt");
}

#[test]
fn transforms_reach_the_file() {
    let place = Place::new();
    let rules = "version: 1\nrules:\n  - {from: '(.+)/kernel', to: '$1/kernel', apply: [{transpose: [3, 2, 0, 1]}, {reshape: [-1]}]}\n  - {from: '(.+)/bias', to: '$1/bias'}\n";
    place.write("rules.yaml", rules);
    insta::assert_snapshot!(
        place.run("convert testdata/conv3/model.ckpt --map rules.yaml -o new/ckpt")
    );
    place.ok("check new/ckpt");
}

#[test]
fn optimizer_state_is_asked_about_once() {
    let place = Place::new();
    place.write("rules.yaml", "version: 1\nrules:\n  - {from: '(.+)', to: '$1'}\n");
    insta::assert_snapshot!(place.run("plan testdata/trained_adam/model.ckpt --map rules.yaml"));
    place
        .write("rules.yaml", "version: 1\noptimizer: drop\nrules:\n  - {from: '(.+)', to: '$1'}\n");
    place.ok("plan testdata/trained_adam/model.ckpt --map rules.yaml");
}

#[test]
fn the_state_file_names_the_latest() {
    let place = Place::new();
    for name in ["ckpt-1", "ckpt-2"] {
        place.ok(&format!("{CONV3} -o new/{name} --update-state"));
    }
    let state = std::fs::read_to_string(place.path("new/checkpoint")).unwrap();
    insta::with_settings!({ filters => [(r"[0-9]{10}\.[0-9]+", "[now]")] }, {
        insta::assert_snapshot!(state);
    });
}

#[test]
fn a_closed_pipe_ends_quietly() {
    let place = Place::new();
    let mut list = place
        .command("list testdata/many_blocks/model.ckpt")
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(list.stdout.take());
    let output = list.wait_with_output().unwrap();
    assert!(output.status.success());
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

#[test]
fn large_checkpoints_go_into_several_files() {
    let place = Place::new();
    place.ok(&format!("{CONV3} -o new/ckpt --shard-size 700B"));
    assert_eq!(place.names("new").len(), 4);
    place.ok("check new/ckpt");
    // Over itself, and back into one.
    place.ok(&format!("{CONV3} -o new/ckpt --shard-size 700B --force"));
    place.ok(&format!("{CONV3} -o new/ckpt --force"));
    assert_eq!(
        place.names("new"),
        ["new/ckpt.data-00000-of-00001", "new/ckpt.index"],
        "nothing is left of the others"
    );
    let said = place.run(&format!("{CONV3} -o new/ckpt --shard-size none"));
    assert!(said.code == 2 && said.err.contains("write it as `500MB`"), "{said}");
}
