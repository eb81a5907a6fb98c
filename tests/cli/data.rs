//! How values get into the result: copied, linked, within a budget, with and without a look at
//! their checksums.

use std::os::unix::fs::MetadataExt;

use crate::harness::Place;

const CONV3: &str = "convert old/model.ckpt --map testdata/conv3/rules-keras2.yaml -o new/ckpt";

fn place() -> Place {
    let place = Place::new();
    place.copy("conv3", "old");
    place
}

fn inode(place: &Place, name: &str) -> (u64, u64) {
    let found = std::fs::metadata(place.path(name)).unwrap();
    (found.ino(), found.nlink())
}

#[test]
fn a_link_is_the_sources_own_file() {
    let place = place();
    insta::assert_snapshot!(place.run(&format!("{CONV3} --link")));
    let old = inode(&place, "old/model.ckpt.data-00000-of-00001");
    assert_eq!(inode(&place, "new/ckpt.data-00000-of-00002"), old);
    assert_eq!(old.1, 2);
    assert_eq!(inode(&place, "new/ckpt.index").1, 1);
    place.ok("verify new/ckpt --against old/model.ckpt --map testdata/conv3/rules-keras2.yaml");
    insta::assert_snapshot!(place.run("check new/ckpt"));
    let listed = place.run("list new/ckpt model/conv_1/*");
    assert!(listed.err.contains("has 2 names"), "{listed}");
}

#[test]
fn a_link_can_be_replaced_and_the_source_stays() {
    let place = place();
    let before = place.files("old");
    for more in ["--link", "--link --force", "--link --force --no-verify", "--force"] {
        place.ok(&format!("{CONV3} {more}"));
        place.ok("verify new/ckpt --against old/model.ckpt --map testdata/conv3/rules-keras2.yaml");
        assert_eq!(place.files("old"), before);
    }
    assert_eq!(inode(&place, "old/model.ckpt.data-00000-of-00001").1, 1);
}

#[test]
fn what_is_written_into_a_linked_file_is_found() {
    let place = place();
    place.ok(&format!("{CONV3} --link"));
    place.edit("old/model.ckpt.data-00000-of-00001", |bytes| bytes[40] ^= 1);
    let said = place.run("check new/ckpt");
    assert_eq!(said.code, 1, "{said}");
    insta::assert_snapshot!(said.out);
}

#[test]
fn every_data_file_of_a_linked_result_is_used() {
    let place = Place::new();
    place.copy("sharded", "old");
    let convert = "convert old/model.ckpt --map testdata/sharded/rules.yaml -o new/ckpt";
    place.ok(&format!("{convert} --link"));
    for _ in 0..3 {
        place.ok(&format!("{convert} --link --force"));
        let empty = place.files("new").into_iter().filter(|(_, bytes)| bytes.is_empty());
        assert_eq!(empty.count(), 0);
        assert_eq!(place.ok("check new/ckpt").lines().count(), 4);
    }
}

#[test]
fn links_that_cannot_be() {
    let place = Place::new();
    let convert = "convert testdata/v1/conv3/model.ckpt --map testdata/conv3/rules-keras2.yaml";
    insta::assert_snapshot!(place.run(&format!("{convert} -o new/a --link=require -q")));
    assert!(place.names("").is_empty());
    insta::assert_snapshot!(place.run(&format!("{convert} -o new/b --link -q")).err);
    // Whether blocks can be shared is the file system's business; the values are right anyway.
    place.copy("conv3", "old");
    place.ok(&format!("{CONV3} --reflink"));
    place.ok("verify new/ckpt --against old/model.ckpt --map testdata/conv3/rules-keras2.yaml");
    assert_eq!(place.run(&format!("{CONV3} --link --reflink")).code, 2);
}

#[test]
fn damage_goes_over_only_where_nobody_wants_to_know() {
    let place = place();
    place.edit("old/model.ckpt.data-00000-of-00001", |bytes| bytes[40] ^= 1);
    for how in ["", "--link"] {
        let said = place.run(&format!("{CONV3} {how}"));
        assert_eq!(said.code, 2, "{said}");
        assert!(said.err.contains("model/conv2d"), "{said}");
        assert!(!place.path("new").exists());
    }
    for how in ["", "--link"] {
        place.ok(&format!("{CONV3} {how} --no-verify --force"));
        let said = place.run("check new/ckpt");
        assert_eq!(said.code, 1, "{said}");
        assert!(said.out.contains("model/conv_1/"), "{said}");
    }
}

#[test]
fn a_small_budget_gives_the_same_values() {
    let place = place();
    let rules = "version: 1\nrules:\n  - {from: '(.+)/kernel', to: '$1/kernel', apply: [{transpose: [3, 2, 0, 1]}]}\n  - {from: '(.+)/bias', to: '$1/bias'}\n";
    place.write("rules.yaml", rules);
    place.ok("convert old/model.ckpt --map rules.yaml -o new/ckpt -q --memory 1MiB");
    place.ok("verify new/ckpt --against old/model.ckpt --map rules.yaml");
    assert_eq!(place.run(&format!("{CONV3} --memory much")).code, 2);
}
