use ckptmap::tensor::{DType, Shape, TensorSpec};

use crate::harness::{Place, Said};
use crate::rewrite::{Content, rewrite};

/// What `diff` says of a fixture and a changed copy of it.
fn changed(fixture: &str, change: impl FnOnce(&mut Content), options: &str) -> Said {
    let place = Place::new();
    rewrite(&place, &format!("testdata/{fixture}"), "new/ckpt", change);
    place.run(&format!("diff testdata/{fixture} new/ckpt{options}"))
}

#[test]
fn equal_whatever_the_files_look_like() {
    let said = changed("conv3", |_| (), "");
    insta::assert_snapshot!(said);
    for fixture in ["sharded", "dtypes_tf221", "dtypes_tf215", "tf2_keras3", "tf2_keras2_legacy"] {
        let said = changed(fixture, |_| (), "");
        assert_eq!(said.code, 0, "{fixture}: {said}");
        assert!(said.out.ends_with("all equal\n"), "{fixture}: {said}");
    }
}

#[test]
fn one_element_differs() {
    let said =
        changed("conv3", |new| new.edit("model/conv2d_1/kernel", |bytes| bytes[45] ^= 1), "");
    assert_eq!(said.code, 1, "{said}");
    insta::assert_snapshot!(said);
}

#[test]
fn a_zero_with_a_sign_is_another_value() {
    let zeros = |new: &mut Content, sign| {
        new.edit("model/conv2d/bias", |bytes| {
            bytes.fill(0);
            bytes[3] = sign;
        });
    };
    let place = Place::new();
    rewrite(&place, "testdata/conv3", "a/ckpt", |new| zeros(new, 0));
    rewrite(&place, "testdata/conv3", "b/ckpt", |new| zeros(new, 0x80));
    let said = place.run("diff a/ckpt b/ckpt");
    assert_eq!(said.code, 1, "{said}");
    assert!(said.out.contains("1 of 3 elements differs, first at [0]"), "{said}");
}

#[test]
fn all_kinds_of_differences_at_once() {
    let change = |new: &mut Content| {
        new.swap("model/conv2d/kernel", "model/conv2d_1/kernel");
        let bias = new.tensors.remove("model/conv2d/bias").unwrap();
        new.tensors.insert("model/conv2d/offset\u{1b}[31m".to_owned(), bias);
        let spec = |dtype, dims: &[u64]| TensorSpec::new(dtype, Shape::new(dims).unwrap()).unwrap();
        new.respec("model/conv2d_1/bias", spec(DType::Int32, &[3]));
        new.respec("model/conv2d_2/bias", spec(DType::Float, &[3, 1]));
    };
    let said = changed("conv3", change, "");
    assert_eq!(said.code, 1, "{said}");
    insta::assert_snapshot!(said);
    let said = changed("conv3", change, " --json");
    assert_eq!(said.code, 1, "{said}");
    insta::assert_snapshot!(said.out);
}

#[test]
fn strings_and_scalars() {
    let place = Place::new();
    let strings = |word: &'static str| {
        move |new: &mut Content| {
            let elements = ["same", word, word];
            let spec = TensorSpec::new(DType::String, Shape::new([3]).unwrap()).unwrap();
            let data = ckptmap::tensor::strings::encode(&elements);
            let tensor = ckptmap::tensor::Tensor::new(spec, data).unwrap();
            new.tensors.insert("words".to_owned(), tensor);
            new.tensors.insert("word".to_owned(), ckptmap::tensor::Tensor::string(word.as_bytes()));
        }
    };
    rewrite(&place, "testdata/conv3", "a/ckpt", strings("one"));
    rewrite(&place, "testdata/conv3", "b/ckpt", strings("two"));
    insta::assert_snapshot!(place.run("diff a/ckpt b/ckpt"));
}

#[test]
fn objects_go_by_their_paths_and_their_graphs_count() {
    let place = Place::new();
    let rules = "version: 1\nrules:\n  - {from: '(.+)', to: '$1'}\n";
    place.write("rules.yaml", rules);
    place.ok("convert testdata/conv3 --map rules.yaml --for read -o new/ckpt");
    let said = place.run("diff testdata/conv3 new/ckpt");
    assert_eq!(said.code, 1, "{said}");
    insta::assert_snapshot!(said);
}

#[test]
fn graphs_that_differ() {
    let place = Place::new();
    for names in ["", " --keep-names"] {
        let rules = "--map testdata/conv3/rules-keras2.yaml";
        place.ok(&format!("convert testdata/conv3 {rules}{names} -o new/ckpt{}", names.trim()));
    }
    let swapped = "--map testdata/conv3/rules-swapped.yaml";
    place.ok(&format!("convert testdata/conv3 {swapped} -o new/swapped"));
    insta::assert_snapshot!(place.run("diff new/ckpt new/swapped"));
    let said = place.run("diff new/ckpt new/ckpt--keep-names");
    assert_eq!((said.code, said.out.matches("only in B").count()), (1, 7), "{said}");
}

#[test]
fn damage_is_no_difference() {
    let place = Place::new();
    place.copy("conv3", "old");
    place.edit("old/model.ckpt.data-00000-of-00001", |bytes| bytes[0] ^= 1);
    for command in ["diff testdata/conv3 old", "diff old testdata/conv3"] {
        let said = place.run(command);
        assert_eq!(said.code, 2, "{said}");
        insta::assert_snapshot!(said);
    }
    let said = place.run("diff old testdata/conv3 --json");
    assert_eq!(said.code, 2, "{said}");
    insta::assert_snapshot!(said.out);
}

