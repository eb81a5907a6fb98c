//! Rule files: what is written in them, and what it comes to on a checkpoint.

use super::scene::{Scene, rules, scene};

const CONV3: &str = "testdata/conv3";

/// Why a step does not fit is all that can be known: what it met, and what it asks.
const SHAPES: &str = "what the step met and what it asks are said";

const SUM: &str = "the sum is pointed at";

/// A file of rules as it is, without a version of its own.
fn file(title: &'static str, text: &str) -> Scene {
    scene(title, format!("plan {CONV3} --map rules.yaml")).file("rules.yaml", text).no()
}

/// A rule for what the checkpoint has, and nothing said about the rest.
fn rule(title: &'static str, rule: &str) -> Scene {
    rules(title, &format!("unmatched: drop\nrules:\n  - {rule}"))
}

/// A pipeline for one kernel.
fn apply(title: &'static str, steps: &str) -> Scene {
    rule(title, &format!("{{from: 'model/conv2d/kernel', to: k, apply: {steps}}}"))
}

pub(super) fn written() -> Vec<Scene> {
    let plan = format!("plan {CONV3} --map rules.yaml");
    vec![
        file("no version", "rules: []\n"),
        file("a version to come", "version: 2\n"),
        file("no map at all", "- version: 1\n"),
        file("an empty file", ""),
        file("a bracket that is not closed", "version: 1\nrules:\n  - {from: a, to: b\nroot: c\n"),
        file("a pattern in double quotes", "version: 1\nrules:\n  - {from: \"a\\d\", to: b}\n"),
        file("a tab", "version: 1\nrules:\n\t- {from: a, to: b}\n"),
        file("two documents", "version: 1\n---\nversion: 1\n"),
        scene("bytes that are no text", &plan).file("rules.yaml", b"version: 1\nroot: \xff\n"),
        scene("a file beyond all measure", &plan).file("rules.yaml", vec![b'#'; 65 << 20]),
        rules("an unknown key", "rool: model"),
        rules("a key like none", "zzz: 1"),
        rules("a key that stands there twice", "root: a\nroot: b"),
        rules("a value of another kind", "rules: {from: a, to: b}"),
        rules("a number for text", "root: 1"),
        rules("text for a truth", "rules:\n  - {from: a, to: b, optional: 'yes'}"),
        rules("an unknown dialect", "target: keras4"),
        rules("another word for the rest", "unmatched: ignore"),
        rules("a rule of nothing", "rules:\n  - {to: a}"),
        rules("a rule of two", "rules:\n  - {from: a, drop: b}"),
        rules("a rule that leads nowhere", "rules:\n  - {from: 'model/conv2d/kernel'}"),
        rules("what a dropping rule has no use for", "rules:\n  - {drop: a, to: b}"),
        rules("no targets", "rules:\n  - {from: a, to: []}"),
        rules("no patterns", "rules:\n  - {from: [], to: a}"),
        rules("a target of two kinds", "rules:\n  - {from: a, to: {name: b, path: c}}"),
        rules("labels in one word", "rules:\n  - {from: a, to: {labels: b}}"),
        rules(
            "a forget bias without a cell",
            "unmatched: drop\nrules:\n  - {from: model/conv2d/bias, to: b, forget_bias: 1}",
        ),
        rules(
            "a forget bias for a GRU",
            "rules:\n  - {cell: gru_cell, from: a, to: b, forget_bias: 1}",
        ),
        rules("an unknown cell", "rules:\n  - {cell: lstm, from: a, to: b}"),
        rules("`to` beside `zip`", "rules:\n  - {zip: {from: a, onto: b, order: natural}, to: c}"),
        rules("an unknown order", "rules:\n  - {zip: {from: a, onto: b, order: alphabetical}}"),
        rules("a layer without a target", "scopes:\n  - layers: [{}]"),
        rules("two layers in one item", "scopes:\n  - layers: [{dense: a, conv2d: b}]"),
        rules(
            "a scope that is recorded twice",
            "scopes:\n  - {within: model, layers: [{conv2d: a}]}\n  - {within: model, layers: [{conv2d: b}]}",
        ),
        rules("layers below nothing", "scopes:\n  - layers: [{repeat: -1, layers: [{dense: a}]}]"),
        rules(
            "a name that is taken",
            "params: {i: 1}\nscopes:\n  - layers: [{repeat: 2, as: i, layers: [{dense: 'a$i'}]}]",
        ),
        rules("a fill without a shape", "fill:\n  - {leaf: a, with: ones}"),
        rules("a fill of words", "fill:\n  - {leaf: a, shape: [], with: nothing}"),
        rules(
            "a fill of an unknown type",
            "fill:\n  - {leaf: a, shape: [], with: ones, dtype: float}",
        ),
        rules(
            "a fill that no type holds",
            "fill:\n  - {leaf: a, shape: [], with: 0.5, dtype: int8}",
        ),
        rules("a refusal without a condition", "refuse:\n  - because: no"),
        rules("an averages' word", "ema: always"),
        rules("an optimizer's word", "optimizer: keeps"),
        rules("an optimizer without a place", "optimizer: {kind: adam}"),
        rules("an unknown kind of optimizer", "optimizer: {to: optimizer, kind: lamb}"),
        rules("steps below zero", "optimizer: {to: optimizer, iterations: -1}"),
        rules("an included file that is not there", "include: [others.yaml]"),
        rules("an included file outside of the folder", "include: [../others.yaml]"),
        rules("an included mapping that does not exist", "include: [builtin:resnet]"),
        rules("an included file with a mistake", "include: [others.yaml]")
            .file("others.yaml", "version: 1\nruels: []\n"),
        rules("a file that includes itself, and nothing else", "include: [rules.yaml]"),
        rules(
            "many mistakes at once",
            "rool: model\ntarget: keras4\nrules:\n  - {from: 'a(?!b)', to: c}\n  - {from: 'a', to: '$1'}\n  - {from: 'model/conv2d/kernel', to: k, apply: [tranpose]}",
        ),
    ]
}

