//! Job files and what becomes of them.

use super::scene::{Scene, scene};

const JOB: &str = "input: 'runs/{run}/model.ckpt', output: 'new/{run}/ckpt', map: testdata/conv3/rules-keras2.yaml";

/// A job file, and two checkpoints for it.
fn jobs(title: &'static str, jobs: &str) -> Scene {
    // One at a time, so that it is always told in the same order.
    scene(title, "batch jobs.yaml -j 1")
        .copy("conv3", "runs/a")
        .copy("conv3", "runs/b")
        .file("jobs.yaml", format!("version: 1\n{jobs}\n"))
}

/// One job.
fn job(title: &'static str, job: &str) -> Scene {
    jobs(title, &format!("jobs:\n  - {{{job}}}"))
}

/// The job as it should be, with something else.
fn with(title: &'static str, more: &str) -> Scene {
    job(title, &format!("{JOB}, {more}"))
}

pub(super) fn files() -> Vec<Scene> {
    let output = |title, output: &str| job(title, &JOB.replace("new/{run}/ckpt", output));
    let input = |title, input: &str| job(title, &JOB.replace("runs/{run}/model.ckpt", input));
    vec![
        scene("no job file", "batch"),
        scene("a job file that is not there", "batch job.yaml"),
        scene("a checkpoint for a job file", "batch testdata/conv3/model.ckpt.index"),
        jobs("no jobs", "defaults: {}"),
        jobs("an unknown key", "job: []"),
        with("an unknown key of a job", "mpa: x"),
        job("no input", "output: new/ckpt, map: builtin:bert-hf"),
        job("no output", "input: 'runs/{run}/model.ckpt', map: rules.yaml"),
        job("no rules", "input: 'runs/{run}/model.ckpt', output: 'new/{run}/ckpt'"),
        output("a part that the input does not have", "new/{rnu}/ckpt"),
        output("one output for all", "new/ckpt"),
        output("an output that the input matches", "runs/new-{run}/model.ckpt"),
        input("a brace that is not closed", "runs/{run/model.ckpt"),
        input("two parts side by side", "runs/{run}{step}/model.ckpt"),
        input("stars within a name", "runs/{run}/**.ckpt"),
        input("a pattern that matches nothing", "run/{run}/model.ckpt"),
        with("a counter in words", "save_counter: last"),
        with("a size in words", "shard_size: big"),
        with("links and blocks at once", "link: true, reflink: true"),
        with("the template's values without a template", "keep_missing: true"),
        with("the way back without the old one", "reverse: true"),
        with("a counter for what has none", "for: read, save_counter: 3"),
        with("another word for a purpose", "for: training"),
    ]
}

pub(super) fn runs() -> Vec<Scene> {
    let run = |title, more: &str| {
        let fine = jobs(title, &format!("jobs:\n  - {{{JOB}}}"));
        fine.command(format!("batch jobs.yaml -q -j 1 {more}"))
    };
    let convert = "batch jobs.yaml -q --report one.json --shard 0/2";
    vec![
        job("rules that are not there", &JOB.replace("testdata/conv3/rules-keras2", "rules"))
            .helpless("of many conversions each has a line; by itself it is told more")
            .no(),
        job("rules with problems", &JOB.replace("keras2", "typo")).no().answers(),
        with("parameters that the rules do not have", "set: {heads: 4}").no(),
        run("damage in one of two", "")
            .edit("runs/a/model.ckpt.data-00000-of-00001", |bytes| bytes[40] ^= 1)
            .helpless("of many conversions each has a line; by itself it is told more")
            .no()
            .answers(),
        run("a checkpoint that no batch wrote", "")
            .after("convert testdata/conv3 --map testdata/conv3/rules-keras2.yaml -o new/a/ckpt -q")
            .no()
            .answers(),
        scene("a list that is none", "batch jobs.yaml -q")
            .copy("state", "runs")
            .file("rules.yaml", "version: 1\nrules:\n  - {from: '(.+)', to: '$1'}\n")
            .file(
                "jobs.yaml",
                "version: 1\njobs:\n  - {input: 'runs/model.ckpt-{step}', output: 'new/ckpt-{step}', map: rules.yaml}\n",
            )
            .file("new/checkpoint", "{{{")
            .no(),
        scene("no jobs at a time", "batch jobs.yaml -j 0"),
        run("a share without a number", "--shard half"),
        run("a share that there is not", "--shard 4/4"),
        run("a share of none", "--shard 0/0"),
        run("Slurm without Slurm", "--shard slurm"),
        run("a single task of Slurm", "--shard slurm")
            .with("SLURM_ARRAY_TASK_ID", "2")
            .with("SLURM_ARRAY_TASK_MIN", "2")
            .with("SLURM_ARRAY_TASK_MAX", "2")
            .with("SLURM_ARRAY_TASK_STEP", "1")
            .with("SLURM_ARRAY_TASK_COUNT", "1"),
        run("tasks of Slurm that are not regular", "--shard slurm")
            .with("SLURM_ARRAY_TASK_ID", "7")
            .with("SLURM_ARRAY_TASK_MIN", "1")
            .with("SLURM_ARRAY_TASK_MAX", "7")
            .with("SLURM_ARRAY_TASK_STEP", "1")
            .with("SLURM_ARRAY_TASK_COUNT", "3"),
        run("Kubernetes without a number of pods", "--shard kubernetes")
            .with("JOB_COMPLETION_INDEX", "0"),
        run("Kubernetes in words", "--shard kubernetes")
            .with("JOB_COMPLETION_INDEX", "0")
            .with("JOB_COMPLETIONS", "four"),
        run("a report over something else", "--report jobs.yaml"),
        run("a report in a directory that is none", "--report jobs.yaml/x.json"),
        run("a report for a directory", "--report reports/"),
        run("report and page in one", "--report x --html x"),
        run("a page over something else", "--html jobs.yaml"),
        scene("a report that is not there", "batch --merge-reports one.json"),
        scene("a report that is none", "batch --merge-reports one.json").file("one.json", "{}"),
        run("a report of another program", "")
            .after("batch jobs.yaml -q --report one.json")
            .edit("one.json", |bytes| {
                let text = String::from_utf8(bytes.clone()).unwrap();
                *bytes = text.replacen("\"schema\": 1", "\"schema\": 9", 1).into_bytes();
            })
            .command("batch --merge-reports one.json"),
        run("a share that is missing", "")
            .after(convert)
            .command("batch --merge-reports one.json")
            ,
        run("a share twice", "").after(convert).command("batch --merge-reports one.json one.json"),
        run("shares of different batches", "")
            .after(convert)
            .after("batch jobs.yaml -q --report all.json")
            .command("batch --merge-reports one.json all.json"),
        scene("reports and jobs", "batch jobs.yaml --merge-reports one.json"),
    ]
}
