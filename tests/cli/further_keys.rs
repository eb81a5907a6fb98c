//! Tensors with several keys in one checkpoint: `diff --by-content` knows them for one.

use ckptmap::tensor::{DType, Shape, Tensor, TensorSpec};

use crate::harness::Place;
use crate::rewrite::{renamed, rewrite, written};

#[test]
fn a_further_key_is_no_further_tensor() {
    let place = Place::new();
    let rules = "testdata/conv3 --map testdata/conv3/rules-keras2.yaml";
    place.ok(&format!("convert {rules} --keep-names --for read -o kept/ckpt"));
    // One of the keys is A's.
    insta::assert_snapshot!(place.run("diff testdata/conv3 kept/ckpt --by-content"), @r"
    exit status 0
    --- answer
    same values  model/conv2d/bias      =  model/conv2d/bias (also model/conv_1/bias)        float32 [3]
    same values  model/conv2d/kernel    =  model/conv2d/kernel (also model/conv_1/kernel)    float32 [3, 3, 3, 3]
    same values  model/conv2d_1/bias    =  model/conv2d_1/bias (also model/conv_2/bias)      float32 [3]
    same values  model/conv2d_1/kernel  =  model/conv2d_1/kernel (also model/conv_2/kernel)  float32 [3, 3, 3, 3]
    same values  model/conv2d_2/bias    =  model/conv2d_2/bias (also model/conv_3/bias)      float32 [3]
    same values  model/conv2d_2/kernel  =  model/conv2d_2/kernel (also model/conv_3/kernel)  float32 [3, 3, 3, 3]
    6 variables in both, 0 of them different; 6 found by content
    --- messages
    ");
    renamed(&place, "testdata/conv3", "new/ckpt");
    let said = place.run("diff new/ckpt kept/ckpt --by-content");
    insta::assert_snapshot!(said, @r"
    exit status 0
    --- answer
    same values  other/model/conv2d/bias      =  model/conv2d/bias (also model/conv_1/bias)        float32 [3]
    same values  other/model/conv2d/kernel    =  model/conv2d/kernel (also model/conv_1/kernel)    float32 [3, 3, 3, 3]
    same values  other/model/conv2d_1/bias    =  model/conv2d_1/bias (also model/conv_2/bias)      float32 [3]
    same values  other/model/conv2d_1/kernel  =  model/conv2d_1/kernel (also model/conv_2/kernel)  float32 [3, 3, 3, 3]
    same values  other/model/conv2d_2/bias    =  model/conv2d_2/bias (also model/conv_3/bias)      float32 [3]
    same values  other/model/conv2d_2/kernel  =  model/conv2d_2/kernel (also model/conv_3/kernel)  float32 [3, 3, 3, 3]
    0 variables in both, 0 of them different; 6 found by content
    --- messages
    ");
    let json = place.run("diff kept/ckpt new/ckpt --by-content --json");
    let document: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    insta::assert_snapshot!(document["same_values"][0], @r#"{"a":[{"dtype":"float32","further_keys":["model/conv_1/bias/.ATTRIBUTES/VARIABLE_VALUE"],"name":"model/conv2d/bias","shape":[3]}],"b":[{"dtype":"float32","further_keys":[],"name":"other/model/conv2d/bias","shape":[3]}]}"#);
}

/// A difference under one name is one, whatever other keys there are.
#[test]
fn a_further_key_hides_no_difference() {
    let place = Place::new();
    let rules = "testdata/conv3 --map testdata/conv3/rules-keras2.yaml";
    place.ok(&format!("convert {rules} --keep-names --for read -o kept/ckpt"));
    rewrite(&place, "kept/ckpt", "other/ckpt", |new| {
        new.edit("model/conv2d/bias", |bytes| bytes[0] ^= 1);
    });
    insta::assert_snapshot!(place.run("diff other/ckpt kept/ckpt --by-content"), @r"
    exit status 1
    --- answer
    other values  model/conv2d/bias  float32 [3]: 1 of 3 elements differs, first at [0]; at most by 7.451e-9 (-0.12196681 and -0.12196682 at [0]), relatively by 6.109e-8 at [0]
    same values  model/conv_1/bias  =  model/conv_1/bias (also model/conv2d/bias)  float32 [3]
    12 variables in both, 1 of them different; 1 found by content
    --- messages
    ");
}

/// What has no bytes lies where something else does.
#[test]
fn tensors_without_bytes_are_not_one() {
    let place = Place::new();
    for side in ["a", "b"] {
        let spec = TensorSpec::new(DType::Float, Shape::new([0]).unwrap()).unwrap();
        let nothing = Tensor::new(spec, Vec::new()).unwrap();
        let names = [format!("{side}/x"), format!("{side}/y")];
        let tensors = names.each_ref().map(|name| (name.as_str(), nothing.clone()));
        written(&place, &format!("{side}/ckpt"), &tensors);
    }
    insta::assert_snapshot!(place.run("diff a/ckpt b/ckpt --by-content"), @r"
    exit status 0
    --- answer
    same values  {a/x, a/y}  =  {b/x, b/y}  float32 [0]
    0 variables in both, 0 of them different; 2 found by content
    --- messages
    ");
}
