use ckptmap::tensor::{DType, Shape, TensorSpec};

use crate::harness::{Place, Said};
use crate::rewrite::{Content, rewrite};

const CONVERT: &str = "convert testdata/conv3 --map testdata/conv3/rules-keras2.yaml -o new/ckpt";
const VERIFY: &str = "--against testdata/conv3 --map testdata/conv3/rules-keras2.yaml";

/// What `verify` says of a conversion that has been changed.
fn changed(change: impl FnOnce(&mut Content)) -> Said {
    let place = Place::new();
    place.ok(CONVERT);
    rewrite(&place, "new/ckpt", "changed/ckpt", change);
    place.run(&format!("verify changed/ckpt {VERIFY}"))
}

#[test]
fn what_was_converted_is_as_planned() {
    let place = Place::new();
    place.ok(CONVERT);
    insta::assert_snapshot!(place.run(&format!("verify new/ckpt {VERIFY}")));
    insta::assert_snapshot!(place.ok(&format!("verify new/ckpt {VERIFY} --json")));
}

#[test]
fn options_of_the_conversion_are_options_of_its_proof() {
    for options in ["--keep-names", "--for read", "--save-counter 7"] {
        let place = Place::new();
        place.ok(&format!("{CONVERT} {options}"));
        place.ok(&format!("verify new/ckpt {VERIFY} {options}"));
        let said = place.run(&format!("verify new/ckpt {VERIFY}"));
        assert_eq!(said.code, 1, "{options}: {said}");
        insta::assert_snapshot!(said);
    }
}

#[test]
fn every_fixture_with_rules() {
    let place = Place::new();
    for (fixture, rules) in [
        ("conv_bn_dense", "rules-keras3"),
        ("custom_layer", "rules-keras2"),
        ("dtypes_tf215", "rules"),
        ("dtypes_tf221", "rules"),
        ("auto_names", "rules"),
    ] {
        let map = format!("--map testdata/{fixture}/{rules}.yaml");
        place.ok(&format!("convert testdata/{fixture}/model.ckpt {map} -o {fixture}/new"));
        let against = format!("--against testdata/{fixture}/model.ckpt");
        let said = place.ok(&format!("verify {fixture}/new {against} {map}"));
        assert!(said.ends_with("all equal\n"), "{fixture}: {said}");
    }
}

#[test]
fn transforms_are_replayed() {
    let place = Place::new();
    let rules = |axes: &str| {
        format!(
            "version: 1\nrules:\n  - {{from: '(.+)/kernel', to: '$1/kernel', apply: [{{transpose: {axes}}}, {{reshape: [-1]}}]}}\n  - {{from: '(.+)/bias', to: '$1/bias'}}\n"
        )
    };
    place.write("rules.yaml", rules("[3, 2, 0, 1]"));
    place.ok("convert testdata/conv3 --map rules.yaml -o new/ckpt");
    place.ok("verify new/ckpt --against testdata/conv3 --map rules.yaml");
    place.write("rules.yaml", rules("[3, 2, 1, 0]"));
    let said = place.run("verify new/ckpt --against testdata/conv3 --map rules.yaml");
    assert_eq!(said.code, 1, "{said}");
    insta::assert_snapshot!(said);
}

#[test]
fn swapped_rules_are_named() {
    let place = Place::new();
    place.ok(CONVERT);
    let verify = VERIFY.replace("keras2", "swapped");
    let said = place.run(&format!("verify new/ckpt {verify}"));
    assert_eq!(said.code, 1, "{said}");
    insta::assert_snapshot!(said);
    let said = place.run(&format!("verify new/ckpt {verify} --json"));
    assert_eq!(said.code, 1, "{said}");
    insta::assert_snapshot!(said.out);
}

#[test]
fn changes_after_the_conversion_are_found() {
    let said = changed(|_| ());
    assert_eq!(said.code, 0, "{said}");
    let said = changed(|new| {
        new.edit("model/conv_1/kernel", |bytes| bytes[100] ^= 0x80);
        new.swap("model/conv_1/bias", "model/conv_2/bias");
        let kernel = new.tensor("model/conv_3/kernel").clone();
        new.tensors.retain(|key, _| !key.starts_with("model/conv_3/kernel"));
        new.tensors.insert("kernel".to_owned(), kernel);
        let spec = TensorSpec::new(DType::UInt64, Shape::scalar()).unwrap();
        new.respec("save_counter", spec);
    });
    assert_eq!(said.code, 1, "{said}");
    insta::assert_snapshot!(said);
}

#[test]
fn a_conversion_without_objects_is_none() {
    let said = changed(|new| new.graph = None);
    assert_eq!(said.code, 1, "{said}");
    insta::assert_snapshot!(said);
}

#[test]
fn damage_on_either_side_is_found() {
    let place = Place::new();
    place.ok(CONVERT);
    place.copy("conv3", "old");
    place.edit("old/model.ckpt.data-00000-of-00001", |bytes| bytes[0] ^= 1);
    let old = VERIFY.replace("--against testdata/conv3", "--against old");
    insta::assert_snapshot!(place.run(&format!("verify new/ckpt {old}")));
    place.edit("new/ckpt.data-00000-of-00001", |bytes| bytes[0] ^= 1);
    insta::assert_snapshot!(place.run(&format!("verify new/ckpt {VERIFY}")));
}

#[test]
fn rules_with_problems_prove_nothing() {
    let place = Place::new();
    place.ok(CONVERT);
    let said = place.run(&format!("verify new/ckpt {}", VERIFY.replace("keras2", "typo")));
    assert_eq!((said.code, said.out.as_str()), (1, ""), "{said}");
}

#[test]
fn the_templates_own_values_are_proved_too() {
    let place = Place::new();
    place.ok("convert testdata/conv3 --map testdata/conv3/rules-swapped.yaml -o fresh/ckpt");
    let rules = "version: 1\nroot: model\nrules:\n  - {from: 'model/conv2d/(.+)', to: 'conv_1/$1'}\n  - drop: ['.+']\n";
    place.write("rules.yaml", rules);
    let options = "--map rules.yaml --like fresh/ckpt --keep-missing";
    place.ok(&format!("convert testdata/conv3 {options} -o new/ckpt"));
    let verify = format!("verify new/ckpt --against testdata/conv3 {options}");
    insta::assert_snapshot!(place.run(&verify));
    rewrite(&place, "new/ckpt", "changed/ckpt", |new| {
        new.edit("model/conv_3/bias", |bytes| bytes[0] ^= 1);
    });
    insta::assert_snapshot!(place.run(&verify.replace("new/ckpt", "changed/ckpt")));
    place.edit("fresh/ckpt.data-00000-of-00001", |bytes| bytes[8] ^= 1);
    insta::assert_snapshot!(place.run(&verify));
}

#[cfg(not(feature = "tensorflow"))]
#[test]
fn without_the_part_that_asks_a_tensorflow() {
    let place = Place::new();
    let rules = "--map testdata/conv3/rules-keras2.yaml";
    place.ok(&format!("convert testdata/conv3 {rules} -o new/ckpt"));
    for flag in ["--tensorflow", "--tensorflow=/opt"] {
        let said = place.run(&format!("verify new/ckpt --against testdata/conv3 {rules} {flag}"));
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{said}");
        assert!(said.err.contains("cargo install --path . --features tensorflow"), "{said}");
    }
}
