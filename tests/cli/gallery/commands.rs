//! What is typed wrongly, and commands that only look.

use super::scene::{Scene, scene};
use crate::rewrite::rewrite;

const CONV3: &str = "convert testdata/conv3 --map testdata/conv3/rules-keras2.yaml -o new/ckpt";

pub(super) fn typed() -> Vec<Scene> {
    let more = |options: &str| format!("{CONV3} {options}");
    vec![
        scene("no command", "").help(),
        scene("an unknown command", "covnert testdata/conv3"),
        scene("an unknown option", more("--ouput new")),
        scene("a checkpoint too many", "convert testdata/conv3 testdata/state"),
        scene("nothing to convert", "convert"),
        scene("no rules", "convert testdata/conv3 -o new/ckpt"),
        scene("a rule file that is not there", "plan testdata/conv3 --map ruels.yaml"),
        scene("a directory for a rule file", "plan testdata/conv3 --map testdata"),
        scene("a checkpoint for a rule file", "plan testdata/conv3 --map old/model.ckpt.index")
            .copy("conv3", "old"),
        scene("an unknown built-in mapping", "plan testdata/conv3 --map builtin:brt-hf").no(),
        scene(
            "a template that is not there",
            "plan testdata/conv3 --map builtin:rnn-keras --like fresh",
        ),
        scene("`--set` without a value", more("--set heads")),
        scene("`--set` of no parameter", more("--set heads=4")).no(),
        scene("`--for` something else", more("--for training")),
        scene("a counter that is none", more("--save-counter last")),
        scene("a counter for what has none", more("--for read --save-counter 3")),
        scene("memory in words", more("--memory lots")),
        scene("no memory", more("--memory 0")),
        scene("data files of no size", more("--shard-size none")),
        scene("links and blocks at once", more("--link --reflink")),
        scene("another word for links", more("--link=yes")),
        scene("the template's values without a template", more("--keep-missing")),
        scene("a colour", more("--color blue")),
        scene("no NumPy file", "show testdata/conv3"),
        scene("a variable too many", "show testdata/conv3 a b"),
        scene("an unknown order", "list testdata/conv3 --sort weight"),
        scene("two forms of one answer", "list testdata/conv3 --csv --json"),
        scene("a tolerance below zero", "diff testdata/conv3 testdata/conv3 --atol=-1"),
        scene("a tolerance that is no number", "diff testdata/conv3 testdata/conv3 --rtol small"),
        scene("a proof without the old one", "verify testdata/conv3 --map rules.yaml"),
        scene("a schema of something else", "schema checkpoints"),
        scene("an unknown shell", "completions tcsh"),
        scene("a page of no command", "man covnert"),
        scene("an unknown mapping", "mappings bert"),
    ]
}

pub(super) fn looked_at() -> Vec<Scene> {
    let show = |what: &str| format!("show testdata/conv3 {what}");
    vec![
        scene("a pattern that matches nothing", "list testdata/conv3 *kernal").yes(),
        scene("a pattern that is none", "list testdata/conv3 /(/"),
        scene("a variable that is not there", show("model/conv2d/kernal")),
        scene("a variable like none", show("zzz")),
        scene("a slice with an index too many", show("model/conv2d/bias[0,0]"))
            .helpless("the shape is said"),
        scene("a slice beyond the end", show("model/conv2d/bias[3]")).helpless("the range is said"),
        scene("a slice that goes back", show("model/conv2d/bias[::-1]")),
        scene("a slice of words", show("model/conv2d/bias[first]")),
        scene("a slice of nothing", show("model/conv2d/bias[]")),
        scene("two ellipses", show("model/conv2d/kernel[...,...]")),
        scene("a checksum of a part", show("model/conv2d/bias[0] --hash")),
        scene("an array in place of a file", show("model/conv2d/bias --npy out.npy"))
            .file("out.npy", "mine"),
        scene("an array in place of a directory", show("model/conv2d/bias --npy out"))
            .file("out/mine", ""),
        scene("an array in a directory that is none", show("model/conv2d/bias --npy out/x.npy"))
            .file("out", ""),
        scene(
            "an array over the checkpoint itself",
            "show old model/conv2d/bias --npy old/model.ckpt.index --force",
        )
        .copy("conv3", "old"),
        scene("strings for NumPy", "show testdata/dtypes_tf215 string/matrix --npy x.npy"),
        scene("numbers that NumPy lacks", "show testdata/dtypes_tf215 bfloat16/matrix --npy x.npy")
            .yes(),
        scene("too much to show", "show big w --full").made(|place| {
            use ckptmap::tensor::{DType, Shape, Tensor, TensorSpec};
            let spec = TensorSpec::new(DType::Int8, Shape::new([17 << 20]).unwrap()).unwrap();
            let big = Tensor::new(spec, vec![0; 17 << 20]).unwrap();
            crate::rewrite::written(place, "big", &[("w", big)]);
        }),
        scene("values that only TensorFlow knows", "show testdata/odd/variants_tf215 a/list"),
        scene("the object graph of a TF1 checkpoint", "graph testdata/conv3"),
        scene("the layers of a TF2 checkpoint", "scopes testdata/tf2_keras3"),
        scene("layers without a graph", "scopes old")
            .copy("conv3", "old")
            .gone("old/model.ckpt.meta"),
        scene("names that terminals obey", "list \u{202e}evil")
            .made(|place| {
                rewrite(place, "testdata/conv3", "\u{202e}evil", |new| {
                    let bias = new.tensors["model/conv2d/bias"].clone();
                    new.tensors.insert("a\u{1b}[2J\nb".to_owned(), bias);
                });
            })
            .yes()
            .answers(),
    ]
}

#[cfg(not(any(feature = "cloud", feature = "tensorflow")))]
pub(super) fn left_out() -> Vec<Scene> {
    vec![
        scene("a bucket", "list s3://models/bert/model.ckpt"),
        scene("a result in a bucket", CONV3.replace("new/ckpt", "gs://models/new/ckpt")),
        scene("rules in a bucket", "plan testdata/conv3 --map s3://models/rules.yaml"),
        scene(
            "a TensorFlow that reads it",
            "verify testdata/conv3 --against testdata/conv3 --map testdata/conv3/rules-keras2.yaml --tensorflow",
        ),
    ]
}
