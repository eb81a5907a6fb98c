//! What stood at the destination is there until everything new is, and nothing else ever.

use super::*;

#[test]
fn overwriting_alternates_the_number_of_data_files() {
    let place = Place::new();
    let to = place.at("m");
    let mut counts = Vec::new();
    for value in 0..5_u8 {
        let mut writer = create(&to, &FORCE, &[]).unwrap();
        for key in ["a", "b", "c"] {
            let tensor = Tensor::new(spec(DType::UInt8, &[2]), vec![value; 2]).unwrap();
            writer.put(&name(key), &tensor).unwrap();
        }
        writer.finish(None, &always).unwrap();
        let (header, found) = read(&to);
        assert!(["a", "b", "c"].iter().all(|key| found[*key].bytes == [value; 2]));
        let count = usize::try_from(header.num_shards).unwrap();
        assert_eq!(place.files().len(), count + 1, "{:?}", place.files());
        // No data file that nothing refers to.
        assert!((0..header.num_shards).all(|n| found.values().any(|s| s.entry.shard_id == n)));
        counts.push(count);
    }
    assert_eq!(counts, [1, 2, 1, 2, 1]);
}

#[test]
fn strays_are_never_replaced_but_removed_afterwards() {
    let place = Place::new();
    for stray in ["m.data-00000-of-00001", "m.data-00001-of-00002", "m.index", "m-2.index"] {
        place.file(stray, b"?");
    }
    let done = write(&place.at("m"), &FORCE, b"x").unwrap();
    assert_eq!(done.files[0].at.name(), "m.data-00000-of-00003");
    assert_eq!(
        place.files(),
        [
            "m-2.index",
            "m.data-00000-of-00003",
            "m.data-00001-of-00003",
            "m.data-00002-of-00003",
            "m.index"
        ]
    );
}

#[test]
fn an_index_without_data_files_keeps_its_number() {
    let place = Place::new();
    write(&place.at("m"), &FORCE, b"x").unwrap();
    let data = place.at("m.data-00000-of-00001");
    store(&data).remove(&data).unwrap();
    write(&place.at("m"), &FORCE, b"y").unwrap();
    assert_eq!(read(&place.at("m")).0.num_shards, 2);
}

#[test]
fn errors_leave_everything_as_it_was() {
    let place = Place::new();
    let to = place.at("m");
    write(&to, &FORCE, b"old").unwrap();
    let before = (place.files(), read(&to));
    let try_it = |to: &Location, stop: bool| {
        let mut writer = create(to, &FORCE, &[]).unwrap();
        writer.put(&name("b"), &Tensor::string(b"first")).unwrap();
        let shape = spec(DType::UInt8, &[3]);
        let at = writer.reserve(&name("a"), &shape, 3).unwrap();
        writer.write(at, b"new").unwrap();
        let answer = if stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
        writer.sync(&|| answer)?;
        writer.finish(None, &always)
    };
    for to in [&to, &place.at("deep/er/m")] {
        assert!(matches!(try_it(to, false), Err(TargetError::Unfinished(_))));
        assert!(matches!(try_it(to, true), Err(TargetError::Interrupted)));
        assert_eq!((place.files(), read(&place.at("m"))), before);
    }
}

#[test]
fn shards_in_place_go_again_when_the_index_cannot_follow() {
    let place = Place::new();
    let index = place.at("m.index/in the way");
    place.file("m.index/in the way", b"");
    let before = place.files();
    let error = write(&place.at("m"), &FORCE, b"x").unwrap_err();
    assert!(matches!(error, TargetError::File(FileError { action: Action::Rename, .. })));
    assert_eq!(place.files(), before);
    assert!(store(&index).status(&index).unwrap().is_some());
}

#[test]
fn what_appears_meanwhile_is_not_overwritten() {
    let place = Place::new();
    let mut writer = create(&place.at("m"), &FORCE, &[]).unwrap();
    writer.put(&name("a"), &Tensor::string(b"late")).unwrap();
    write(&place.at("m"), &FORCE, b"early").unwrap();
    let error = writer.finish(None, &always).unwrap_err();
    assert!(matches!(error, TargetError::Changed { .. }));
    assert_eq!(read(&place.at("m")).1["a"].bytes, b"early");
    assert_eq!(place.files().len(), 2);
}

#[test]
fn what_stands_there_is_named() {
    let options = Options::default();
    for (stands, name) in [
        ("m.index", "a checkpoint stands at"),
        ("m.data-00000-of-00001", "a data file without an index stands at"),
        ("m", "a file stands at"),
        ("m/inside", "a directory stands at"),
    ] {
        let place = Place::new();
        place.file(stands, b"");
        let error = create(&place.at("m"), &options, &[]).unwrap_err();
        assert!(error.to_string().starts_with(name), "{error}");
        assert!(create(&place.at("m"), &FORCE, &[]).is_ok());
    }
}

