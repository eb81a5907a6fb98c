use std::fs;
use std::path::{Path, PathBuf};

use crate::harness::Place;

#[test]
fn layers_in_the_order_of_their_making() {
    let place = Place::new();
    insta::assert_snapshot!(place.ok("scopes testdata/conv_bn_dense"), @r"
    # 7 layers of testdata/conv_bn_dense/model.ckpt, in the order in which TF1 made them
    #  1  model/conv2d                 convolution          kernel [3, 3, 3, 3], bias [3]                              trainable
    #  2  model/batch_normalization    batch normalization  gamma [3], beta [3], moving_mean [3], moving_variance [3]  2 of 4 trainable
    #  3  model/conv2d_1               convolution          kernel [3, 3, 3, 3], bias [3]                              trainable
    #  4  model/batch_normalization_1  batch normalization  gamma [3], beta [3], moving_mean [3], moving_variance [3]  2 of 4 trainable
    #  5  model/conv2d_2               convolution          kernel [3, 3, 3, 3], bias [3]                              trainable
    #  6  model/dense                  dense                kernel [108, 5], bias [5]                                  trainable
    #  7  model/dense_1                dense                kernel [5, 5], bias [5]                                    trainable
    # on the right, write what the layer is called in the new model
    scopes:
      - within: model
        layers:
          - conv2d: conv2d
          - batch_normalization: batch_normalization
          - conv2d: conv2d_1
          - batch_normalization: batch_normalization_1
          - conv2d: conv2d_2
          - dense: dense
          - dense: dense_1
    ");
    insta::assert_snapshot!(place.ok("scopes testdata/optimizers/half_embedding"), @r"
    # 2 layers of testdata/optimizers/half_embedding/model.ckpt, in the order in which TF1 made them
    #  1  model               embedding [10, 4]        trainable
    #  2  model/dense  dense  kernel [4, 2], bias [2]  trainable
    # in no layer: global_step
    # on the right, write what the layer is called in the new model
    scopes:
      - within: model
        layers:
          - dense: model/dense
      - layers:
          - model: model
    ");
    insta::assert_snapshot!(place.ok("scopes testdata/partitioned/saver --names"), @r"
    # 2 layers of testdata/partitioned/saver/model.ckpt, in the order in which TF1 made them
    #  1  model               embedding [50, 3], one_part [4, 2], whole [2, 2], half [7, 2], double [7, 2, 2]  trainable
    #  2  model/dense  dense  kernel [3, 7], bias [7]                                                          trainable
    # on the right, write what the layer is called in the new model
    scopes:
      - within: model
        target: names
        layers:
          - dense: model/dense
      - target: names
        layers:
          - model: model
    ");
}

#[test]
fn for_machines() {
    let text = Place::new().ok("scopes testdata/nested_modules --json");
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    let layers = document["layers"].as_array().unwrap();
    let names: Vec<&str> = layers.iter().map(|layer| layer["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["inner_dense", "dense", "dense_1"]);
    assert_eq!(layers[2]["recorded"]["base"], "dense");
    assert_eq!(layers[0]["variables"][0]["trainable"], true);
}

/// Every fixture that has a graph beside it.
fn with_graphs(place: &Place) -> Vec<PathBuf> {
    let (mut found, mut open) = (Vec::new(), vec![place.path("testdata")]);
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "meta") {
                found.push(path.strip_prefix(place.path("")).unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}

/// What it prints is a rule file's part as it is, and records every layer.
#[test]
fn pasted_unchanged_it_maps_every_layer() {
    let place = Place::new();
    let all = with_graphs(&place);
    assert!(all.len() > 30, "{}", all.len());
    let mut layers_seen = 0;
    for meta in all {
        let at = meta.to_string_lossy().into_owned();
        let said = place.run(&format!("scopes {at}"));
        assert_eq!(said.code, 0, "{at}: {said}");
        let layers = said.out.lines().filter(|line| line.trim_start().starts_with("- ")).count();
        layers_seen += layers;
        if !said.out.contains("\nscopes:") {
            continue;
        }
        let head = "version: 1\ntarget: keras2\nunmatched: drop\noptimizer: drop\nema: ignore\n";
        place.write("rules.yaml", format!("{head}{}", said.out));
        let plan = place.run(&format!("plan {at} --map rules.yaml --json"));
        assert_eq!(plan.code, 0, "{at}: {plan}\n{}", said.out);
        let document: serde_json::Value = serde_json::from_str(&plan.out).unwrap();
        for variable in document["variables"].as_array().unwrap() {
            let (name, fate) = (&variable["name"].as_str().unwrap(), &variable["fate"]);
            let in_layer = name.contains('/') && fate == "dropped as unmatched";
            assert!(!in_layer, "{at}: {name} is {fate}\n{}", said.out);
        }
    }
    assert!(layers_seen > 100, "{layers_seen}");
}

#[test]
fn what_does_not_tell_its_layers() {
    let place = Place::new();
    insta::assert_snapshot!(place.run("scopes testdata/tf2_keras3"), @r"
    exit status 2
    --- answer
    --- messages
    error: `testdata/tf2_keras3/model.ckpt` does not tell its layers: it is a TF2 checkpoint: its objects stand in a graph, not in an order; `ckptmap graph` shows them
    ");
    place.copy("conv3", "alone");
    let meta = "alone/model.ckpt.meta";
    fs::remove_file(place.path(meta)).unwrap();
    insta::assert_snapshot!(place.run("scopes alone"), @r"
    exit status 2
    --- answer
    --- messages
    error: `alone/model.ckpt` does not tell its layers: no graph lies beside it that tells the order of layers: `.meta` of the same checkpoint, or of another one of the same program under this one's name; without it, record the layers by hand from the names that `ckptmap list` shows
    ");
    place.write(meta, "version https://git-lfs.github.com/spec/v1\n");
    insta::assert_snapshot!(place.run("scopes alone"), @r"
    exit status 2
    --- answer
    --- messages
    note: `alone/model.ckpt.meta` is a Git LFS pointer, not the file itself, so it does not tell the order of variables and the settings of optimizers
    error: `alone/model.ckpt` does not tell its layers: no graph lies beside it that tells the order of layers: `.meta` of the same checkpoint, or of another one of the same program under this one's name; without it, record the layers by hand from the names that `ckptmap list` shows
    ");
    place.copy("conv3", "cut");
    place.edit("cut/model.ckpt.meta", |bytes| bytes.truncate(bytes.len() / 2));
    let said = place.run("scopes cut");
    assert_eq!((said.code, said.out.as_str()), (2, ""), "{said}");
    assert!(Path::new(&place.path("cut/model.ckpt.index")).exists());
}
