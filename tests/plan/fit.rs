//! Values that are made to fit: shapes of the template, parts of tables, rows from files, what is
//! skipped; and rules that are for something else altogether.

use crate::fresh::{Around, fits, template};
use crate::harness::{catalog, check, is, planned, render};

#[track_caller]
fn applied(apply: &str, variable: &str, expected: &str) {
    let name = variable.split(' ').next().unwrap();
    check(
        &format!(
            "params: {{n: 2, low: -1, s: x}}\nrules: [{{from: {name}, to: x, apply: {apply}}}]"
        ),
        variable,
        expected,
    );
}

// `reshape: target`.

#[test]
fn the_templates_shape() {
    let rules = "rules: [{from: a, to: x, apply: [{reshape: target}]}]";
    fits("x float32 6,4", rules, "a float32 2,3,4", "x <- a [reshape: [6, 4]] as float32 [6, 4]");
    fits("x float32 2,3", rules, "a float32 2,3", "x <- a");
    fits(
        "x float32 3,2",
        rules,
        "a float32 2,3",
        "shape: `a`: float32 [2, 3] becomes [3, 2] by more than splitting or merging neighbouring axes; did you forget `transpose`?",
    );
    fits(
        "x float32 7",
        rules,
        "a float32 2,3",
        "shape: `a`: float32 [2, 3] has not as many elements as [7]",
    );
    fits(
        "x float64 6",
        rules,
        "a float32 2,3",
        "shape: `a` float32 [6] does not fit `x` float64 [6] | a value never changes its dtype by itself: `apply: [{cast: float64}]`",
    );
    fits("x float32 -", rules, "a float32 1,1", "x <- a [reshape: []] as float32 []");
    fits(
        "x string 4",
        rules,
        "a string 2,2",
        "shape: `a`: `reshape: [4]` cannot be applied to string [2, 2]: its elements have no fixed size",
    );
    check(
        rules,
        "a",
        "shape: `a`: `reshape: target` needs a template (`--like`), which knows shapes",
    );
    fits(
        "x float32 3,2",
        &rules.replace("[{r", "[transpose, {r"),
        "a float32 2,3",
        "x <- a [transpose] as float32 [3, 2]",
    );
}

// Tables in parts.

#[test]
fn tables_that_were_dealt_out() {
    applied(
        "[{unpartition: mod}]",
        "t float32 8,2 in 3,3,2",
        "x <- t [unpartition: {strategy: mod, parts: 3}] as float32 [8, 2]",
    );
    applied(
        "[{unpartition: {strategy: mod, parts: 3}}]",
        "t float32 8,2",
        "x <- t [unpartition: {strategy: mod, parts: 3}] as float32 [8, 2]",
    );
    applied(
        "[{unpartition: {strategy: mod, parts: $n}}]",
        "t float32 8,2",
        "x <- t [unpartition: {strategy: mod, parts: 2}] as float32 [8, 2]",
    );
    applied(
        "[{unpartition: mod}]",
        "t float32 8,2",
        "shape: `t`: its parts are not in the file: say how many, as `unpartition: {strategy: mod, parts: 3}`",
    );
    applied(
        "[{unpartition: mod}]",
        "t float32 8,2 in 4,2,2",
        "shape: `t`: its parts of [4, 2, 2] rows are not those of `mod`",
    );
    applied(
        "[transpose, {unpartition: mod}]",
        "t float32 8,2 in 3,3,2",
        "shape: `t`: `unpartition: mod` stands first, or says how many parts there are",
    );
    applied(
        "[transpose, {unpartition: {strategy: mod, parts: 2}}]",
        "t float32 8,2",
        "x <- t [transpose; unpartition: {strategy: mod, parts: 2}] as float32 [2, 8]",
    );
    applied(
        "[{unpartition: {strategy: mod, parts: 0}}]",
        "t float32 8,2",
        "value: a table has at least one part",
    );
    applied(
        "[{unpartition: {strategy: mod, parts: -3}}]",
        "t float32 8,2",
        "value: a table has at least one part",
    );
    applied(
        "[{unpartition: div}]",
        "t float32 8,2",
        "value: with `div` rows lie in the order of their ids: leave it out",
    );
    applied(
        "[{unpartition: modulo}]",
        "t float32 8,2",
        "value: `modulo` is no way to partition; TensorFlow has `mod` and `div`",
    );
    applied(
        "[{unpartition: {parts: 3}}]",
        "t float32 8,2",
        "key: the key `strategy` is missing here",
    );
    applied(
        "[{unpartition: {strategy: mod, parts: 3}}]",
        "t float32 -",
        "shape: `t`: `unpartition: {strategy: mod, parts: 3}` cannot be applied to float32 []: there is no axis 0, it has none",
    );
    applied(
        "[{unpartition: {strategy: mod, parts: 9}}]",
        "t float32 8,2",
        "x <- t [unpartition: {strategy: mod, parts: 9}] as float32 [8, 2]",
    );
}

