use crate::harness::{Place, Said};

const ADAM: &str = "testdata/optimizers/adam/model.ckpt --map testdata/optimizers/adam/rules.yaml";

/// Plans the Adam model's checkpoint for a template, with other rules.
fn plan(template: &str, rules: &str) -> Said {
    let place = Place::new();
    place.write("rules.yaml", format!("version: 1\nroot: model\n{rules}"));
    place.run(&format!(
        "plan testdata/optimizers/adam/model.ckpt --map rules.yaml --like testdata/templates/{template}"
    ))
}

#[test]
fn one_rule_file_for_three_dialects() {
    let place = Place::new();
    for template in ["legacy_adam", "keras2_adam", "keras3_adam"] {
        let like = format!("--like testdata/templates/{template}");
        insta::assert_snapshot!(template, place.ok(&format!("plan {ADAM} {like}")));
        place.ok(&format!("convert {ADAM} {like} -o new/{template}"));
        place.ok(&format!("verify new/{template} --against {ADAM} {like}"));
        place.ok(&format!("check new/{template}"));
    }
}

#[test]
fn there_and_back_bit_for_bit() {
    let place = Place::new();
    place.copy("optimizers/adam", "old");
    let map = "--map testdata/optimizers/adam/rules.yaml";
    for template in ["legacy_adam", "keras2_adam", "keras3_adam"] {
        let like = format!("--like testdata/templates/{template}");
        place.ok(&format!("convert old/model.ckpt {map} {like} -o new/{template}"));
        let back = format!("convert new/{template} {map} --reverse --like old/model.ckpt");
        place.ok(&format!("{back} -o back/{template}"));
        place.ok(&format!("diff old/model.ckpt back/{template}"));
    }
    // The old index alone tells the names; powers of beta come from the steps.
    std::fs::remove_file(place.path("old/model.ckpt.data-00000-of-00001")).unwrap();
    let back = format!("convert new/keras3_adam {map} --reverse --like old/model.ckpt -o back/b");
    insta::assert_snapshot!(place.ok(&back));
}

#[test]
fn names_that_objects_remember_lead_back() {
    let place = Place::new();
    let map = "--map testdata/conv3/rules-keras2.yaml";
    place.ok(&format!("convert testdata/conv3/model.ckpt {map} -o new/ckpt --for read"));
    place.ok("convert new/ckpt --reverse -o back/ckpt");
    place.ok("diff testdata/conv3/model.ckpt back/ckpt");
    let said = place.run(&format!("convert new/ckpt --reverse {map} -o back/other"));
    assert!(said.code == 2 && said.err.contains("--like OLD"), "{said}");
}

#[test]
fn pairs_by_order() {
    let rules = |order| {
        format!(
            "rules:\n  - zip:\n      from: 'model/dense(_\\d+)?/(?<leaf>kernel|bias)'\n      \
             onto: 'layer_with_weights-\\d/(?<leaf>kernel|bias)'\n      order: {order}\n\
             optimizer: {{to: optimizer}}\n"
        )
    };
    let natural = plan("keras2_adam_functional", &rules("natural"));
    assert_eq!(natural.code, 0, "{natural}");
    insta::assert_snapshot!(natural.out);
    let creation = plan("keras2_adam_functional", &rules("creation"));
    assert_eq!(creation.out, natural.out, "{creation}");
    let short = rules("natural").replace("(_\\d+)?", "_1");
    insta::assert_snapshot!(plan("keras2_adam_functional", &short).err);
}

#[test]
fn leaves_by_name() {
    let rules = |to: &str| {
        format!(
            "rules:\n  - {{from: 'model/dense/(.+)', to: {to}}}\n\
             optimizer: drop\nunmatched: drop\n"
        )
    };
    for to in ["{name: 'hidden_1/$1'}", "{name: ['first/$1', 'hidden_1/$1']}"] {
        let said = plan("keras3_adam_functional", &rules(to));
        assert!(!said.err.contains("no target"), "{to}: {said}");
    }
    insta::assert_snapshot!(plan("keras3_adam_functional", &rules("{name: 'hiden_1/$1'}")).err);
}

