//! Range, mean and deviation of numbers, in parts that can be joined.

/// What numbers are like. Those that are not finite are counted and are in nothing else.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moments {
    /// How many are finite.
    pub finite: u64,
    /// How many are NaN.
    pub nan: u64,
    /// How many are infinite.
    pub infinite: u64,
    /// How many are 0.
    pub zero: u64,
    least: f64,
    most: f64,
    mean: f64,
    /// Sum of the squares of their distances from the mean.
    squares: f64,
}

impl Default for Moments {
    fn default() -> Self {
        let (least, most) = (f64::INFINITY, f64::NEG_INFINITY);
        Self { finite: 0, nan: 0, infinite: 0, zero: 0, least, most, mean: 0.0, squares: 0.0 }
    }
}

/// Sums are kept so many at a time, which a processor adds at once.
const LANES: usize = 8;

impl Moments {
    /// Those of `numbers`, which are gone through twice: first the mean, then distances from it.
    pub fn of(numbers: &[f64]) -> Self {
        let lanes = Lanes::of(numbers);
        if lanes.all_finite() {
            return lanes.moments(numbers);
        }
        let finite: Vec<f64> = numbers.iter().copied().filter(|n| n.is_finite()).collect();
        let mut moments = Lanes::of(&finite).moments(&finite);
        moments.nan = numbers.iter().map(|number| u64::from(number.is_nan())).sum();
        moments.infinite = (numbers.len() - finite.len()) as u64 - moments.nan;
        moments
    }

    /// Takes those of further numbers in.
    pub fn join(&mut self, other: &Self) {
        if self.finite == 0 {
            (self.least, self.most) = (other.least, other.most);
            (self.mean, self.squares) = (other.mean, other.squares);
        } else if other.finite > 0 {
            // Chan, Golub, LeVeque: "Updating formulae and a pairwise algorithm for computing
            // sample variances", 1979.
            let (ours, theirs) = (count(self.finite), count(other.finite));
            let (share, apart) = (theirs / (ours + theirs), other.mean - self.mean);
            self.squares += other.squares + apart * apart * ours * share;
            self.mean += apart * share;
            self.least = self.least.min(other.least);
            self.most = self.most.max(other.most);
        }
        self.finite += other.finite;
        self.nan += other.nan;
        self.infinite += other.infinite;
        self.zero += other.zero;
    }

    /// How many numbers there are.
    pub fn count(&self) -> u64 {
        self.finite + self.nan + self.infinite
    }

    /// The least and the largest finite number; `None` where there is none.
    pub fn range(&self) -> Option<(f64, f64)> {
        (self.finite > 0).then_some((self.least, self.most))
    }

    /// The mean of the finite numbers; `None` where there is none.
    pub fn mean(&self) -> Option<f64> {
        (self.finite > 0).then_some(self.mean)
    }

    /// Their standard deviation, as of a whole population; `None` where there is none, or its
    /// square is beyond an `f64`.
    pub fn deviation(&self) -> Option<f64> {
        let deviation = (self.squares / count(self.finite)).sqrt();
        deviation.is_finite().then_some(deviation)
    }
}

#[expect(clippy::cast_precision_loss, reason = "there are not 2^53 numbers in a file")]
fn count(n: u64) -> f64 {
    n as f64
}

/// What one look at numbers tells, kept several at a time.
struct Lanes {
    least: [f64; LANES],
    most: [f64; LANES],
    sum: [f64; LANES],
    zero: [u64; LANES],
    /// 0 unless some are not finite: those are NaN times 0.
    probe: [f64; LANES],
}

impl Lanes {
    fn of(numbers: &[f64]) -> Self {
        let mut lanes = Self {
            least: [f64::INFINITY; LANES],
            most: [f64::NEG_INFINITY; LANES],
            sum: [0.0; LANES],
            zero: [0; LANES],
            probe: [0.0; LANES],
        };
        let (blocks, rest) = numbers.as_chunks::<LANES>();
        for block in blocks {
            lanes.add(block);
        }
        // What is left is one lane's.
        for number in rest {
            let Self { least: [least, ..], most: [most, ..], sum: [sum, ..], .. } = &mut lanes;
            (*least, *most, *sum) = (least.min(*number), most.max(*number), *sum + number);
            let Self { zero: [zero, ..], probe: [probe, ..], .. } = &mut lanes;
            *zero += u64::from(*number == 0.0);
            *probe += number * 0.0;
        }
        lanes
    }

    fn add(&mut self, block: &[f64; LANES]) {
        let ends = self.least.iter_mut().zip(&mut self.most);
        for ((least, most), number) in ends.zip(block) {
            *least = if *number < *least { *number } else { *least };
            *most = if *number > *most { *number } else { *most };
        }
        for (sum, number) in self.sum.iter_mut().zip(block) {
            *sum += number;
        }
        for (zero, number) in self.zero.iter_mut().zip(block) {
            *zero += u64::from(*number == 0.0);
        }
        for (probe, number) in self.probe.iter_mut().zip(block) {
            *probe += number * 0.0;
        }
    }

    fn all_finite(&self) -> bool {
        self.probe.iter().all(|probe| *probe == 0.0)
    }

    /// Those of the numbers that were looked at, all of which are finite.
    fn moments(&self, numbers: &[f64]) -> Moments {
        if numbers.is_empty() {
            return Moments::default();
        }
        let count = count(numbers.len() as u64);
        // The sum of very large numbers may be infinite where their mean is not.
        let mean = self.sum.iter().sum::<f64>() / count;
        let mean = if mean.is_finite() { mean } else { sum(numbers, |number| number / count) };
        Moments {
            finite: numbers.len() as u64,
            nan: 0,
            infinite: 0,
            zero: self.zero.iter().sum(),
            least: self.least.iter().copied().fold(f64::INFINITY, f64::min),
            most: self.most.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            mean,
            squares: sum(numbers, |number| (number - mean).powi(2)),
        }
    }
}

fn sum(numbers: &[f64], of: impl Fn(f64) -> f64) -> f64 {
    let (blocks, rest) = numbers.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for block in blocks {
        for (sum, number) in sums.iter_mut().zip(block) {
            *sum += of(*number);
        }
    }
    sums.iter().sum::<f64>() + rest.iter().map(|number| of(*number)).sum::<f64>()
}