/// What the file says of itself is not overruled in silence.
#[test]
fn parts_that_the_file_contradicts() {
    let rules = "rules: [{from: t, to: x, apply: [{unpartition: {strategy: mod, parts: 4}}]}]";
    let found = planned(rules, "t float32 8,2 in 3,3,2");
    assert!(found.starts_with("shape: `t`: "), "{found}");
    check(
        &rules.replace('4', "3"),
        "t float32 8,2 in 3,3,2",
        "x <- t [unpartition: {strategy: mod, parts: 3}] as float32 [8, 2]",
    );
}

// Rows from files.

const FILES: &[(&str, &str)] = &[
    ("rows.txt", "2\n0\n1\n"),
    ("more.txt", "2\n-1\n0\n"),
    ("high.txt", "0\n7\n"),
    ("bad.txt", "0\nx\n"),
    ("below.txt", "0\n-2\n"),
    ("empty.txt", ""),
    ("crlf.txt", "2\r\n0\r\n1\r\n"),
    ("old.txt", "a\nb\nc\n"),
    ("new.txt", "c\na\n"),
    ("newer.txt", "c\nd\n"),
    ("twice.txt", "a\nb\na\n"),
    ("in/rows.txt", "1\n0\n"),
];

#[track_caller]
fn gathered(gather: &str, expected: &str) {
    let around = Around { files: FILES, ..Around::default() };
    around.check(
        &format!(
            "params: {{n: 1, f: rows}}\nrules: [{{from: a, to: x, apply: [{{gather: {gather}}}]}}]"
        ),
        "a float32 3,2",
        expected,
    );
}

#[test]
fn rows_by_number() {
    gathered("rows.txt", "x <- a [gather: rows.txt] as float32 [3, 2]");
    gathered("crlf.txt", "x <- a [gather: crlf.txt] as float32 [3, 2]");
    gathered("'$f.txt'", "x <- a [gather: rows.txt] as float32 [3, 2]");
    gathered("in/rows.txt", "x <- a [gather: in/rows.txt] as float32 [2, 2]");
    gathered("{rows: in/rows.txt, axis: $n}", "x <- a [gather: in/rows.txt] as float32 [3, 2]");
    gathered("{rows: more.txt, missing: zeros}", "x <- a [gather: more.txt] as float32 [3, 2]");
    gathered("{rows: more.txt, missing: 0.5}", "x <- a [gather: more.txt] as float32 [3, 2]");

    gathered(
        "{rows: more.txt}",
        "value: row 1 has no source: say what it holds, as `gather: {rows: …, missing: zeros}`",
    );
    gathered(
        "high.txt",
        "shape: `a`: `gather: high.txt` cannot be applied to float32 [3, 2]: position 1 names row 7, and axis 0 has 3 of them, counted from 0",
    );
    gathered("bad.txt", "value: line 2 is `x`, which is no row number; rows count from 0");
    gathered("below.txt", "value: line 2 is `-2`, which is no row number; rows count from 0");

    gathered(
        "{rows: rows.txt, axis: 2}",
        "shape: `a`: `gather: rows.txt` cannot be applied to float32 [3, 2]: there is no axis 2, they go from 0 to 1",
    );
    gathered(
        "{rows: rows.txt, axis: 1}",
        "shape: `a`: `gather: rows.txt` cannot be applied to float32 [3, 2]: position 0 names row 2, and axis 1 has 2 of them, counted from 0",
    );
}

/// New rows are said, however the file is named.
#[test]
fn new_rows_must_be_said() {
    for gather in ["more.txt", "{rows: more.txt}", "{from: old.txt, to: newer.txt}"] {
        gathered(
            gather,
            "value: row 1 has no source: say what it holds, as `gather: {rows: …, missing: zeros}`",
        );
    }
}

#[test]
fn rows_by_vocabulary() {
    gathered(
        "{from: old.txt, to: new.txt}",
        "x <- a [gather: {from: old.txt, to: new.txt}] as float32 [2, 2]",
    );
    gathered(
        "{from: old.txt, to: newer.txt, missing: ones}",
        "x <- a [gather: {from: old.txt, to: newer.txt}] as float32 [2, 2]",
    );
    gathered(
        "{from: old.txt, to: newer.txt}",
        "value: row 1 has no source: say what it holds, as `gather: {rows: …, missing: zeros}`",
    );
    gathered(
        "{from: twice.txt, to: new.txt}",
        "value: `a` stands in the old vocabulary as 0 and as 2",
    );
    gathered("{from: old.txt}", "value: give `rows`, or `from` and `to`");
    gathered(
        "{rows: rows.txt, from: old.txt, to: new.txt}",
        "value: give `rows`, or `from` and `to`",
    );
    gathered("{axis: 0}", "value: give `rows`, or `from` and `to`");
}

