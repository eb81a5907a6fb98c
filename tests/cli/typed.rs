use crate::harness::Place;

#[test]
fn a_checkpoint_may_be_typed_in_every_way() {
    let place = Place::new();
    place.copy("conv3", "old");
    let wanted = place.ok("list old/model.ckpt");
    for at in [
        "old/model.ckpt.index",
        "old/model.ckpt.data-00000-of-00001",
        "old/model.ckpt.meta",
        "old",
        "old/",
        "./old/../old/model.ckpt",
    ] {
        assert_eq!(place.ok(&format!("list {at}")), wanted, "{at}");
    }
    place.ok("list testdata/state");
    place.ok("list testdata/saved_model");
}

#[test]
fn a_wrong_file_is_told_what_it_is() {
    let place = Place::new();
    place.write("weights.h5", b"\x89HDF\r\n\x1a\n and more");
    place.write("model.pkl", b"\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00}\x94.");
    place.write("archive.zip", b"PK\x03\x04 and more");
    place.write("archive.tar.gz", b"\x1f\x8b\x08 and more");
    place.write("lfs.index", "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n");
    place.write("empty/readme.txt", "nothing here");
    place.write("frozen.pb", b"\x0a\x10\x0a\x01x\x12\x0bPlaceholder");
    let mut all = String::new();
    for at in [
        "weights.h5",
        "model.pkl",
        "archive.zip",
        "archive.tar.gz",
        "lfs",
        "empty",
        "frozen.pb",
        "nowhere",
        "testdata/conv3/modle.ckpt",
    ] {
        let said = place.run(&format!("list {at}"));
        assert_eq!(said.code, 2, "{at}: {said}");
        all.push_str(&said.err);
    }
    insta::assert_snapshot!(all);
}
