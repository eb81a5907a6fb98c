//! Conversions: where to, and how; what is proved, what is compared, and the way back.

use std::os::unix::fs::symlink;

use super::scene::{Scene, scene};
use crate::rewrite::rewrite;

const RULES: &str = "--map testdata/conv3/rules-keras2.yaml";
const CONVERTED: &str =
    "convert testdata/conv3 --map testdata/conv3/rules-keras2.yaml -o new/ckpt -q";

fn to(title: &'static str, to: &str) -> Scene {
    scene(title, format!("convert testdata/conv3 {RULES} -o {to}"))
}

pub(super) fn written() -> Vec<Scene> {
    let own =
        |title, to: &str| scene(title, format!("convert old {RULES} -o {to}")).copy("conv3", "old");
    vec![
        to("a checkpoint that is there", "new/ckpt").after(CONVERTED),
        to("a data file without an index", "new/ckpt").file("new/ckpt.data-00000-of-00001", ""),
        to("a V1 checkpoint that is there", "new/ckpt").file("new/ckpt", "old"),
        own("over the source", "old/model.ckpt"),
        own("over the source, by force", "old/model.ckpt --force"),
        own("over the source, by another way", "way/model.ckpt --force")
            .made(|place| symlink("old", place.path("way")).unwrap()),
        to("a directory", "new/"),
        to("a directory that is there", "new").file("new/notes.txt", ""),
        to("an ending that is added anyway", "new/ckpt.index"),
        to("characters that TensorFlow takes for patterns", "new/ckpt[1]"),
        to("a directory that is a file", "notes.txt/ckpt").file("notes.txt", ""),
        to("a directory that may not be written to", "new/ckpt")
            .file("new/notes.txt", "")
            .made(|place| {
                // Rules and checkpoint where nobody may read them.
                place.copy("conv3", "open");
            })
            .forbidden("new"),
        to("a `checkpoint` file that is none", "new/ckpt --update-state")
            .file("new/checkpoint", "{{{"),
        to("a page over something else", "new/ckpt --html notes.txt").file("notes.txt", "mine"),
        to("a page in a directory that is none", "new/ckpt --quiet --html notes/page.html")
            .file("notes", ""),
        scene("links to a source that must be joined", "convert old --map rules.yaml -o new/ckpt --link=require")
            .copy("partitioned/saver", "old")
            .file("rules.yaml", "version: 1\nunmatched: drop\nrules:\n  - {from: 'model/dense/bias', to: b, apply: [{cast: float16}]}\n"),
        scene("memory that does not suffice", "convert big --map rules.yaml -o new/ckpt --memory 1MiB")
            .file("rules.yaml", "version: 1\nrules:\n  - {from: w, to: w}\n")
            .made(|place| {
                use ckptmap::tensor::{DType, Shape, Tensor, TensorSpec};
                let spec = TensorSpec::new(DType::String, Shape::new([1]).unwrap()).unwrap();
                // One string of four mebibytes, as it is stored.
                let text = vec![b'a'; 4 << 20];
                let big = Tensor::new(spec, stored(&text)).unwrap();
                crate::rewrite::written(place, "big", &[("w", big)]);
            }),
        scene("numbers that a type cannot hold", "convert big --map rules.yaml -o new/ckpt")
            .file("rules.yaml", "version: 1\nrules:\n  - {from: w, to: w, apply: [{cast: int8}]}\n")
            .made(|place| {
                use ckptmap::tensor::{DType, Shape, Tensor, TensorSpec};
                let spec = TensorSpec::new(DType::Int32, Shape::new([2]).unwrap()).unwrap();
                let big = Tensor::new(spec, vec![1, 0, 0, 0, 0, 1, 0, 0]).unwrap();
                crate::rewrite::written(place, "big", &[("w", big)]);
            }),
    ]
}

/// Strings as a bundle holds them: lengths, their checksum, bytes.
fn stored(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut len = text.len();
    while len > 0x7f {
        bytes.push(u8::try_from(len & 0x7f).unwrap() | 0x80);
        len >>= 7;
    }
    bytes.push(u8::try_from(len).unwrap());
    let words = u32::try_from(text.len()).unwrap().to_le_bytes();
    bytes.extend(ckptmap::crc::Crc::of(&words).masked().to_le_bytes());
    bytes.extend(text);
    bytes
}

pub(super) fn compared() -> Vec<Scene> {
    let verify = format!("verify new/ckpt --against testdata/conv3 {RULES}");
    let changed = |title, change: fn(&mut crate::rewrite::Content)| {
        scene(title, format!("verify changed/ckpt --against testdata/conv3 {RULES}"))
            .after(CONVERTED)
            .made(move |place| rewrite(place, "new/ckpt", "changed/ckpt", change))
            .no()
            .answers()
    };
    vec![
        scene("nothing to prove", verify.replace("new/ckpt", "nwe/ckpt")).after(CONVERTED),
        scene("a proof by other rules", verify.replace("keras2", "swapped"))
            .after(CONVERTED)
            .no()
            .answers(),
        scene("a proof by rules with problems", verify.replace("keras2", "typo"))
            .after(CONVERTED)
            .no(),
        scene("the old one for the new one", verify.replace("new/ckpt", "testdata/conv3"))
            .no()
            .answers(),
        changed("a value that was changed", |new| {
            new.edit("model/conv_1/kernel", |bytes| bytes[100] ^= 0x80);
        }),
        changed("objects that are gone", |new| new.graph = None),
        scene("damage in the new one", &verify)
            .after(CONVERTED)
            .edit("new/ckpt.data-00000-of-00001", |bytes| bytes[0] ^= 1)
            .answers(),
        scene("damage in the old one", verify.replace("testdata/conv3 ", "old "))
            .after(CONVERTED)
            .copy("conv3", "old")
            .edit("old/model.ckpt.data-00000-of-00001", |bytes| bytes[0] ^= 1)
            .answers(),
        scene("the second of two that is not there", "diff testdata/conv3 nowhere"),
        scene("two that differ", "diff testdata/conv3 testdata/conv_bn_dense").no().answers(),
        scene("damage in one of two", "diff testdata/conv3 old")
            .copy("conv3", "old")
            .edit("old/model.ckpt.data-00000-of-00001", |bytes| bytes[0] ^= 1)
            .answers(),
        scene("parameters without rules", "diff testdata/conv3 testdata/conv3 --set a=1"),
        scene("one sound and one that is none", "check testdata/conv3 nowhere").answers(),
    ]
}

pub(super) fn back() -> Vec<Scene> {
    let back = |title, more: &str| {
        scene(title, format!("convert new/ckpt --reverse {more} -o back/ckpt")).after(CONVERTED)
    };
    vec![
        back("without the old one", RULES),
        back("without the rules", "--like testdata/conv3"),
        back("with a counter", "--save-counter 3"),
        scene(
            "objects that remember no names",
            "convert testdata/tf2_module --reverse -o back/ckpt",
        )
        .no(),
        scene("the old one the wrong way round", "convert testdata/conv3 --reverse -o back/ckpt")
            .no(),
        back(
            "another old one",
            "--map testdata/conv3/rules-keras2.yaml --like testdata/conv_bn_dense",
        )
        .no(),
    ]
}