#[test]
fn files_that_are_not_there_or_not_for_us() {
    gathered(
        "nowhere.txt",
        "value: `nowhere.txt` cannot be read: there is no such file | such files lie in the rule file's own folder, or below it",
    );
    for name in [
        "/etc/passwd",
        "../rows.txt",
        "in/../rows.txt",
        "./rows.txt",
        "in//rows.txt",
        "'C:x'",
        r"'a\b'",
        "''",
    ] {
        let around = Around { files: FILES, ..Around::default() };
        let rules = format!("rules: [{{from: a, to: x, apply: [{{gather: {name}}}]}}]");
        let bare = name.trim_matches('\'');
        around.check(
            &rules,
            "a float32 3,2",
            &format!("value: `{bare}` cannot be read: that leads out of the rule file's folder | such files lie in the rule file's own folder, or below it"),
        );
    }
}

// Arguments.

#[test]
fn slices() {
    applied("[{slice: '..., 1:'}]", "a float32 2,3", "x <- a [slice: '..., 1:'] as float32 [2, 2]");
    applied(
        "[{slice: '$n:, ::2'}]",
        "a float32 3,3",
        "x <- a [slice: '2:, ::2'] as float32 [1, 2]",
    );
    applied("[{slice: '${n}:${n+1}'}]", "a float32 3,3", "x <- a [slice: '2:3'] as float32 [1, 3]");
    applied("[{slice: '-2:'}]", "a float32 3", "x <- a [slice: '-2:'] as float32 [2]");
    for (slice, expected) in [
        ("'1'", "value: `1` would drop the axis; write `1:2` and `squeeze`"),
        ("'-1'", "value: `-1` would drop the axis; write `-1:` and `squeeze`"),
        (
            "':, :, :'",
            "shape: `a`: `slice: ':, :, :'` cannot be applied to float32 [3, 2]: 3 axes are named and it has 2",
        ),
        ("'..., ...'", "value: `...` can stand only once"),
        ("'::0'", "value: a step of 0 leads nowhere"),
        ("'::-1'", "value: a step must be above 0; use `flip` to go backwards"),
        (
            "'4:'",
            "shape: `a`: `slice: '4:'` cannot be applied to float32 [3, 2]: 4 lies beyond axis 0, which has size 3",
        ),
        (
            "'-4:'",
            "shape: `a`: `slice: '-4:'` cannot be applied to float32 [3, 2]: -4 lies beyond axis 0, which has size 3",
        ),
        ("'a:'", "value: `a` is no whole number; write a slice as NumPy does, `..., 1:`"),
        ("''", "value: nothing stands for an axis; write `:` for all of it"),
        ("'1:2:3:4'", "value: `1:2:3:4` is no `start:stop:step`"),
        ("'2:1'", "x <- a [slice: '2:1'] as float32 [0, 2]"),
        ("'$m:'", "template: `m` is neither a named group nor a parameter | known here: low, n, s"),
        ("[1, 2]", "value: text should stand here, not a list"),
        ("1", "value: text should stand here, not a number"),
    ] {
        applied(&format!("[{{slice: {slice}}}]"), "a float32 3,2", expected);
    }
}

#[test]
fn pads() {
    applied(
        "[{pad: [[0, 1], [$n, 0]]}]",
        "a float32 3,2",
        "x <- a [pad: [[0, 1], [2, 0]]] as float32 [4, 4]",
    );
    applied(
        "[{pad: {by: [[0, 1]], with: 0.5}}]",
        "a float32 3",
        "x <- a [pad: {by: [[0, 1]], with: 0.5}] as float32 [4]",
    );
    for (pad, expected) in [
        (
            "[[0, 1]]",
            "shape: `a`: `pad: [[0, 1]]` cannot be applied to float32 [3, 2]: its 2 axes need a pair each, not 1",
        ),
        ("[]", "value: a pair must stand here for each axis: [before, after]"),
        ("[[1]]", "value: each axis has two numbers: before and after"),
        ("[[-1, 1], [0, 0]]", "value: a padding has a number from 0 on; `slice` takes away"),
        ("[[$low, 1], [0, 0]]", "value: a padding has a number from 0 on; `slice` takes away"),
        ("[0, 1]", "value: a list should stand here, not a number"),
        (
            "{by: [[0, 1], [0, 0]], with: x}",
            "value: `x` is no value to fill with | write `ones`, `zeros` or a number",
        ),
        ("{with: 1}", "key: the key `by` is missing here"),
        (
            "[[9223372036854775807, 9223372036854775807], [0, 0]]",
            "shape: `a`: `pad: [[9223372036854775807, 9223372036854775807], [0, 0]]` yields no tensor",
        ),
    ] {
        applied(&format!("[{{pad: {pad}}}]"), "a float32 3,2", expected);
    }
    applied(
        "[{pad: {by: [[0, 1]], with: 0.5}}]",
        "a int32 3",
        "shape: `a`: `pad: {by: [[0, 1]], with: 0.5}` cannot be applied to int32 [3]: int32 cannot hold 0.5",
    );
}