#[cfg(unix)]
#[test]
fn the_source_is_never_written_to() {
    use std::os::unix::fs::symlink;
    let place = Place::new();
    write(&place.at("source"), &FORCE, b"x").unwrap();
    let data = place.at("source.data-00000-of-00001");
    let never = [place.entry("source.index"), place.entry("source.data-00000-of-00001")];
    symlink(place.at("source.index").path(), place.at("soft.index").path()).unwrap();
    std::fs::hard_link(place.at("source.index").path(), place.at("hard.index").path()).unwrap();
    symlink(data.path(), place.at("far.data-00000-of-00007").path()).unwrap();
    symlink(place.directory.path(), place.at("here").path()).unwrap();
    let before = place.files();
    for to in ["source", "soft", "hard", "far", "here/source"] {
        let error = create(&place.at(to), &FORCE, &never).unwrap_err();
        assert!(matches!(error, TargetError::OwnSource { .. }), "{to}: {error}");
    }
    // And when it becomes the source only while it is written.
    let mut writer = create(&place.at("late"), &FORCE, &never).unwrap();
    writer.put(&name("a"), &Tensor::string(b"")).unwrap();
    symlink(data.path(), place.at("late.data-00000-of-00001").path()).unwrap();
    assert!(matches!(writer.finish(None, &always), Err(TargetError::OwnSource { .. })));
    store(&data).remove(&place.at("late.data-00000-of-00001")).unwrap();
    assert_eq!(place.files(), before);
}

#[cfg(unix)]
#[test]
fn a_link_to_the_sources_data_is_replaced() {
    let place = Place::new();
    write(&place.at("source"), &FORCE, b"x").unwrap();
    let data = place.at("source.data-00000-of-00001");
    write(&place.at("m"), &FORCE, b"y").unwrap();
    let linked = place.at("m.data-00000-of-00001");
    store(&linked).remove(&linked).unwrap();
    std::fs::hard_link(data.path(), linked.path()).unwrap();
    std::os::unix::fs::symlink(place.directory.path(), place.at("here").path()).unwrap();
    let never = [place.entry("source.index"), place.entry("source.data-00000-of-00001")];
    // By the same name in the same directory, it is the source itself all the same.
    for to in ["source", "here/source"] {
        let error = create(&place.at(to), &FORCE, &never).unwrap_err();
        assert!(matches!(error, TargetError::OwnSource { .. }), "{to}: {error}");
    }
    let mut writer = create(&place.at("m"), &FORCE, &never).unwrap();
    writer.put(&name("a"), &Tensor::string(b"z")).unwrap();
    writer.finish(None, &always).unwrap();
    assert_eq!(read(&place.at("source")).1["a"].bytes, b"x");
    assert_eq!(store(&data).status(&data).unwrap().unwrap().links, 1);
}

#[test]
fn the_state_file_names_the_latest() {
    let place = Place::new();
    let options = Options { update_state: true, ..FORCE };
    place.file(
        "checkpoint",
        b"model_checkpoint_path: \"old\"\nall_model_checkpoint_paths: \"m-1\"\n\
          all_model_checkpoint_paths: \"old\"\n",
    );
    write(&place.at("m-1"), &options, b"").unwrap();
    write(&place.at("m-2"), &options, b"").unwrap();
    let state = state::read(&place.at("m-2")).unwrap();
    assert_eq!(state.model_checkpoint_path, "m-2");
    assert_eq!(state.all_model_checkpoint_paths, ["old", "m-1", "m-2"]);

    place.file("checkpoint", b"\xff");
    let before = place.files();
    let error = write(&place.at("m-3"), &options, b"").unwrap_err();
    assert!(matches!(error, TargetError::State { .. }));
    assert_eq!(place.files(), before);
}

#[test]
fn scratch_of_dead_runs_is_noted_and_removed_by_force() {
    let place = Place::new();
    let dead = place.file(".ckptmap-1-00.scratch", b"half");
    let done = write(&place.at("m"), &Options::default(), b"x").unwrap();
    assert_eq!(done.notes.len(), 1);
    assert!(store(&dead).status(&dead).unwrap().is_some());
    let done = write(&place.at("m"), &FORCE, b"x").unwrap();
    assert_eq!(done.notes, [""; 0]);
    assert!(store(&dead).status(&dead).unwrap().is_none());
}