pub(super) fn filled_in() -> Vec<Scene> {
    let to = |title, to: &str| {
        rule(title, &format!("{{from: 'model/conv2d_(?<i>\\d)/(.+)', to: '{to}'}}"))
    };
    let from = |title, from: &str| rule(title, &format!("{{from: '{from}', to: x}}"));
    vec![
        from("look-ahead", "model/(?!conv2d_1).+"),
        from("a back-reference", "(.)\\1"),
        from("a parenthesis that is not closed", "model/(conv"),
        from("a star of a shell", "*kernel"),
        from("a repetition beyond all measure", "(.{1000}){1000}"),
        rules("a group called like a parameter", "params: {i: 1}\nrules:\n  - {from: 'model/conv2d_(?<i>\\d)/.+', to: x}"),
        to("a group that does not exist", "conv_$3/x"),
        to("a group whose name runs on", "conv_$i_x/x"),
        to("a parameter that does not exist", "conv_$heads/x"),
        to("a dollar alone", "conv_$/x"),
        to("a brace that is not closed", "conv_${i/x"),
        to("an unfinished sum", "conv_${i+}/x"),
        to("another way to number", "conv_${i:roman}/x"),
        to("a division by zero", "conv_${i/0}/x").helpless(SUM),
        to("a number below zero", "conv_${i-5}/x").helpless(SUM),
        to("an empty target", ""),
        to("an empty label", "conv_$i//$2"),
        rule("arithmetic on a word", "{from: 'model/(?<layer>conv2d)/(.+)', to: 'conv_${layer+1}/$2'}"),
        rule("a group that took no part", "{from: 'model/conv2d(_\\d)?/kernel', to: 'conv$1/kernel'}"),
        rules("a parameter that is no number", "params: {heads: many}\nunmatched: drop\nrules:\n  - {from: 'model/conv2d/kernel', to: k, apply: [{reshape: [$heads, -1]}]}").helpless("the parameter is pointed at"),
    ]
}

pub(super) fn transforms() -> Vec<Scene> {
    vec![
        apply("a typo", "[tranpose]"),
        apply("no such transform", "[normalize]"),
        apply("a transform without its argument", "[reshape]"),
        apply("two transforms in one item", "[{transpose: [3, 2, 0, 1], reshape: [-1]}]"),
        apply("a number for a list", "[{transpose: 1}]"),
        apply("an axis that does not exist", "[{squeeze: 4}]").helpless(SHAPES),
        apply("an axis that is not 1", "[{squeeze: 0}]"),
        apply("an axis that is named twice", "[{transpose: [0, 0, 1, 2]}]"),
        apply("too few axes", "[{transpose: [1, 0]}]").helpless(SHAPES),
        apply("another number of elements", "[{reshape: [7, 9]}]").helpless(SHAPES),
        apply("two unknown sizes", "[{reshape: [-1, -1]}]"),
        apply("the target's shape without a template", "[{reshape: target}]"),
        apply("a split that does not come out", "[{split_axis: {axis: 0, into: [2, -1]}}]").helpless(SHAPES),
        apply("a slice of words", "[{slice: 'all'}]"),
        apply("a slice with too many axes", "[{slice: '0, 0, 0, 0, 0'}]"),
        apply("a padding of another rank", "[{pad: [[0, 1]]}]"),
        apply("a padding below zero", "[{pad: [[0, -1]]}]"),
        apply("an unknown type", "[{cast: float}]"),
        apply("rows from a file that is not there", "[{gather: rows.txt}]"),
        apply("rows that are no numbers", "[{gather: rows.txt}]").file("rows.txt", "0\none\n"),
        apply("rows beyond the end", "[{gather: rows.txt}]").file("rows.txt", "0\n9\n").helpless(SHAPES),
        apply("gates that are no order", "[{gates: [0, 0]}]"),
        apply("an unknown way to partition", "[{unpartition: hash}]"),
        apply("parts that are not in the file", "[{unpartition: mod}]"),
        rule("joined along an axis that does not exist", "{from: ['model/conv2d/(?<leaf>bias)', 'model/conv2d_1/(?<leaf>bias)'], to: b, apply: [{concat: 2}]}").helpless(SHAPES),
        rule("several patterns, not joined", "{from: ['a', 'b'], to: c}"),
        rule("patterns that share no group", "{from: ['model/(?<a>.+)/kernel', 'model/(?<b>.+)/bias'], to: b, apply: [{concat: 0}]}"),
        rule("joined without a partner", "{from: ['model/(?<layer>.+)/kernel', 'model/(?<layer>conv2d_1)/bias'], to: '$layer', apply: [{concat: 0}]}"),
        rule("joined, of different shapes", "{from: ['model/(?<layer>.+)/kernel', 'model/(?<layer>.+)/bias'], to: '$layer', apply: [{concat: 0}]}").helpless(SHAPES),
        rule("three pieces for two targets", "{from: 'model/conv2d/bias', to: [a, b], apply: [{split: {axis: 0, sizes: [1, 1, 1]}}]}").helpless(SHAPES),
        rule("pieces that do not add up", "{from: 'model/conv2d/bias', to: [a, b], apply: [{split: {axis: 0, sizes: [1, 1]}}]}").helpless(SHAPES),
    ]
}

