use crate::harness::Place;

#[test]
fn every_fixture_is_sound() {
    let place = Place::new();
    let mut sound = 0;
    for entry in std::fs::read_dir(place.path("testdata")).unwrap() {
        let dir = entry.unwrap().path();
        let is_index = |path: &std::path::Path| path.extension().is_some_and(|e| e == "index");
        for file in std::fs::read_dir(&dir).into_iter().flatten() {
            let file = file.unwrap().path();
            if is_index(&file) {
                let at = file.with_extension("");
                place.ok(&format!("check {}", at.display()));
                sound += 1;
            }
        }
    }
    assert!(sound >= 20, "only {sound} fixtures were found");
}

#[test]
fn one_that_cannot_be_opened_does_not_keep_the_others_from_being_checked() {
    let place = Place::new();
    let said = place.run("check nowhere/a testdata/conv3 nowhere/b testdata/guide");
    assert_eq!(said.code, 2, "{said}");
    assert_eq!(said.out.matches("every checksum is right").count(), 2, "{said}");
    assert!(said.err.contains("nowhere/a") && said.err.contains("nowhere/b"), "{said}");
}

#[test]
fn files_that_nobody_reads_are_named() {
    let place = Place::new();
    place.copy("conv3", "old");
    place.write("old/model.ckpt.data-00001-of-00007", "stray");
    place.write("old/.ckptmap-1-0123456789abcdef.scratch", "half");
    let said = place.ok("check old/model.ckpt");
    assert!(said.contains("every checksum is right"), "{said}");
    assert!(said.contains("note: `old/model.ckpt.data-00001-of-00007` belongs to no"), "{said}");
    assert!(said.contains(".scratch` was left behind by a run that was killed"), "{said}");
}

#[test]
fn check_for_machines() {
    let place = Place::new();
    insta::assert_snapshot!(place.ok("check testdata/conv3 --json"));
}
