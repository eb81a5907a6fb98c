use std::fs;

use crate::harness::{Place, Said};

/// `show` with arguments that are not split.
fn show(place: &Place, args: &[&str]) -> Said {
    let output = place.command("show").args(args).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Said {
        code: output.status.code().unwrap_or(-1),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}

/// Every variable of a checkpoint.
fn all(place: &Place, at: &str) -> String {
    let list: serde_json::Value =
        serde_json::from_str(&place.ok(&format!("list {at} --json"))).unwrap();
    let variables = list["variables"].as_array().unwrap();
    let shown = variables.iter().map(|variable| {
        let said = show(place, &[at, variable["name"].as_str().unwrap()]);
        said.out + &said.err
    });
    shown.collect()
}

#[test]
fn every_type() {
    let place = Place::new();
    insta::assert_snapshot!(all(&place, "testdata/dtypes_tf215"));
    insta::assert_snapshot!(all(&place, "testdata/dtypes_tf221"));
    // V1 has fewer types; what it has is the same.
    insta::assert_snapshot!(all(&place, "testdata/v1/dtypes_tf215"));
}

#[test]
fn arrays_and_their_edges() {
    let place = Place::new();
    insta::assert_snapshot!(place.run("show testdata/conv_bn_dense model/dense_1/kernel"));
    insta::assert_snapshot!(place.run("show testdata/conv3 model/conv2d/kernel[0]"));
    insta::assert_snapshot!(all(&place, "testdata/partitioned/dtypes_tf215"));
}

#[test]
fn slices() {
    let place = Place::new();
    let said = |slice: &str| {
        let what = format!("model/conv2d/kernel{slice}");
        show(&place, &["testdata/conv3", &what]).to_string()
    };
    let fitting = ["[0, 0, 0, -1]", "[..., -1, 0:2]", "[::2, 1, 1:, 0]", "[5:]"].map(said);
    insta::assert_snapshot!(fitting.concat());
    let others = ["[3]", "[0,0,0,0,0]", "[::-1]", "[x]", "[]", "[...,...]"].map(said);
    insta::assert_snapshot!(others.concat());
    insta::assert_snapshot!(show(&place, &["testdata/conv3", "model/conv2d/kernal[0]"]));
    insta::assert_snapshot!(show(&place, &["testdata/conv3", "\x1b[31m"]));
}

#[test]
fn for_machines() {
    let place = Place::new();
    insta::assert_snapshot!(place.ok("show testdata/conv3 model/conv2d/kernel[0,0,0] --json"));
    insta::assert_snapshot!(place.ok("show testdata/conv3 model/conv2d/bias --hash --json"));
}

#[test]
fn checksums() {
    let place = Place::new();
    insta::assert_snapshot!(place.ok("show testdata/conv3 model/conv2d/bias --hash"));
    let sliced = place.run("show testdata/conv3 model/conv2d/bias[0] --hash");
    assert!(sliced.code == 2 && sliced.err.contains("leave out the slice"), "{sliced}");
    place.copy("conv3", "damaged");
    place.edit("damaged/model.ckpt.data-00000-of-00001", |bytes| bytes[0] ^= 1);
    for what in ["model/conv2d/bias", "model/conv2d/bias[1] --json", "model/conv2d/bias --hash"] {
        let said = place.run(&format!("show damaged {what}"));
        assert!(said.code == 2 && said.err.contains("its checksum is"), "{said}");
    }
    let said = place.run("show damaged model/conv2d/bias --npy bias.npy");
    assert!(said.code == 2 && said.err.contains("its checksum is"), "{said}");
    assert_eq!(fs::read_dir(place.path("")).unwrap().count(), 2, "something was left behind");
}

#[test]
fn npy_files() {
    let place = Place::new();
    insta::assert_snapshot!(place.run("show testdata/conv3 model/conv2d/bias --npy out/bias.npy"));
    let bytes = fs::read(place.path("out/bias.npy")).unwrap();
    assert_eq!(bytes.len(), 128 + 12);
    assert!(bytes.starts_with(b"\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': False"));
    let again = "show testdata/conv3 model/conv2d/kernel[0] --npy out/bias.npy";
    let refused = place.run(again);
    assert!(refused.code == 2 && refused.err.contains("replace it with `--force`"), "{refused}");
    assert_eq!(fs::read(place.path("out/bias.npy")).unwrap(), bytes);
    place.ok(&format!("{again} --force"));
    assert_eq!(fs::read(place.path("out/bias.npy")).unwrap().len(), 128 + 4 * 27);
    assert_eq!(place.names("out"), ["out/bias.npy"]);
}

#[test]
fn a_file_of_the_checkpoint_is_never_replaced() {
    let place = Place::new();
    place.copy("conv3", "own");
    let before = place.files("own");
    for file in ["own/model.ckpt.index", "own/model.ckpt.data-00000-of-00001", "own"] {
        let said = place.run(&format!("show own model/conv2d/bias --npy {file} --force"));
        assert_eq!(said.code, 2, "{said}");
    }
    assert_eq!(place.files("own"), before);
}
