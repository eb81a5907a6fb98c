//! `convert`: from a TF1 checkpoint to one that `tf.train.Checkpoint` restores.

use anyhow::Context;
use clap::ValueEnum;

use super::Answer;
use super::interrupt::Interrupt;
use super::mapped::MappedArgs;
use super::progress::Bar;
use super::ui::Ui;
use ckptmap::convert::{self, ConvertError, Sharing, convert};
use ckptmap::files::{Location, Share, entries};
use ckptmap::report::{Page, Report};
use ckptmap::size::size;
use ckptmap::target::{Options, create, default_destination};

/// Convert a checkpoint
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    mapped: MappedArgs,
    /// The checkpoint to write [default: the same name in OLD's directory + "-tf2", or "-tf1" for `--reverse`]
    #[arg(short, long, value_name = "NEW")]
    output: Option<Location>,
    /// Replace a checkpoint that is there
    #[arg(long)]
    force: bool,
    /// Name the result as the latest in the `checkpoint` file beside it
    #[arg(long)]
    update_state: bool,
    /// Begin another data file before one grows beyond SIZE (500MB, 2GiB, …); a tensor is never cut
    #[arg(long, value_name = "SIZE", value_parser = size)]
    shard_size: Option<u64>,
    /// Do not wait until the data is safe on the disk
    #[arg(long)]
    no_sync: bool,
    #[command(flatten)]
    data: DataArgs,
}

/// How values get into the result.
#[derive(Debug, clap::Args)]
struct DataArgs {
    /// Let the result have the source's data files under names of its own, without a copy: what is
    /// written into one of them later is written into both. Where that is refused, blocks are
    /// shared or copied, unless it is required
    #[arg(
        long, value_name = "try|require", value_enum, num_args = 0..=1, require_equals = true,
        default_missing_value = "try", hide_possible_values = true
    )]
    link: Option<Need>,
    /// Let the result share blocks with the source's data files, where the file system can: as
    /// cheap as a link, and neither hears of what is written into the other
    #[arg(
        long, value_name = "try|require", value_enum, num_args = 0..=1, require_equals = true,
        default_missing_value = "try", hide_possible_values = true, conflicts_with = "link"
    )]
    reflink: Option<Need>,
    /// Inside a bucket, the server copies data files of which most is wanted: make it an error
    /// where it cannot, rather than to send their bytes through this machine
    #[arg(long, conflicts_with_all = ["link", "reflink"])]
    require_server_copy: bool,
    /// Memory for values that are transformed (500MB, 2GiB, …; at least 1MiB)
    #[arg(long, value_name = "SIZE", value_parser = size, default_value = "256MiB")]
    memory: u64,
    /// Do not check the source's checksums, as far as they need not be for reading it (strings,
    /// slices and V1 values are checked all the same): damage goes over into the result, and what is transformed gets a new checksum that hides it
    #[arg(long)]
    no_verify: bool,
}

/// What becomes of a conversion whose files cannot be shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Need {
    /// They are copied
    Try,
    /// It is an error
    Require,
}

impl DataArgs {
    fn options(&self) -> convert::Options {
        let wanted = [(self.link, Share::Link), (self.reflink, Share::Reflink)];
        let share = wanted.into_iter().find_map(|(need, how)| {
            need.map(|need| Sharing { how, required: need == Need::Require })
        });
        let server = Sharing { how: Share::Server, required: true };
        let share = share.or(self.require_server_copy.then_some(server));
        convert::Options { memory: self.memory, verify: !self.no_verify, share }
    }
}

pub(super) fn run(args: &Args, ui: &Ui) -> anyhow::Result<Answer> {
    let interrupt = Interrupt::listen()?;
    // A checkpoint may get very many data files, and none is closed before all are complete.
    let _ = rlimit::increase_nofile_limit(u64::MAX);
    let planned = match args.mapped.plan(ui)? {
        Ok(planned) => planned,
        Err(answer) => return Ok(answer),
    };
    let source = planned.reader.as_ref();
    let to = match &args.output {
        Some(to) => to.clone(),
        None => default_destination(source.prefix(), args.mapped.is_reverse()),
    };
    let options = Options {
        overwrite: args.force,
        sync: !args.no_sync,
        update_state: args.update_state,
        shard_size: args.shard_size,
        record: None,
    };
    let mut inputs = source.files();
    inputs.extend(planned.template.iter().flat_map(|template| template.files()));
    let writer = create(&to, &options, &entries(&inputs)?)?;
    let bar = Bar::new(ui, interrupt.clone());
    let done = match convert(&planned.plan, &planned.inputs(), writer, &args.data.options(), &bar) {
        Ok(done) => done,
        Err(ConvertError::Interrupted) => {
            drop(bar);
            ui.warn(ConvertError::Interrupted);
            return Ok(Answer::Interrupted(interrupt.signal().unwrap_or_default()));
        }
        Err(error) => return Err(error.into()),
    };
    drop(bar);
    for note in &done.written.notes {
        ui.note(note);
    }
    let report = Report::Conversion { plan: &planned.plan, mapping: &planned.mapping, done: &done };
    let answered = if args.mapped.json() || !ui.is_quiet() {
        ui.answer(&report, args.mapped.json())
    } else {
        ui.keep(&report)
    };
    answered.context("the checkpoint is complete, but its report is not")?;
    let page = Page { conversion: Some(&done), ..planned.page() };
    let written = args.mapped.rules().write_page(&page, ui);
    written.context("the checkpoint is complete, but its page is not")?;
    Ok(Answer::Yes)
}