#[test]
fn numbers_may_be_parameters() {
    applied(
        "[{pad: {by: [[0, 1]], with: $n}}]",
        "a float32 3",
        "x <- a [pad: {by: [[0, 1]], with: 2}] as float32 [4]",
    );
    check("params: {n: 2}\nfill: [{leaf: a, shape: [], with: $n}]", "", "a <- 2 as float32 []");
    let around = Around { files: FILES, ..Around::default() };
    around.check(
        "params: {n: 2}\nrules: [{from: a, to: x, apply: [{gather: {rows: more.txt, missing: $n}}]}]",
        "a float32 3,2",
        "x <- a [gather: more.txt] as float32 [3, 2]",
    );
}

#[test]
fn casts_and_numbers() {
    applied("[{cast: float16}]", "a float32 3", "x <- a [cast: float16] as float16 [3]");
    applied("[{cast: half}]", "a float32 3", "value: `half` is no dtype | did you mean `float16`?");
    applied("[{cast: string}]", "a float32 3", "value: numbers cannot be made string");
    applied(
        "[{cast: float32}]",
        "a string 3",
        "shape: `a`: `cast: float32` cannot be applied to string [3]: its elements are no numbers that can be cast",
    );
    applied("[{cast: 16}]", "a float32 3", "value: text should stand here, not a number");
    applied("[{scale: $n}, {add: -1}]", "a float32 3", "x <- a [scale: 2; add: -1] as float32 [3]");
    applied(
        "[{scale: 0.5}]",
        "a int32 3",
        "shape: `a`: `scale: 0.5` cannot be applied to int32 [3]: its elements are no floating-point numbers",
    );
    applied("[{scale: $s}]", "a float32 3", "value: `x` is no number");
    applied("[{add: one}]", "a float32 3", "value: `one` is no number");
    applied(
        "[{add: 0.5}]",
        "a int32 3",
        "shape: `a`: `add: 0.5` cannot be applied to int32 [3]: 0.5 cannot be added to int32",
    );
    applied("[{scale: [2]}]", "a float32 3", "value: text should stand here, not a list");
}

#[test]
fn axes() {
    applied(
        "[{expand_dims: [0, -1]}, {squeeze: 0}, {flip: -1}]",
        "a float32 3",
        "x <- a [expand_dims: [0, -1]; squeeze: 0; flip: -1] as float32 [3, 1]",
    );
    applied(
        "[{split_axis: {axis: 0, into: [$n, -1]}}, {merge_axes: [0, 1]}]",
        "a float32 6",
        "x <- a [split_axis: {axis: 0, into: [2, -1]}; merge_axes: [0, 1]] as float32 [6]",
    );
    applied(
        "[{squeeze: 0}]",
        "a float32 3",
        "shape: `a`: `squeeze: 0` cannot be applied to float32 [3]: axis 0 has size 3, only 1 can be left out",
    );
    applied("[{squeeze: [0, 0]}]", "a float32 1,1", "value: axis 0 stands here twice");
    applied(
        "[{flip: 1}]",
        "a float32 3",
        "shape: `a`: `flip: 1` cannot be applied to float32 [3]: there is no axis 1, only axis 0",
    );
    applied(
        "[{expand_dims: 3}]",
        "a float32 3",
        "shape: `a`: `expand_dims: 3` cannot be applied to float32 [3]: there is no axis 3, they go from 0 to 1",
    );
    applied(
        "[{split_axis: {axis: 0, into: [4, -1]}}]",
        "a float32 6",
        "shape: `a`: `split_axis: {axis: 0, into: [4, -1]}` cannot be applied to float32 [6]: axis 0 has size 6: 6 elements are no multiple of 4",
    );
    applied(
        "[{split_axis: {axis: 0, into: []}}]",
        "a float32 6",
        "value: the sizes it becomes must stand here",
    );
    applied(
        "[{merge_axes: [0, 2]}]",
        "a float32 2,3",
        "shape: `a`: `merge_axes: [0, 2]` cannot be applied to float32 [2, 3]: there is no axis 2, they go from 0 to 1",
    );
    applied(
        "[{merge_axes: [1, 0]}]",
        "a float32 2,3",
        "shape: `a`: `merge_axes: [1, 0]` cannot be applied to float32 [2, 3]: only neighbours in their order can be merged; `transpose` them first",
    );
    applied(
        "[{gates: [1, 0]}]",
        "a float32 3",
        "shape: `a`: `gates: {order: [1, 0]}` cannot be applied to float32 [3]: axis 0 has size 3, no multiple of 2 gates",
    );
    applied(
        "[{gates: [1, 1]}]",
        "a float32 4",
        "value: every gate from 0 to 1 must stand in `order` once",
    );
    applied(
        "[{gates: {axis: 0, order: [1, 0], add: [0, 1.5]}}]",
        "a float32 4",
        "x <- a [gates: {axis: 0, order: [1, 0], add: [0, 1.5]}] as float32 [4]",
    );
    applied(
        "[{gates: {order: [1, 0], add: [1]}}]",
        "a float32 4",
        "value: `add` has 1 numbers for 2 gates",
    );
    applied("[{gates: [-1, 0]}]", "a float32 4", "value: blocks are counted from 0");
}