pub(super) fn planned() -> Vec<Scene> {
    let recorded = |title, layers: &str| {
        rules(title, &format!("scopes:\n  - within: model\n    layers: {layers}"))
    };
    vec![
        rules("what no rule claims", "rules:\n  - {from: '(.+)/kernel', to: '$1/kernel'}"),
        rules(
            "the same, said only",
            "unmatched: warn\nrules:\n  - {from: '(.+)/kernel', to: '$1/kernel'}",
        )
        .yes(),
        rules("an empty file of rules", ""),
        rule("a rule that matches nothing", "{from: 'model/conv2d_3/kernel', to: k}"),
        rules(
            "a rule that stands too low",
            "rules:\n  - {from: '(.+)', to: '$1'}\n  - {from: 'model/conv2d/(.+)', to: 'first/$1'}",
        ),
        rule("two values for one target", "{from: 'model/conv2d/.+', to: conv_1}"),
        rules(
            "two rules for one target",
            "unmatched: drop\nrules:\n  - {from: 'model/conv2d/bias', to: b}\n  - {from: 'model/conv2d_1/bias', to: b}",
        ),
        rules(
            "a target below a variable",
            "unmatched: drop\nrules:\n  - {from: 'model/conv2d/bias', to: b}\n  - {from: 'model/conv2d/kernel', to: b/k}",
        ),
        rule(
            "a name without a template",
            "{from: 'model/conv2d/kernel', to: {name: conv_1/kernel}}",
        ),
        rule(
            "one of several without a template",
            "{from: 'model/conv2d/kernel', to: {path: [a, b]}}",
        ),
        rule("pairs without a template", "{zip: {from: '.+', onto: '.+', order: natural}}"),
        recorded("too few layers", "[{conv2d: a}, {conv2d: b}]"),
        recorded("too many layers", "[{conv2d: a}, {conv2d: b}, {conv2d: c}, {conv2d: d}]"),
        recorded("layers of another kind", "[{dense: a}, {conv2d: a}, {conv2d: b}, {conv2d: c}]"),
        recorded(
            "a leaf that layers do not have",
            "[{conv2d: {to: a, apply: {kernl: [transpose]}}}, {conv2d: b}, {conv2d: c}]",
        ),
        rules(
            "a scope with a typo",
            "unmatched: drop\nscopes:\n  - {within: modle, layers: [{conv2d: a}]}",
        ),
        rules(
            "two names that become one",
            "rename:\n  - {find: 'conv2d(_\\d)?', replace: conv}\nrules:\n  - {from: '(.+)', to: '$1'}",
        ),
        rules(
            "a rename that finds nothing",
            "rename:\n  - {find: 'conv3d', replace: conv}\nrules:\n  - {from: '(.+)', to: '$1'}",
        ),
        rules(
            "a fill where there is no template",
            "unmatched: drop\nfill:\n  - {match: '.+', with: zeros}",
        ),
        rules(
            "a fill of a place that is taken",
            "rules:\n  - {from: '(.+)', to: '$1'}\nfill:\n  - {leaf: model/conv2d/bias, shape: [3], with: zeros}",
        ),
        rule("a cell that is none", "{cell: lstm_cell, from: 'model/conv2d', to: lstm/cell}")
            .helpless("what a cell has is said"),
        scene("a checkpoint that has been converted", "plan testdata/tf2_keras3 --map rules.yaml")
            .file("rules.yaml", "version: 1\nrules:\n  - {from: '.+', to: '$0'}\n")
            .no(),
        scene(
            "rules for another model",
            "plan testdata/conv3 --map builtin:bert-hf --like testdata/templates/keras3_adam",
        )
        .no(),
        scene("names from files", "plan evil --map rules.yaml")
            .file("rules.yaml", "version: 1\nrules: []\n")
            .made(|place| {
                crate::rewrite::rewrite(place, "testdata/conv3", "evil", |new| {
                    let bias = new.tensors["model/conv2d/bias"].clone();
                    new.tensors.clear();
                    new.tensors.insert("a\u{1b}[2J\nerror: b\u{202e}".to_owned(), bias);
                });
            })
            .no(),
    ]
}
