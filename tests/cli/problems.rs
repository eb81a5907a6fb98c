use crate::harness::Place;

#[test]
fn ten_mistakes_in_one_run() {
    let place = Place::new();
    place.write("rules.yaml", include_str!("ten_mistakes.yaml"));
    let said = place.run("convert testdata/conv3/model.ckpt --map rules.yaml -o new/ckpt");
    assert_eq!(said.code, 1, "{said}");
    insta::assert_snapshot!(said);
    assert_eq!(place.names(""), ["rules.yaml"]);
}

#[test]
fn problems_for_machines() {
    let place = Place::new();
    place.write("rules.yaml", include_str!("ten_mistakes.yaml"));
    let said = place.run("plan testdata/conv3/model.ckpt --map rules.yaml --json");
    assert_eq!(said.code, 1, "{said}");
    insta::assert_snapshot!(said.out);
}

#[test]
fn broken_yaml_is_pointed_at() {
    let place = Place::new();
    place.write("rules.yaml", "version: 1\nrules:\n  - {from: \"a\\d\", to: b}\n");
    insta::assert_snapshot!(place.run("plan testdata/conv3/model.ckpt --map rules.yaml"));
    place.write("rules.yaml", "version: 1\nrules:\n  - {from: a, to: b\nroot: c\n");
    insta::assert_snapshot!(place.run("plan testdata/conv3/model.ckpt --map rules.yaml"));
}

#[test]
fn what_no_rule_claims_is_a_problem() {
    let place = Place::new();
    place.write("rules.yaml", "version: 1\nrules:\n  - {from: '(.+)/kernel', to: '$1/kernel'}\n");
    insta::assert_snapshot!(place.run("plan testdata/conv3/model.ckpt --map rules.yaml"));
    place.write(
        "rules.yaml",
        "version: 1\nunmatched: warn\nrules:\n  - {from: '(.+)/kernel', to: '$1/kernel'}\n",
    );
    let said = place.run("plan testdata/conv3/model.ckpt --map rules.yaml");
    assert_eq!((said.code, said.err.matches("claimed by no rule").count()), (0, 3), "{said}");
}

#[test]
fn a_rule_that_stands_too_low_is_told_so() {
    let place = Place::new();
    let rules = "version: 1\nrules:\n  - {from: '(.+)', to: '$1'}\n  - {from: 'model/conv2d/(.+)', to: 'first/$1'}\n";
    place.write("rules.yaml", rules);
    insta::assert_snapshot!(place.run("plan testdata/conv3/model.ckpt --map rules.yaml"));
}

#[test]
fn parameters() {
    let place = Place::new();
    let rules = "version: 1\nparams: {scope: model, n: 3}\nroot: $scope\nscopes:\n  - within: $scope\n    layers: [{repeat: $n, as: i, layers: [{conv2d: 'conv_${i+1}'}]}]\n";
    place.write("rules.yaml", rules);
    let answer = place.ok("plan testdata/conv3/model.ckpt --map rules.yaml");
    assert!(answer.contains("model/conv_3/kernel"), "{answer}");
    let said = place.run("plan testdata/conv3/model.ckpt --map rules.yaml --set n=2 --set m=1");
    insta::assert_snapshot!(said);
}