/// The caret stands under the argument that is wrong.
#[test]
fn places_of_arguments() {
    let around = Around { files: FILES, ..Around::default() };
    let place = |apply: &str| {
        around.places(
            &format!("rules:\n  - from: a\n    to: x\n    apply:\n      - {apply}"),
            "a float32 3,2",
        )
    };
    is(&place("slice: 'a:'"), "rules.yaml:6:16 value «'a:'»");
    is(&place("pad: [[0, 0], [0, -8]]"), "rules.yaml:6:14 value «[[0, 0], [0, -8]]»");
    is(&place("{pad: {by: [[0, 1], [0, 0]], with: x}}"), "rules.yaml:6:44 value «x»");
    is(&place("cast: flaot32"), "rules.yaml:6:15 value «flaot32»");
    is(&place("gather: nowhere.txt"), "rules.yaml:6:17 value «nowhere.txt»");
    is(&place("gather: bad.txt"), "rules.yaml:6:17 value «bad.txt»");
    is(&place("gather: {from: old.txt, to: gone.txt}"), "rules.yaml:6:37 value «gone.txt»");
    is(&place("split: {axis: 0, sizes: [x]}"), "rules.yaml:6:34 value «x»");
    is(
        &place("split: {axis: 0, siezs: [1]}"),
        "rules.yaml:6:16 key «{axis: 0, siezs: [1]}»
         rules.yaml:6:26 key «siezs»",
    );
    is(&place("unpartition: modulo"), "rules.yaml:6:22 value «modulo»");
    is(&place("scale: $m"), "rules.yaml:6:16 template «$m»");
    is(&place("reshape: tarject"), "rules.yaml:6:18 value «tarject»");
}

// `skip_mismatch`.

const HEAD: &str =
    "rules: [{from: 'head/(.+)', to: 'head/$1', skip_mismatch: true}, {from: '(.+)', to: '$1'}]";

#[test]
fn heads_of_another_size() {
    fits(
        "head/kernel float32 4,3; head/bias float32 3; body float32 4",
        HEAD,
        "head/kernel float32 4,2; head/bias float32 2; body float32 4",
        "body <- body
         head/bias <- the template's
         head/kernel <- the template's
         head/bias: Skipped(RuleId(0))
         head/kernel: Skipped(RuleId(0))
         warning: shape: skipped: `head/bias` float32 [2] does not fit `head/bias` float32 [3]; the template's value is kept
         warning: shape: skipped: `head/kernel` float32 [4, 2] does not fit `head/kernel` float32 [4, 3]; the template's value is kept",
    );
    // What fits is taken.
    fits(
        "head/kernel float32 4,3; head/bias float32 2",
        &HEAD.replace(", {from: '(.+)', to: '$1'}", ""),
        "head/kernel float32 4,2; head/bias float32 2",
        "head/bias <- head/bias
         head/kernel <- the template's
         head/kernel: Skipped(RuleId(0))
         warning: shape: skipped: `head/kernel` float32 [4, 2] does not fit `head/kernel` float32 [4, 3]; the template's value is kept",
    );
    // Without a template nothing is known to misfit.
    check(
        HEAD,
        "head/kernel; body",
        "body <- body
         head/kernel <- head/kernel",
    );
    // A target that is not there is not one of another shape.
    fits(
        "head/bias; body",
        HEAD,
        "head/kernel; head/bias; body",
        "template: no target for `head/kernel`: `head` has no `kernel`; it has bias",
    );
    fits(
        "x float32 3",
        "rules: [{from: a, to: x, skip_mismatch: maybe}]",
        "a",
        "value: `true` or `false` should stand here, not text",
    );
}

/// Another type is no other size.
#[test]
fn types_are_not_skipped() {
    fits(
        "head/w float16 2",
        "rules: [{from: 'head/w', to: 'head/w', skip_mismatch: true}]",
        "head/w float32 2",
        "shape: `head/w` float32 [2] does not fit `head/w` float16 [2] | a value never changes its dtype by itself: `apply: [{cast: float16}]`",
    );
}

