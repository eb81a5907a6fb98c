use crate::harness::Place;

const DATA: &str = "old/model.ckpt.data-00000-of-00001";
const INDEX: &str = "old/model.ckpt.index";
const CONVERT: &str = "convert old/model.ckpt --map testdata/conv3/rules-keras2.yaml -o new/ckpt";

/// Damages a copy of a fixture; nothing may be written then, and the message must say what.
fn refused(damage: impl FnOnce(&Place)) -> String {
    let place = Place::new();
    place.copy("conv3", "old");
    damage(&place);
    let before = place.files("");
    let said = place.run(CONVERT);
    assert_eq!(said.code, 2, "{said}");
    assert_eq!(place.files(""), before, "something was left behind");
    assert!(!place.path("new").exists(), "a directory was left behind");
    said.err
}

#[test]
fn a_flipped_byte_in_the_data() {
    insta::assert_snapshot!(refused(|place| place.edit(DATA, |bytes| bytes[40] ^= 1)));
}

#[test]
fn a_truncated_shard() {
    insta::assert_snapshot!(refused(|place| place.edit(DATA, |bytes| bytes.truncate(100))));
}

#[test]
fn a_missing_shard() {
    insta::assert_snapshot!(refused(|place| std::fs::remove_file(place.path(DATA)).unwrap()));
}

#[test]
fn a_flipped_byte_in_the_index() {
    insta::assert_snapshot!(refused(|place| place.edit(INDEX, |bytes| bytes[30] ^= 1)));
}

#[test]
fn a_truncated_index() {
    insta::assert_snapshot!(refused(|place| place.edit(INDEX, |bytes| bytes.truncate(60))));
}

#[test]
fn check_finds_all_of_it() {
    let place = Place::new();
    place.copy("conv3", "old");
    place.edit(DATA, |bytes| {
        bytes[0] ^= 1;
        *bytes.last_mut().unwrap() ^= 1;
    });
    let said = place.run("check old testdata/conv_bn_dense");
    assert_eq!(said.code, 1, "{said}");
    insta::assert_snapshot!(said);
}
