//! Checkpoints that exist only as catalogs, and plans as short text.

use std::collections::BTreeMap;

use ckptmap::catalog::{Catalog, Facts, Storage, Variable, VariableName};
use ckptmap::mapping::{Mapping, NoFiles, Problem, Problems};
use ckptmap::plan::{self, Assignment, Fate, Options, Plan, Purpose, Value};
use ckptmap::tensor::{DType, Shape, TensorSpec};

/// How most tests plan: without a `save_counter` in the way.
pub(crate) fn read() -> Options {
    Options { purpose: Purpose::Read, ..Options::default() }
}

/// The only place that knows how planning is called.
fn make(catalog: &Catalog, mapping: &Mapping, options: &Options) -> Result<Plan, Problems> {
    plan::plan(catalog, mapping, None, options)
}

/// A checkpoint of one variable per line or `;`: name, dtype, sizes, all but the name may be left
/// out: `a/kernel float32 2,3`, `global_step int64 -`, `table float32 8,2 in 3,3,2` (rows of slices).
pub(crate) fn catalog(variables: &str) -> Catalog {
    let mut offset = 0;
    let variables = variables.split(['\n', ';']).map(str::trim).filter(|line| !line.is_empty());
    let variables = variables.map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let dtype = words.get(1).map_or(DType::Float, |name| DType::from_name(name).unwrap());
        let sizes = words.get(2).copied().unwrap_or("2");
        let dims: Vec<u64> = match sizes {
            "-" => Vec::new(),
            _ => sizes.split(',').map(|size| size.parse().unwrap()).collect(),
        };
        let spec = TensorSpec::new(dtype, Shape::new(dims).unwrap()).unwrap();
        let bytes = spec.bytes().unwrap_or(9);
        offset += bytes;
        let parts: Vec<u64> = match words.get(4) {
            Some(rows) => rows.split(',').map(|rows| rows.parse().unwrap()).collect(),
            None => Vec::new(),
        };
        let storage = match parts.len() {
            0 => Storage::Whole { shard: 0, offset: offset - bytes, bytes },
            slices => Storage::Slices(slices),
        };
        (VariableName::new(words[0]).unwrap(), Variable { spec, storage, parts })
    });
    Catalog {
        origin: "old".to_owned(),
        format: "V2 bundle",
        shards: 1,
        variables: variables.collect(),
        unnamable: Vec::new(),
        graph: None,
        facts: Facts::default(),
    }
}

/// The rule file `version: 1` with `rules` below; parameters are set by `set`.
pub(crate) fn mapping_with(rules: &str, set: &[(&str, &str)]) -> Result<Mapping, Problems> {
    let set: BTreeMap<String, String> =
        set.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Mapping::parse("rules.yaml", rules, &set, &NoFiles)
}

/// Everything that came out, a line each.
pub(crate) fn render(result: Result<Plan, Problems>) -> String {
    let lines = match result {
        Ok(plan) => {
            let values = plan.assignments.iter().map(assignment);
            let aliases = plan.aliases.iter().map(|(name, of)| format!("{name} = {of}"));
            let fates = plan.fates.iter().filter_map(|(name, fate)| {
                let word = match fate {
                    Fate::Mapped(_) => return None,
                    Fate::Dropped(_) => "dropped",
                    Fate::OptimizerDropped => "optimizer",
                    Fate::UnmatchedDropped => "unmatched, dropped",
                    Fate::Unmatched => "unmatched",
                    Fate::NotNeeded => "not needed",
                    other => return Some(format!("{name}: {other:?}")),
                };
                Some(format!("{name}: {word}"))
            });
            let warnings =
                plan.warnings.iter().map(|warning| format!("warning: {}", line(warning)));
            values.chain(aliases).chain(fates).chain(warnings).collect::<Vec<_>>()
        }
        Err(problems) => problems.iter().map(line).collect(),
    };
    lines.join("\n")
}

fn assignment(assignment: &Assignment) -> String {
    let Assignment { path, spec, value, .. } = assignment;
    let steps = value.steps();
    let sources: Vec<String> = value.sources().iter().map(ToString::to_string).collect();
    let from = match (value, sources.is_empty()) {
        (_, false) => sources.join(" + "),
        (Value::Constant(constant), _) => format!("{} as {spec}", constant.text()),
        (Value::Template(_), _) => "the template's".to_owned(),
        other => format!("{other:?}"),
    };
    match &steps[..] {
        [] => format!("{path} <- {from}"),
        _ => format!("{path} <- {from} [{}] as {spec}", steps.join("; ")),
    }
}

fn line(problem: &Problem) -> String {
    let help = problem.help.as_ref().map(|help| format!(" | {help}")).unwrap_or_default();
    format!("{}: {}{help}", problem.kind.word(), problem.message)
}

/// Plans what `rules` make of `variables`.
pub(crate) fn planned(rules: &str, variables: &str) -> String {
    planned_with(rules, variables, &[], &read())
}

/// The same with parameters and options from the command line.
pub(crate) fn planned_with(
    rules: &str,
    variables: &str,
    set: &[(&str, &str)],
    options: &Options,
) -> String {
    let mapping = mapping_with(&format!("version: 1\n{rules}"), set);
    render(mapping.and_then(|mapping| make(&catalog(variables), &mapping, options)))
}

/// Every problem with the text its place spans, and the other place's: `kind «text» ~ «other»`.
pub(crate) fn places(rules: &str, variables: &str) -> String {
    let text = format!("version: 1\n{rules}");
    let problems = mapping_with(&text, &[])
        .and_then(|mapping| make(&catalog(variables), &mapping, &read()))
        .expect_err("there are no problems");
    let lines = problems.iter().map(|problem| {
        let place = problem.place.as_ref().map_or("", |place| &text[place.span.clone()]);
        let related = problem.related.as_ref();
        let related =
            related.map(|(place, word)| format!(" ~ {word} «{}»", &text[place.span.clone()]));
        format!("{} «{place}»{}", problem.kind.word(), related.unwrap_or_default())
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Compares with what is expected, whose lines may be indented.
#[track_caller]
pub(crate) fn is(found: &str, expected: &str) {
    let lines = expected.lines().map(str::trim).filter(|line| !line.is_empty());
    let expected = lines.collect::<Vec<_>>().join("\n");
    assert!(found == expected, "found:\n{found}\n\nexpected:\n{expected}\n");
}

/// Plans and compares.
#[track_caller]
pub(crate) fn check(rules: &str, variables: &str, expected: &str) {
    is(&planned(rules, variables), expected);
}
