use crate::harness::Place;

#[test]
fn names_dtypes_shapes_sizes() {
    insta::assert_snapshot!(Place::new().run("list testdata/conv3"));
}

#[test]
fn for_machines() {
    insta::assert_snapshot!(Place::new().ok("list testdata/conv3 model/conv2d/bias --json"));
}

#[test]
fn globs_and_regexes() {
    let place = Place::new();
    assert_eq!(place.ok("list testdata/conv3 *kernel").lines().count(), 3);
    assert_eq!(place.ok("list testdata/conv3 /2d_[12]/").lines().count(), 4);
    assert_eq!(place.run("list testdata/conv3 /(/").code, 2);
}

#[test]
fn objects_go_by_their_paths() {
    insta::assert_snapshot!(Place::new().run("list testdata/tf2_keras3"));
}
