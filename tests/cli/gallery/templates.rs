//! Templates, and what their optimizers ask.

use super::scene::{Scene, scene};

/// Rules for the model that Adam trained, and a template of it.
fn adam(title: &'static str, template: &str, rules: &str) -> Scene {
    trained(title, "adam", template, rules)
}

fn trained(title: &'static str, case: &str, template: &str, rules: &str) -> Scene {
    let plan = format!(
        "plan testdata/optimizers/{case} --map rules.yaml --like testdata/templates/{template}"
    );
    scene(title, plan).file("rules.yaml", format!("version: 1\n{rules}\n")).no()
}

const SCOPES: &str = "root: model\nscopes:\n  - within: model\n    layers: [{dense: hidden_1}, {dense: hidden_2}, {dense: head}]\n";

pub(super) fn leaves() -> Vec<Scene> {
    let like = |title, to: &str| {
        let rules = format!(
            "root: model\nunmatched: drop\noptimizer: keep\nrules:\n  - {{from: 'model/dense/(.+)', to: {to}}}\nfill:\n  - {{match: '.+', with: template}}"
        );
        adam(title, "keras3_adam", &rules)
    };
    let named = |title, to: &str| {
        let rules = format!(
            "root: model\nunmatched: drop\noptimizer: keep\nrules:\n  - {{from: 'model/dense/(.+)', to: {to}}}\nfill:\n  - {{match: '.+', with: template}}"
        );
        adam(title, "keras3_adam_functional", &rules)
    };
    let zip = |title, from: &str, order: &str| {
        let rules = format!(
            "root: model\noptimizer: drop\nrules:\n  - zip:\n      from: '{from}'\n      onto: 'layer_with_weights-\\d/(?<leaf>kernel|bias)'\n      order: {order}"
        );
        adam(title, "keras2_adam_functional", &rules)
    };
    vec![
        scene(
            "a TF1 checkpoint for a template",
            "plan testdata/optimizers/adam --map testdata/optimizers/adam/rules.yaml --like testdata/conv3",
        )
        .no(),
        scene(
            "an HDF5 file for a template",
            "plan testdata/conv3 --map testdata/conv3/rules-keras2.yaml --like testdata/foreign/weights.h5",
        ),
        adam("a root that does not exist", "keras3_adam", &SCOPES.replace("root: model", "root: modle")),
        like("a layer with a typo", "'hiden_1/$1'"),
        like("a layer like none", "'zzz/$1'"),
        like("a path that ends too early", "'hidden_1'"),
        like("a path that goes on", "'hidden_1/kernel/$1'"),
        named("a name with a typo", "{name: 'hiden_1/$1'}"),
        named("a name that several leaves share", "{name: kernel}"),
        like("none of several", "{path: ['a/$1', 'b/$1']}"),
        adam(
            "shapes that do not fit",
            "keras3_adam",
            "root: model\noptimizer: keep\nrules:\n  - {from: 'model/dense_2/(.+)', to: 'hidden_1/$1'}\n  - {from: 'model/dense/(.+)', to: 'hidden_2/$1'}\n  - {from: 'model/dense_1/(.+)', to: 'head/$1'}",
        ),
        like("a type that does not fit", "'hidden_1/$1', apply: [{cast: float16}]"),
        adam(
            "places that get nothing",
            "keras3_adam",
            "root: model\noptimizer: drop\nrules:\n  - {from: 'model/dense/(.+)', to: 'hidden_1/$1'}\n  - {drop: 'model/.+'}",
        ),
        adam("a fill of nothing", "keras3_adam", &format!("{SCOPES}optimizer: {{to: optimizer}}\nfill:\n  - {{match: 'other/.+', with: zeros}}")),
        zip("pairs that do not come out", "model/dense_1/(?<leaf>kernel|bias)", "natural"),
        zip("pairs of nothing", "model/conv2d/(?<leaf>kernel|bias)", "natural"),
        zip("an order that nothing records", "model/dense(_\\d+)?/(?<leaf>kernel|bias)", "{from: natural, onto: creation}"),
        scene(
            "a cell of another size",
            "plan testdata/recurrent/lstm --map rules.yaml --like testdata/templates/keras3_gru",
        )
        .copy("recurrent/lstm", "old")
        .file(
            "rules.yaml",
            "version: 1\nroot: model\nunmatched: drop\nrules:\n  - {cell: basic_lstm_cell, from: 'rnn/multi_rnn_cell/cell_0/basic_lstm_cell', to: 'gru_1/cell'}\n",
        )
        .no(),
        scene(
            "a template that is damaged",
            "convert testdata/conv3 --map rules.yaml --like fresh/ckpt --keep-missing -o new/ckpt",
        )
        .file(
            "rules.yaml",
            "version: 1\nroot: model\nunmatched: drop\nrules:\n  - {from: 'model/conv2d/(.+)', to: 'conv_1/$1'}\n",
        )
        .after("convert testdata/conv3 --map testdata/conv3/rules-keras2.yaml -o fresh/ckpt -q")
        .edit("fresh/ckpt.data-00000-of-00001", |bytes| {
            for byte in bytes.iter_mut() {
                *byte ^= 1;
            }
        }),
    ]
}