/// What cannot be done to a value at all is a mistake in the rule.
#[test]
fn mistakes_are_not_skipped() {
    for apply in ["{slice: '7:'}", "{transpose: [0, 1, 2]}", "{reshape: [7]}"] {
        let rules = format!("rules: [{{from: a, to: x, skip_mismatch: true, apply: [{apply}]}}]");
        let around = Around { template: Some(template("x float32 3")), ..Around::default() };
        let found = render(around.plan(&rules, &catalog("a float32 2")));
        assert!(found.starts_with("shape: `a`: "), "{found}");
    }
}

#[test]
fn pieces_are_skipped_one_by_one() {
    fits(
        "x float32 1; y float32 3",
        "rules: [{from: a, to: [x, y], skip_mismatch: true, apply: [{split: 0}]}]",
        "a float32 2",
        "x <- a [split: 0 (1 of 2)] as float32 [1]
         y <- the template's
         warning: shape: skipped: `a` float32 [1] does not fit `y` float32 [3]; the template's value is kept",
    );
    fits(
        "x float32 3",
        "rules: [{from: ['a', 'b'], to: x, skip_mismatch: true, apply: [{concat: 0}]}]",
        "a float32 1; b float32 1",
        "x <- the template's
         a: Skipped(RuleId(0))
         b: Skipped(RuleId(0))
         warning: shape: skipped: `a`, `b` float32 [2] does not fit `x` float32 [3]; the template's value is kept",
    );
    fits(
        "m/x float32 3",
        "rules: [{zip: {from: a, onto: 'm/x'}, skip_mismatch: true}]",
        "a float32 1",
        "m/x <- the template's
         a: Skipped(RuleId(0))
         warning: shape: skipped: `a` float32 [1] does not fit `m/x` float32 [3]; the template's value is kept",
    );
}

#[test]
fn where_skipping_has_no_meaning() {
    check(
        "rules: [{drop: a, skip_mismatch: true}]",
        "a",
        "key: `skip_mismatch` has no meaning beside `drop` | leave it out",
    );
    check(
        "rules: [{cell: lstm_cell, from: a, to: x, skip_mismatch: true, apply: []}]",
        "a",
        "unused: `a` matches no variable | the nearest name that exists is `a`
         key: `skip_mismatch` has no meaning beside `cell` | leave it out
         key: `apply` has no meaning beside `cell` | leave it out",
    );
}

// `fill: match`.