#[test]
fn what_cannot_be_opened_is_an_error() {
    let place = Place::new();
    place.copy("conv3", "old");
    std::fs::remove_file(place.path("old/model.ckpt.data-00000-of-00001")).unwrap();
    for command in ["diff testdata/conv3 old", "diff testdata/conv3 nowhere"] {
        let said = place.run(command);
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{said}");
        insta::assert_snapshot!(said.err);
    }
}

/// Sets a float of a variable.
fn float(new: &mut Content, name: &str, at: usize, value: f32) {
    new.edit(name, |bytes| bytes[4 * at..4 * at + 4].copy_from_slice(&value.to_le_bytes()));
}

#[test]
fn tolerances() {
    let place = Place::new();
    rewrite(&place, "testdata/conv3", "a/ckpt", |new| {
        for (at, value) in [1.0, 100.0, f32::NAN].into_iter().enumerate() {
            float(new, "model/conv2d/bias", at, value);
        }
    });
    rewrite(&place, "testdata/conv3", "b/ckpt", |new| {
        for (at, value) in [1.5, 101.0, -f32::NAN].into_iter().enumerate() {
            float(new, "model/conv2d/bias", at, value);
        }
    });
    insta::assert_snapshot!(place.run("diff a/ckpt b/ckpt"), @r"
    exit status 1
    --- answer
    other values  model/conv2d/bias  float32 [3]: 3 of 3 elements differ, first at [0]; at most by 1 (100 and 101 at [1]), relatively by 0.3333 at [0]; 1 NaN on one side
    6 variables in both, 1 of them different
    --- messages
    ");
    insta::assert_snapshot!(place.run("diff a/ckpt b/ckpt --rtol 0.02"), @r"
    exit status 1
    --- answer
    other values  model/conv2d/bias  float32 [3]: 1 of 3 elements differs, first at [0]; at most by 0.5 (1 and 1.5 at [0]), relatively by 0.3333 at [0]
    6 variables in both, 1 of them different
    --- messages
    ");
    assert_eq!(place.run("diff a/ckpt b/ckpt --rtol 0.02 --atol 0.5").code, 0);
    assert_eq!(place.run("diff a/ckpt b/ckpt --atol 0.5").code, 1);
    insta::assert_snapshot!(place.run("diff a/ckpt b/ckpt --atol -1"), @r"
    exit status 2
    --- answer
    --- messages
    error: invalid value '-1' for '--atol <A>': write a number from 0 on, such as `1e-6`

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(place.run("diff a/ckpt b/ckpt --rtol nan"), @r"
    exit status 2
    --- answer
    --- messages
    error: invalid value 'nan' for '--rtol <R>': write a number from 0 on, such as `1e-6`

    For more information, try '--help'.
    ");
}

#[test]
fn truth_values_are_near_to_nothing() {
    let place = Place::new();
    for (side, values) in [("a", [0, 1, 1]), ("b", [0, 0, 1])] {
        rewrite(&place, "testdata/conv3", &format!("{side}/ckpt"), |new| {
            let spec = TensorSpec::new(DType::Bool, Shape::new([3]).unwrap()).unwrap();
            let tensor = ckptmap::tensor::Tensor::new(spec, values.to_vec()).unwrap();
            new.tensors.insert("mask".to_owned(), tensor);
        });
    }
    insta::assert_snapshot!(place.run("diff a/ckpt b/ckpt --atol 1 --rtol 1"), @r"
    exit status 1
    --- answer
    other values  mask  bool [3]: 1 of 3 elements differs, first at [1]
    7 variables in both, 1 of them different
    --- messages
    ");
}

#[test]
fn through_a_rule_file() {
    let place = Place::new();
    let rules = "--map testdata/conv3/rules-keras2.yaml";
    place.ok(&format!("convert testdata/conv3 {rules} -o new/ckpt"));
    insta::assert_snapshot!(place.run(&format!("diff testdata/conv3 new/ckpt {rules}")), @r"
    exit status 0
    --- answer
    7 values: all equal
    --- messages
    ");
    rewrite(&place, "new/ckpt", "other/ckpt", |new| {
        float(new, "model/conv_2/bias/.ATTRIBUTES/VARIABLE_VALUE", 1, 0.071_13);
    });
    let said = place.run(&format!("diff testdata/conv3 other/ckpt {rules}"));
    insta::assert_snapshot!(said, @r"
    exit status 1
    --- answer
    other values  model/conv_2/bias  <-  model/conv2d_1/bias  float32 [3]: 1 of 3 elements differs, first at [1]; at most by 1.264e-5 (0.07111736 and 0.07113 at [1]), relatively by 1.778e-4 at [1]  rules-keras2.yaml:6
    7 values: 1 different
    --- messages
    ");
    let near = place.run(&format!("diff testdata/conv3 other/ckpt {rules} --atol 0.2"));
    assert_eq!(near.code, 0, "{near}");
    assert_eq!(place.run("diff testdata/conv3 new/ckpt --like testdata/conv3").code, 2);
    let drop = "version: 1\nrules:\n  - drop: '.*bias'\n  - {from: '(.+)', to: '$1'}\n";
    place.write("drop.yaml", drop);
    place.ok("convert testdata/conv3 --map drop.yaml -o dropped/ckpt");
    insta::assert_snapshot!(place.run("diff testdata/conv3 dropped/ckpt --map drop.yaml"), @r"
    exit status 0
    --- answer
    dropped  model/conv2d/bias    drop.yaml:3
    dropped  model/conv2d_1/bias  drop.yaml:3
    dropped  model/conv2d_2/bias  drop.yaml:3
    4 values: all equal
    --- messages
    ");
}