pub(super) fn optimizers() -> Vec<Scene> {
    let block = |title, block: &str| adam(title, "keras3_adam", &format!("{SCOPES}{block}"));
    vec![
        scene("state that nobody decided about", "plan testdata/trained_adam --map rules.yaml")
            .file("rules.yaml", "version: 1\nrules:\n  - {from: '(.+)', to: '$1'}\n")
            .no(),
        block("a template with an optimizer that nobody decided about", "optimizer: drop"),
        block("an optimizer in another place", "optimizer: {to: optimiser}"),
        block("an optimizer of another kind", "optimizer: {to: optimizer, kind: momentum}"),
        block("a hyper-parameter that it keeps in the program", "optimizer: {to: optimizer, epsilon: 1e-8}"),
        block("a hyper-parameter of another optimizer", "optimizer: {to: optimizer, rho: 0.9}"),
        block("steps from a variable that is not there", "optimizer: {to: optimizer, iterations: nowhere}"),
        block("the name of another TF1 optimizer", "optimizer: {to: optimizer, name: other}"),
        block("a rule for what the optimizer takes", "optimizer: {to: optimizer}\nrules:\n  - {from: '(.+)/Adam', to: '$1'}"),
        trained("state of another kind", "momentum", "keras3_adam", &format!("{SCOPES}optimizer: {{to: optimizer}}")),
        scene("two optimizers at once", "plan testdata/optimizers/two_adams --map testdata/optimizers/two_adams/rules-one.yaml --like testdata/templates/keras3_adam").no(),
        scene("a learning rate that nothing tells", "plan testdata/optimizers/momentum_schedule --map testdata/optimizers/momentum_schedule/rules-unknown.yaml --like testdata/templates/keras3_adam").no(),
        scene("state without a template", "plan testdata/optimizers/adam --map testdata/optimizers/adam/rules.yaml").no(),
        trained("no steps", "adam_powers", "keras3_adam", &format!("{SCOPES}optimizer: {{to: optimizer, iterations: 7}}")).yes(),
        trained("a template without an optimizer", "adam", "keras3_lstm", &format!("{SCOPES}optimizer: {{to: optimizer}}")),
        scene("averages that nobody decided about", "plan averaged --map rules.yaml")
            .file("rules.yaml", "version: 1\nrules:\n  - {from: '(.+)', to: '$1'}\n")
            .made(averaged)
            .no(),
        scene("averages of other names", "plan averaged --map rules.yaml")
            .file("rules.yaml", "version: 1\nema: {use: prefer, suffix: ema}\nrules:\n  - {from: '(.+)', to: '$1'}\n")
            .made(averaged)
            .no(),
        scene("averages that are not all there", "plan averaged --map rules.yaml")
            .file("rules.yaml", "version: 1\nema: only\nrules:\n  - {from: '(.+)', to: '$1'}\n")
            .made(averaged)
            .no(),
        scene("averages that are not there at all", "plan testdata/conv3 --map rules.yaml")
            .file("rules.yaml", "version: 1\nema: only\nrules:\n  - {from: '(.+)', to: '$1'}\n")
            .no(),
    ]
}

fn averaged(place: &crate::harness::Place) {
    crate::rewrite::rewrite(place, "testdata/conv3", "averaged", |new| {
        let bias = new.tensors["model/conv2d/bias"].clone();
        new.tensors.insert("model/conv2d/bias/ExponentialMovingAverage".to_owned(), bias);
    });
}

pub(super) fn proposed() -> Vec<Scene> {
    let suggest = |more: &str| {
        format!("suggest testdata/optimizers/adam --like testdata/templates/keras3_adam {more}")
    };
    vec![
        scene("no template", "suggest testdata/conv3"),
        scene("a TF1 checkpoint for a template", "suggest testdata/conv3 --like testdata/conv3"),
        scene("a template of nothing", "suggest testdata/conv3 --like fresh/ckpt")
            .file("drop.yaml", "version: 1\nrules:\n  - drop: '.+'\n")
            .after("convert testdata/conv3 --map drop.yaml -o fresh/ckpt -q"),
        scene("a hint of one name", suggest("--hint model/dense/kernel")),
        scene(
            "a hint of what is not there",
            suggest("--hint model/dnse/kernel=model/hidden_1/kernel"),
        ),
        scene("a hint that does not fit", suggest("--hint model/dense/kernel=model/head/bias")),
        scene("an explanation of what is not there", suggest("--explain model/hiden_1/kernel")),
        scene("a rule file that is there", suggest("-o rules.yaml")).file("rules.yaml", "mine"),
        scene("rules in a directory that is none", suggest("-o notes/rules.yaml"))
            .file("notes", ""),
        scene("nothing but what is certain", suggest("--strict -o rules.yaml")).no(),
        scene(
            "a checkpoint that shares nothing",
            "suggest testdata/linear_regression --like testdata/templates/keras3_adam",
        )
        .yes(),
    ]
}