#[test]
fn leaves_are_filled_by_name() {
    let leaves = "m/a float32 2 as net/one; m/b int64 - as net/two; m/c float32 2";
    fits(
        leaves,
        "root: m\nfill: [{match: {name: one}, with: 0.5}, {match: {name: 'net/two'}, with: 3}, {match: c, with: template}]",
        "",
        "m/a <- 0.5 as float32 [2]
         m/b <- 3 as int64 []
         m/c <- the template's",
    );
    // A leaf without a name is not called by any.
    fits(
        leaves,
        "root: m\nfill: [{match: {name: '.*'}, with: 1}]",
        "",
        "missing: `m/c` float32 [2] of the template gets no value | give it a rule or a `fill`, or keep the template's own values with `--keep-missing`",
    );
    fits(
        leaves,
        "root: m\nfill: [{match: {name: three}, with: 1}, {match: '.+', with: 0}]",
        "",
        "unused: `three` matches no leaf that still needs a value | what rules give a value needs none; correct the pattern, or leave it out",
    );
    fits(
        leaves,
        "root: m\nfill: [{match: b, with: 0.5}, {match: '.+', with: zeros}]",
        "",
        "value: `m/b` is int64 [], which cannot hold this number",
    );
    fits(
        leaves,
        "root: m\nrules: [{from: x, to: a}]\nfill: [{match: a, with: 1}, {match: '[bc]', with: 1}]",
        "x",
        "unused: `a` matches no leaf that still needs a value | what rules give a value needs none; correct the pattern, or leave it out",
    );
    check(
        "fill: [{match: {name: one}, with: 1}]",
        "",
        "template: `match` fills leaves of a template, and there is none | give one with `--like`, or name the leaf: `{leaf: path, shape: [..], with: ones}`",
    );
    check("fill: [{match: a, leaf: b, with: 1}]", "", "template: `match` fills leaves of a template, and there is none | give one with `--like`, or name the leaf: `{leaf: path, shape: [..], with: ones}`
         key: `leaf` has no meaning beside `match` | the template knows its leaves");
    check(
        "fill: [{match: '(', with: 1}]",
        "",
        "pattern: not a pattern: unclosed group | close what is open; a parenthesis itself is `\\(` or `\\)`",
    );
    check(
        "fill: [{match: {path: a}, with: 1}]",
        "",
        "key: the key `name` is missing here
         key: there is no key `path` here | known here: name",
    );
}

// `refuse`.

#[track_caller]
fn refused(conditions: &str, variables: &str, refuses: bool) {
    let around = Around { template: Some(template("m/w as net/w")), ..Around::default() };
    let rules = format!(
        "params: {{s: bert}}\nroot: m\nrefuse: [{{{conditions}, say: 'no, no'}}]\nrules: [{{from: '.*w', to: w}}, {{drop: '.+'}}]"
    );
    let found = render(around.plan(&rules, &catalog(variables)));
    let said = found.lines().next() == Some("fit: no, no");
    assert_eq!(said, refuses, "{conditions} of {variables}:\n{found}");
}

#[test]
fn each_condition() {
    for (conditions, variables, refuses) in [
        ("has: 'albert/.+'", "albert/w", true),
        ("has: 'albert/.+'", "bert/w", false),
        ("has: 'albert'", "albert/w", false),
        ("has: '${s}/.+'", "bert/w", true),
        ("lacks: 'bert/.+'", "albert/w", true),
        ("lacks: 'bert/.+'", "bert/w", false),
        ("lacks: '${s}/w'", "bert/w", false),
        ("template_has: w", "w", true),
        ("template_has: 'm/w'", "w", false),
        ("template_has: 'net/w'", "w", true),
        ("template_has: v", "w", false),
        ("template_lacks: v", "w", true),
        ("template_lacks: w", "w", false),
        ("has: 'b/w', lacks: a", "b/w", true),
        ("has: 'b/w', lacks: a", "b/w; a", false),
        ("has: w, template_has: w", "w", true),
        ("has: w, template_lacks: w", "w", false),
        ("has: v, template_has: w", "w", false),
    ] {
        refused(conditions, variables, refuses);
    }
}

#[test]
fn templates_are_not_judged_where_there_is_none() {
    for condition in ["template_has: '.*'", "template_lacks: x"] {
        check(
            &format!("refuse: [{{{condition}, say: no}}]\nrules: [{{from: w, to: w}}]"),
            "w",
            "w <- w",
        );
    }
}

#[test]
fn the_sentence_stands_first() {
    check(
        "rules: [{from: w, to: w}]\nrefuse: [{has: v, say: one}, {lacks: u, say: two}, {has: t, say: three}]",
        "v",
        "fit: one
         fit: two
         unused: `w` matches no variable
         unmatched: `v` float32 [2] is claimed by no rule | give it a rule, `drop` it, or write `unmatched: drop` for all that is left",
    );
}

/// Names as the checkpoint has them, and as rules see them.
#[test]
fn refusals_know_both_names() {
    let rules = |has: &str| {
        format!(
            "rename: [{{find: old, replace: new}}]\nrefuse: [{{has: {has}, say: no}}]\nrules: [{{from: 'new/w', to: w}}]"
        )
    };
    check(&rules("'old/w'"), "old/w", "fit: no");
    check(&rules("'new/w'"), "old/w", "fit: no");
    // What an optimizer or an average took is there all the same.
    check(
        "optimizer: drop\nrefuse: [{has: 'w/Adam', say: no}]\nrules: [{from: w, to: w}]",
        "w; w/Adam; w/Adam_1",
        "fit: no",
    );
}

#[test]
fn refusals_that_cannot_be() {
    check(
        "refuse: [{say: no}]",
        "",
        "key: a refusal needs a condition | one of `has`, `lacks`, `template_has` and `template_lacks`",
    );
    check("refuse: [{has: a}]", "", "key: the key `say` is missing here");
    check(
        "refuse: [{has: '(', say: no}]",
        "",
        "pattern: not a pattern: unclosed group | close what is open; a parenthesis itself is `\\(` or `\\)`",
    );
    check("refuse: [{hass: a, say: no}]", "", "key: a refusal needs a condition | one of `has`, `lacks`, `template_has` and `template_lacks`
         key: there is no key `hass` here | did you mean `has`?");
    check("refuse: {has: a, say: no}", "", "value: a list should stand here, not a map");
}

// Sentences nobody wrote.

#[test]
fn paths_of_another_keras() {
    let keras2 = "rules: [{from: 'd/(.+)', to: 'layer_with_weights-0/$1'}]";
    let keras3 = "rules: [{from: 'd/(.+)', to: '_operations/1/$1'}]";
    let old = "layer_with_weights-0/kernel; layer_with_weights-0/bias; layers/1/x";
    let new = "_operations/1/_kernel; _operations/1/bias; _operations/2/x";
    fits(new, keras2, "d/kernel; d/bias", "fit: the rules name paths of a Keras 2 model, and the template is Keras 3's
         template: no target for `d/bias`: the template has no `layer_with_weights-0`; it has _operations
         template: no target for `d/kernel`: the template has no `layer_with_weights-0`; it has _operations
         missing: `_operations/1/_kernel` float32 [2] of the template gets no value | give it a rule or a `fill`, or keep the template's own values with `--keep-missing`
         missing: `_operations/1/bias` float32 [2] of the template gets no value | give it a rule or a `fill`, or keep the template's own values with `--keep-missing`
         missing: `_operations/2/x` float32 [2] of the template gets no value | give it a rule or a `fill`, or keep the template's own values with `--keep-missing`");
    fits(old, keras3, "d/kernel; d/bias", "fit: the rules name paths of a Keras 3 model, and the template is Keras 2's
         template: no target for `d/bias`: the template has no `_operations`; it has layer_with_weights-0, layers
         template: no target for `d/kernel`: the template has no `_operations`; it has layer_with_weights-0, layers
         missing: `layer_with_weights-0/kernel` float32 [2] of the template gets no value | give it a rule or a `fill`, or keep the template's own values with `--keep-missing`
         missing: `layer_with_weights-0/bias` float32 [2] of the template gets no value | give it a rule or a `fill`, or keep the template's own values with `--keep-missing`
         missing: `layers/1/x` float32 [2] of the template gets no value | give it a rule or a `fill`, or keep the template's own values with `--keep-missing`");
    fits(
        new,
        keras3,
        "d/kernel; d/bias",
        "missing: `_operations/2/x` float32 [2] of the template gets no value | give it a rule or a `fill`, or keep the template's own values with `--keep-missing`",
    );
}

#[test]
fn rules_that_find_nothing() {
    let two = "rules: [{from: 'bert/(.+)', to: '$1'}, {from: 'cls/(.+)', to: 'cls/$1'}]";
    check(two, "albert/a/w; albert/b/w", "fit: these rules are for another model: not one of 2 found a variable in `old`, whose variables are called `albert/…`
         unused: `bert/(.+)` matches no variable | the nearest name that exists is `albert/a/w`
         unused: `cls/(.+)` matches no variable
         unmatched: `albert/a/w` float32 [2] is claimed by no rule | give it a rule, `drop` it, or write `unmatched: drop` for all that is left
         unmatched: `albert/b/w` float32 [2] is claimed by no rule | give it a rule, `drop` it, or write `unmatched: drop` for all that is left");
    check(two, "a/w; b/w", "fit: these rules are for another model: not one of 2 found a variable in `old`, whose variables are called `a/w`, …
         unused: `bert/(.+)` matches no variable
         unused: `cls/(.+)` matches no variable
         unmatched: `a/w` float32 [2] is claimed by no rule | give it a rule, `drop` it, or write `unmatched: drop` for all that is left
         unmatched: `b/w` float32 [2] is claimed by no rule | give it a rule, `drop` it, or write `unmatched: drop` for all that is left");
    check(two, "albert/w; bert/w", "unused: `cls/(.+)` matches no variable
         unmatched: `albert/w` float32 [2] is claimed by no rule | give it a rule, `drop` it, or write `unmatched: drop` for all that is left");
    // One rule is no model.
    check("rules: [{from: 'bert/(.+)', to: '$1'}]", "albert/w", "unused: `bert/(.+)` matches no variable | the nearest name that exists is `albert/w`
         unmatched: `albert/w` float32 [2] is claimed by no rule | give it a rule, `drop` it, or write `unmatched: drop` for all that is left");
    check(&two.replace("[{f", "[{drop: x}, {f"), "albert/w; x", "fit: these rules are for another model: not one of 2 found a variable in `old`, whose variables are called `albert/…`
         unused: `bert/(.+)` matches no variable | the nearest name that exists is `albert/w`
         unused: `cls/(.+)` matches no variable
         unmatched: `albert/w` float32 [2] is claimed by no rule | give it a rule, `drop` it, or write `unmatched: drop` for all that is left");
    check(
        two,
        "",
        "unused: `bert/(.+)` matches no variable
         unused: `cls/(.+)` matches no variable",
    );
}

/// Rules that found something, though nothing came of it, are not for another model.
#[test]
fn rules_that_found_something() {
    // They stand too low.
    let silent = |found: &str| assert!(!found.contains("fit: "), "{found}");
    silent(&planned(
        "rules: [{drop: '.+'}, {from: 'a/(.+)', to: '$1'}, {from: 'b/(.+)', to: '$1'}]",
        "a/w; b/v",
    ));
    // A partner is missing.
    silent(&planned(
        "rules: [{from: ['q', 'k'], to: qk, apply: [{concat: 0}]}, {from: x, to: x}]",
        "q",
    ));
    // The template has no place, which is fine.
    let around = Around { template: Some(template("z")), ..Around::default() };
    let rules =
        "fill: [{match: z, with: 1}]\nrules: [{from: a, to: a, optional: true}, {from: x, to: x}]";
    silent(&render(around.plan(rules, &catalog("a"))));
}

/// Recorded layers that were found belong to this model.
#[test]
fn recordings_that_found_something() {
    let rules = "scopes: [{layers: [{dense: d}]}]\nrules: [{from: x, to: x}, {from: y, to: y}]";
    let found = planned(rules, "dense/kernel; dense/bias");
    assert!(found.starts_with("unused: "), "{found}");
}
