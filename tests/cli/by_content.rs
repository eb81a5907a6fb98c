//! Tensors that are equal under other names: `diff --by-content`.

use ckptmap::tensor::{DType, Shape, Tensor, TensorSpec, strings};

use crate::harness::Place;
use crate::rewrite::{renamed, rewrite, written};

fn spec(dtype: DType, dims: &[u64]) -> TensorSpec {
    TensorSpec::new(dtype, Shape::new(dims).unwrap()).unwrap()
}

fn zeros(dims: &[u64]) -> Tensor<'static> {
    let spec = spec(DType::Float, dims);
    let bytes = usize::try_from(spec.bytes().unwrap()).unwrap();
    Tensor::new(spec, vec![0; bytes]).unwrap()
}

fn words(dims: &[u64], words: &[&str]) -> Tensor<'static> {
    Tensor::new(spec(DType::String, dims), strings::encode(words)).unwrap()
}

#[test]
fn renamed_tensors_are_found_by_their_content() {
    let place = Place::new();
    let rules = "--map testdata/conv_bn_dense/rules-keras2.yaml";
    place.ok(&format!("convert testdata/conv_bn_dense {rules} -o new/ckpt"));
    let said = place.run("diff testdata/conv_bn_dense new/ckpt --by-content");
    insta::assert_snapshot!(said, @r"
    exit status 1
    --- answer
    only in B  save_counter  int64 []
    same values  model/batch_normalization/beta               =  model/norm_1/beta             float32 [3]
    same values  model/batch_normalization/gamma              =  model/norm_1/gamma            float32 [3]
    same values  model/batch_normalization/moving_mean        =  model/norm_1/moving_mean      float32 [3]
    same values  model/batch_normalization/moving_variance    =  model/norm_1/moving_variance  float32 [3]
    same values  model/batch_normalization_1/beta             =  model/norm_2/beta             float32 [3]
    same values  model/batch_normalization_1/gamma            =  model/norm_2/gamma            float32 [3]
    same values  model/batch_normalization_1/moving_mean      =  model/norm_2/moving_mean      float32 [3]
    same values  model/batch_normalization_1/moving_variance  =  model/norm_2/moving_variance  float32 [3]
    same values  model/conv2d/bias                            =  model/conv_1/bias             float32 [3]
    same values  model/conv2d/kernel                          =  model/conv_1/kernel           float32 [3, 3, 3, 3]
    same values  model/conv2d_1/bias                          =  model/conv_2/bias             float32 [3]
    same values  model/conv2d_1/kernel                        =  model/conv_2/kernel           float32 [3, 3, 3, 3]
    same values  model/conv2d_2/bias                          =  model/conv_3/bias             float32 [3]
    same values  model/conv2d_2/kernel                        =  model/conv_3/kernel           float32 [3, 3, 3, 3]
    same values  model/dense/bias                             =  model/hidden/bias             float32 [5]
    same values  model/dense/kernel                           =  model/hidden/kernel           float32 [108, 5]
    same values  model/dense_1/bias                           =  model/head/bias               float32 [5]
    same values  model/dense_1/kernel                         =  model/head/kernel             float32 [5, 5]
    0 variables in both, 0 of them different; 18 found by content; 1 only in B
    --- messages
    ");
    let json = place.run("diff testdata/conv_bn_dense new/ckpt --by-content --json");
    let document: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    let pairs = document["same_values"].as_array().unwrap();
    assert!(pairs.iter().all(|pair| pair["a"].as_array().unwrap().len() == 1));
    assert_eq!(pairs.len(), 18);
}

/// Every tensor that a plan leaves as it is stands beside its source, and nothing else does.
#[test]
fn every_untouched_tensor_is_paired() {
    let mut pairs_seen = 0;
    for (fixture, rules) in [
        ("conv3/model.ckpt", "conv3/rules-keras2.yaml"),
        ("conv_bn_dense/model.ckpt", "conv_bn_dense/rules-keras3.yaml"),
        (
            "optimizers/adam/model.ckpt",
            "optimizers/adam/rules.yaml --like testdata/templates/keras3_adam",
        ),
        (
            "optimizers/adam/model.ckpt",
            "optimizers/adam/rules.yaml --like testdata/templates/legacy_adam",
        ),
        (
            "recurrent/lstm/model.ckpt",
            "recurrent/lstm/rules.yaml --like testdata/templates/keras2_lstm",
        ),
    ] {
        let place = Place::new();
        let rules = format!("testdata/{fixture} --map testdata/{rules}");
        place.ok(&format!("convert {rules} -o new/ckpt --quiet"));
        let document = |text: &str| -> serde_json::Value { serde_json::from_str(text).unwrap() };
        let plan = document(&place.ok(&format!("plan {rules} --json")));
        let found = place.run(&format!("diff testdata/{fixture} new/ckpt --by-content --json"));
        let found = document(&found.out);
        let same = found["same_values"].as_array().unwrap();
        let names = |side: &serde_json::Value| -> Vec<String> {
            let names = side.as_array().unwrap().iter();
            names.map(|member| member["name"].as_str().unwrap().to_owned()).collect()
        };
        for value in plan["values"].as_array().unwrap() {
            let untouched = value["transforms"].as_array().unwrap().is_empty();
            let (Some(source), true) = (value["source"].as_str(), untouched) else { continue };
            let key = value["key"].as_str().unwrap();
            let paired = same.iter().any(|same| {
                names(&same["a"]).iter().any(|name| name == source)
                    && names(&same["b"]).iter().any(|name| name == key)
            });
            let path = key.strip_suffix("/.ATTRIBUTES/VARIABLE_VALUE").unwrap_or(key);
            assert!(paired || path == source, "{fixture}: {source} and {key}");
            pairs_seen += 1;
        }
    }
    assert!(pairs_seen > 60, "{pairs_seen}");
}

#[test]
fn tensors_that_cannot_be_told_apart_are_a_group() {
    let place = Place::new();
    rewrite(&place, "testdata/conv3", "a/ckpt", |new| {
        new.edit("model/conv2d/bias", |bytes| bytes.fill(0));
        new.edit("model/conv2d_1/bias", |bytes| bytes.fill(0));
    });
    rewrite(&place, "a/ckpt", "b/ckpt", |new| {
        for name in ["conv2d", "conv2d_1"] {
            let tensor = new.tensors.remove(&format!("model/{name}/bias")).unwrap();
            new.tensors.insert(format!("model/{name}/offset"), tensor);
        }
        // The same bytes as another shape.
        let spec = TensorSpec::new(DType::Float, Shape::new([9, 9]).unwrap()).unwrap();
        new.respec("model/conv2d_2/kernel", spec);
    });
    insta::assert_snapshot!(place.run("diff a/ckpt b/ckpt --by-content"), @r"
    exit status 1
    --- answer
    same values  {model/conv2d/bias, model/conv2d_1/bias}  =  {model/conv2d/offset, model/conv2d_1/offset}  float32 [3]
    other shape  model/conv2d_2/kernel                     =  model/conv2d_2/kernel                         float32 [3, 3, 3, 3] in A, float32 [9, 9] in B
    4 variables in both, 0 of them different; 3 found by content
    --- messages
    ");
}

#[test]
fn an_equal_checksum_proves_nothing() {
    /// What can be added to any bytes without a change of their CRC-32C: its polynomial.
    const POLYNOMIAL: u64 = 1 | 0x82f6_3b78 << 1;
    let place = Place::new();
    rewrite(&place, "testdata/conv3", "b/ckpt", |new| {
        new.edit("model/conv2d/bias", |bytes| {
            for (byte, other) in bytes.iter_mut().zip(POLYNOMIAL.to_le_bytes()) {
                *byte ^= other;
            }
        });
        let tensor = new.tensors.remove("model/conv2d/bias").unwrap();
        new.tensors.insert("model/conv2d/other".to_owned(), tensor);
    });
    let sum = |args: &str| {
        let said = place.ok(&format!("show {args} --hash"));
        said.split_once("crc32c ").unwrap().1.to_owned()
    };
    assert_eq!(sum("testdata/conv3 model/conv2d/bias"), sum("b/ckpt model/conv2d/other"));
    insta::assert_snapshot!(place.run("diff testdata/conv3 b/ckpt --by-content"), @r"
    exit status 1
    --- answer
    only in A  model/conv2d/bias   float32 [3]
    only in B  model/conv2d/other  float32 [3]
    5 variables in both, 0 of them different; 1 only in A; 1 only in B
    --- messages
    ");
    // Nor do values that are near: content is bytes.
    let said = place.run("diff testdata/conv3 b/ckpt --by-content --atol 1e38");
    assert_eq!((said.code, said.out.matches("only in").count()), (1, 4), "{said}");
}

/// Initial values are zeros of every shape, and all of these have the same bytes.
#[test]
fn zeros_go_by_their_shapes_first() {
    let place = Place::new();
    let row = || zeros(&[1, 4]);
    written(&place, "a/ckpt", &[("a/x", zeros(&[4])), ("a/y", zeros(&[2, 2])), ("a/z", row())]);
    written(&place, "b/ckpt", &[("b/x", zeros(&[2, 2])), ("b/y", row()), ("b/z", zeros(&[4]))]);
    insta::assert_snapshot!(place.run("diff a/ckpt b/ckpt --by-content"), @r"
    exit status 0
    --- answer
    same values  a/x  =  b/z  float32 [4]
    same values  a/y  =  b/x  float32 [2, 2]
    same values  a/z  =  b/y  float32 [1, 4]
    0 variables in both, 0 of them different; 3 found by content
    --- messages
    ");
    // One is left over on both sides.
    written(&place, "c/ckpt", &[("c/x", zeros(&[2, 2])), ("c/y", row()), ("c/z", zeros(&[4, 1]))]);
    insta::assert_snapshot!(place.run("diff a/ckpt c/ckpt --by-content"), @r"
    exit status 1
    --- answer
    other shape  a/x  =  c/z  float32 [4] in A, float32 [4, 1] in B
    same values  a/y  =  c/x  float32 [2, 2]
    same values  a/z  =  c/y  float32 [1, 4]
    0 variables in both, 0 of them different; 3 found by content
    --- messages
    ");
}

#[test]
fn strings_under_another_shape() {
    let place = Place::new();
    let four = ["a", "", "bc", "d"];
    written(
        &place,
        "a/ckpt",
        &[("same", words(&[2, 2], &four)), ("other", words(&[2], &four[..2]))],
    );
    written(
        &place,
        "b/ckpt",
        &[("same", words(&[4], &four)), ("none", words(&[2, 1], &four[1..3]))],
    );
    insta::assert_snapshot!(place.run("diff a/ckpt b/ckpt --by-content"), @r"
    exit status 1
    --- answer
    only in A  other  string [2]
    only in B  none   string [2, 1]
    other shape  same  =  same  string [2, 2] in A, string [4] in B
    1 variable in both, 0 of them different; 1 found by content; 1 only in A; 1 only in B
    --- messages
    ");
}

/// However a tensor is stored: in records, in slices, swapped, with lengths that are longer than
/// they need be, or with no bytes where there are no strings.
#[test]
fn every_way_of_storing_is_compared() {
    for fixture in [
        "v1/dtypes_tf215",
        "v1/slices_tf215",
        "v1/partitioned",
        "partitioned/dtypes_tf215",
        "odd/big_endian",
        "odd/slices",
        "odd/strings",
    ] {
        let place = Place::new();
        rewrite(&place, &format!("testdata/{fixture}"), "plain/ckpt", |new| {
            for tensor in new.tensors.values_mut() {
                let (spec, elements) = (tensor.spec(), tensor.spec().shape().elements());
                if spec.dtype() == DType::String {
                    let data = strings::encode(&strings::decode(tensor.data(), elements).unwrap());
                    *tensor = Tensor::new(spec.clone(), data).unwrap();
                }
            }
        });
        renamed(&place, "plain/ckpt", "new/ckpt");
        for sides in
            [format!("testdata/{fixture} new/ckpt"), format!("new/ckpt testdata/{fixture}")]
        {
            let said = place.run(&format!("diff {sides} --by-content"));
            assert_eq!(said.code, 0, "{fixture}: {said}");
        }
    }
}
