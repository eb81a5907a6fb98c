//! `suggest`: rule files that are proposed, and what is said of them.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use crate::harness::Place;

const ADAM: &str = "testdata/optimizers/adam --like testdata/templates/keras3_adam";
const LSTM: &str = "testdata/recurrent/lstm --like testdata/templates/keras3_lstm";

/// Every value of a plan: what it is made of, and how.
fn values(place: &Place, arguments: &str) -> BTreeMap<String, (Value, Value)> {
    let document: Value =
        serde_json::from_str(&place.ok(&format!("plan {arguments} --json"))).unwrap();
    let values = document["values"].as_array().unwrap();
    let value = |value: &Value| {
        let key = value["key"].as_str().unwrap().to_owned();
        (key, (value["sources"].clone(), value["transforms"].clone()))
    };
    values.iter().map(value).collect()
}

#[test]
fn a_proposal_says_how_sure_it_is_and_why() {
    let place = Place::new();
    insta::assert_snapshot!(place.ok(&format!("suggest {ADAM} --quiet")), @r"
    # testdata/optimizers/adam/model.ckpt to testdata/templates/keras3_adam/model.ckpt, as `ckptmap suggest` proposes it
    # 6 variables of the new model: 2 certain, 4 likely
    version: 1
    root: model
    # likely: state follows its variables
    optimizer: {to: optimizer}
    scopes:
      - within: model
        layers:
          # likely: `model/dense_#` runs like `hidden_#` (2)
          - dense: hidden_1
          # likely: `model/dense_#` runs like `hidden_#` (2)
          - dense: hidden_2
          # certain: nothing else has its shape on either side
          - dense: head
    ");
}

#[test]
fn what_cannot_be_told_is_asked() {
    let place = Place::new();
    let said = place.run(&format!("suggest {LSTM}"));
    assert_eq!(said.code, 0, "{said}");
    insta::assert_snapshot!(said.out, @r"
    # testdata/recurrent/lstm/model.ckpt to testdata/templates/keras3_lstm/model.ckpt, as `ckptmap suggest` proposes it
    # 12 variables of the new model: 0 certain, 6 likely, 6 open
    version: 1
    root: model
    rules:
      # likely, 3 variables: both say forward; with TF1's default `forget_bias: 1.0`, which is in no
      # checkpoint: was it another one?
      - {cell: lstm_cell, from: 'bidirectional_rnn/fw/basic_lstm_cell', to: 'both/forward_layer/cell'}
      # likely, 3 variables: both say backward; with TF1's default `forget_bias: 1.0`, which is in no
      # checkpoint: was it another one?
      - cell: lstm_cell
        from: 'bidirectional_rnn/bw/basic_lstm_cell'
        to: 'both/backward_layer/cell'
      # open: or rnn/multi_rnn_cell/cell_1/basic_lstm_cell
      # - {cell: lstm_cell, from: 'rnn/multi_rnn_cell/cell_0/basic_lstm_cell', to: 'lower/cell'}
      # open: or rnn/multi_rnn_cell/cell_1/basic_lstm_cell
      # - {cell: lstm_cell, from: 'rnn/multi_rnn_cell/cell_0/basic_lstm_cell', to: 'upper/cell'}
    ");
    assert!(
        said.err.contains("12 variables of the new model: 0 certain, 6 likely, 6 open"),
        "{said}"
    );
    assert!(said.err.contains("ckptmap plan testdata/recurrent/lstm --map rules.yaml"), "{said}");
}

/// One pair that is known, and all that follows from it.
#[test]
fn a_hint_settles_its_neighbours() {
    let place = Place::new();
    let hint = "rnn/multi_rnn_cell/cell_1/basic_lstm_cell/kernel=model/lower/cell/kernel";
    let said = place.ok(&format!("suggest {LSTM} --hint {hint} --quiet"));
    let rules: Vec<&str> = said.lines().filter(|line| line.contains("multi_rnn_cell")).collect();
    assert!(rules.iter().all(|line| !line.contains("# -")), "{said}");
    place.write("rules.yaml", &said);
    let values = values(&place, &format!("{LSTM} --map rules.yaml"));
    let source =
        |leaf: &str| values[&format!("model/{leaf}/.ATTRIBUTES/VARIABLE_VALUE")].0.to_string();
    assert_eq!(source("lower/cell/bias"), r#"["rnn/multi_rnn_cell/cell_1/basic_lstm_cell/bias"]"#);
    assert_eq!(source("upper/cell/bias"), r#"["rnn/multi_rnn_cell/cell_0/basic_lstm_cell/bias"]"#);
}

#[test]
fn hints_that_cannot_be() {
    let place = Place::new();
    for (hint, says) in [
        ("model/dens/kernel=model/head/kernel", "did you mean `model/dense/kernel`?"),
        ("model/dense/kernel=model/heat/kernel", "did you mean"),
        ("model/dense/kernel=model/head/bias", "does not fit"),
    ] {
        let said = place.run(&format!("suggest {ADAM} --hint {hint}"));
        assert_eq!(said.code, 2, "{said}");
        assert!(said.err.contains(says), "{said}");
    }
}

/// The same sources, transforms and state as the rules that were written by hand.
#[test]
fn proposals_do_what_known_rules_do() {
    let place = Place::new();
    let cases = ["adam", "adam_named", "adam_scoped", "adam_partitioned", "bert_adam"];
    for (case, template) in cases.iter().flat_map(|case| {
        ["keras2_adam", "keras3_adam", "legacy_adam"].map(|template| (case, template))
    }) {
        let pair = format!("testdata/optimizers/{case} --like testdata/templates/{template}");
        let known = values(&place, &format!("{pair} --map testdata/optimizers/{case}/rules.yaml"));
        place.ok(&format!("suggest {pair} -o rules.yaml --force"));
        assert_eq!(values(&place, &format!("{pair} --map rules.yaml")), known, "{pair}");
    }
}

#[test]
fn a_file_that_is_there_stays() {
    let place = Place::new();
    place.write("rules.yaml", "mine");
    let said = place.run(&format!("suggest {ADAM} -o rules.yaml"));
    assert_eq!((said.code, said.out.as_str()), (2, ""), "{said}");
    assert!(said.err.contains("--force"), "{said}");
    assert_eq!(fs::read_to_string(place.path("rules.yaml")).unwrap(), "mine");
    place.ok(&format!("suggest {ADAM} -o rules.yaml --force"));
    assert!(fs::read_to_string(place.path("rules.yaml")).unwrap().contains("version: 1"));
}

#[test]
fn strict_takes_nothing_that_is_likely() {
    let place = Place::new();
    let said = place.run(&format!("suggest {ADAM} --strict -o rules.yaml"));
    assert_eq!((said.code, said.out.as_str()), (1, ""), "{said}");
    assert!(said.err.contains("2 certain, 4 likely"), "{said}");
    assert!(!place.path("rules.yaml").exists());
    // The same model under the same names.
    let same = "testdata/tf2_keras2_legacy --like testdata/tf2_keras2_legacy";
    let said = place.run(&format!("suggest {same} --strict"));
    assert_eq!(said.code, 0, "{said}");
}

#[test]
fn evidence_for_and_against() {
    let place = Place::new();
    insta::assert_snapshot!(place.ok(&format!("suggest {ADAM} --explain model/hidden_1/kernel")), @r"
    model/hidden_1/_kernel float32 [5, 5]: likely
    *  3.52  model/dense/kernel
               for it: words in common, kernel (0.76)
               for it: `model/dense_#` runs like `hidden_#` (2)
               for it: neighbours that are decided (0.91)
               for it: words of what its neighbours became (0.59)
               for it: decided pairs of the same rule (1.00)
       0.39  model/dense_1/kernel  (goes to model/hidden_2/_kernel)
               for it: words in common, kernel (0.76)
               against it: `model/dense_#` runs like `hidden_#` (2), and the two are not in the same place
               for it: words of what its neighbours became (0.59)
               for it: decided pairs of the same rule (1.00)
    ");
    let said = place.run(&format!("suggest {ADAM} --explain model/hiden_1/kernel"));
    assert_eq!(said.code, 2, "{said}");
}

#[test]
fn templates_that_are_none() {
    let place = Place::new();
    let said = place.run("suggest testdata/conv3 --like testdata/conv3");
    assert_eq!(said.code, 2, "{said}");
    assert!(said.err.contains("has no object graph"), "{said}");
}