#[test]
fn what_the_template_wants_must_come_from_somewhere() {
    let rules =
        "rules:\n  - {from: 'model/dense/(.+)', to: 'hidden_1/$1'}\n  - {drop: 'model/.+'}\n";
    let drop = format!("{rules}optimizer: drop\n");
    insta::assert_snapshot!("missing", plan("keras3_adam", &drop).err);
    let keep = format!(
        "{rules}optimizer: keep\nfill:\n  - {{match: '.+/_?kernel', with: 0.5}}\n  - {{match: '.+', with: template}}\n"
    );
    let kept = plan("keras3_adam", &keep);
    assert_eq!(kept.code, 0, "{kept}");
    insta::assert_snapshot!("kept", kept.out);
    let place = Place::new();
    place.write("rules.yaml", format!("version: 1\nroot: model\n{drop}"));
    place.ok("plan testdata/optimizers/adam/model.ckpt --map rules.yaml --like testdata/templates/keras3_adam --keep-missing");
}

#[test]
fn optimizers_that_do_not_fit() {
    let scopes = "scopes:\n  - within: model\n    layers: [{dense: hidden_1}, {dense: hidden_2}, {dense: head}]\n";
    let mut all = String::new();
    for optimizer in [
        "",
        "optimizer: {to: optimiser}\n",
        "optimizer: {to: optimizer, kind: momentum}\n",
        "optimizer: {to: optimizer, epsilon: 1e-8}\n",
        "optimizer: {to: optimizer, rho: 0.9}\n",
        "optimizer: {to: optimizer, iterations: nowhere}\n",
        "optimizer: {to: optimizer, name: other}\n",
    ] {
        let said = plan("keras3_adam", &format!("{scopes}{optimizer}"));
        assert_eq!(said.code, 1, "{optimizer}: {said}");
        all = format!("{all}## {optimizer}\n{}\n", said.err);
    }
    insta::assert_snapshot!(all);
}

#[test]
fn shapes_that_do_not_fit() {
    let rules = "rules:\n  - {from: 'model/dense_2/(.+)', to: 'hidden_1/$1'}\n  - {from: 'model/dense/(.+)', to: 'hidden_2/$1'}\n  - {from: 'model/dense_1/(.+)', to: 'head/$1'}\noptimizer: keep\n";
    insta::assert_snapshot!(plan("keras3_adam", rules).err);
}

#[test]
fn what_is_no_template() {
    let place = Place::new();
    insta::assert_snapshot!(
        place.run(&format!("plan {ADAM} --like testdata/conv3/model.ckpt")).err
    );
}

#[test]
fn state_of_another_optimizer_is_refused() {
    let place = Place::new();
    for (case, template) in [
        ("rmsprop", "keras2_adam"),
        ("rmsprop", "keras3_adam"),
        ("adamax", "legacy_adam"),
        ("momentum", "legacy_adam"),
    ] {
        let old = format!("testdata/optimizers/{case}");
        let rules = format!("--map {old}/rules.yaml --like testdata/templates/{template}");
        let said = place.run(&format!("plan {old}/model.ckpt {rules}"));
        assert_eq!(said.code, 1, "{case} for {template}: {said}");
        assert!(said.err.contains("`optimizer` is Adam"), "{case} for {template}: {said}");
    }
}

/// Cells as TF1 had them become, value for value, what Keras saved of a model that computes the
/// same.
#[test]
fn cells_are_what_keras_saved() {
    let place = Place::new();
    for (case, keras) in [("lstm", 2), ("lstm", 3), ("gru", 2), ("gru", 3)] {
        let old = format!("testdata/recurrent/{case}");
        let like = format!("testdata/templates/keras{keras}_{case}");
        let new = format!("new/{case}_{keras}");
        place.ok(&format!(
            "convert {old}/model.ckpt --map {old}/rules.yaml --like {like} -o {new} --for read"
        ));
        place.ok(&format!("diff {new} {old}_keras{keras}/model.ckpt"));
        // That there is something to tell apart.
        assert!(!place.run(&format!("diff {new} {like}")).to_string().contains("all equal"));
    }
}
